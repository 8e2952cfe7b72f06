"""A clock shared by several clients: its participants, who is asleep, and when it jumps.

Waits for nobody itself: each sleep is a future, for which an event loop and a thread can wait alike. Changes only when
called, and then only by what it is told and the time, so processes that repeat the same calls agree.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from feedback_mock.clock import Clock, elapsed_time
from feedback_mock.result import Refused

MOST_PARTICIPANTS = 100
MOST_SLEEPS = 1_000
LEASE = 10_000_000
"""Microseconds for which a participant may stay awake, unless it asks for more or less."""
PAUSE = 100_000
"""Microseconds between two checks while anyone is asleep."""
STOPPED = "The server stopped during this sleep."


@dataclass(slots=True, eq=False)
class Sleep:
    """A sleep until an instant; `woken` becomes the instant of waking, or the reason for ending early.

    Its `number` is unlike any other's, also after the project was replaced.
    """

    number: int
    until: int
    participant: str | None
    woken: "Future[int | Refused]" = field(default_factory=Future)


@dataclass(slots=True)
class Participant:
    """A participant that the clock waits for while it is awake: its lease in microseconds, and when that ends."""

    lease: int
    ends: int
    sleep: Sleep | None = None


class Sleepers:
    """The participants of one clock, and everyone asleep on it. For the server's loop and for threads of tests.

    When all participants are asleep, the clock jumps to the earliest waking. A participant that is awake for longer
    than its lease is dropped, so nobody holds up the others forever; `elapsed` returns microseconds of real time for
    that.
    """

    def __init__(self, clock: Clock, elapsed: Callable[[], int] = elapsed_time) -> None:
        self._clock, self._elapsed = clock, elapsed
        self._participants: dict[str, Participant] = {}
        self._sleeps: dict[int, Sleep] = {}
        self._last = 0
        self._lock = threading.RLock()
        self._looked = 0
        self._next: int | None = None
        self._over: Refused | None = None

    @property
    def state(self) -> Any:
        """Everything except who waits for a sleep, as JSON; sleepers with this state continue like these."""
        participants = [[name, each.lease, each.ends] for name, each in self._participants.items()]
        sleeps = [[each.number, each.until, each.participant] for each in self._sleeps.values()]
        return [self._last, participants, sleeps]

    @state.setter
    def state(self, state: Any) -> None:
        self._last, participants, sleeps = state
        self._participants = {name: Participant(lease, ends) for name, lease, ends in participants}
        self._sleeps = {number: Sleep(number, until, name) for number, until, name in sleeps}
        for each in self._sleeps.values():
            if each.participant is not None:
                self._participants[each.participant].sleep = each
        self._next = None

    @property
    def due(self) -> bool:
        """Whether `settle` would change anything now."""
        with self._lock:
            if self._next is None:
                self._next = min(self._moments(), default=sys.maxsize)
            return self._elapsed() >= self._next

    def find(self, number: int) -> Sleep | None:
        """The sleep with this number, if it is still going on."""
        return self._sleeps.get(number)

    def shown(self) -> dict[str, int | None]:
        """By name of each participant, until when it is asleep; None for one that is awake."""
        with self._lock:
            self._look()
            return {name: each.sleep.until if each.sleep else None for name, each in self._participants.items()}

    def join(self, name: str, lease: int | None = None) -> Refused | None:
        """Joins, or renews the lease."""
        with self._lock:
            self._look()
            known = self._participants.get(name)
            if known is None:
                if self._over is not None:
                    return self._over
                if len(self._participants) >= MOST_PARTICIPANTS:
                    return Refused("room", f"A clock has at most {MOST_PARTICIPANTS} participants; let some leave.")
                known = self._participants[name] = Participant(LEASE, 0)
            known.lease = known.lease if lease is None else lease
            known.ends = self._elapsed() + known.lease
            return None

    def leave(self, name: str) -> bool:
        """Leaves; the participant's sleep ends with a refusal. False if nobody has this name."""
        with self._lock:
            left = self._participants.pop(name, None)
            if left is None:
                return False
            if left.sleep is not None:
                self._wake(left.sleep, Refused("clock", f"The participant {name} left while it slept."))
            self._look()
            return True

    def sleep(self, until: int, name: str | None = None) -> Sleep | Refused:
        """Sleeps until that instant, as this participant, which joins if necessary."""
        with self._lock:
            refused = self._over if name is None else self.join(name)
            if refused is None and len(self._sleeps) >= MOST_SLEEPS:
                refused = Refused("room", f"A clock has at most {MOST_SLEEPS} sleeps at a time; wait for some to end.")
            participant = None if name is None else self._participants.get(name)
            if refused is None and participant is not None and participant.sleep is not None:
                refused = Refused(
                    "clock", f"The participant {name} is already asleep; each can have one sleep at a time."
                )
            if refused is not None:
                return refused
            self._last = max(self._last + 1, self._elapsed())
            sleep = self._sleeps[self._last] = Sleep(self._last, until, name)
            if participant is not None:
                participant.sleep = sleep
            self._look()
            return sleep

    def settle(self, given_up: int | None = None) -> None:
        """Does what is due. First ends the sleep with this number, for which nobody waits any more, if it is still
        going on; its participant is awake.
        """
        with self._lock:
            if given_up in self._sleeps:
                self._wake(self._sleeps[given_up], Refused("clock", "Nobody waits for the end of this sleep any more."))
            self._look()

    def move(self, to: int | None = None, by: int = 0, running: bool | None = None) -> bool:
        """Moves the clock as `Clock.move` does, and wakes everyone whose time has come."""
        with self._lock:
            moved = self._clock.move(to, by, running)
            self._look()
            return moved

    def look_again(self) -> None:
        """Checks whether anyone's time has come, unless that was just done."""
        with self._lock:
            if self._elapsed() - self._looked >= PAUSE:
                self._look()

    def end(self, reason: str, *, for_good: bool = False) -> None:
        """Wakes everyone with this refusal and removes all participants; with `for_good`, accepts none after that."""
        with self._lock:
            refused = Refused("clock", reason)
            self._over = refused if for_good else self._over
            self._participants.clear()
            for each in tuple(self._sleeps.values()):
                self._wake(each, refused)

    def _look(self) -> None:
        self._looked, self._next = self._elapsed(), None
        for name, each in tuple(self._participants.items()):
            if each.sleep is None and each.ends <= self._looked:
                del self._participants[name]
        while self._sleeps:
            now = self._clock.now()
            for sleep in tuple(self._sleeps.values()):
                if sleep.until <= now:
                    self._wake(sleep, now)
            if not self._participants or any(each.sleep is None for each in self._participants.values()):
                return
            self._clock.move(to=min(each.until for each in self._sleeps.values()))

    def _moments(self) -> Iterator[int]:
        """When leases are over and, if the clock runs, when it wakes somebody; as `elapsed` counts."""
        for participant in self._participants.values():
            if participant.sleep is None:
                yield participant.ends
        if self._clock.running:
            offset = self._elapsed() - self._clock.now()
            for sleep in self._sleeps.values():
                yield sleep.until + offset

    def _wake(self, sleep: Sleep, came: int | Refused) -> None:
        del self._sleeps[sleep.number]
        participant = self._participants.get(sleep.participant or "")
        if participant is not None and participant.sleep is sleep:
            participant.sleep, participant.ends = None, self._elapsed() + participant.lease
        # False: it was cancelled, for example because the waiting task ended.
        if sleep.woken.set_running_or_notify_cancel():
            sleep.woken.set_result(came)
