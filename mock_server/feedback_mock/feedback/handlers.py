"""The handlers of the feedback document: what a submission, a listing and a preflight come to.

They get a checked request and answer a value; nothing in here awaits, so that each is atomic without a lock.
"""

from typing import Any

from feedback_spec.document import LIST, PREFLIGHT, SUBMIT, Document
from feedback_spec.instants import format_duration, format_instant, in_short
from feedback_spec.rules import Base, Decision, Facts, Outcome, decide

from feedback_mock.feedback.answers import Refused, Reply
from feedback_mock.feedback.listing import PAGE_RULES, select
from feedback_mock.feedback.operation import Handler, Request
from feedback_mock.store import Feedback, Project

_SINCE = {
    Base.EVENT_SAVED: "event saved",
    Base.EVENT_TIMESTAMP: "event happened",
    Base.FIRST_SUBMITTED: "feedback first submitted",
    Base.LAST_SUBMITTED: "feedback last submitted",
}
_PREFLIGHT_RULE = "preflight"
_LIST_RULE = "list"


class FeedbackHandlers:
    """The three operations on feedback, by operationId in `table`."""

    def __init__(self, document: Document) -> None:
        self._mutability, self._behaviour = document.mutability, document.behaviour
        servers = document.openapi.get("servers") or [{"url": ""}]
        self._site = servers[0]["url"].rstrip("/")
        windows = {window.rule for window in document.mutability.windows}
        self.table = {
            SUBMIT: Handler(self.submit, tuple(sorted(windows))),
            LIST: Handler(self.list, query_rules=PAGE_RULES),
            PREFLIGHT: Handler(self.preflight),
        }

    def submit(self, request: Request) -> Reply | Refused:
        """Stores the feedback, overwrites what is there, or refuses by a window, as `spec.rules` decides."""
        project, fields = request.project, request.fields
        event_id = fields["event_id"].lower()
        event, record = project.events.get(event_id), project.feedback.get(event_id)
        facts = Facts(
            event.saved_at if event else None,
            event.timestamp if event else None,
            record.first_submitted_at if record else None,
            record.last_submitted_at if record else None,
        )
        decision = decide(self._mutability, facts, request.now)
        if decision.outcome is Outcome.REFUSED:
            return Refused(decision.rule, arithmetic(decision))
        record = project.store(event_id, fields["name"], fields["email"], fields["comments"], request.now)
        silent = request.by_dsn and self._behaviour.dsn_success == "empty"
        return Reply(decision.status, None if silent else self.shown(project, record), decision.rule)

    def list(self, request: Request) -> Reply | Refused:
        """A page of the project's feedback, newest first (docs/sentry.md, facts 77 to 82)."""
        page = select(request.project, request.query, request.base_url, self._behaviour.date_created)
        shown = [self.shown(request.project, record) for record in page.records]
        return Reply(200, shown, _LIST_RULE, ((b"link", page.link.encode("latin-1")),))

    def preflight(self, _: Request) -> Reply | Refused:
        """Says in headers what is allowed."""
        return Reply(200, None, _PREFLIGHT_RULE)

    def shown(self, project: Project, record: Feedback) -> dict[str, Any]:
        """A record as the API shows it, keys in the order of the page's example."""
        return {
            "comments": record.comments,
            "dateCreated": self._date(record),
            "email": record.email or None,
            "event": {
                "eventID": record.event_id,
                "id": record.event_id if self._behaviour.event_reference == "event-id" else None,
            },
            "eventID": record.event_id,
            "id": record.id,
            "issue": self._issue(project, record.event_id),
            "name": record.name or record.email or None,
            "user": None,
        }

    def _date(self, record: Feedback) -> str:
        moves = self._behaviour.date_created is Base.LAST_SUBMITTED
        instant = record.last_submitted_at if moves else record.first_submitted_at
        text = format_instant(instant)
        match self._behaviour.date_fraction:
            case "milliseconds":
                return f"{text[:-4]}Z"
            case "microseconds-unless-zero":
                return text.replace(".000000Z", "Z")
            case _:
                return text

    def _issue(self, project: Project, event_id: str) -> dict[str, str] | None:
        event = project.events.get(event_id)
        if event is None:
            return None
        issue_id = project.id_of(event.issue)
        return {
            "id": issue_id,
            "shortId": f"{project.slug.upper()}-{event.issue}",
            "title": event.title,
            "status": event.issue_status,
            "permalink": f"{self._site}/organizations/{project.organization}/issues/{issue_id}/",
        }


def arithmetic(decision: Decision) -> str:
    """Why a window refused, as in `event saved 31m02s ago, window PT30M`."""
    window = decision.window
    assert window is not None
    return f"{_SINCE[window.base]} {in_short(decision.age)} ago, window {format_duration(window.limit)}"
