"""What responses say on a running clock: a violation only if no instant in the interval explains them."""

import json
from dataclasses import replace
from email.utils import formatdate
from random import Random

import pytest
from feedback_spec.document import Document
from feedback_spec.instants import SECOND
from feedback_verify.exchange import Exchange, Request
from feedback_verify.realtime.intervals import is_over
from feedback_verify.realtime.judge import dates, judge_tracks
from feedback_verify.realtime.plan import Submit, Track
from feedback_verify.realtime.schedule import Played
from feedback_verify.scenario import Scenario
from feedback_verify.targets import UrlTarget
from feedback_verify.verdicts import Finding

LIMIT = 1800 * SECOND
AHEAD = 1_000_000  # seconds that the target's wall clock is ahead of our monotonic one


def exchange(sent: int, received: int, status: int = 200, ahead: float = AHEAD) -> Exchange:
    """A response between two instants (microseconds), with the Date of a clock this many seconds ahead."""
    body = {"issue": {"id": "1"}} if status == 200 else {"detail": "no"}
    headers = {"date": formatdate(int(sent / SECOND + ahead), usegmt=True), "content-type": "application/json"}
    return Exchange(Request("POST", "http://127.0.0.1:1/"), status, headers, json.dumps(body).encode(), sent, received)


def judged(document: Document, answers: list[Exchange], *, dated: tuple[Exchange, ...] = ()) -> list[Finding]:
    """The findings on the event window of one track: an event saved at 0 and these answers."""
    with UrlTarget("http://127.0.0.1:1", "o", "p", {"write": "t"}) as target:
        scenario = Scenario(target, document, Random(0))
        track = Track("event-window", tuple(Submit(each.sent) for each in answers), saved_ago=0)
        played = Played(track, scenario, "f" * 32, saved=(0, 1000), submissions=answers)
        return [
            each for each in judge_tracks(document, [played], dates([played], dated)) if each.rule == "event-window"
        ]


def violations(findings: list[Finding]) -> list[str]:
    """The reported violations."""
    return [each.violation for each in findings if each.violation]


@pytest.mark.parametrize("status", [200, 409])
def test_answer_across_the_limit_is_no_violation(document: Document, status: int) -> None:
    """Both statuses are possible, however long the response took."""
    findings = judged(document, [exchange(LIMIT - SECOND, LIMIT + 30 * SECOND, status)])

    assert violations(findings) == []
    assert not any(each.observations for each in findings)


@pytest.mark.parametrize(("beside", "status"), [(-SECOND, 409), (SECOND, 200)])
def test_answer_that_no_instant_explains_is_a_violation(document: Document, beside: int, status: int) -> None:
    """On either side; the drift of half an hour is a fifth of a second."""
    assert violations(judged(document, [exchange(LIMIT + beside, LIMIT + beside + 1000, status)]))


def test_clocks_that_drift_apart_are_no_violation(document: Document) -> None:
    """By 100 parts in a million."""
    early = LIMIT - LIMIT // 11_000

    assert violations(judged(document, [exchange(early, early + 1000, 409)])) == []


@pytest.mark.parametrize("step", [10, -10, 3600])
def test_clock_stepped_while_an_event_ages_is_noticed(document: Document, step: int) -> None:
    """By the responses that other tracks, or the check before the first of them, received."""
    status, at = (409, LIMIT - SECOND) if step > 0 else (200, LIMIT + SECOND)
    late = exchange(at, at + 1000, status, AHEAD + step)
    findings = judged(document, [late], dated=(exchange(-5000, -4000),))

    assert violations(findings) == []
    assert any("was stepped by" in (each.doubt or "") for each in findings)


def test_cached_date_is_no_step(document: Document) -> None:
    """Servers render Date once a second, and it has whole seconds."""
    late = exchange(LIMIT - SECOND, LIMIT - SECOND + 1000, 409, AHEAD - 1)

    assert violations(judged(document, [late], dated=(exchange(-5000, -4000),)))


@pytest.mark.parametrize(("status", "violated"), [(400, True), (410, True), (429, False), (403, False), (503, False)])
def test_late_submission_refused_with_another_status(document: Document, status: int, violated: bool) -> None:
    """Is a violation, unless it is refused for another reason."""
    findings = judged(document, [exchange(LIMIT + SECOND, LIMIT + SECOND + 1000, status)])

    assert bool(violations(findings)) is violated
    assert violated or any(each.doubt for each in findings)


def test_early_submission_refused_with_another_status_is_a_doubt(document: Document) -> None:
    """It may be refused for any reason."""
    assert violations(judged(document, [exchange(LIMIT // 2, LIMIT // 2 + 1000, 400)])) == []


@pytest.mark.parametrize("accepted", [True, False])
def test_limit_itself_is_on_the_side_that_the_document_says(document: Document, accepted: bool) -> None:
    """One microsecond decides."""
    window = replace(document.mutability.windows[0], limit_accepted=accepted)

    assert is_over(window, window.limit) is not accepted
    assert [is_over(window, window.limit + beside) for beside in (-1, 1)] == [False, True]
