"""Clocks: the machine's, and one for each project. The only module of the mock that asks the machine for the time."""

import time
from collections.abc import Callable

from feedback_spec.instants import LAST_INSTANT

Source = Callable[[], int]


def system_time() -> int:
    """Microseconds since 1970 UTC on the machine's clock."""
    return time.time_ns() // 1000


def elapsed_time() -> int:
    """Microseconds that have passed since some instant; this clock is never set back."""
    return time.monotonic_ns() // 1000


class Clock:
    """A project's clock: running along with its source or frozen, and forward only. Microseconds since 1970 UTC.

    `now` takes no lock, so it may write down a reading after another thread has moved the clock. A frozen clock is at
    what `move` wrote, which such a late reading cannot set back.
    """

    __slots__ = ("_last", "_offset", "_source", "_stand", "running")

    def __init__(self, source: Source, now: int | None = None, running: bool = True) -> None:
        reading = source()
        self._source = source
        self._last = self._stand = reading if now is None else now
        self._offset = self._last - reading
        self.running = running

    def now(self) -> int:
        """The current instant; never before one returned earlier, whatever the source does."""
        if not self.running:
            return self._stand
        reading = self._source() + self._offset
        if reading > self._last:
            self._last = min(reading, LAST_INSTANT)
        return self._last

    @property
    def setting(self) -> tuple[int, bool]:
        """A value that stays the same unless the clock is moved, frozen or started."""
        return self._offset, self.running

    @property
    def state(self) -> tuple[int, int, bool]:
        """Everything in a clock but its source; a clock with this state continues like this one."""
        return self._offset, self._last if self.running else self._stand, self.running

    @state.setter
    def state(self, state: tuple[int, int, bool]) -> None:
        self._offset, self._last, self.running = state
        self._stand = self._last

    def move(self, to: int | None = None, by: int = 0, running: bool | None = None) -> bool:
        """Moves to `to`, or from the current instant, plus `by`, and sets whether it runs; None leaves that unchanged.

        Returns False, and changes nothing, if the new instant is in the past or beyond the last one.
        """
        present = self.now()
        target = (present if to is None else to) + by
        if not present <= target <= LAST_INSTANT:
            return False
        self._last = self._stand = target
        self._offset = target - self._source()
        if running is not None:
            self.running = running
        return True
