"""What an interval of instants explains: ages by window, and the possible statuses of a response. Pure.

Integer microseconds. Of everything that judges by intervals, only this module decides when a window is over; the
suite's model decides it once more, with datetimes, so the same mistake cannot hide in both.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from feedback_spec.rules import Base, Window

DRIFT = 10_000  # one part in this many: clocks of different machines drift apart by 100 parts per million

Span = tuple[int, int]


@dataclass(frozen=True)
class Opinion:
    """What an interval explains: the windows that may refuse, whether none may, and the age by every window.

    `accepted` is the status of an acceptance here.
    """

    refusing: tuple[Window, ...]
    may_accept: bool
    accepted: int
    ages: Mapping[str, Span]

    @property
    def allowed(self) -> frozenset[int]:
        """The statuses that some instant explains."""
        statuses = {window.status for window in self.refusing}
        return frozenset(statuses | {self.accepted} if self.may_accept else statuses)

    @property
    def decided(self) -> bool:
        """Whether every instant explains the same status."""
        return len(self.allowed) == 1

    def tells_of(self, rule: str) -> bool:
        """Whether a response shows what this rule's window does: not if another window refuses anyway."""
        return self.decided and (self.may_accept or [window.rule for window in self.refusing] == [rule])


def is_over(window: Window, age: int) -> bool:
    """Whether the window refuses at this age."""
    return age > window.limit or (age == window.limit and not window.limit_accepted)


def opinion(
    windows: Iterable[Window], known: Mapping[Base, Span], began: int, decided: Span, *, accepted: int, step: int = 1
) -> Opinion:
    """What a decision in the span `decided` explains, if everything `known` happened in its spans.

    Clocks may have drifted apart since `began`; anything older was told to the target, not measured. The target's clock
    counts in steps of `step` microseconds.
    """
    off = (decided[1] - began) // DRIFT + step - 1
    ages: dict[str, Span] = {}
    refusing: list[Window] = []
    certain = False
    for window in windows:
        if window.base not in known:
            continue
        low, high = decided[0] - known[window.base][1] - off, decided[1] - known[window.base][0] + off
        ages[window.rule] = (low, high)
        if is_over(window, high):
            refusing.append(window)
        certain = certain or is_over(window, low)
    return Opinion(tuple(refusing), not certain, accepted, ages)
