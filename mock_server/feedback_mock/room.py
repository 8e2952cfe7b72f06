"""What all projects of a server hold together, bounded: where it is used up, whoever holds most gives away half.

Knows nothing of what is held.
"""

from typing import Protocol


class Holder(Protocol):
    """Holds `size` bytes of a room, and tells it by `used` of each that comes or goes."""

    @property
    def size(self) -> int:
        """What it holds now."""

    def give_half(self) -> None:
        """Forgets the older half, and at least something."""

    def clear(self) -> None:
        """Forgets all that it holds."""


class Room:
    """At most `most` for all holders together, of which `used` is in use."""

    def __init__(self, most: int) -> None:
        self.most, self.used = most, 0
        self._holders: set[Holder] = set()

    def enter(self, holder: Holder) -> None:
        """A holder begins to use it."""
        self._holders.add(holder)

    def leave(self, holder: Holder) -> None:
        """A holder gives back all that it has."""
        self._holders.discard(holder)
        holder.clear()

    def make(self) -> None:
        """Makes room where more is used than there is."""
        while self.used > self.most:
            max(self._holders, key=lambda holder: holder.size).give_half()
