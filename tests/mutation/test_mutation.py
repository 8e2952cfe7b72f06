"""How changed servers are judged and counted."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.mutation.__main__ import SERVER
from tests.mutation.campaign import Campaign, Judged, Memory
from tests.mutation.changes import Change
from tests.mutation.judging import Server, judged, server_of
from tests.mutation.processes import Fate, Judgement, Task, judge
from tests.mutation.survivors import Kind, Reason

CHANGE = Change("number", "module", "a = 1", "a = 2", "a = 2", "a = 2")


def fate_of(make: Callable[[Any], Any], given: Any, rules: frozenset[str] | None = None) -> Judgement:
    """The fate of one server."""
    ((_, told),) = judge([Task("", partial(judged, Server(make, given, rules)))], 1)
    return told


def test_changed_implementation_is_violated_by_the_rule_that_it_breaks() -> None:
    """The quickest run that shows it is enough."""
    source = SERVER.read_text("utf-8").replace("timedelta(minutes=30)", "timedelta(minutes=31)")

    told = fate_of(server_of, source)

    assert (told.fate, told.rules, told.depth) == (Fate.VIOLATED, ("event-window",), "quick")


def test_source_that_does_not_run_does_not_start() -> None:
    """A change that breaks everything counts as detected, under a separate name."""
    told = fate_of(server_of, "raise ValueError('no')")

    assert (told.fate, told.detail) == (Fate.BROKEN, "ValueError: no")


def die(_: Any) -> None:
    """An application that kills the whole process."""
    os._exit(3)


def test_verifier_that_ends_without_a_verdict_has_seen_nothing() -> None:
    """A bug of ours never counts as detecting a change."""
    told = fate_of(die, None)

    assert told.fate is Fate.FAILED
    assert not told.fate.seen


@pytest.mark.parametrize(
    ("fate", "kind", "wrong"),
    [
        (Fate.VIOLATED, None, False),
        (Fate.SURVIVED, None, True),
        (Fate.SURVIVED, Kind.EQUIVALENT, False),
        (Fate.SURVIVED, Kind.BLIND, False),
        (Fate.VIOLATED, Kind.EQUIVALENT, True),
        (Fate.VIOLATED, Kind.BLIND, False),
        (Fate.FAILED, Kind.EQUIVALENT, True),
        (Fate.OTHERWISE, None, True),
        (Fate.HANGS, None, True),
    ],
)
def test_unexplained_survivors_and_seen_excuses_are_problems(fate: Fate, kind: Kind | None, wrong: bool) -> None:
    """The file of survivors can be wrong in both ways."""
    judged = Judged(CHANGE, Judgement(fate, ("submission",)), Reason(kind, "why") if kind else None)

    assert (judged.problem is not None) == wrong


def test_share_counts_what_could_have_been_seen() -> None:
    """Equivalent changes do not count, blind spots do."""
    excused, blind = Reason(Kind.EQUIVALENT, "why"), Reason(Kind.BLIND, "why")
    judged = [
        Judged(CHANGE, Judgement(Fate.VIOLATED), None),
        Judged(CHANGE, Judgement(Fate.SURVIVED), excused),
        Judged(CHANGE, Judgement(Fate.SURVIVED), blind),
    ]

    assert Campaign(judged).share == 0.5


@pytest.mark.parametrize(
    ("fate", "verifier", "known"),
    [
        (Fate.VIOLATED, "the same", True),
        (Fate.VIOLATED, "another", True),
        (Fate.SURVIVED, "the same", True),
        (Fate.SURVIVED, "another", False),
    ],
)
def test_campaign_goes_on_where_it_was_stopped(fate: Fate, verifier: str, known: bool, tmp_path: Path) -> None:
    """Undetected changes are tested again once the verifier has changed."""
    told = Judgement(fate, ("submission",), "detail", "quick")
    Memory(tmp_path / "memory", "the same").keep(CHANGE, told)

    assert Memory(tmp_path / "memory", verifier).of(CHANGE.key) == (told if known else None)
