"""Unnecessary steps are dropped from a violation; necessary ones stay, on every kind of target that can replay it."""

from dataclasses import replace
from random import Random

import pytest
from feedback_spec.document import Document
from feedback_verify import shorten as shortening
from feedback_verify.oracle import Mismatch
from feedback_verify.scenario import CHANGED, Scenario
from feedback_verify.shorten import shorten
from feedback_verify.steps import Send, Wait
from feedback_verify.targets import AppTarget, ControlTarget, Target
from feedback_verify.verdicts import Finding

from tests.broken.mutants import CredentialsIgnored, OneStoreForAllProjects, OverwriteWindowTooLong, SecondRecord
from tests.broken.serving import serving
from tests.targets import example


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine, the time allowed may end before nothing more can be dropped."""
    monkeypatch.setattr(shortening, "SECONDS", 600.0)


def _kinds(finding: Finding) -> list[str]:
    return [type(step).__name__ for step in finding.steps]


def _noise(s: Scenario, event_id: str) -> None:
    """Many unrelated steps."""
    for _ in range(6):
        s.submit()
    s.submit(s.submission(event_id, name=""))
    s.listing()
    s.advance(1_000_000)


def _submit(s: Scenario, event_id: str, **values: str) -> list[Mismatch]:
    body = s.submission(event_id, **values)
    reply = s.submit(body)
    return s.judge(s.project, body, "write", reply)[1]


def _shortest(target: Target, document: Document, s: Scenario, kind: tuple[str, str, str] | None) -> Finding:
    finding = Finding("overwrite-window", violation="it was seen", steps=tuple(s.steps), kind=kind)
    return next(iter(shorten(target, document, [finding], 1)))


def test_a_late_overwrite_takes_two_submissions_and_the_time_between(document: Document) -> None:
    """Out of some thirty steps, with the clock moved in three parts."""
    with serving(OverwriteWindowTooLong().app()) as url, ControlTarget(url, url) as target:
        with Scenario(target, document, Random(1)) as s:
            event_id = s.new_event_id()
            _noise(s, event_id)
            _submit(s, event_id)
            for _ in range(2):
                _noise(s, event_id)
                s.advance(document.window("overwrite-window").limit // 2)
            problems = _submit(s, event_id, **CHANGED)
        shorter = _shortest(target, document, s, problems[0].kind)

    assert _kinds(shorter) == ["Open", "Send", "Advance", "Send"]
    last = shorter.steps[-1]
    assert isinstance(last, Send)
    assert last.exchange is not None
    assert (last.exchange.status, last.expected) == (200, (409,))


def test_a_second_record_is_shown_by_what_is_stored(document: Document) -> None:
    """The last line reads it."""
    with serving(SecondRecord().app()) as url, ControlTarget(url, url) as target:
        with Scenario(target, document, Random(1)) as s:
            event_id = s.new_event_id()
            _noise(s, event_id)
            _submit(s, event_id)
            _submit(s, event_id, **CHANGED)
            problems = s.oracle.record_problems(s.project, s.records())
        shorter = _shortest(target, document, s, problems[0].kind)

    assert _kinds(shorter) == ["Open", "Send", "Send", "Look"]


def test_what_another_project_did_stays_where_it_is_the_cause(document: Document) -> None:
    """Both projects are opened again, and both stay in one organization."""
    with serving(OneStoreForAllProjects().app()) as url, ControlTarget(url, url) as target:
        with Scenario(target, document, Random(1)) as s:
            other, body = s.other_project(), s.submission()
            _noise(s, body["event_id"])
            s.judge(s.project, body, "write", s.submit(body))
            s.advance(document.window("overwrite-window").limit + 1, project=other)
            _, problems = s.judge(other, body, "write", s.submit(body, project=other))
        shorter = _shortest(target, document, s, problems[0].kind)

    sent = [step for step in shorter.steps if isinstance(step, Send)]
    assert len(sent) == 2
    assert sent[0].project.organization == sent[1].project.organization
    assert sent[0].project.slug != sent[1].project.slug


def test_a_request_that_should_be_refused_by_itself_needs_nothing_before_it(document: Document) -> None:
    """Without a mismatch of the oracle, the status that its check expected is enough."""
    with serving(CredentialsIgnored().app()) as url, ControlTarget(url, url) as target:
        with Scenario(target, document, Random(1)) as s:
            _noise(s, s.new_event_id())
            reply = s.submit(by="none")
            s.note(reply, expected=(401,))
        shorter = _shortest(target, document, s, None)

    assert _kinds(shorter) == ["Open", "Send"]


def test_application_in_this_process_is_played_with_other_event_ids(document: Document) -> None:
    """Its one project keeps everything, and its clock is not turned back."""
    secrets = {"write": example.TOKEN, "dsn": example.DSN}
    broken = "tests.verifier.test_shorten:too_long"
    with AppTarget(broken, example.ORGANIZATION, example.PROJECT, secrets) as target:
        with Scenario(target, document, Random()) as s:
            event_id = s.new_event_id()
            _noise(s, event_id)
            _submit(s, event_id)
            s.advance(document.window("overwrite-window").limit + 1)
            problems = _submit(s, event_id, **CHANGED)
        shorter = _shortest(target, document, s, problems[0].kind)

    sent = [step.event_id for step in shorter.steps if isinstance(step, Send)]
    assert _kinds(shorter) == ["Send", "Advance", "Send"]
    assert sent[0] == sent[1] != event_id


class TooLong(example.OnTheRealClock):
    """Its overwrite window is."""

    overwrite_limit = OverwriteWindowTooLong.overwrite_limit


too_long = TooLong().app()


def test_what_waited_is_left_as_it_was(document: Document) -> None:
    """Nobody waits again."""
    with serving(OverwriteWindowTooLong().app()) as url, ControlTarget(url, url) as target:
        with Scenario(target, document, Random(1)) as s:
            _noise(s, s.new_event_id())
        finding = Finding("overwrite-window", violation="it was seen", steps=(*s.steps, Wait(1), s.steps[-2]))

        assert next(iter(shorten(target, document, [finding], 1))) == replace(finding)
