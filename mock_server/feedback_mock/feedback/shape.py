"""A stored record as the API shows it, in the form of the document's profile. Reads, and changes nothing."""

from collections.abc import Callable, Mapping

from feedback_spec.document import Document
from feedback_spec.instants import format_instant
from feedback_spec.rules import Base

from feedback_mock.store import Event, Feedback, Project

# The format of a date, from an instant in microseconds since 1970 UTC.
_DATES: Mapping[str, Callable[[int], str]] = {
    "microseconds": format_instant,
    "microseconds-unless-zero": lambda instant: format_instant(instant).replace(".000000Z", "Z"),
    "milliseconds": lambda instant: f"{format_instant(instant)[:-4]}Z",
}


class Shape:
    """The form of the records of one document."""

    def __init__(self, document: Document) -> None:
        behaviour = document.behaviour
        servers = document.openapi.get("servers") or [{"url": ""}]
        self._site = servers[0]["url"].rstrip("/")
        self._date = _DATES[behaviour.date_fraction]
        self._date_moves = behaviour.date_created is Base.LAST_SUBMITTED
        self._refers = behaviour.event_reference == "event-id"

    def shown(self, project: Project, record: Feedback) -> dict[str, object]:
        """The record, with keys in the order of the page's example."""
        event_id = record.event_id
        event = project.events.get(event_id)
        instant = record.last_submitted_at if self._date_moves else record.first_submitted_at
        return {
            "comments": record.comments,
            "dateCreated": self._date(instant),
            "email": record.email or None,
            "event": {"eventID": event_id, "id": event_id if self._refers else None},
            "eventID": event_id,
            "id": record.id,
            "issue": None if event is None else self._issue(project, event),
            "name": record.name or record.email or None,
            "user": None,
        }

    def _issue(self, project: Project, event: Event) -> dict[str, str]:
        issue_id = project.id_of(event.issue)
        return {
            "id": issue_id,
            "shortId": f"{project.slug.upper()}-{event.issue}",
            "title": event.title,
            "status": event.issue_status,
            "permalink": f"{self._site}/organizations/{project.organization}/issues/{issue_id}/",
        }
