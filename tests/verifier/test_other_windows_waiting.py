"""Real waiting knows no window by its name, number, limit or status either: the plan follows the document."""

from dataclasses import replace
from pathlib import Path

import pytest
from feedback_spec.document import Document, load
from feedback_spec.instants import SECOND
from feedback_spec.rules import Base, Decision, Facts
from feedback_verify.realtime.draw import MARGIN, draw_plan, purchases
from feedback_verify.realtime.judge import judge_tracks
from feedback_verify.realtime.plan import Plan
from feedback_verify.verdicts import Finding

from tests.documents import WINDOWS, other_windows
from tests.played import played, sound

CAPABLE = frozenset({"token", "dsn", "event", "aged-event", "aged-timestamp", "parallel"})
HALF_AN_HOUR = 1800 * SECOND
WAIT = HALF_AN_HOUR + 60 * SECOND


@pytest.fixture(params=["our windows", *WINDOWS])
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Document:
    """Each document in turn, including ours."""
    return load() if request.param == "our windows" else load(other_windows(request.param, tmp_path / "openapi.yaml"))


def plan_for(document: Document, wait: int | None = WAIT) -> Plan:
    """The plan for a target that can do everything that a URL can."""
    return draw_plan(document, CAPABLE, wait, seed=1)


def violated(findings: list[Finding]) -> set[str]:
    """The rules that are broken."""
    return {each.rule for each in findings if each.violation}


def test_server_that_follows_the_document_is_decided_in_every_rule(other: Document) -> None:
    """Nothing violated and nothing doubtful; each window is tested on both sides."""
    findings = judge_tracks(other, played(other, plan_for(other), sound(other)))

    assert violated(findings) == set()
    assert [each.doubt for each in findings if each.doubt] == []
    seen = {each.rule for each in findings if each.observations}
    assert {window.rule for window in other.mutability.windows} <= seen


@pytest.mark.parametrize("number", [0, 1, 2])
def test_window_with_another_limit_is_violated_by_its_rule(other: Document, number: int) -> None:
    """Each window of each document, 20 seconds longer."""
    windows = list(other.mutability.windows)
    window = windows[number % len(windows)]
    windows[number % len(windows)] = replace(window, limit=window.limit + 20 * SECOND)
    server = replace(other, mutability=replace(other.mutability, windows=tuple(windows)))

    findings = judge_tracks(other, played(other, plan_for(other), sound(server)))

    assert window.rule in violated(findings)


def test_limit_itself_is_judged_on_the_side_that_the_document_has(document: Document, tmp_path: Path) -> None:
    """A response that was certainly decided at the limit or before."""
    excluding = load(other_windows("windows that refuse at their limit", tmp_path / "openapi.yaml"))
    plan = plan_for(document)

    assert violated(judge_tracks(document, played(document, plan, sound(excluding)))) == set()
    assert violated(judge_tracks(excluding, played(excluding, plan, sound(document)))) == set()


def test_event_window_that_counts_from_the_timestamp_is_said_of_its_base_alone(document: Document) -> None:
    """By the rule about the base; timestamps show the limit."""
    windows = tuple(
        replace(each, base=Base.EVENT_TIMESTAMP) if each.base is Base.EVENT_SAVED else each
        for each in document.mutability.windows
    )
    server = replace(document, mutability=replace(document.mutability, windows=windows))

    assert violated(judge_tracks(document, played(document, plan_for(document), sound(server)))) == {
        "event-window-base"
    }


@pytest.mark.parametrize("opens", [60, 600, 1500])
def test_window_that_opens_again_within_the_wait_is_seen(document: Document, opens: int) -> None:
    """This many seconds after its end, in a wait of an hour."""
    decides = sound(document)
    shortest = min(window.limit for window in document.mutability.windows)

    findings = judge_tracks(
        document,
        played(
            document,
            plan_for(document, 2 * HALF_AN_HOUR),
            lambda facts, now: decides(
                facts._replace(first_submitted=now, last_submitted=now)
                if facts.first_submitted is not None and now - facts.first_submitted > shortest + opens * SECOND
                else facts,
                now,
            ),
        ),
    )

    assert {"overwrite-window-unknown-event"} <= violated(findings)


@pytest.mark.parametrize("within", [WAIT, HALF_AN_HOUR + MARGIN])
def test_event_that_is_forgotten_after_its_window_is_said_of_the_window(document: Document, within: int) -> None:
    """The event was known before: accepting its feedback as that of an unknown one is no excuse."""
    decides = sound(document)
    longest = max(window.limit for window in document.mutability.windows)

    def forgets(facts: Facts, now: int) -> Decision:
        old = facts.event_saved is not None and now - facts.event_saved > longest
        return decides(facts._replace(event_saved=None, event_timestamp=None) if old else facts, now)

    forgotten = played(
        document,
        draw_plan(document, CAPABLE - {"aged-event", "aged-timestamp"}, within, seed=1),
        forgets,
        lambda body, now: {**body, "issue": None} if "id" in body and now > longest else body,
    )
    assert violated(judge_tracks(document, forgotten)) == {"event-window"}


def test_plan_costs_no_more_than_the_wait(other: Document) -> None:
    """One second beyond the longest window is enough for both of its sides."""
    longest = max(window.limit for window in other.mutability.windows if window.limit <= HALF_AN_HOUR)

    for wait in (longest + MARGIN, WAIT, 2 * HALF_AN_HOUR):
        assert longest < plan_for(other, wait).duration <= wait


def test_purchases_name_the_windows_of_the_document(tmp_path: Path) -> None:
    """By their own names, with the time they take."""
    renamed = load(other_windows("windows of other names", tmp_path / "openapi.yaml"))

    assert purchases(renamed, CAPABLE, 360 * SECOND) == [
        "A wait of 6 minutes covers the time to correct: it is probed to the end of the wait.",
        "The time to report needs a wait of 30 minutes 1 second: --wait PT30M1S.",
    ]
