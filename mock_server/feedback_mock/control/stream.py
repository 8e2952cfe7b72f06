"""Serves a project as server-sent events: everything in it, then what changes. Changes nothing itself.

It looks at the project ten times a second while anyone listens, so requests do no work for listeners, and no queue is
needed: what a slow listener has not received yet is in the journal, which is bounded.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar

import orjson

from feedback_mock.asgi import Receive, Scope, Send, disconnected, origin_of
from feedback_mock.control.faults import faults_shown
from feedback_mock.control.guard import Guard
from feedback_mock.control.handlers import (
    ControlHandler,
    ControlRequest,
    clock_shown,
    event_shown,
    project_shown,
    record_shown,
)
from feedback_mock.control.operation import ControlOperation
from feedback_mock.control.requests import RequestHandlers, extent
from feedback_mock.description import Description
from feedback_mock.exchange import Exchange, send_all
from feedback_mock.journal import PENDING, Entry
from feedback_mock.result import Done, Refused, Result
from feedback_mock.store import Project, Store

STREAM = "controlStream"
_EVENT_STREAM = b"text/event-stream"
MOST_STREAMS = 64
MOST_SHOWN = 500
_MOST_AT_ONCE = 250  # requests sent per look: a busy server has better things to do
_MOST_SHARED, _SHARED_BYTES = 32, 4 * 1024 * 1024  # events of a project that are kept for its other listeners
_PAUSE = 0.1  # seconds between two looks
_SILENCE = 150  # looks without news, after which a comment tells the client that we are still there
_Kept = TypeVar("_Kept")
_HEADERS = [(b"content-type", _EVENT_STREAM), (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]


def open_stream(_: ControlRequest, __: Project) -> Result:
    """Any project may be followed."""
    return Done(None)


class StreamOperation(ControlOperation):
    """Answers the operation STREAM: refuses like any other operation, otherwise sends events until it ends."""

    def __init__(
        self,
        openapi: Mapping[str, Any],
        description: Description,
        handler: ControlHandler,
        host: str,
        guard: Guard,
        news: Callable[[str, str, str], "News"],
        look: "Callable[[News], Awaitable[Iterable[bytes]]]",
    ) -> None:
        """`news` of the project with these two slugs, for a client that reaches us at this origin.

        `look` returns them, once the project is up to date.
        """
        super().__init__(openapi, description, handler, host, guard)
        self._news, self._look = news, look
        self._open = self._ends = 0

    def end(self) -> None:
        """Ends all open streams; from any thread."""
        self._ends += 1

    async def respond(self, exchange: Exchange, receive: Receive) -> Result:
        """As any operation, within the maximum number of streams."""
        result = await super().respond(exchange, receive)
        if isinstance(result, Done) and self._open >= MOST_STREAMS:
            return Refused("room", f"The server has {MOST_STREAMS} open streams, the maximum; close some.")
        return result

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; returns when the client disconnects, the project is deleted or the streams are ended."""
        exchange = Exchange(scope)
        result, answer = await self.answered(exchange, receive)
        if not isinstance(result, Done) or scope["method"] == "HEAD":
            await send_all(answer, scope, send)
            return
        origin = origin_of(scope, exchange.headers, self._host)
        news = self._news(exchange.path["organization_slug"], exchange.path["project_slug"], origin)
        left = asyncio.ensure_future(disconnected(receive))
        self._open += 1
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await self._tell(news, left, send)
            await send({"type": "http.response.body", "body": b""})
        finally:
            self._open -= 1
            left.cancel()

    async def _tell(self, news: "News", left: "asyncio.Future[None]", send: Send) -> None:
        ends, silent = self._ends, 0
        while not left.done() and ends == self._ends and not news.over:
            silent += 1
            for event in await self._look(news):
                silent = 0
                await send({"type": "http.response.body", "body": event, "more_body": True})
                await asyncio.sleep(0)  # a journal is long, and other requests are waiting too
                if left.done():
                    return
            if silent >= _SILENCE:
                silent = 0
                await send({"type": "http.response.body", "body": b": still here\n\n", "more_body": True})
            await asyncio.wait([left], timeout=_PAUSE)


async def at_once(news: "News") -> Iterable[bytes]:
    """The events at once: everything is in this process."""
    return news


class News:
    """What one listener has not received yet of a project; each iteration returns the events to send."""

    def __init__(self, store: Store, journals: RequestHandlers, organization: str, slug: str, origin: str) -> None:
        self._store, self._journals, self._names, self._origin = store, journals, (organization, slug), origin
        self.path = {"organization_slug": organization, "project_slug": slug}
        self._project: Project | None = None
        self._restarts = self._heard = 0
        self._pending: list[Entry] = []
        self._told: dict[str, object] = {}
        self.over = False

    def __iter__(self) -> Iterator[bytes]:
        project = self._store.project(*self._names)
        if project is None:
            self.over = True
            yield _event("deleted", {})
            return
        if project is not self._project or project.journal.restarts != self._restarts:
            self._project, self._restarts = project, project.journal.restarts
            self._heard, self._pending = 0, []
            self._told = {"clock": _setting(project)}
            yield _event("project", project_shown(project, self._origin))
        for entry in self._new_entries(project):
            key = ("request", entry.number, entry.state, self._origin)
            yield self._written(project, key, partial(self._request, project, entry))
        for name, (state, show) in self._parts(project).items():
            if self._told.get(name) != state:
                self._told[name] = state
                # A running clock is told with its instant, and faults by the rules themselves.
                shared = name in ("events", "feedback")
                yield (
                    self._written(project, (name, state), partial(_shown, name, show)) if shared else _shown(name, show)
                )

    def _request(self, project: Project, entry: Entry) -> bytes:
        return _event("request", self._journals.shown(entry, project, self._origin), entry.number)

    def _written(self, project: Project, key: Hashable, write: Callable[[], bytes]) -> bytes:
        """The event, which is not written again if another listener has just been sent it."""
        told = project.journal.told
        key = (project.journal.restarts, key)
        event = told.get(key)
        if event is None:
            event = told[key] = write()
            while len(told) > _MOST_SHARED or sum(map(len, told.values())) > _SHARED_BYTES:
                del told[next(iter(told))]
        return event

    def _new_entries(self, project: Project) -> Iterable[Entry]:
        """New entries, and those that were pending and are no longer."""
        answered = [each for each in self._pending if each.state != PENDING]
        journal = project.journal
        if journal.last == self._heard and not answered:
            return ()
        new = [each for each in tuple(journal.entries) if each.number > self._heard][:_MOST_AT_ONCE]
        self._heard = new[-1].number if new else self._heard
        self._pending = [each for each in (*self._pending, *new) if each.state == PENDING]
        return (*answered, *new)

    def _parts(self, project: Project) -> dict[str, tuple[object, Callable[[], object]]]:
        """By event: a value that changes when there is news, and what to send then."""
        journal, faults = project.journal, project.faults
        heard = (self._heard, len(self._pending))
        return {
            "journal": (extent(journal), lambda: extent(journal)),
            "clock": (_setting(project), lambda: clock_shown(project)),
            "events": ((project.saved, len(project.events)), lambda: _latest("events", project.events, event_shown)),
            "feedback": (
                (heard, len(project.feedback)),
                lambda: _latest("feedback", project.feedback, record_shown),
            ),
            "faults": ([(each, each.matched, each.applied) for each in faults.rules], lambda: faults_shown(project)),
        }


def _setting(project: Project) -> object:
    """A value that changes when the clock is moved or set."""
    return project.clock.setting, project.follow


def _latest(name: str, all_of_them: Mapping[str, _Kept], show: Callable[[_Kept], object]) -> dict[str, object]:
    values = tuple(all_of_them.values())  # which may grow: tests write from other threads
    return {"count": len(values), name: [show(each) for each in values[-MOST_SHOWN:]]}


def _shown(name: str, show: Callable[[], object]) -> bytes:
    return _event(name, show())


def _event(name: str, data: object, number: int | None = None) -> bytes:
    line = b"" if number is None else b"id: %d\n" % number
    return b"event: %b\n%bdata: %b\n\n" % (name.encode(), line, orjson.dumps(data))
