"""The suite's own oracle and the rules agree, and every scenario tests a rule."""

import json
from datetime import timedelta

import pytest
from feedback_spec.document import Document
from feedback_spec.document import load as load_document
from feedback_spec.instants import SECOND
from feedback_spec.rules import Facts, decide
from feedback_spec.windows import facts_of
from feedback_verify.bodies import is_padded
from feedback_verify.checks import all_checks
from feedback_verify.exchange import Exchange, Project, Request
from feedback_verify.model import status_of
from feedback_verify.oracle import Oracle
from hypothesis import given, settings
from hypothesis import strategies as st

DOCUMENT = load_document()
LIMITS = [window.limit for window in DOCUMENT.mutability.windows]
_ages = (
    st.none()
    | st.sampled_from([limit + beside for limit in LIMITS for beside in (-1, 0, 1)])
    | st.integers(0, 90_000 * SECOND)
)


@settings(deadline=None)
@given(saved=_ages, timestamp=_ages, first=_ages, last=_ages)
def test_model_and_rules_agree(saved: int | None, timestamp: int | None, first: int | None, last: int | None) -> None:
    """Written independently, with datetimes and with integers."""
    ages = (saved, timestamp, first, last)
    bases = ("event.saved", "event.timestamp", "feedback.first_submitted", "feedback.last_submitted")

    facts = Facts(*(None if age is None else -age for age in ages))
    assert status_of(DOCUMENT, dict(zip(bases, ages, strict=True))) == decide(DOCUMENT.mutability, facts, 0).status


def test_model_agrees_with_the_literal_rows() -> None:
    """The rows are the third opinion."""
    for row in DOCUMENT.examples:
        facts = facts_of(row)
        ages = {
            "event.saved": facts.event_saved,
            "event.timestamp": facts.event_timestamp,
            "feedback.first_submitted": facts.first_submitted,
            "feedback.last_submitted": facts.last_submitted,
        }
        told = status_of(DOCUMENT, {base: None if at is None else -at for base, at in ages.items()})

        assert told == row.status, row.case


def test_an_overwrite_moves_up_in_the_list_if_the_date_moves_and_the_clock_runs() -> None:
    """On a clock that runs, every submission is later than the ones before it, though the model cannot say when."""
    oracle = Oracle(load_document(None, "sentry-9.1"), exact=False)
    project = Project("acme", "web", {})
    oracle.opened(project)
    for event_id in ("a" * 32, "b" * 32, "a" * 32):
        oracle.sandbox(project).known(event_id).saved = oracle.sandbox(project).model.now
        values = {"event_id": event_id, "name": "Jane", "email": "jane@example.com", "comments": "It broke!"}
        request = Request("POST", "http://server/")
        body = json.dumps({"id": "1", "eventID": event_id, **values}).encode()
        oracle.submitted(project, values, "write", Exchange(request, 200, {}, body, 0, 0))

    assert oracle.listed(project) == ["a" * 32, "b" * 32]


@pytest.mark.parametrize(
    ("profile", "exact", "apart", "right"),
    [
        ("sentry-9.1", True, "last", False),  # the date moves there, so the last submission decides
        ("sentry-9.1", True, "first", True),
        ("documented", True, "first", False),
        ("documented", True, "last", True),
        ("documented", False, "", False),  # every submission is later than the one before, though not in the model
        ("documented", True, "", True),
    ],
)
def test_only_what_is_of_the_same_instant_may_be_listed_in_any_order(
    profile: str, exact: bool, apart: str, right: bool
) -> None:
    """The two events are a microsecond apart in what `apart` says, and listed with the older one first."""
    oracle, project = Oracle(load_document(None, profile), exact=exact), Project("acme", "web", {})
    oracle.opened(project)
    for later, event_id in enumerate(("a" * 32, "b" * 32)):
        sandbox = oracle.sandbox(project)
        known, now = sandbox.known(event_id), sandbox.model.now
        known.saved = known.first = known.last = now
        if apart:
            setattr(known, apart, now + timedelta(microseconds=later))
        known.values = {"name": "Jane", "email": "jane@example.com", "comments": "It broke!"}
        sandbox.order.append(event_id)
    entries = [{"eventID": event_id} for event_id in ("a" * 32, "b" * 32)]
    problems = [each.message for each in oracle.list_problems(project, entries, oracle.listed(project))]

    assert any(each.startswith("the list is") for each in problems) is not right


@pytest.mark.parametrize(
    ("sent", "answered", "told"),
    [
        ("It broke!", "It broke.", "comments is returned as 'It broke.', not 'It broke!'"),
        ("It broke!", None, "comments is returned as None, not 'It broke!'"),
        (
            "c" * 200,
            "c" * 150,
            f"comments is returned with 150 characters for 200: after 150 that are right, nothing, not {'c' * 20!r}",
        ),
        (
            "c" * 99 + "é" + "d" * 50,
            "c" * 99 + "?" + "d",
            f"comments is returned with 101 characters for 150: after 99 that are right, '?d', not 'é{'d' * 19}'",
        ),
        ("c" * 20_000, None, f"comments is returned as None, not {'c' * 80!r}"),
    ],
)
def test_wrong_value_is_told_in_one_line_however_long(sent: str, answered: str | None, told: str) -> None:
    oracle, project = Oracle(load_document(None), exact=True), Project("acme", "web", {})
    oracle.opened(project)
    values = {"event_id": "a" * 32, "name": "Jane", "email": "jane@example.com", "comments": sent}
    body = json.dumps({"id": "1", "eventID": "a" * 32, **values, "comments": answered}).encode()
    headers = {"content-type": "application/json"}
    exchange = Exchange(Request("POST", "http://server/"), 200, headers, body, 0, 0)
    _, problems = oracle.submitted(project, values, "write", exchange)

    assert told in [each.message for each in problems]


def test_every_scenario_has_a_rule(document: Document) -> None:
    """A conforming mock shows that every rule is tested, by scenarios or by arrays."""
    shown = {check.rule for check in all_checks(document)}

    assert shown <= set(document.rules)


@pytest.mark.parametrize("blank", [" ", "\xa0", "\u3000", "\ufeff", "\x1c", "\x85", "\0", "\u180e"])
def test_what_any_language_trims_is_not_taken_for_a_value(blank: str) -> None:
    """JavaScript trims U+FEFF, Python U+001C, PHP the NUL: generated values begin and end with none of them."""
    assert is_padded(f"{blank}Jane")
    assert is_padded(f"Jane{blank}")
    assert not is_padded(f"Jane{blank}Smith")
