"""The counts of all processes together, for monitoring: each process adds its own in Redis. Renders nothing.

A process adds what it has counted a second after it began to count, and before it shows the sum.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from feedback_mock.shared.connection import Argument, Away, Call, Connection
from feedback_mock.shared.directory import LIFETIME, PREFIX
from feedback_mock.shared.replicas import Replicas
from feedback_mock.tally import Tally

KEY = PREFIX + b"tally"
DELAY = 1.0  # seconds
REQUESTS, ROUND_TRIPS = "requests", "round trips"


class Tallies:
    """Counts requests and round trips of this process, and gives `store` the counts of all."""

    def __init__(self, connection: Connection, store: Replicas) -> None:
        self._connection, self._store = connection, store
        self._requests = Tally()
        self._later: asyncio.TimerHandle | None = None
        self._adding: asyncio.Task[None] | None = None
        store.round_trips = Tally()

    def count(self, rule: str, status: int, microseconds: int) -> None:
        """Counts one more response, as `Tally.count` does."""
        self._requests.count(rule, status, microseconds)
        if self._later is None:
            self._later = asyncio.get_running_loop().call_later(DELAY, self._add_now)

    async def add(self) -> None:
        """Adds what is new to the counts of all processes, and reads those. Raises Away."""
        new = {**_taken(self._requests, REQUESTS), **_taken(self._connection.tally, ROUND_TRIPS)}
        arguments: list[Argument] = [LIFETIME, *(each for pair in new.items() for each in pair)]
        try:
            (reply,) = await self._connection.run([Call(("tally",), [KEY], arguments)])
            if isinstance(reply, Away):
                raise reply
        except Away:
            # Redis may have added them all the same: rather count a request twice than never.
            _add(self._requests, new, REQUESTS)
            _add(self._connection.tally, new, ROUND_TRIPS)
            raise
        counts = {name.decode(): int(count) for name, count in zip(reply[::2], reply[1::2], strict=True)}
        self._store.counted, self._store.round_trips = Tally(), Tally()
        _add(self._store.counted, counts, REQUESTS)
        _add(self._store.round_trips, counts, ROUND_TRIPS)

    async def close(self) -> None:
        """Adds what is left, if Redis can be reached."""
        if self._adding is not None:
            await self._adding
        if self._later is not None:
            self._later.cancel()
            self._later = None
            await self._add_if_possible()

    def _add_now(self) -> None:
        self._later = None
        self._adding = asyncio.get_running_loop().create_task(self._add_if_possible())

    async def _add_if_possible(self) -> None:
        with suppress(Away):  # the next request tries again
            await self.add()


def _taken(tally: Tally, kind: str) -> dict[str, int]:
    """What was counted, by names that begin with the kind; the tally begins again."""
    counts = {f"{kind}:answers:{status}:{rule}": count for (rule, status), count in tally.answers.items()}
    counts |= {f"{kind}:took:{place}": count for place, count in enumerate(tally.took) if count}
    counts |= {f"{kind}:microseconds": tally.microseconds} if counts else {}
    tally.clear()
    return counts


def _add(tally: Tally, counts: Mapping[str, int], kind: str) -> None:
    """Adds counts of this kind, by the same names."""
    for name, count in counts.items():
        of, what, *rest = name.split(":", 3)
        if of != kind:
            continue
        if what == "answers":
            tally.answers[rest[1], int(rest[0])] += count
        elif what == "took":
            tally.took[int(rest[0])] += count
        else:
            tally.microseconds += count
