"""The time rules: accept or refuse a submission, given what is stored and the instant. Pure: no clock, no I/O.

Standard library only. Every number comes from the document's `x-mutability`; all instants are integer microseconds
since 1970 UTC.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Base(StrEnum):
    """What a window is measured from."""

    EVENT_SAVED = "event.saved"
    EVENT_TIMESTAMP = "event.timestamp"
    FIRST_SUBMITTED = "feedback.first_submitted"
    LAST_SUBMITTED = "feedback.last_submitted"


class Outcome(StrEnum):
    """The outcome of a submission."""

    STORED = "stored"
    OVERWRITTEN = "overwritten"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Window:
    """How long after `base` a submission is accepted: `limit` in microseconds, with or without the limit itself."""

    rule: str
    base: Base
    limit: int
    limit_accepted: bool
    status: int


@dataclass(frozen=True, slots=True)
class Accepted:
    """The rule and status of an outcome that is not a refusal."""

    rule: str
    status: int


@dataclass(frozen=True, slots=True)
class Mutability:
    """The windows in the order in which they are checked, and the responses of the other outcomes."""

    windows: tuple[Window, ...]
    stored: Accepted
    overwritten: Accepted


class Facts(NamedTuple):
    """What is known when a submission arrives: instants in microseconds; None if there is no event or no feedback."""

    event_saved: int | None = None
    event_timestamp: int | None = None
    first_submitted: int | None = None
    last_submitted: int | None = None

    def instant(self, base: Base) -> int | None:
        """The instant that a window with this base is measured from; None if it does not apply."""
        match base:
            case Base.EVENT_SAVED:
                return self.event_saved
            case Base.EVENT_TIMESTAMP:
                return self.event_timestamp
            case Base.FIRST_SUBMITTED:
                return self.first_submitted
            case Base.LAST_SUBMITTED:
                return self.last_submitted


class Decision(NamedTuple):
    """The outcome with its rule and status and, for a refusal, the window and the age that exceeded it."""

    outcome: Outcome
    rule: str
    status: int
    window: Window | None = None
    age: int = 0


def decide(mutability: Mutability, facts: Facts, now: int) -> Decision:
    """Decides a submission at `now` (microseconds since 1970 UTC).

    The first window that is over refuses it (the page: "If feedback is rejected due to a mutability threshold"). A
    window whose base does not exist, as for an unknown event, does not apply.
    """
    for window in mutability.windows:
        since = facts.instant(window.base)
        if since is None:
            continue
        age = now - since
        if age > window.limit or (age == window.limit and not window.limit_accepted):
            return Decision(Outcome.REFUSED, window.rule, window.status, window, age)
    if facts.first_submitted is None:
        return Decision(Outcome.STORED, mutability.stored.rule, mutability.stored.status)
    return Decision(Outcome.OVERWRITTEN, mutability.overwritten.rule, mutability.overwritten.status)
