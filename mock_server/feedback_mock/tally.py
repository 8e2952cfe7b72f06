"""Counts responses by rule and status, and their duration, for monitoring. Renders nothing."""

from bisect import bisect_left
from collections import Counter

BUCKETS = (100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000)
"""Up to this many microseconds."""


class Tally:
    """Counts. Those in `took` are by bucket, with one more at the end for everything that took longer."""

    def __init__(self) -> None:
        self.answers: Counter[tuple[str, int]] = Counter()
        self.clear()

    def clear(self) -> None:
        """Begins again."""
        self.answers.clear()
        self.took = [0] * (len(BUCKETS) + 1)
        self.microseconds = 0

    def count(self, rule: str, status: int, microseconds: int) -> None:
        """Counts one more response; status 0 means that there was none."""
        self.answers[rule, status] += 1
        self.took[bisect_left(BUCKETS, microseconds)] += 1
        self.microseconds += microseconds
