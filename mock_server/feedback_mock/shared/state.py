"""A whole project as pieces of JSON, and an identical project created from them. Knows no Redis."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from itertools import islice
from operator import attrgetter
from typing import Any

import orjson

from feedback_mock.faults import FaultRule
from feedback_mock.journal import Entry
from feedback_mock.store import Event, Feedback, Project

PIECE = 500  # rows
_of_event = attrgetter(*(each.name for each in fields(Event)))
_of_feedback = attrgetter(*(each.name for each in fields(Feedback)))


def pieces_of(project: Project) -> Iterator[bytes]:
    """The project, without its entry in the directory."""
    yield orjson.dumps({"head": _head(project)})
    rows: dict[str, Iterable[Any]] = {
        "events": map(_of_event, project.events.values()),
        "feedback": map(_of_feedback, project.feedback.values()),
        "moved": iter(project.moved),
        "requests": (each.facts() for each in project.journal.entries),
    }
    for name, values in rows.items():
        left = iter(values)
        while piece := list(islice(left, PIECE)):
            yield orjson.dumps({name: piece})


def fill(project: Project, piece: Mapping[str, Any]) -> None:
    """Adds the contents of a piece to an empty project; the head comes first."""
    for name, value in piece.items():
        _FILLERS[name](project, value)


def _head(project: Project) -> dict[str, Any]:
    faults, journal = project.faults, project.journal
    return {
        "clock": project.clock.state,
        "follow": project.follow,
        "redact": project.redact,
        "faults": [faults.seed, faults.last, faults.held, faults.releases],
        "rules": [
            [each.number, each.given, each.begins, each.ends, each.matched, each.applied] for each in faults.rules
        ],
        "counts": project.counts,
        "numbers": [project.last_feedback, project.last_issue, project.saved],
        "warned": project.warned,
        "sleepers": project.sleepers.state,
        "journal": [journal.last, journal.cleared, journal.restarts],
    }


def _fill_head(project: Project, head: Mapping[str, Any]) -> None:
    faults, journal = project.faults, project.journal
    project.clock.state = head["clock"]
    project.follow, project.redact, project.warned = head["follow"], head["redact"], head["warned"]
    faults.seed, faults.last, faults.held, faults.releases = head["faults"]
    faults.rules = [FaultRule(*each) for each in head["rules"]]
    project.counts = {name: (window, used) for name, (window, used) in head["counts"].items()}
    project.last_feedback, project.last_issue, project.saved = head["numbers"]
    journal.last, journal.cleared, journal.restarts = head["journal"]
    project.sleepers.state = head["sleepers"]


def _fill_events(project: Project, rows: Iterable[Any]) -> None:
    for row in rows:
        event = Event(*row)
        project.events[event.event_id] = event
        project.event_room.used += 1


def _fill_feedback(project: Project, rows: Iterable[Any]) -> None:
    for row in rows:
        project.take_back(Feedback(*row))


def _fill_moved(project: Project, rows: Iterable[str]) -> None:
    for event_id in rows:
        project.moved[event_id] = project.feedback[event_id]


def _fill_requests(project: Project, rows: Iterable[Any]) -> None:
    for facts in rows:
        project.journal.take_back(Entry.of(facts))


_FILLERS: Mapping[str, Callable[[Project, Any], None]] = {
    "head": _fill_head,
    "events": _fill_events,
    "feedback": _fill_feedback,
    "moved": _fill_moved,
    "requests": _fill_requests,
}
