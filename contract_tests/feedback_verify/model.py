"""The suite's own model of an implementation: an oracle that shares no code with `spec.rules`.

It calculates with datetime, while the rules use integers, so the same mistake cannot hide in both.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from feedback_spec.document import Document
from feedback_spec.rules import Window

REFUSED = "refused"
STORED = "stored"
OVERWRITTEN = "overwritten"
_START = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass
class Known:
    """What is known about one event in one project; times on the model's clock."""

    saved: datetime | None = None
    timestamp: datetime | None = None
    first: datetime | None = None
    last: datetime | None = None
    first_by: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    answered: Mapping[str, Any] = field(default_factory=dict)

    def since(self, base: str) -> datetime | None:
        """The instant that a base of `x-mutability` names."""
        return {
            "event.saved": self.saved,
            "event.timestamp": self.timestamp,
            "feedback.first_submitted": self.first,
            "feedback.last_submitted": self.last,
        }[base]


class Model:
    """What is known, by project and event, and the outcome of a submission."""

    def __init__(self, document: Document) -> None:
        self.windows = document.mutability.windows
        self.statuses = {STORED: document.mutability.stored.status, OVERWRITTEN: document.mutability.overwritten.status}
        self.now = _START
        self.known: dict[tuple[str, str], Known] = {}

    def at(self, project: str, event_id: str) -> Known:
        """What is known about the event in the project."""
        return self.known.setdefault((project, event_id), Known())

    def broken_window(self, known: Known) -> Window | None:
        """The window that refuses a submission now."""
        return next((window for window in self.windows if self.is_over(window, known)), None)

    def is_over(self, window: Window, known: Known) -> bool:
        """Whether this window alone refuses a submission now."""
        since = known.since(window.base)
        if since is None:
            return False
        deadline = since + timedelta(microseconds=window.limit)
        return self.now > deadline if window.limit_accepted else self.now >= deadline

    def outcome(self, known: Known) -> str:
        """The outcome of a submission now."""
        if self.broken_window(known):
            return REFUSED
        return STORED if known.first is None else OVERWRITTEN

    def status(self, known: Known) -> int:
        """The status of a submission now."""
        window = self.broken_window(known)
        return window.status if window else self.statuses[self.outcome(known)]

    def deadlines(self) -> list[datetime]:
        """Every instant at which a window ends, past and future."""
        ends = set()
        for known in self.known.values():
            for window in self.windows:
                since = known.since(window.base)
                if since is not None:
                    ends.add(since + timedelta(microseconds=window.limit))
        return sorted(ends)


def status_of(document: Document, ages: Mapping[str, int | None]) -> int:
    """The status of a submission, given how long ago (microseconds) things happened, by base; None for never."""
    model = Model(document)
    ago = {base: None if age is None else model.now - timedelta(microseconds=age) for base, age in ages.items()}
    known = Known(
        saved=ago.get("event.saved"),
        timestamp=ago.get("event.timestamp"),
        first=ago.get("feedback.first_submitted"),
        last=ago.get("feedback.last_submitted"),
    )
    return model.status(known)
