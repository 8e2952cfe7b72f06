"""`feedback-mock --store … --workers N`: several processes on one port, replaced if one ends, gone at the end."""

import os
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest
from feedback_mock.command.cli import main
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from tests.mock.conftest import EVENT
from tests.mock.redis_server import RedisServer
from tests.mock.test_cli import assert_cannot_start, end, ready_line, running

BODY = {"event_id": EVENT, "name": "Jane", "email": "jane@example.com", "comments": "It broke!"}


def workers_of(pid: int) -> list[int]:
    """The processes that this one has started to serve, without those of multiprocessing itself."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()
    return [int(each) for each in children if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes()]


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@retry(retry=retry_if_result(lambda found: not found), stop=stop_after_delay(20), wait=wait_fixed(0.05))
def until(found: Any) -> Any:
    return found()


def submit(ready: dict[str, Any], **fields: str) -> httpx.Response:
    path = f"/api/0/projects/{ready['organization']}/{ready['project']}/user-feedback/"
    headers = {"Authorization": f"Bearer {ready['token']}"}
    return httpx.post(ready["url"] + path, headers=headers, json={**BODY, **fields})


def test_workers_serve_the_same_projects_and_one_that_is_killed_is_replaced(empty_redis: RedisServer) -> None:
    with running("--log-format", "json", "--store", empty_redis.url, "--workers", "2") as process:
        ready = ready_line(process)
        first, before = submit(ready), workers_of(process.pid)
        os.kill(before[0], signal.SIGKILL)
        until(lambda: len(set(workers_of(process.pid)) - set(before)) == 1)
        second, left = submit(ready, name="John"), workers_of(process.pid)
        code, _, err = end(process, signal.SIGTERM)

    assert len(before) == 2
    assert (first.status_code, second.json()["id"]) == (200, first.json()["id"])
    assert f"worker {before[0]} ended (-9); another one replaces it" in err
    assert (code, [pid for pid in left if is_there(pid)]) == (0, [])
    assert "Traceback" not in err


def test_workers_end_with_whoever_started_them(empty_redis: RedisServer) -> None:
    with running("--log-format", "json", "--store", empty_redis.url, "--workers", "2") as process:
        ready_line(process)
        workers = workers_of(process.pid)
        process.kill()

        assert len(workers) == 2
        until(lambda: not any(map(is_there, workers)))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--workers", "2"], "--workers requires --store redis://"),
        (["--workers", "0", "--store", "redis://127.0.0.1"], "0 is not in the range"),
        (["--store", "mysql://127.0.0.1"], "is memory, or the URL of a Redis, such as redis://127.0.0.1:6379/0"),
        (["--store", "redis://127.0.0.1:port"], "is memory, or the URL of a Redis"),
        (["--store", "redis://127.0.0.1/feedback"], "is memory, or the URL of a Redis"),
        (["--store", "unix://redis.sock"], "is memory, or the URL of a Redis"),
        (["--store", "redis://127.0.0.1?nope=1", "--port", "0"], "the client of Redis does not accept this URL"),
        (
            ["--store", "redis://:secret@127.0.0.1:1", "--port", "0"],
            "Redis at redis://127.0.0.1:1 cannot be asked: Connection refused.\n",
        ),
        (["--store", "redis://127.0.0.1:1", "--port", "0", "--host", "0.0.0.0"], "needs --control-token"),
    ],
)
def test_what_cannot_be_shared_is_exit_2(capsys: Any, arguments: list[str], says: str) -> None:
    assert_cannot_start(capsys, arguments, says)


def test_what_redis_says_of_its_refusal_is_quoted(capsys: Any, empty_redis: RedisServer) -> None:
    with empty_redis.client as client:
        client.execute_command("ACL", "SETUSER", "default", "-eval")
        code = main(["--store", empty_redis.url, "--port", "0"])
        client.execute_command("ACL", "SETUSER", "default", "+eval")
    said = capsys.readouterr().err

    assert code == 2
    assert said.startswith(f"feedback-mock: Redis at {empty_redis.url} cannot be asked: ")
    assert "no permissions to run the 'eval' command" in said


def test_data_of_others_is_exit_2(capsys: Any, empty_redis: RedisServer) -> None:
    with empty_redis.client as client:
        client.hset("{feedback-mock}:directory", mapping={"epoch": "e", "version": "v", "made_with": "another"})

    assert main(["--store", empty_redis.url, "--port", "0"]) == 2
    assert "holds projects of another version of the mock" in capsys.readouterr().err
