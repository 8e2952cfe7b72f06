"""Creates long responses piece by piece, so that other requests have their turn in between. Knows no operation."""

import asyncio
from collections.abc import Callable, Generator, Iterator
from itertools import islice
from typing import Any, TypeVar

import orjson

from feedback_mock.result import Result

_Row = TypeVar("_Row")
PIECE = 100  # rows


class Rows:
    """A possibly long list in a response; its values are created when they are needed, once."""

    def __init__(self, values: Iterator[Any]) -> None:
        self.values = values


class Steps:
    """A result that takes a while: work that yields where others may have their turn, and returns the result."""

    def __init__(self, work: Generator[None, None, Result]) -> None:
        self._work = work
        self._result: Result | None = None

    def __iter__(self) -> Iterator[None]:
        """One piece after the other."""
        self._result = yield from self._work

    @property
    def finished(self) -> Result:
        """The result; only after the last piece."""
        assert self._result is not None
        return self._result


def taken(rows: Iterator[_Row]) -> Generator[None, None, list[_Row]]:
    """All rows, a piece at a time."""
    found: list[_Row] = []
    while piece := list(islice(rows, PIECE)):
        found += piece
        yield
    return found


class TooLong(Exception):
    """The response is larger than allowed."""


def at_once(value: Any) -> Any:
    """The response with all its rows."""
    return _filled(value, lambda rows: list(rows.values))


async def by_pieces(value: Any, most: int, check: Callable[[Any], None]) -> Any:
    """The response with its rows already written as JSON, each piece checked like the whole.

    Raises TooLong beyond `most` bytes of rows.
    """
    written: dict[Rows, orjson.Fragment] = {}
    size = 0
    check(_filled(value, lambda _: []))
    for rows in _rows_in(value):
        parts: list[bytes] = []
        while piece := list(islice(rows.values, PIECE)):
            check(_filled(value, lambda each, rows=rows, piece=piece: piece if each is rows else []))  # type: ignore[misc]  # a lambda with defaults
            parts.append(orjson.dumps(piece)[1:-1])
            size += len(parts[-1])
            if size > most:
                raise TooLong
            await asyncio.sleep(0)
        written[rows] = orjson.Fragment(b"[" + b",".join(parts) + b"]")
    return _filled(value, written.__getitem__)


def _rows_in(value: Any) -> Iterator[Rows]:
    if isinstance(value, Rows):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _rows_in(each)


def _filled(value: Any, fill: Callable[[Rows], Any]) -> Any:
    if isinstance(value, Rows):
        return fill(value)
    if isinstance(value, dict):
        return {name: _filled(each, fill) for name, each in value.items()}
    return value
