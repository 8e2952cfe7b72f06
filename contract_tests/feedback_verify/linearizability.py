"""Whether a concurrent history of registers has an order that explains it. Pure.

The search is Wing's and Gong's (Testing and Verifying Concurrent Objects, 1993): try every operation that no other
one has surely preceded, and go on with the rest; states already tried are remembered, as Lowe proposed. Each record
is searched by itself: a history can be explained where that of every record in it can (Herlihy and Wing, 1990).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Operation:
    """A write of a value, or a read that saw one; `began` and `ended` in microseconds of one clock."""

    kind: str
    value: str
    began: int
    ended: int
    record: str = ""


def explainable(history: Iterable[Operation], initial: str = "") -> bool:
    """Whether some order, true to what surely came before what, lets every read see its record's latest write."""
    records: dict[str, list[Operation]] = {}
    for operation in sorted(history, key=lambda each: each.began):
        records.setdefault(operation.record, []).append(operation)
    return all(_explainable(operations, initial) for operations in records.values())


def _explainable(operations: list[Operation], initial: str) -> bool:
    """The same of one record's operations, in the order in which they began.

    A state is how many at the beginning are done, which of those behind are done too, and the value then.
    """
    begin: tuple[int, frozenset[int], str] = (0, frozenset(), initial)
    waiting, tried = [begin], {begin}
    while waiting:
        done, beside, current = waiting.pop()
        if done == len(operations):
            return True
        for number in reversed(list(_next(operations, done, beside))):
            operation = operations[number]
            if operation.kind == "read" and operation.value != current:
                continue
            state = (*_with(done, beside, number), operation.value)
            if state not in tried:
                tried.add(state)
                waiting.append(state)
    return False


def _next(operations: list[Operation], done: int, beside: frozenset[int]) -> Iterator[int]:
    """The operations left that no other operation left must precede."""
    first_end: int | None = None
    for number in range(done, len(operations)):
        operation = operations[number]
        if first_end is not None and operation.began > first_end:
            return  # so do all behind it, and none of them ends earlier
        if number not in beside:
            first_end = operation.ended if first_end is None else min(first_end, operation.ended)
            yield number


def _with(done: int, beside: frozenset[int], number: int) -> tuple[int, frozenset[int]]:
    """What is done with this one more."""
    beside |= {number}
    while done in beside:
        beside -= {done}
        done += 1
    return done, beside
