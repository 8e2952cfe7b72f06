"""The outcome of a submission, by the literal rows and by an oracle that is written differently."""

from dataclasses import replace
from typing import Any

import pytest
from feedback_spec.document import load
from feedback_spec.rules import Accepted, Base, Facts, Mutability, Outcome, Window, decide
from feedback_spec.windows import Example, facts_of
from hypothesis import given, settings
from hypothesis import strategies as st

DOCUMENT = load()
WINDOWS = DOCUMENT.mutability.windows


@pytest.mark.parametrize("example", DOCUMENT.examples, ids=lambda example: example.case)
def test_literal_row_is_decided_as_it_says(example: Example) -> None:
    decision = decide(DOCUMENT.mutability, facts_of(example), 0)

    assert (decision.outcome, decision.status) == (example.outcome, example.status)


@pytest.mark.parametrize("example", DOCUMENT.examples, ids=lambda example: example.case)
@pytest.mark.parametrize("now", [1, 1_767_225_600_000_000, 253_402_300_799_999_999])
def test_decision_is_the_same_at_any_time_of_history(example: Example, now: int) -> None:
    facts = facts_of(example)
    later = Facts(
        *(
            None if at is None else at + now
            for at in (facts.event_saved, facts.event_timestamp, facts.first_submitted, facts.last_submitted)
        )
    )

    assert decide(DOCUMENT.mutability, later, now) == decide(DOCUMENT.mutability, facts, 0)


@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize("window", WINDOWS, ids=lambda window: window.rule)
def test_limit_belongs_to_the_side_that_the_window_says(window: Window, accepted: bool) -> None:
    window = replace(window, limit_accepted=accepted)
    mutability = replace(DOCUMENT.mutability, windows=(window,))
    facts = Facts(event_saved=0, event_timestamp=0, first_submitted=0, last_submitted=0)

    refused = [decide(mutability, facts, window.limit + step).outcome is Outcome.REFUSED for step in (-1, 0, 1)]

    assert refused == [False, not accepted, True]


def test_refusal_names_the_window_and_the_age_that_broke_it() -> None:
    window = WINDOWS[0]

    decision = decide(DOCUMENT.mutability, Facts(event_saved=10, event_timestamp=10), 10 + window.limit + 1)

    assert (decision.rule, decision.window, decision.age) == (window.rule, window, window.limit + 1)


def test_event_of_the_future_is_accepted() -> None:
    """A clock that was moved, or two clocks: a negative age is within every window."""
    assert decide(DOCUMENT.mutability, Facts(event_saved=5, event_timestamp=5), 0).outcome is Outcome.STORED


INSTANTS = st.integers(0, 12)
windows = st.builds(
    Window,
    rule=st.sampled_from(["a", "b", "c"]),
    base=st.sampled_from(Base),
    limit=INSTANTS,
    limit_accepted=st.booleans(),
    status=st.sampled_from([409, 410]),
)
mutabilities = st.builds(
    Mutability,
    windows=st.lists(windows, max_size=3).map(tuple),
    stored=st.just(Accepted("stored", 200)),
    overwritten=st.just(Accepted("overwritten", 200)),
)
facts = st.builds(Facts, *[st.none() | INSTANTS] * 4)


@settings(deadline=None)
@given(mutabilities, facts, INSTANTS)
def test_decision_is_that_of_an_oracle_written_differently(mutability: Mutability, facts: Facts, now: int) -> None:
    """The oracle knows no ages: it calculates the last accepted instant of each window, and looks for one before
    now.
    """
    begins = {
        "event.saved": facts.event_saved,
        "event.timestamp": facts.event_timestamp,
        "feedback.first_submitted": facts.first_submitted,
        "feedback.last_submitted": facts.last_submitted,
    }
    broken = [
        window
        for window in mutability.windows
        if (begin := begins[window.base.value]) is not None
        and now not in range(-100, begin + window.limit + (1 if window.limit_accepted else 0))
    ]

    decision = decide(mutability, facts, now)

    outcome = "stored" if facts.first_submitted is None else "overwritten"
    refused = [("refused", each.rule, each.status) for each in broken]
    assert (decision.outcome, decision.rule, decision.status) == [*refused, (outcome, outcome, 200)][0]


@pytest.mark.parametrize("base", Base)
def test_window_counts_from_the_instant_of_its_base(base: Base) -> None:
    """The four instants are in the order of the bases."""
    facts = Facts(event_saved=0, event_timestamp=1, first_submitted=2, last_submitted=3)

    assert facts.instant(base) == list(Base).index(base)


def test_nothing_is_known_unless_it_is_said() -> None:
    decision = decide(DOCUMENT.mutability, Facts(), 0)

    assert [Facts().instant(base) for base in Base] == [None] * len(Base)
    assert (decision.window, decision.age) == (None, 0)


@pytest.mark.parametrize(
    "value",
    [WINDOWS[0], DOCUMENT.mutability, DOCUMENT.mutability.stored, Facts(), decide(DOCUMENT.mutability, Facts(), 0)],
)
def test_values_do_not_change(value: Any) -> None:
    """They are shared by all requests."""
    with pytest.raises(AttributeError):
        setattr(value, value.__match_args__[0], None)
