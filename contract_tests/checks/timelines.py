"""The literal rows of the document and an enumerated matrix around every limit, each as one short timeline.

Every cell belongs to the rule that it isolates; what has to happen before the last submission must be
accepted, or the cell cannot tell.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from contract_tests.checks.base import Check
from contract_tests.model import status_of
from contract_tests.scenario import CHANGED, Scenario
from spec.document import Document
from spec.instants import SECOND, in_short

HOUR = 3_600 * SECOND
DAY = 24 * HOUR


@dataclass(frozen=True)
class Timeline:
    """Ages in microseconds at the last submission: event saved, its timestamp, first and latest submission before."""

    rule: str
    expected: int
    saved: int | None = None
    timestamp: int | None = None
    first: int | None = None
    last: int | None = None
    by: str = "write"
    first_by: str = "write"

    def __call__(self, scenario: Scenario) -> None:
        """Plays the timeline and expects the status of its last submission."""
        event_id = scenario.new_event_id()
        twin = scenario.new_event_id() if (self.by, self.first_by) != ("write", "write") else None
        position = -(self.first or 0)
        for instant, happening in self._happenings():
            scenario.advance(instant - position)
            position = instant
            self._happen(scenario, happening, event_id, self.first_by)
            if twin:
                self._happen(scenario, happening, twin, "write")
        scenario.advance(-position)
        if twin:
            same = scenario.submit(scenario.submission(twin, **CHANGED))
            scenario.given(same.status == self.expected, f"a bearer token alone is answered {same.status} here")
        final = scenario.submit(scenario.submission(event_id, **CHANGED), by=self.by)
        scenario.expect_status(final, self.expected, self.describe())

    def describe(self) -> str:
        """The timeline in words."""
        parts = []
        if self.saved is not None:
            parts.append(f"event saved {in_short(self.saved)} ago")
            if self.timestamp not in (None, self.saved):
                parts.append(f"with a timestamp {in_short(self.timestamp or 0)} ago")
        else:
            parts.append("unknown event")
        if self.first is not None:
            parts.append(f"first submitted {in_short(self.first)} ago")
            if self.last not in (None, self.first):
                parts.append(f"overwritten {in_short(self.last or 0)} ago")
        return ", ".join(parts)

    def _happenings(self) -> list[tuple[int, str]]:
        """What happens before the last submission, in order: instants relative to it."""
        happenings = []
        if self.saved is not None:
            happenings.append((max(-self.saved, -(self.first or 0)), "save"))
        if self.first is not None:
            happenings.append((-self.first, "submit"))
            if self.last not in (None, self.first):
                happenings.append((-(self.last or 0), "overwrite"))
        return sorted(happenings, key=lambda each: each[0])

    def _happen(self, scenario: Scenario, happening: str, event_id: str, by: str) -> None:
        if happening == "save":
            before = min(self.saved or 0, self.first or 0) if self.first is not None else 0
            ages: dict[str, Any] = {"saved_ago": (self.saved or 0) - before}
            if self.timestamp is not None and self.timestamp != self.saved:
                scenario.given(self.timestamp >= before, "the event's timestamp would lie in the future")
                ages["timestamp_ago"] = self.timestamp - before
            scenario.save_event(event_id, **ages)
        else:
            scenario.accepted(scenario.submit(scenario.submission(event_id), by=by), f"the earlier {happening}")


def checks(document: Document) -> Iterator[Check]:
    """The rows of the document, then the matrix."""
    for row in document.examples:
        yield _check(
            Timeline(
                row.rule,
                row.status,
                row.event_saved_ago,
                row.event_timestamp_ago,
                row.first_submitted_ago,
                row.last_submitted_ago,
            )
        )
    for timeline in _matrix(document):
        ages = {
            "event.saved": timeline.saved,
            "event.timestamp": timeline.saved if timeline.timestamp is None else timeline.timestamp,
            "feedback.first_submitted": timeline.first,
            "feedback.last_submitted": timeline.first if timeline.last is None else timeline.last,
        }
        yield _check(replace(timeline, expected=status_of(document, ages)))


def _check(timeline: Timeline) -> Check:
    needs = ["clock"] if timeline.first else []
    if timeline.saved is not None:
        needs.append("aged-event" if timeline.saved or timeline.timestamp else "event")
    if "dsn" in (timeline.by, timeline.first_by):
        needs.append("dsn")
    return Check(timeline.rule, timeline, tuple(needs))


def _matrix(document: Document) -> Iterator[Timeline]:
    event, overwrite = document.window("event-window").limit, document.window("overwrite-window").limit
    for age in _around(event):
        yield Timeline("event-window", 0, saved=age)
        yield Timeline("dsn", 0, saved=age, by="dsn")
    for age in _around(overwrite):
        yield Timeline("overwrite-window-unknown-event", 0, first=age)
        yield Timeline("overwrite-window", 0, saved=min(age, SECOND), first=age)
        for by, first_by in (("dsn", "dsn"), ("dsn", "write"), ("write", "dsn")):
            yield Timeline("any-credentials-overwrite", 0, first=age, by=by, first_by=first_by)
    yield from _combinations(event, overwrite)


def _around(limit: int) -> list[int]:
    """Ages at, beside and far beyond a limit, those among them where hours and days wrap around."""
    near = [0, SECOND, limit // 2, limit - SECOND, limit - 1, limit, limit + 1, limit + SECOND - 1, limit + SECOND]
    far = [limit + 60 * SECOND, 2 * limit, 10 * limit, HOUR + SECOND, 12 * HOUR + SECOND, DAY, DAY + SECOND, 7 * DAY]
    return sorted({*near, *(age for age in far if age > limit)})


def _combinations(event: int, overwrite: int) -> Iterator[Timeline]:
    for past, young in itertools.product((1, SECOND), (0, 1, overwrite // 2, overwrite)):
        yield Timeline("window-order", 0, saved=event + past, first=young + past)
    for age, last in itertools.product(
        (overwrite, overwrite + 1, overwrite + SECOND, 3 * overwrite // 2), (1, SECOND, overwrite // 2)
    ):
        if age - last <= overwrite:
            yield Timeline("overwrite-window-fixed", 0, first=age, last=last)
            yield Timeline("overwrite-window-fixed", 0, saved=SECOND, first=age, last=last)
    for saved, timestamp in ((0, event + 1), (0, DAY), (SECOND, 2 * event), (2 * event, 0), (event + 1, SECOND)):
        yield Timeline("event-window-base", 0, saved=saved, timestamp=timestamp)
    for age in (SECOND, event):
        yield Timeline("event-window", 0, saved=age, first=SECOND)
