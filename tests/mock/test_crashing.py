"""Mocks that share a Redis are killed, and so is Redis; `make crash-redis` does it thousands of times."""

from tests.mock.crashing import REDIS, crash
from tests.mock.redis_server import RedisServer


def test_what_was_acknowledged_outlives_mocks_and_redis(redis_server: RedisServer) -> None:
    """Two dozen kills; `crash` checks every history for linearizability, and compares both mocks."""
    assert redis_server.pid
    done = crash(kills=REDIS + 4, seed=1)

    assert done.kills > REDIS
    assert done.redis_kills == 1
    assert done.unknown > 0
    assert done.sleeps > 0
