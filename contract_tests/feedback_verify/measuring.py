"""What is measured before anything is judged: lags, the resolution of the target's clock, and its offset."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from random import Random

from feedback_spec.document import Document
from feedback_spec.instants import SECOND

from feedback_verify.exchange import Exchange
from feedback_verify.oracle import MICROSECOND, instant_of
from feedback_verify.scenario import CannotTell, Scenario, Violated, entries
from feedback_verify.targets import NotReachable, ProtocolError, Target, Trouble, Unsendable

STEPS = (1_000, SECOND)  # microseconds: clocks that count in milliseconds, and in seconds
DATED = timedelta(seconds=2)  # Date has whole seconds, and servers cache it
ODD = 123_456  # microseconds: a fraction of a second that such clocks cannot show


def measure(target: Target, document: Document, seen: Exchange) -> None:
    """Measures what it can and stores it in the target; `seen` are the responses so far.

    An error here will occur again during the run, which reports it.
    """
    target.ahead = _ahead(seen)
    random = Random(None if not target.sandboxes else 0)
    try:
        if target.tolerance is None:
            with Scenario(target, document, random) as scenario:
                target.tolerance = _step(scenario)
        if "event" in target.capabilities:
            with Scenario(target, document, random) as scenario:
                _measure_lags(scenario)
    except (CannotTell, Violated, NotReachable, ProtocolError, Trouble, Unsendable):
        pass


def _measure_lags(s: Scenario) -> None:
    """Saves an event, and polls until it is known; then submits for another one, and polls until that is listed.

    Of the first event, feedback may be old enough to be listed once it is known. The list is read before the submission
    too, so that one that is kept for a while shows.
    """
    settling, event_id, other = s.target.settling, s.new_event_id(), s.new_event_id()
    s.save_event(event_id)

    def unknown() -> list[str]:
        answer = s.accepted(s.submit(s.submission(event_id)))
        return [event_id] if answer.get("issue", answer) is None else []

    def unlisted() -> list[str]:
        listed = [each.get("eventID") for each in entries(s.listing())]
        return [] if other in listed else [other]

    if not settling.until_none("events", unknown) and "write" in s.project.credentials:
        s.save_event(other)
        s.listing()
        s.accepted(s.submit(s.submission(other)))
        settling.until_none("lists", unlisted)


def _step(s: Scenario) -> int:
    """The resolution of the clock in microseconds; 1 if nothing shows another.

    A clock that merely shows less than it counts is exact: a submission at a window's limit tells them apart. Unless
    the instants of saved events are stored less exactly, which the control API shows.
    """
    if s.target.clock != "exact":
        shown = [_shown(s.submit()) for _ in range(3)]
        whole = [each.microsecond for each in shown if each is not None]
        steps = [step for step in reversed(STEPS) if whole and all(each % step == 0 for each in whole)]
        return steps[0] if steps and s.document.behaviour.date_fraction == "microseconds" else 1
    now = s.oracle.sandbox(s.project).model.now
    s.advance((ODD - now.microsecond) % SECOND)
    at_limit, beyond = s.submission(), s.submission()
    replies = [s.submit(at_limit), s.submit(beyond)]
    dates, events = [_shown(each) for each in replies], _step_of(s, [_saved(s)])
    s.target.shown_step, step = _step_of(s, dates), max(_step_of(s, [*dates, _stored(s)]), events)
    window = next((each for each in s.document.mutability.windows if each.base == "feedback.first_submitted"), None)
    if step == 1 or window is None:
        return step
    s.accepted(replies[0])
    last = window.limit if window.limit_accepted else window.limit - 1
    s.advance(last)
    taken = s.submit(at_limit).status
    s.advance(1)
    refused = s.submit(beyond).status
    return events if taken in s.document.accepting and refused == window.status else step


def _step_of(s: Scenario, shown: list[datetime | None]) -> int:
    """The smallest step that explains the shown instant."""
    now = s.oracle.sandbox(s.project).model.now
    off = [abs(now - each) for each in shown if each is not None]
    if not off or not any(off) or s.document.behaviour.date_fraction != "microseconds":
        return 1
    return next((step for step in STEPS if all(each < step * MICROSECOND for each in off)), 1)


def _shown(exchange: Exchange) -> datetime | None:
    return instant_of(exchange.object.get("dateCreated"))


def _stored(s: Scenario) -> datetime | None:
    records = s.records() if "records" in s.target.capabilities else []
    return instant_of(records[0].get("first_submitted_at")) if records else None


def _saved(s: Scenario) -> datetime | None:
    """The instant at which an event was saved, now, according to the control API."""
    if "event" not in s.target.capabilities:
        return None
    s.save_event(s.new_event_id())
    exchange = s.steps[-1].exchange
    return None if exchange is None else instant_of(exchange.object.get("saved_at"))


def _ahead(exchange: Exchange) -> timedelta:
    """How far the target's clock is ahead of ours, according to its Date; nothing within the second that Date
    resolves.
    """
    try:
        off = parsedate_to_datetime(exchange.headers.get("date", "")) - datetime.now(UTC)
    except (ValueError, TypeError):
        return timedelta(0)
    return off if abs(off) > DATED else timedelta(0)
