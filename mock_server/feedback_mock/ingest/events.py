"""What happens to events and envelope items: saved events, and feedback under the same windows as the REST endpoint's.

Nothing here awaits, so each request is atomic without a lock.
"""

import uuid
from hashlib import sha256
from typing import Any

import orjson
from feedback_spec.bodies import Unreadable
from feedback_spec.document import Document
from feedback_spec.instants import FIRST_INSTANT, LAST_INSTANT, SECOND, parse_instant

from feedback_mock.body import TooLarge
from feedback_mock.feedback.submission import Submissions, texts_of
from feedback_mock.ingest.envelope import TAKEN, Item
from feedback_mock.store import MAX_ENVIRONMENT, Event, Project

UNTITLED = "<unlabeled event>"
FEEDBACK_TITLE = "User Feedback"
MAX_TITLE = 200
FIELDS = ("name", "email", "comments")


class Ingest:
    """Accepts events and envelopes into projects, under the windows of a document."""

    def __init__(self, document: Document, max_event_bytes: int) -> None:
        self._submissions, self._max_event_bytes = Submissions(document), max_event_bytes
        texts = texts_of(document)
        self._texts = [texts[name] for name in FIELDS]

    def store(self, project: Project, body: bytes, now: int) -> str:
        """Saves the event in the body, at `now` (microseconds); returns its id. Raises Unreadable or TooLarge."""
        self._check_size(len(body))
        event = _object(body)
        if event is None:
            raise Unreadable("the event is not a JSON object")
        return self._save(project, event, None, now)

    def envelope(self, project: Project, header: dict[str, Any], items: list[Item], now: int) -> str | None:
        """Accepts every item, at `now` (microseconds), and returns the id of the envelope's event, if it has one.

        Invalid items are silently dropped, as in Sentry. Raises TooLarge, and accepts nothing, if its events together
        exceed the limit.
        """
        self._check_size(sum(len(item.payload) for item in items if item.type in ("event", "feedback")))
        event_id = event_id_of(header.get("event_id"))
        for item in items:
            payload = _object(item.payload) if item.type in TAKEN else None
            if payload is None:
                continue
            if item.type == "user_report":
                self._report(project, payload, event_id, now)
            elif item.type == "event" or _is_feedback(payload):
                event_id = self._save(project, payload, event_id, now, item.type)
        return event_id

    def _check_size(self, size: int) -> None:
        if size > self._max_event_bytes:
            raise TooLarge(f"its events are more than {self._max_event_bytes} bytes")

    def _save(self, project: Project, payload: dict[str, Any], event_id: str | None, now: int, kind: str = "") -> str:
        """Saves an event; of two with the same id, the first stays."""
        known = event_id or event_id_of(payload.get("event_id")) or _made_up(project, now)
        if known not in project.events:
            environment = payload.get("environment")
            project.save_event(
                Event(
                    event_id=known,
                    saved_at=now,
                    timestamp=_timestamp(payload.get("timestamp"), now),
                    title=FEEDBACK_TITLE if kind == "feedback" else _title(payload),
                    environment=environment if _is_environment(environment) else None,
                    issue_status="unresolved",
                    issue=project.issue_of(known),
                )
            )
        return known

    def _report(self, project: Project, report: dict[str, Any], event_id: str | None, now: int) -> None:
        """Feedback in an envelope: the same windows, but refusals are not reported (docs/sentry.md, fact 87)."""
        known = event_id_of(report.get("event_id")) or event_id
        given = [report.get(text.name) or "" for text in self._texts]
        if known is None or not all(isinstance(each, str) for each in given) or not given[-1].strip():
            return
        texts = [each.strip() if text.trimmed else each for text, each in zip(self._texts, given, strict=True)]
        if all(text.fits(each) for text, each in zip(self._texts, texts, strict=True)):
            name, email, comments = texts
            self._submissions.submit(project, known, name, email, comments, now)


def event_id_of(value: Any) -> str | None:
    """An event id as stored, 32 hexadecimal digits in lower case, from either form; None for anything else."""
    if not isinstance(value, str) or len(value) not in (32, 36):
        return None
    try:
        return uuid.UUID(value).hex
    except ValueError:
        return None


def _made_up(project: Project, now: int) -> str:
    """An id for an event without one, derived from the request so that every process derives the same."""
    facts = f"{project.id} {project.saved} {project.journal.last} {now}"
    return sha256(facts.encode()).hexdigest()[:32]


def _object(payload: bytes | memoryview) -> dict[str, Any] | None:
    try:
        value = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _is_environment(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_ENVIRONMENT


def _is_feedback(payload: dict[str, Any]) -> bool:
    contexts = payload.get("contexts")
    feedback = contexts.get("feedback") if isinstance(contexts, dict) else None
    message = feedback.get("message") if isinstance(feedback, dict) else None
    return isinstance(message, str) and bool(message.strip())


def _timestamp(value: Any, now: int) -> int:
    """The event's own instant in microseconds: seconds since 1970 or RFC 3339; `now` if it has no valid one."""
    instant = now
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < LAST_INSTANT / SECOND:
        instant = round(value * SECOND)
    elif isinstance(value, str):
        # Old SDKs leave out the zone and mean UTC.
        for text in (value, f"{value}Z"):
            try:
                instant = parse_instant(text)
                break
            except ValueError:
                continue
    return instant if FIRST_INSTANT <= instant <= LAST_INSTANT else now


def _title(payload: dict[str, Any]) -> str:
    """The title of the event's issue: the last exception, else the message."""
    exception = payload.get("exception")
    values = exception.get("values") if isinstance(exception, dict) else exception
    last = values[-1] if isinstance(values, list) and values else None
    if isinstance(last, dict) and isinstance(last.get("type"), str):
        value = last.get("value")
        return f"{last['type']}: {value}"[:MAX_TITLE] if isinstance(value, str) and value else last["type"][:MAX_TITLE]
    for entry in (payload.get("logentry"), payload.get("message")):
        text = entry.get("formatted") or entry.get("message") if isinstance(entry, dict) else entry
        if isinstance(text, str) and text.strip():
            return text.strip()[:MAX_TITLE]
    return UNTITLED
