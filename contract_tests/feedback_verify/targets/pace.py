"""One pace for all requests of a run: set with --rate, or inferred from what the target refuses as too much.

Sends nothing and does not wait: it says how long to wait.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

SLOWEST = 0.2  # requests per second; the lowest rate
LONGEST = 4.0  # seconds between two tries, if the target doesn't say how long


class Pace:
    """`rate` is how many requests may begin per second; None if there is no limit."""

    def __init__(self, rate: float | None = None) -> None:
        self.rate = rate
        self.refusals: Counter[int] = Counter()  # 429 and 503 that ended after waiting, or did not
        self._lock = threading.Lock()
        self._free = 0.0
        self._learnt = 0.0
        self._in_a_row = 0
        self._handled: deque[float] = deque(maxlen=2_000)

    def turn(self, requests: int = 1) -> float:
        """In how many seconds this many requests may begin together; the turn is taken."""
        with self._lock:
            now = time.monotonic()
            # Those that begin together wait until all of them would have had their turn.
            begins = max(now, self._free) + ((requests - 1) / self.rate if self.rate else 0.0)
            self._free = begins + (1 / self.rate if self.rate else 0.0)
            return begins - now

    def handled(self) -> None:
        """A request was not refused as one too many."""
        with self._lock:
            self._in_a_row = 0
            self._handled.append(time.monotonic())

    def refused(self, status: int, sent: float, headers: Mapping[str, str]) -> None:
        """A request that began at `sent` (monotonic seconds) was answered with 429 or 503: all wait, and 429 slows
        down.
        """
        after = retry_after(headers)
        with self._lock:
            self.refusals[status] += 1
            now = time.monotonic()
            if after is not None:
                self._free = max(self._free, now + after)
            if sent < self._learnt:
                return  # it began before the last refusal was known, and adds nothing to that
            self._in_a_row += 1
            if after is None or (after == 0 and self._in_a_row > 1):  # "at once", again and again
                self._free = max(self._free, now + min(0.1 * 2**self._in_a_row, LONGEST))
            if status == 429 and self._handled and self._handled[-1] > self._learnt:
                lately = sum(now - each <= 1.0 for each in self._handled)
                self.rate = max(0.8 * min(lately, self.rate or lately), SLOWEST)
            self._learnt = now


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that a response asks to wait; None if it does not say, or not readably."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        until = parsedate_to_datetime(text)
        now = parsedate_to_datetime(headers["date"]) if "date" in headers else datetime.now(UTC)
        return max((until - now).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None
