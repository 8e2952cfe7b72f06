"""The suite's own oracle and the rules agree, and every scenario tests a rule."""

from feedback_spec.document import Document
from feedback_spec.document import load as load_document
from feedback_spec.instants import SECOND
from feedback_spec.rules import Facts, decide
from feedback_spec.windows import facts_of
from feedback_verify.checks import all_checks
from feedback_verify.model import status_of
from hypothesis import given
from hypothesis import strategies as st

DOCUMENT = load_document()
LIMITS = [window.limit for window in DOCUMENT.mutability.windows]
_ages = (
    st.none()
    | st.sampled_from([limit + beside for limit in LIMITS for beside in (-1, 0, 1)])
    | st.integers(0, 90_000 * SECOND)
)


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


def test_every_scenario_has_a_rule(document: Document) -> None:
    """A conforming mock shows that every rule is tested, by scenarios or by arrays."""
    shown = {check.rule for check in all_checks(document)}

    assert shown <= set(document.rules)
