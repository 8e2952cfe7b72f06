"""What becomes of a submission, in each window of each profile, at its limit and one microsecond past it."""

from dataclasses import FrozenInstanceError, replace

import pytest
from feedback_mock.feedback.submission import Submissions, Text, texts_of
from feedback_mock.store import Event, Project, Store
from feedback_spec.document import Document, load
from feedback_spec.profiles import PROFILES
from feedback_spec.rules import Base, Outcome, Window

DOCUMENTS = {profile: load(profile=profile) for profile in PROFILES}
LIMITS = [(profile, window) for profile, document in DOCUMENTS.items() for window in document.mutability.windows]
ID = "7167980ca1db42cdba8d5284e7f81c66"
LONG_AGO = 10**12


def project() -> Project:
    store = Store(lambda: 0)
    made = store.put_project("acme", "web", store.new_clock())
    assert made is not None
    return made


def save_event(made: Project, saved_at: int, timestamp: int) -> None:
    made.save_event(Event(ID, saved_at, timestamp, "TypeError", None, "unresolved", 1))


def submit(document: Document, made: Project, now: int, name: str = "Jane") -> str:
    decision, record = Submissions(document).submit(made, ID, name, f"{name}@x.io", f"{name}!", now)
    assert (record is None) == (decision.outcome is Outcome.REFUSED)
    return decision.rule if record is None else decision.outcome.value


def test_record_has_the_values_of_the_last_submission_and_both_instants() -> None:
    made = project()
    decision, first = Submissions(DOCUMENTS["documented"]).submit(made, ID, "J", "j@x.io", "a", 5)
    assert (decision.outcome, first) == (Outcome.STORED, made.feedback[ID])

    decision, again = Submissions(DOCUMENTS["documented"]).submit(made, ID, "K", "k@x.io", "b", 7)

    assert (decision.outcome, again) == (Outcome.OVERWRITTEN, first)
    assert again is not None
    assert (again.event_id, again.name, again.email, again.comments) == (ID, "K", "k@x.io", "b")
    assert (again.first_submitted_at, again.last_submitted_at) == (5, 7)


@pytest.mark.parametrize(("profile", "window"), LIMITS, ids=str)
def test_window_is_measured_from_its_base_alone(profile: str, window: Window) -> None:
    """The other instants are old enough for their own windows, or as young as can be."""
    document = DOCUMENTS[profile]
    only = replace(document, mutability=replace(document.mutability, windows=(window,)))
    for late in (False, True):
        made, other = project(), 0
        now = LONG_AGO + window.limit + late
        if window.base in (Base.FIRST_SUBMITTED, Base.LAST_SUBMITTED):
            save_event(made, other, other)
            submit(only, made, LONG_AGO if window.base is Base.FIRST_SUBMITTED else LONG_AGO - 1, "First")
            if window.base is Base.LAST_SUBMITTED:
                submit(only, made, LONG_AGO, "Second")
        else:
            at = {Base.EVENT_SAVED: (LONG_AGO, other), Base.EVENT_TIMESTAMP: (other, LONG_AGO)}[window.base]
            save_event(made, *at)
        before = "overwritten" if made.feedback else "stored"

        refused = late or not window.limit_accepted
        assert submit(only, made, now, "Last") == (window.rule if refused else before)
        assert [each.name == "Last" for each in made.feedback.values()] == [not refused] * len(made.feedback)


@pytest.mark.parametrize("profile", PROFILES)
def test_unknown_event_and_first_submission_have_no_window(profile: str) -> None:
    assert submit(DOCUMENTS[profile], project(), LONG_AGO) == "stored"


def test_texts_are_the_fields_of_the_document_in_its_order() -> None:
    assert list(texts_of(DOCUMENTS["documented"]).items()) == [
        ("event_id", Text("event_id", True, 32)),
        ("name", Text("name", True, 128)),
        ("email", Text("email", True, 75)),
        ("comments", Text("comments", True, None)),
    ]
    assert {name: each.trimmed for name, each in texts_of(DOCUMENTS["sentry-9.1"]).items()} == {
        **dict.fromkeys(("event_id", "name", "comments"), False),
        "email": True,
    }


def test_text_fits_up_to_its_greatest_length() -> None:
    text, unlimited = Text("name", True, 2), Text("comments", True, None)

    assert [text.fits(each) for each in ("", "ab", "abc")] == [True, True, False]
    assert unlimited.fits("a" * 1_000)
    with pytest.raises(FrozenInstanceError):
        text.longest = 3  # type: ignore[misc]
