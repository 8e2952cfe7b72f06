"""Clocks: the machine's, and one for each project. The only place of the mock that asks the machine for the time."""

import time
from collections.abc import Callable

from feedback_spec.instants import LAST_INSTANT

Source = Callable[[], int]


def system_time() -> int:
    """Microseconds since 1970 UTC by the machine's clock."""
    return time.time_ns() // 1000


def elapsed_time() -> int:
    """Microseconds that have gone by since some instant; nobody sets this clock back."""
    return time.monotonic_ns() // 1000


class Clock:
    """A project's clock: running beside its source or frozen, and forward only. Microseconds since 1970 UTC."""

    __slots__ = ("_last", "_offset", "_source", "running")

    def __init__(self, source: Source, now: int | None = None, running: bool = True) -> None:
        reading = source()
        self._source = source
        self._last = reading if now is None else now
        self._offset = self._last - reading
        self.running = running

    def now(self) -> int:
        """The present instant; never before one that was given earlier, whatever the source does."""
        if self.running:
            reading = self._source() + self._offset
            if reading > self._last:
                self._last = min(reading, LAST_INSTANT)
        return self._last

    @property
    def setting(self) -> tuple[int, bool]:
        """What stays the same as long as nobody moves, freezes or starts it."""
        return self._offset, self.running

    def move(self, to: int | None = None, by: int = 0, running: bool | None = None) -> bool:
        """Stands at `to`, or where it is, plus `by`, and runs on from there or not; None leaves it as it is.

        False, and nothing changes, if that lies in the past or beyond the last instant.
        """
        present = self.now()
        target = (present if to is None else to) + by
        if not present <= target <= LAST_INSTANT:
            return False
        self._last = target
        self._offset = target - self._source()
        if running is not None:
            self.running = running
        return True
