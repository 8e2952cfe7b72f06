"""The connection to Redis: runs scripts in bounded time, and says in one sentence why it cannot. Knows no project."""

import os
from collections.abc import Sequence
from functools import cache, cached_property
from importlib import resources
from textwrap import shorten
from time import perf_counter
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from redis import asyncio as aioredis
from redis.backoff import NoBackoff
from redis.exceptions import OutOfMemoryError, RedisError
from redis.exceptions import TimeoutError as TookTooLong
from redis.retry import Retry

from feedback_mock.asgi import printable
from feedback_mock.tally import Tally

PATIENCE = 2.0
"""Seconds that Redis may take for one reply."""
MOST_QUOTED = 200  # characters of what Redis says of an error
Argument = bytes | int | str


class Away(Exception):
    """Redis did not reply as expected: why, in one sentence. It may have done what it was asked all the same."""


class Call(NamedTuple):
    """A script, by the names of its parts, with its KEYS and its ARGV."""

    parts: tuple[str, ...]
    keys: Sequence[bytes]
    arguments: Sequence[Argument]


class Connection:
    """Redis at a URL (redis://, rediss:// or unix://), asked by scripts; `tally` counts the round trips.

    Nothing is asked twice: a script whose answer was lost may have written.
    """

    def __init__(self, url: str) -> None:
        self._url, self.tally = url, Tally()

    @property
    def shown(self) -> str:
        """The URL without user, password and query."""
        parts = urlsplit(self._url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    @cached_property
    def _client(self) -> aioredis.Redis:
        return aioredis.Redis.from_url(
            self._url,
            socket_timeout=PATIENCE,
            socket_connect_timeout=PATIENCE,
            retry=Retry(NoBackoff(), 0),
        )

    async def run(self, calls: Sequence[Call]) -> list[Any]:
        """Runs scripts in one round trip; returns the reply of each, or Away in its place. Raises Away."""
        began = perf_counter()
        pipeline = self._client.pipeline(transaction=False)
        for parts, keys, arguments in calls:
            pipeline.execute_command("EVAL", _text(parts), len(keys), *keys, *arguments)
        try:
            answers = await pipeline.execute(raise_on_error=False)
        except (RedisError, OSError) as error:
            raise self._away(error) from None
        took = round((perf_counter() - began) * 1_000_000)
        self.tally.count("+".join(sorted({parts[-1] for parts, _, _ in calls})), 0, took)
        return [self._away(each) if isinstance(each, Exception) else each for each in answers]

    def _away(self, error: Exception) -> Away:
        if isinstance(error, (TookTooLong, TimeoutError)):
            said = f"took longer than {PATIENCE:g} seconds; it may do what it was asked for all the same"
            return Away(f"Redis at {self.shown} {said}.")
        if isinstance(error, OutOfMemoryError):
            return Away(f"Redis at {self.shown} has no memory left.")
        return Away(f"Redis at {self.shown} cannot be asked: {_why(error)}.")

    async def close(self) -> None:
        """Closes all connections; new ones are opened when needed."""
        client: aioredis.Redis | None = self.__dict__.pop("_client", None)
        if client is not None:
            await client.aclose()


def _why(error: Exception) -> str:
    """What the system says of a failed connection; or else what Redis said."""
    cause = error.__context__
    if isinstance(cause, OSError) and cause.errno and cause.errno > 0:  # negative where a name does not resolve
        return os.strerror(cause.errno)
    return printable(shorten(str(error), MOST_QUOTED, placeholder=" ...")).rstrip(".") or type(error).__name__


@cache
def _text(parts: tuple[str, ...]) -> str:
    """The script: its parts one after the other."""
    files = resources.files(__package__)
    return "".join(files.joinpath(f"{each}.lua").read_text("utf-8") for each in parts)
