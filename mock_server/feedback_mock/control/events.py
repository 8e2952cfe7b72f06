"""The control protocol's handlers for a project's events: save, read, delete. Does not save what SDKs send."""

from typing import Any

from feedback_spec.instants import FIRST_INSTANT, LAST_INSTANT, parse_duration

from feedback_mock.control.handlers import ControlRequest, event_shown, full, instant, out_of_calendar
from feedback_mock.result import Done, Refused, Result
from feedback_mock.store import Event, Project


def put_event(request: ControlRequest, project: Project) -> Result:
    """Saves an event, by default now; its timestamp is the same instant unless given."""
    body, now = request.body, project.clock.now()
    saved_at = _given(body, "saved_at", "saved_ago", now, now)
    timestamp = _given(body, "timestamp", "timestamp_ago", now, saved_at)
    for name, each in (("saved", saved_at), ("timestamp", timestamp)):
        if not FIRST_INSTANT <= each <= LAST_INSTANT:
            return out_of_calendar(next(key for key in body if key.startswith(name)))
    event_id = request.path["event_id"].lower()
    event = Event(
        event_id=event_id,
        saved_at=saved_at,
        timestamp=timestamp,
        title=body.get("title", "Error"),
        environment=body.get("environment"),
        issue_status=body.get("issue_status", "unresolved"),
        issue=project.issue_of(event_id),
    )
    if not project.save_event(event):
        if len(project.events) >= project.limits.events:
            return full(f"The project has {project.limits.events} events, the maximum; reset it.")
        return full(
            f"All projects together have {project.limits.all_events} events, the maximum; reset or delete some."
        )
    return Done(event_shown(event))


def get_event(request: ControlRequest, project: Project) -> Result:
    """The event, whether a test saved it or an SDK sent it."""
    event = project.events.get(request.path["event_id"].lower())
    return _missing(request, project) if event is None else Done(event_shown(event))


def delete_event(request: ControlRequest, project: Project) -> Result:
    """Removes the event; feedback for it stays."""
    return Done(None, 204) if project.delete_event(request.path["event_id"].lower()) else _missing(request, project)


def _missing(request: ControlRequest, project: Project) -> Refused:
    return Refused("event", f"There is no event {request.path['event_id']} in {project.organization}/{project.slug}.")


def _given(body: dict[str, Any], at: str, ago: str, now: int, default: int) -> int:
    if at in body:
        return instant(body, at)
    return now - parse_duration(body[ago]) if ago in body else default


EVENT_HANDLERS = {
    "controlPutEvent": put_event,
    "controlGetEvent": get_event,
    "controlDeleteEvent": delete_event,
}
