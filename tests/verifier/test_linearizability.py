"""Histories that some order explains, and histories that none does, thousands of operations long."""

from itertools import permutations

import pytest
from feedback_verify.linearizability import Operation, explainable
from hypothesis import given, settings
from hypothesis import strategies as st

_instants = st.integers(0, 6)
_operations = st.builds(
    lambda kind, value, began, lasts, record: Operation(kind, value, began, began + lasts, record),
    st.sampled_from(["write", "read"]),
    st.sampled_from(["a", "b", ""]),
    _instants,
    _instants,
    st.sampled_from(["one", "two"]),
)


def explained_by(order: tuple[Operation, ...]) -> bool:
    """Whether this order is consistent with the instants and with what the reads saw."""
    seen: dict[str, str] = {}
    for number, operation in enumerate(order):
        if any(later.ended < operation.began for later in order[number:]):
            return False
        if operation.kind == "read" and seen.get(operation.record, "") != operation.value:
            return False
        seen[operation.record] = operation.value
    return True


@settings(deadline=None)
@given(st.lists(_operations, max_size=5))
def test_search_agrees_with_trying_every_order(history: list[Operation]) -> None:
    """Every order of all operations, records mixed, tried one after the other."""
    assert explainable(history) == any(map(explained_by, permutations(history)))


def writers_and_readers(count: int, at_once: int) -> list[Operation]:
    """This many operations on one record, several at a time; each read sees the last write of the previous batch."""
    history = []
    for number in range(count):
        batch = number // at_once
        began, ended = batch * 10, batch * 10 + 5 + number % 3
        value = f"write {number}" if batch % 2 == 0 else f"write {batch * at_once - 1}"
        history.append(Operation("read" if batch % 2 else "write", value, began, ended))
    return history


@pytest.mark.parametrize("at_once", [1, 6])
def test_history_of_thousands_of_operations_is_explained(at_once: int) -> None:
    """Twelve thousand on one record."""
    assert explainable(writers_and_readers(12_000, at_once))


@pytest.mark.parametrize("at_once", [1, 6])
def test_lost_write_at_the_end_of_thousands_of_operations_is_seen(at_once: int) -> None:
    """The last read sees the very first write."""
    history = writers_and_readers(12_000, at_once)
    end = max(each.ended for each in history)

    assert not explainable([*history, Operation("read", "write 0", end + 1, end + 2)])


def test_thousands_of_records_are_searched_each_by_itself() -> None:
    """All at the same time: searched together, they would never end."""
    history = [
        Operation(kind, str(record), began, 3, str(record))
        for record in range(3_000)
        for kind, began in (("write", 0), ("read", 2))
    ]

    assert explainable(history)
    assert not explainable([*history, Operation("read", "0", 5, 6, "1")])
