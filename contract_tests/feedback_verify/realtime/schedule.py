"""Plays the tracks of a plan in parallel: connections opened beforehand, every request sent once, all of it timed."""

import heapq
import itertools
import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any
from urllib.parse import quote

from feedback_spec.document import LIST, Document
from feedback_spec.instants import SECOND

from feedback_verify.exchange import Exchange, Request
from feedback_verify.realtime.plan import Plan, Track
from feedback_verify.scenario import CHANGED, Scenario
from feedback_verify.steps import Step, Wait
from feedback_verify.targets import Connection, NotReachable, ProtocolError, Target, Trouble

LEAD = SECOND // 2
STAGGER = SECOND // 200
POLL = 0.2
PAGES = 50
_NEXT = re.compile(r'rel="next"; results="true"; cursor="([!#-~]+)"')
REQUESTS = 3  # that a track does at about the same time: an event, a connection, a submission


@dataclass
class Played:
    """A track and its results: when the event was saved (sent, received) and the exchanges, in target time."""

    track: Track
    scenario: Scenario
    event_id: str
    saved: tuple[int, int] | None = None
    submissions: list[Exchange] = field(default_factory=list)
    lost: str | None = None
    anchor: int = 0

    @property
    def done(self) -> bool:
        """Whether every submission was answered."""
        return len(self.submissions) == len(self.track.submits)

    @property
    def began(self) -> int:
        """When the event was saved or, without one, when the first submission was sent."""
        return self.submissions[0].sent if self.saved is None else self.saved[0]

    def is_unknown_in(self, reply: Exchange) -> bool:
        """Whether a response says, with `issue: null`, that the target does not know the event."""
        return bool(reply.object) and reply.object.get("issue", 0) is None

    def was_known_before(self, number: int) -> bool:
        """Whether the target knew the event in a response before this one."""
        return any(isinstance(reply.object.get("issue"), dict) for reply in self.submissions[:number])


@dataclass(frozen=True)
class Listed:
    """The entries of a list requested at `sent`; `whole` if it was followed to its end.

    It may lag behind by `settle` microseconds.
    """

    sent: int
    entries: Sequence[Any]
    whole: bool
    steps: tuple[Step, ...]
    settle: int


class Schedule:
    """One run of a plan, with at most `max_parallel` requests in flight."""

    def __init__(self, target: Target, document: Document, plan: Plan, *, max_parallel: int = 16) -> None:
        self._target = target
        self._max_parallel = max_parallel
        self._stop = threading.Event()
        self._lists = LIST in document.operations and any(each.saved_ago is not None for each in plan.tracks)
        self.dated: list[Exchange] = []  # responses that show the target's clock before the first track starts
        random = Random()
        self.reader = Scenario(target, document, random)
        self.played = [
            Played(track, scenario, scenario.new_event_id())
            for track, scenario in ((track, Scenario(target, document, random)) for track in plan.tracks)
        ]

    def run(
        self, progress: Callable[[int, int, str], None], in_time: Callable[[], None] = lambda: None
    ) -> list[Played]:
        """Plays everything. Ctrl-C, and exceptions from `in_time`, end it early; everything played so far stays in
        `played`.
        """
        total = sum(len(each.track.submits) for each in self.played)
        queue: list[tuple[int, int, Played]] = []
        order = itertools.count()
        self.dated += [self._look(each) for each in self.played[:1]]
        apart, saving = max(STAGGER, self._apart()), self._saving()
        begin = self._target.now() + LEAD
        for each in self.played:
            each.anchor = begin
            begin += apart if each.track.saved_ago is None else max(apart, saving)
            heapq.heappush(queue, (self._due(each), next(order), each))
        pending: dict[Future[None], Played] = {}
        with ThreadPoolExecutor(self._max_parallel) as pool:
            try:
                while queue or pending:
                    in_time()
                    while queue and queue[0][0] - LEAD <= self._target.now():
                        due, _, each = heapq.heappop(queue)
                        pending[pool.submit(self._act, each, due)] = each
                    done = total - len(queue) - len(pending)
                    self._rest(queue, pending, partial(progress, done, total))
                    for future in [each for each in pending if each.done()]:
                        each = pending.pop(future)
                        future.result()
                        if not each.done and each.lost is None:
                            heapq.heappush(queue, (self._due(each), next(order), each))
            finally:
                self._stop.set()
                pool.shutdown(cancel_futures=True)
        return self.played

    def read_back(self) -> Listed | None:
        """The list, followed while there are pages, up to PAGES; None if it is not available."""
        if not self._lists or "write" not in self.reader.project.credentials:
            return None
        sent, entries, query = self._target.now(), [], ""
        settle = int(self._target.settling.longest * SECOND)
        for _ in range(PAGES):
            try:
                reply = self.reader.listing(query)
            except (NotReachable, ProtocolError, Trouble):
                return None
            if reply.status // 100 != 2 or not isinstance(reply.json, list):
                return None
            entries += reply.json
            following = _NEXT.search(reply.headers.get("link", ""))
            if following is None:
                return Listed(sent, entries, True, tuple(self.reader.steps), settle)
            query = f"cursor={quote(following[1])}"
        return Listed(sent, entries, False, tuple(self.reader.steps), settle)

    def _apart(self) -> int:
        """The interval between the starts of tracks, so that the run's pace does not delay any at its deadline."""
        rate = self._target.sender.pace.rate
        return 0 if rate is None else int(REQUESTS * SECOND / rate)

    def _saving(self) -> int:
        """How long it takes to save a single event; if a command saved faster than that, events would wait for a
        CPU.
        """
        if all(each.track.saved_ago is None for each in self.played):
            return 0
        spare, before = Scenario(self._target, self.reader.document, Random()), self._target.now()
        with suppress(NotReachable, ProtocolError, Trouble):  # the tracks will report it
            spare.save_event(spare.new_event_id(), saved_ago=0)
        return self._target.now() - before

    def _due(self, each: Played) -> int:
        if each.track.saved_ago is not None and each.saved is None:
            return each.anchor
        return each.anchor + each.track.submits[len(each.submissions)].at

    def _rest(
        self, queue: list[tuple[int, int, Played]], pending: dict[Future[None], Played], progress: Callable[[str], None]
    ) -> None:
        """Waits until something is due or done; if the clock can be moved, moves it instead when nothing is in
        flight.
        """
        left = (queue[0][0] - LEAD - self._target.now()) if queue else SECOND
        progress(f"next probe in {max(left, 0) // SECOND} s")
        if pending:
            wait(pending, min(max(left / SECOND, 0.001), POLL), FIRST_COMPLETED)
        elif self._target.clock == "process" and left > LEAD:
            self._target.skip(left)
        else:
            self._stop.wait(min(max(left / SECOND, 0.0), POLL))

    def _act(self, each: Played, due: int) -> None:
        """Saves the event if it has not been saved yet, then submits at `due`."""
        try:
            if each.track.saved_ago is not None and each.saved is None:
                self._save(each)
                at = each.track.submits[0].at
                if at:
                    return
            self._submit(each, due)
        except (NotReachable, ProtocolError, Trouble) as error:
            each.lost = str(error)

    def _save(self, each: Played) -> None:
        ages: dict[str, Any] = {"saved_ago": each.track.saved_ago or 0}
        if each.track.timestamp_ago is not None:
            ages["timestamp_ago"] = each.track.timestamp_ago
        sent = self._target.now()
        each.scenario.save_event(each.event_id, **ages)
        each.saved = (sent, self._target.now())
        each.anchor = sum(each.saved) // 2

    def _submit(self, each: Played, due: int) -> None:
        number = len(each.submissions)
        submit = each.track.submits[number]
        values = {} if number == 0 or submit.again else {**CHANGED, "comments": f"{CHANGED['comments']} ({number})"}
        with self._target.connection() as connection:
            if due - self._target.now() > LEAD // 2:
                # Opens the connection; a server that closes it again has time to say so.
                self._look(each, connection)
            self._wait_until(due)
            if number:
                each.scenario.steps.append(Wait(self._target.now() - each.submissions[-1].received))
            each.scenario.channel = connection
            reply = each.scenario.submit(each.scenario.submission(each.event_id, **values), by=submit.by)
        each.submissions.append(reply)
        if submit.at == 0:
            each.anchor = (reply.sent + reply.received) // 2

    def _look(self, each: Played, channel: Target | Connection | None = None) -> Exchange:
        """Submits nothing."""
        return (channel or self._target).exchange(Request("OPTIONS", self._target.base_url + each.scenario.path()))

    def _wait_until(self, due: int) -> None:
        while (left := due - self._target.now()) > 0 and not self._stop.is_set():
            self._stop.wait(left / SECOND)
