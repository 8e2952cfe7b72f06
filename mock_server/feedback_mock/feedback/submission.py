"""What happens to a submission, from any protocol: the facts, the decision, the record. Speaks no protocol.

REST and the ingest both end here. Nothing here awaits between reading and storing, so each submission is atomic without
a lock.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from feedback_spec.document import Document
from feedback_spec.rules import Decision, Facts, Outcome, decide

from feedback_mock.store import Feedback, Project


@dataclass(frozen=True, slots=True)
class Text:
    """A field of a submission according to the document.

    `trimmed`: white space around it is removed before it is checked; `longest`: in characters, None for any length.
    """

    name: str
    trimmed: bool
    longest: int | None

    def fits(self, value: str) -> bool:
        """Whether a value is within the allowed length."""
        return self.longest is None or len(value) <= self.longest


def texts_of(document: Document) -> Mapping[str, Text]:
    """The fields of a submission by name, in the document's order."""
    return {
        name: Text(name, document.behaviour.is_trimmed(name), schema.get("maxLength"))
        for name, schema in document.field_schemas.items()
    }


class Submissions:
    """Submissions under the windows of one document."""

    def __init__(self, document: Document) -> None:
        self._mutability = document.mutability

    def submit(
        self, project: Project, event_id: str, name: str, email: str, comments: str, now: int
    ) -> tuple[Decision, Feedback | None]:
        """Stores the feedback or overwrites existing feedback, as `feedback_spec.rules` decides; None if it refuses.

        `event_id` in lower case, texts as stored, `now` in microseconds since 1970 UTC.
        """
        event, record = project.events.get(event_id), project.feedback.get(event_id)
        facts = Facts(
            event.saved_at if event else None,
            event.timestamp if event else None,
            record.first_submitted_at if record else None,
            record.last_submitted_at if record else None,
        )
        decision = decide(self._mutability, facts, now)
        if decision.outcome is Outcome.REFUSED:
            return decision, None
        return decision, project.store(event_id, name, email, comments, now)
