"""Answers sleeps on the clocks of shared projects when they are over. Decides nothing: `sleepers.py` does.

A sleep may be over without a request: a running clock gets there, or a lease ends. Nothing happens in a project except
by entries of its log, so a process whose client waits appends an entry as soon as something is due. Several processes
may do so. After the death of a process, its sleeps go on; when they are over, their participants are dropped after
their leases, because nobody renews them.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson
from feedback_spec.instants import SECOND

from feedback_mock.asgi import Receive, disconnected
from feedback_mock.body import Gone
from feedback_mock.control.sleeping import woken
from feedback_mock.exchange import Exchange
from feedback_mock.result import Refused, Result
from feedback_mock.shared.ask import Ask
from feedback_mock.shared.replicas import Replicas
from feedback_mock.shared.request import Outcome, Request
from feedback_mock.shared.serving import Shared
from feedback_mock.sleepers import PAUSE, STOPPED, Sleep
from feedback_mock.store import Project

_PAUSE = PAUSE / SECOND


class SharedSleep(Shared):
    """The operation SLEEP, for shared projects."""

    async def _outcome(self, request: Request, receive: Receive) -> Outcome:
        store = self._store

        def begin(project: Project | None) -> tuple[Outcome, Asleep | None]:
            store.begun = None
            outcome = request.carry_out(project, store.instant)
            return outcome, None if store.begun is None else Asleep(store, request.path, *store.begun)

        begun: tuple[Outcome, Asleep | None] = await self._logs.ask(
            Ask(request.path, begin, lambda: request.packed(self._number))
        )
        outcome, asleep = begun
        if asleep is None:
            return outcome
        left = asyncio.ensure_future(disconnected(receive))
        try:
            result = await self._over(asleep, left)
        finally:
            left.cancel()
        return Outcome(result, self._endpoint.render(Exchange(request.scope), result))

    async def _over(self, asleep: "Asleep", left: asyncio.Future[None]) -> Result:
        """The result of a sleep, when it is over. Raises Gone if the client has `left` before, and Away."""
        while True:
            result: Result | None = await self._logs.ask(Ask(asleep.path, asleep.look))
            if result is not None:
                return result
            if left.done() or self._ended:
                await self._settle(asleep.path, asleep.number)
                if left.done():
                    raise Gone
                return Refused("clock", STOPPED)
            if asleep.due and not asleep.replica.settling:
                await self._settle_once(asleep)
            events = [left] if asleep.over.done() else [left, asleep.over]
            await asyncio.wait(events, timeout=_PAUSE, return_when=asyncio.FIRST_COMPLETED)

    async def _settle_once(self, asleep: "Asleep") -> None:
        """Has all processes do what is due; once for all clients of this process that wait for it. Raises Away."""
        asleep.replica.settling = True
        try:
            await self._settle(asleep.path)
        finally:
            asleep.replica.settling = False

    async def _settle(self, path: Mapping[str, str], given_up: int | None = None) -> None:
        """Has all processes do what is due, after giving up a sleep. Raises Away."""

        def settle(project: Project | None) -> None:
            if project is not None:
                project.sleepers.settle(given_up)

        await self._logs.ask(Ask(path, settle, lambda: orjson.dumps({"settle": given_up})))


class Asleep:
    """A sleep for which a client of this process waits; `due` says whether anything is, on the clock of its project.

    `replica` is the project, as it was then; `over` is done when this process processes the entry that ends the sleep.
    """

    def __init__(self, store: Replicas, path: Mapping[str, str], sleep: Sleep, project: Project) -> None:
        self.path, self.number, self.due = path, sleep.number, False
        self.over: asyncio.Future[Any] = asyncio.wrap_future(sleep.woken)
        self.replica = store.replicas[project.organization, project.slug]
        self._store, self._sleep, self._project = store, sleep, project

    def look(self, project: Project | None) -> Result | None:
        """The result, None while it lasts."""
        if project is not None and project is not self._project and self._store.of_path(self.path) is self.replica:
            # This process has read the project again from its log.
            self._project, found = project, project.sleepers.find(self.number)
            if found is None:
                return self._forgotten(project)
            self._sleep = found
        self.due = self._project.sleepers.due
        return woken(self._sleep.woken.result(), self._project) if self._sleep.woken.done() else None

    def _forgotten(self, project: Project) -> Result:
        now = project.clock.now()
        early = Refused("clock", "This sleep ended before its time.")
        return woken(now if now >= self._sleep.until else early, project)
