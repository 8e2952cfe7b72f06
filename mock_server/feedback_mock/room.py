"""Bounds what all projects of a server store together: when it is used up, the largest give away their older halves.

Knows nothing about what is stored.
"""

from heapq import heapify, heapreplace
from typing import Protocol

SPARE = 8


class Holder(Protocol):
    """Uses `size` bytes of a room, and reports changes through `used`."""

    @property
    def size(self) -> int:
        """The bytes it uses now."""

    def give_half(self) -> None:
        """Discards the older half, and at least something."""

    def clear(self) -> None:
        """Discards everything."""


class Room:
    """At most `most` for all holders together, of which `used` is in use."""

    def __init__(self, most: int) -> None:
        self.most, self.used = most, 0
        self._holders: set[Holder] = set()

    def enter(self, holder: Holder) -> None:
        """A holder starts using it."""
        self._holders.add(holder)

    def leave(self, holder: Holder) -> None:
        """A holder gives back everything it uses."""
        self._holders.discard(holder)
        holder.clear()

    def make(self) -> None:
        """Makes room if more is used than allowed: an eighth of it, so that it seldom looks at all holders."""
        if self.used <= self.most:
            return
        enough = self.most - self.most // SPARE
        holders = [(-each.size, number, each) for number, each in enumerate(self._holders)]
        heapify(holders)
        while self.used > enough:
            _, number, largest = holders[0]
            largest.give_half()
            heapreplace(holders, (-largest.size, number, largest))
