"""Whether a concurrent history of one register has an order that explains it. Pure.

The search is Wing's and Gong's (Testing and Verifying Concurrent Objects, 1993): try every operation that no other
one has surely preceded, and go on with the rest; states already tried are remembered, as Lowe proposed.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Operation:
    """A write of a value, or a read that saw one; `began` and `ended` in microseconds of one clock."""

    kind: str
    value: str
    began: int
    ended: int


def explainable(history: list[Operation], initial: str = "") -> bool:
    """Whether some order, true to what surely came before what, lets every read see the latest write."""
    tried: set[tuple[frozenset[int], str]] = set()

    def search(left: frozenset[int], current: str) -> bool:
        if not left:
            return True
        if (left, current) in tried:
            return False
        tried.add((left, current))
        first_end = min(history[each].ended for each in left)
        for each in left:
            operation = history[each]
            if operation.began > first_end:
                continue
            if operation.kind == "write":
                if search(left - {each}, operation.value):
                    return True
            elif operation.value == current and search(left - {each}, current):
                return True
        return False

    return search(frozenset(range(len(history))), initial)
