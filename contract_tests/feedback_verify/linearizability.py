"""Decides whether some order explains a concurrent history of registers. Pure.

The search is Wing and Gong's (Testing and Verifying Concurrent Objects, 1993): try every operation that no other one
must precede, and continue with the rest, remembering states already tried, as Lowe proposed. Records are searched
separately: a history is explainable if that of each of its records is (Herlihy and Wing, 1990).
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
    """Whether, in some order consistent with what certainly came before what, every read sees its record's latest
    write.
    """
    records: dict[str, list[Operation]] = {}
    for operation in sorted(history, key=lambda each: each.began):
        records.setdefault(operation.record, []).append(operation)
    return all(_explainable(operations, initial) for operations in records.values())


def _explainable(operations: list[Operation], initial: str) -> bool:
    """The same for one record's operations, in the order in which they began.

    A state is how many at the beginning are done, which of the later ones are done too, and the current value.
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
    """The remaining operations that no other remaining operation must precede."""
    first_end: int | None = None
    for number in range(done, len(operations)):
        operation = operations[number]
        if first_end is not None and operation.began > first_end:
            return  # so do all later ones, and none of them ends earlier
        if number not in beside:
            first_end = operation.ended if first_end is None else min(first_end, operation.ended)
            yield number


def _with(done: int, beside: frozenset[int], number: int) -> tuple[int, frozenset[int]]:
    """The done operations plus this one."""
    beside |= {number}
    while done in beside:
        beside -= {done}
        done += 1
    return done, beside
