"""The mock's logic without its framework, for the servers with which it is compared: one project, one store."""

from datetime import UTC, datetime
from typing import Any

from feedback_spec.document import load
from feedback_spec.instants import EPOCH, MICROSECOND, format_instant
from feedback_spec.rules import Facts, Outcome, decide

DOCUMENT = load()
TOKEN = "a" * 64
PATH = "/api/0/projects/the-interstellar-jurisdiction/plain-proxy/user-feedback/"
HEADERS = [
    (name, DOCUMENT.openapi["components"]["headers"][name]["example"])
    for name in DOCUMENT.submit.extensions["x-page"]["header_order"]
    if name not in ("Content-Length", "Content-Type")
]
_records: dict[str, dict[str, Any]] = {}


def submit(body: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """The status and body of the response to a valid submission, by the same rules as the mock."""
    now = (datetime.now(UTC) - EPOCH) // MICROSECOND
    event_id = body["event_id"].lower()
    record = _records.get(event_id)
    first, last = (record["first"], record["last"]) if record else (None, None)
    decision = decide(DOCUMENT.mutability, Facts(first_submitted=first, last_submitted=last), now)
    if decision.outcome is Outcome.REFUSED:
        return decision.status, {"detail": "Feedback for this event cannot be modified."}
    if record is None:
        record = _records[event_id] = {"id": str(len(_records) + 1), "first": now}
    record |= {"last": now, **{name: body[name].strip() for name in ("name", "email", "comments")}}
    return decision.status, {
        "id": record["id"],
        "eventID": event_id,
        "name": record["name"],
        "email": record["email"],
        "comments": record["comments"],
        "dateCreated": format_instant(record["first"]),
        "event": {"id": event_id, "eventID": event_id},
        "issue": None,
        "user": None,
    }
