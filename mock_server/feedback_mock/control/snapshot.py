"""The control protocol's handlers for a project as one document: taking and restoring snapshots.

A snapshot contains no credentials: they are derived from the project's name, and so are its feedback ids.
"""

from collections.abc import Generator, Iterator
from typing import Any

from feedback_spec.bodies import Unreadable
from feedback_spec.instants import format_instant

from feedback_mock.clock import Clock
from feedback_mock.control.faults import problem_of
from feedback_mock.control.handlers import (
    ControlRequest,
    clock_shown,
    event_shown,
    full,
    instant,
    project_shown,
    record_shown,
)
from feedback_mock.control.pieces import Rows, Steps, taken
from feedback_mock.control.requests import RequestHandlers, extent
from feedback_mock.faults import MOST_RULES, FaultRule
from feedback_mock.journal import Entry
from feedback_mock.result import Done, Refused, Result
from feedback_mock.store import Event, Feedback, Limits, Project, Store

VERSION = 1


class SnapshotHandlers:
    """The two operations on snapshots."""

    def __init__(self, store: Store, journals: RequestHandlers) -> None:
        self._store, self._journals = store, journals

    def get(self, request: ControlRequest, project: Project) -> Result:
        """The whole project."""
        entries = tuple(project.journal.entries)
        return Done(
            {
                "version": VERSION,
                "clock": clock_shown(project),
                "redact": project.redact,
                "seed": project.faults.seed,
                "numbers": {"feedback": project.last_feedback, "issues": project.last_issue},
                "faults": [_fault_shown(each) for each in project.faults.rules],
                "journal": extent(project.journal),
                "events": Rows({**event_shown(each), "issue": each.issue} for each in tuple(project.events.values())),
                "feedback": Rows(
                    _record_shown(each, project.number_of(each.id)) for each in tuple(project.feedback.values())
                ),
                "requests": Rows(self._journals.shown(each, project, request.origin) for each in entries),
            }
        )

    def put(self, request: ControlRequest) -> Result:
        """Creates the project from the snapshot, replacing one of the same name; a large one is read in pieces."""
        return Done(Steps(self._restored(request)))

    def _restored(self, request: ControlRequest) -> Generator[None, None, Result]:
        given, limits = request.body, self._store.limits
        names = request.path["organization_slug"], request.path["project_slug"]
        if (refused := _too_much(given, limits)) is not None:
            return refused
        try:
            now = instant(given["clock"], "now", "clock.")
            events, feedback = (yield from taken(_events(given))), (yield from taken(_feedback(given)))
            rules, entries = (yield from taken(_rules(given))), (yield from taken(_entries(given)))
        except Unreadable as error:
            return Refused("request", str(error))
        # From here on nobody else has a turn.
        if (refused := self._no_room(given, self._store.project(*names))) is not None:
            return refused
        clock = Clock(self._store.source, now, given["clock"]["running"])
        project = self._store.put_project(
            *names, clock, redact=given["redact"], seed=given["seed"], follow=given["clock"].get("follow", False)
        )
        if project is None:
            return full(f"The server has {limits.projects} projects, the maximum; delete some.")
        project.restore(events, feedback, given["numbers"]["feedback"], given["numbers"]["issues"])
        project.faults.restore(rules)
        project.journal.restore(entries, given["journal"]["last"], given["journal"]["dropped"])
        return Done(project_shown(project, request.origin))

    def _no_room(self, given: dict[str, Any], replaced: Project | None) -> Refused | None:
        room = self._store.event_room
        held = room.used - (len(replaced.events) if replaced else 0)
        if held + len(given["events"]) <= room.most:
            return None
        return full(f"events: all projects together may have {room.most}, and the others have {held}.")


def _fault_shown(rule: FaultRule) -> dict[str, Any]:
    """A rule with its counts; its lifetime is shown as the instant that ends it."""
    given = {name: value for name, value in rule.given.items() if name not in ("from", "until", "lifetime")}
    span = {"from": rule.begins, "until": rule.ends}
    given |= {name: format_instant(each) for name, each in span.items() if each is not None}
    return {"number": rule.number, "matched": rule.matched, "applied": rule.applied, "rule": given}


def _record_shown(record: Feedback, number: int) -> dict[str, Any]:
    shown = record_shown(record)
    del shown["id"]
    return {"number": number, **shown}


def _too_much(given: dict[str, Any], limits: Limits) -> Refused | None:
    most = {
        "events": limits.events,
        "feedback": limits.feedback,
        "requests": limits.requests,
        "faults": MOST_RULES,
    }
    for name, bound in most.items():
        if len(given[name]) > bound:
            return full(f"{name}: a project may have {bound}, not {len(given[name])}.")
    return None


def _events(given: dict[str, Any]) -> Iterator[Event]:
    for number, each in enumerate(_distinct(given, "events", "event_id")):
        place = f"events.{number}."
        if each["issue"] > given["numbers"]["issues"]:
            raise Unreadable(f"{place}issue: is greater than numbers.issues.")
        yield Event(
            each["event_id"],
            instant(each, "saved_at", place),
            instant(each, "timestamp", place),
            each["title"],
            each["environment"],
            each["issue_status"],
            each["issue"],
        )


def _feedback(given: dict[str, Any]) -> Iterator[tuple[int, Feedback]]:
    """Records without their ids, each with its number."""
    last = 0
    for number, each in enumerate(_distinct(given, "feedback", "event_id")):
        place = f"feedback.{number}."
        if not last < each["number"] <= given["numbers"]["feedback"]:
            raise Unreadable(f"{place}number: must be greater than those before it and at most numbers.feedback.")
        last = each["number"]
        first, latest = (instant(each, f"{name}_submitted_at", place) for name in ("first", "last"))
        if first > latest:
            raise Unreadable(f"{place}last_submitted_at: is before first_submitted_at.")
        yield last, Feedback("", each["event_id"], each["name"], each["email"], each["comments"], first, latest)


def _rules(given: dict[str, Any]) -> Iterator[FaultRule]:
    for number, each in enumerate(_distinct(given, "faults", "number")):
        rule, place = each["rule"], f"faults.{number}.rule."
        problem = "lifetime: a snapshot has until instead." if "lifetime" in rule else problem_of(rule)
        if problem is not None:
            raise Unreadable(f"{place}{problem}")
        if each["applied"] > each["matched"]:
            raise Unreadable(f"faults.{number}.applied: is greater than matched.")
        begins, ends = (instant(rule, name, place) if name in rule else None for name in ("from", "until"))
        yield FaultRule(each["number"], rule, begins, ends, each["matched"], each["applied"])


def _entries(given: dict[str, Any]) -> Iterator[Entry]:
    journal, entries = given["journal"], given["requests"]
    if journal["first"] + len(entries) != journal["last"] + 1:
        raise Unreadable("journal: first and last do not fit the number of requests.")
    if journal["dropped"] >= journal["first"]:
        raise Unreadable("journal.dropped: is greater than the number of requests before first.")
    for number, each in enumerate(entries):
        facts, place = each["_feedback"], f"requests.{number}._feedback."
        if facts["number"] != journal["first"] + number:
            raise Unreadable(f"{place}number: must be {journal['first'] + number}, because there are no gaps.")
        yield Entry.restored(each, instant(facts, "now", place))


def _distinct(given: dict[str, Any], name: str, key: str) -> list[dict[str, Any]]:
    """The list with that name, whose items must have different keys. Raises Unreadable."""
    values: list[dict[str, Any]] = given[name]
    seen = set()
    for number, each in enumerate(values):
        if each[key] in seen:
            raise Unreadable(f"{name}.{number}.{key}: occurs twice.")
        seen.add(each[key])
    return values
