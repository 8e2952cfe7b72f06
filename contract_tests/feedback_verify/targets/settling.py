"""How far a target lags in showing what was done, and how to look again until it has caught up. Sends nothing.

Lists of a replica lag, and so do queued events. A mismatch is checked again for a while; once that was in vain, and
this observer never lagged, it is not repeated.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

Observer = Literal["lists", "events"]
T = TypeVar("T")
POLL = 0.1
ALLOWANCE = 1.25  # share of the largest observed lag to wait before the first look


class Settling:
    """`longest` is for how many seconds a mismatch is checked again, by default none; `wait` waits, and may raise."""

    def __init__(self, wait: Callable[[float], None]) -> None:
        self.longest = 0.0
        self.lags: dict[Observer, float] = {}
        self._wait = wait
        self._in_vain: set[Observer] = set()
        self._lock = threading.Lock()

    def before(self, observer: Observer, since: float | None = None) -> None:
        """Waits as long as changes take to show; not at all if no lag has been observed so far.

        The change was made at `since`, in monotonic seconds, or just now.
        """
        if observer in self.lags:
            now = time.monotonic()
            self._wait(ALLOWANCE * self.lags[observer] + POLL - (now - (now if since is None else since)))

    def until_none(self, observer: Observer, look: Callable[[], Sequence[T]]) -> Sequence[T]:
        """What is wrong at the last look: the first one, unless a lag could explain it."""
        found = look()
        if not found or not self._may_lag(observer):
            return found
        with self._lock:  # many may see the same; one of them finds out whether it is a lag
            if not self._may_lag(observer):
                return found
            began = time.monotonic()
            again = Retrying(
                retry=retry_if_result(bool),
                stop=stop_after_delay(self.longest),
                wait=wait_fixed(POLL),
                sleep=self._wait,
                retry_error_callback=lambda state: state.outcome.result() if state.outcome else found,
            )
            found = again(look)
            if found:
                self._in_vain.add(observer)
            else:
                self.seen(observer, time.monotonic() - began)
        return found

    def seen(self, observer: Observer, seconds: float) -> None:
        """Records a lag of this many seconds."""
        self.lags[observer] = max(seconds, self.lags.get(observer, 0.0))

    def _may_lag(self, observer: Observer) -> bool:
        return self.longest > 0 and (observer in self.lags or observer not in self._in_vain)
