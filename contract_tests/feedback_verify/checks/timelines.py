"""The literal rows of the document, each as one short timeline.

Every cell belongs to the rule that it isolates. If a rule says what makes no difference, or what does, the cell has a
`twin`: the same timeline without it, which must be answered correctly, or the cell cannot tell.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from feedback_spec.document import Document
from feedback_spec.instants import SECOND, in_short

from feedback_verify.checks.base import Check
from feedback_verify.model import status_of
from feedback_verify.scenario import CHANGED, Scenario
from feedback_verify.verdicts import Probe

ADMINISTRATOR = "admin"
OF_TOKENS = "bearer"
BY = {"dsn": " by DSN", ADMINISTRATOR: " by an administrator"}


@dataclass(frozen=True)
class Timeline:
    """Ages in microseconds at the last submission: event saved, its timestamp, first and latest earlier submission.

    An `aged` event is saved as late as possible, with its age; any other is saved when its time comes.
    """

    expected: int = 0
    saved: int | None = None
    timestamp: int | None = None
    first: int | None = None
    last: int | None = None
    by: str = "write"
    first_by: str = "write"
    aged: bool = False

    def describe(self) -> str:
        """The timeline in words."""
        parts = ["unknown event"]
        if self.saved is not None:
            parts = [f"event saved {in_short(self.saved)} ago"]
            if self.timestamp not in (None, self.saved):
                parts.append(f"with a timestamp {in_short(self.timestamp or 0)} ago")
        if self.first is not None:
            parts.append(f"first submitted {in_short(self.first)} ago{BY.get(self.first_by, '')}")
            if self.last not in (None, self.first):
                parts.append(f"overwritten {in_short(self.last or 0)} ago")
        return ", ".join(parts) + (f", submitted{BY[self.by]}" if self.by in BY else "")

    def happenings(self) -> list[tuple[int, str]]:
        """What happens before the last submission: instants relative to it."""
        happenings = []
        if self.saved is not None:
            happenings.append((max(-self.saved, -(self.first or 0)) if self.aged else -self.saved, "save"))
        if self.first is not None:
            happenings.append((-self.first, "submit"))
            if self.last not in (None, self.first):
                happenings.append((-(self.last or 0), "overwrite"))
        return happenings

    def probes(self, document: Document, status: int) -> list[Probe]:
        """The last submission as a probe of every window that has something to count from."""
        ages = _by_base(self)
        windows = [(window.rule, ages[window.base]) for window in document.mutability.windows]
        return [Probe(rule, age, age, status) for rule, age in windows if age is not None]

    def happen(self, scenario: Scenario, what: str, at: int, event_id: str) -> None:
        """Makes one of them happen; submissions must be accepted."""
        if what == "save":
            ages: dict[str, Any] = {"saved_ago": (self.saved or 0) + at}
            if self.timestamp not in (None, self.saved):
                ages["timestamp_ago"] = (self.timestamp or 0) + at
                scenario.given(ages["timestamp_ago"] >= 0, "the event's timestamp would be in the future")
            scenario.save_event(event_id, **ages)
        else:
            reply = scenario.submit(scenario.submission(event_id), by=self.first_by)
            scenario.accepted(reply, f"the earlier {what}")


@dataclass(frozen=True)
class Cell:
    """A timeline that tests a rule, and the twin that it is compared with."""

    rule: str
    timeline: Timeline
    twin: Timeline | None = None

    def __call__(self, scenario: Scenario) -> None:
        """Plays both on one clock, each with its own event id, and expects the status of the last submission."""
        if self.timeline.by == ADMINISTRATOR and not _has_administrator(scenario, self.rule):
            return
        timeline = _as_possible(self.timeline, scenario)
        twin = timeline if self.twin is None else _as_possible(self.twin, scenario)
        if any(_is_too_near(line, scenario) for line in (twin, timeline)):
            return
        ids = {line: scenario.new_event_id() for line in dict.fromkeys((twin, timeline))}
        plan = sorted(
            ((at, line, what) for line in ids for at, what in line.happenings()), key=lambda happening: happening[0]
        )
        position = plan[0][0] if plan else 0
        for at, line, what in plan:
            scenario.advance(at - position)
            position = at
            line.happen(scenario, what, at, ids[line])
        scenario.advance(-position)
        for line, event_id in ids.items():
            reply = scenario.submit(scenario.submission(event_id, **CHANGED), by=line.by)
            if line == timeline:
                scenario.probes += line.probes(scenario.document, reply.status)
                scenario.expect_status(reply, line.expected, line.describe())
            else:
                told = f"the setup failed: expected {line.expected}, got {reply.status} ({line.describe()})"
                scenario.given(reply.status == line.expected, told)

    @property
    def needs(self) -> tuple[str, ...]:
        """What playing it requires, beyond its rule's needs."""
        lines = [line for line in (self.timeline, self.twin) if line is not None]
        needs = set()
        for line in lines:
            needs |= {"clock"} if line.first or (line.saved and not line.aged) else set()
            needs |= {"event"} if line.saved is not None else set()
            needs |= {"aged-event"} if line.saved and line.aged else set()
            needs |= {"dsn"} if "dsn" in (line.by, line.first_by) else set()
        return tuple(sorted(needs))


def _has_administrator(scenario: Scenario, rule: str) -> bool:
    """Whether there is a token of an administrator. That it may submit is one rule, and part of no other."""
    if ADMINISTRATOR not in scenario.project.credentials:
        return False
    if rule != OF_TOKENS:
        scenario.given(
            scenario.submit(by=ADMINISTRATOR).status in scenario.document.accepting, "an administrator may not submit"
        )
    return True


def _is_too_near(line: Timeline, scenario: Scenario) -> bool:
    """Whether a limit is nearer than the step of the target's clock: either response may be right."""
    step, limits = scenario.target.step, {each.rule: each.limit for each in scenario.document.mutability.windows}
    return step > 1 and any(
        abs(each.earliest - limits[each.window]) < step for each in line.probes(scenario.document, 0)
    )


def _as_possible(line: Timeline, scenario: Scenario) -> Timeline:
    """The timeline; by DSN if the target has no token."""
    if scenario.default_credentials == "write":
        return line
    return replace(line, by="dsn", first_by="dsn")


def checks(document: Document) -> Iterator[Check]:
    """One for each row of the document."""
    for cell in _rows(document):
        yield Check(cell.rule, cell, cell.needs)
    for cell in _by_administrators(document):
        yield Check(cell.rule, cell, cell.needs)


def _by_administrators(document: Document) -> Iterator[Cell]:
    """A token of more scopes may submit, and the windows bind it like any other."""
    windows = {window.rule for window in document.mutability.windows}
    plain = [Cell(OF_TOKENS, Timeline(document.mutability.stored.status))] if OF_TOKENS in document.rules else []
    for cell in (*plain, *(each for each in _rows(document) if each.rule in windows)):
        line = cell.timeline
        yield Cell(cell.rule, replace(line, by=ADMINISTRATOR, first_by=ADMINISTRATOR), twin=line)


def _rows(document: Document) -> Iterator[Cell]:
    """The rows with their own statuses: none of our arithmetic is in them."""
    for row in document.examples:
        ages = (row.event_saved_ago, row.event_timestamp_ago, row.first_submitted_ago, row.last_submitted_ago)
        timeline = Timeline(row.status, *ages, aged=row.event_timestamp_ago != row.event_saved_ago)
        counts = [window.rule for window in document.mutability.windows if window.base.startswith("feedback")]
        twin = _twin("feedback window" if row.rule in counts else row.rule, timeline)
        yield Cell(row.rule, timeline, twin and _expected(document, twin))


def _twin(rule: str, line: Timeline) -> Timeline | None:  # noqa: PLR0911 (one line per rule)
    """The same timeline without what the rule is about."""
    match rule:
        case "dsn" | "any-credentials-overwrite":
            return replace(line, by="write", first_by="write")
        case "event-window-base":
            return replace(line, timestamp=None)
        case "overwrite-window-fixed":
            return replace(line, last=None)
        case "overwrite-window-unknown-event":
            return replace(line, saved=min(line.first or 0, SECOND))
        case "feedback window" if line.saved is not None and line.first is not None:
            return replace(line, first=None, last=None)
        case "window-order":
            return replace(line, first=None, last=None)
        case _:
            return None


def _expected(document: Document, line: Timeline) -> Timeline:
    """The timeline with the status given by the suite's own model."""
    return replace(line, expected=status_of(document, _by_base(line)))


def _by_base(line: Timeline) -> dict[str, int | None]:
    """The ages by the possible bases of a window."""
    return {
        "event.saved": line.saved,
        "event.timestamp": line.saved if line.timestamp is None else line.timestamp,
        "feedback.first_submitted": line.first,
        "feedback.last_submitted": line.first if line.last is None else line.last,
    }
