"""What a refusal by a window is, and what the windows have nothing to do with."""

from feedback_verify.checks.base import Check
from feedback_verify.scenario import CHANGED, Scenario


def a_refusal_has_a_detail_that_is_a_text(s: Scenario) -> None:
    """Both windows, one after the other."""
    event, overwrite = s.document.window("event-window"), s.document.window("overwrite-window")
    old, repeated = s.new_event_id(), s.new_event_id()
    s.save_event(old, saved_ago=event.limit + 1)
    s.accepted(s.submit(s.submission(repeated)))
    s.advance(overwrite.limit + 1)
    for event_id, window in ((old, event), (repeated, overwrite)):
        refusal = s.submit(s.submission(event_id))
        s.given(refusal.status not in (200, 404) and refusal.status < 500, f"{window.rule} did not refuse")
        s.expect_status(refusal, window.status, f"refused by {window.rule}")
        s.expect(
            refusal.media_type == "application/json", f"the refusal is {refusal.media_type or 'untyped'}, not JSON"
        )
        detail = refusal.object.get("detail")
        s.expect(isinstance(detail, str) and bool(detail), f"the refusal's detail is {detail!r}, not a text")


def a_refused_overwrite_changes_nothing(s: Scenario) -> None:
    """Once for each window."""
    event, overwrite = s.document.window("event-window"), s.document.window("overwrite-window")
    for saved_ago, wait in ((event.limit, 1), (0, overwrite.limit + 1)):
        event_id = s.new_event_id()
        s.save_event(event_id, saved_ago=saved_ago)
        s.accepted(s.submit(s.submission(event_id)))
        before = s.records(event_id)
        s.advance(wait)
        refusal = s.submit(s.submission(event_id, **CHANGED))
        s.given(refusal.status != 200, "the submission that should be refused was accepted")
        after = s.records(event_id)
        s.expect(after == before, f"a submission answered {refusal.status} changed what is stored: {after}")


def a_refused_first_submission_is_not_stored(s: Scenario) -> None:
    """The event window alone."""
    event_id = s.new_event_id()
    s.save_event(event_id, saved_ago=s.document.window("event-window").limit + 1)
    refusal = s.submit(s.submission(event_id))
    s.given(refusal.status != 200, "the submission that should be refused was accepted")
    s.expect(not s.records(event_id), f"a submission answered {refusal.status} was stored")


def a_refused_overwrite_does_not_restart_the_window(s: Scenario) -> None:
    """A refusal leaves no trace in time either: the next submission is refused like it."""
    overwrite = s.document.window("overwrite-window")
    body = s.submission()
    s.accepted(s.submit(body))
    s.advance(overwrite.limit + 1)
    first = s.submit(body)
    s.given(first.status == overwrite.status, "the submission that should be refused was accepted")
    s.advance(1)
    s.expect_status(s.submit(body), overwrite.status, "right after a refused overwrite")


def an_unknown_event_has_no_event_window(s: Scenario) -> None:
    """Long after any event window."""
    s.advance(s.document.window("event-window").limit + 1)
    late = s.submit()
    s.expect_status(late, 200, "the first feedback for an unknown event, long after the project began")


def an_event_of_the_future_is_young(s: Scenario) -> None:
    """An event saved after the first submission: the event window counts from its saving."""
    event, overwrite = s.document.window("event-window"), s.document.window("overwrite-window")
    body = s.submission()
    s.accepted(s.submit(body))
    s.advance(overwrite.limit)
    s.save_event(body["event_id"])
    s.accepted(s.submit(body))
    later = s.submission()
    s.save_event(later["event_id"])
    s.advance(event.limit)
    s.expect_status(s.submit(later), 200, "an event saved exactly one event window ago")


CHECKS = (
    Check("conflict-body", a_refusal_has_a_detail_that_is_a_text, ("aged-event",)),
    Check("conflict-changes-nothing", a_refused_overwrite_changes_nothing),
    Check("conflict-changes-nothing", a_refused_first_submission_is_not_stored),
    Check("conflict-changes-nothing", a_refused_overwrite_does_not_restart_the_window),
    Check("unknown-event", an_unknown_event_has_no_event_window, ("clock",)),
    Check("event-window", an_event_of_the_future_is_young),
)
