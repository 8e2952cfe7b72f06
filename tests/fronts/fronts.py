"""Proxies, as ASGI applications around another, servers that are slow to show what they know, and nginx itself."""

import asyncio
import copy
import getpass
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from socket import socket
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.broken.server import BAD_GATEWAY, Event, Implementation, Project, Record, Refusal

NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
KNOWN = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Front:
    """Passes everything on; `instead` is its own response."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def instead(self, scope: Scope) -> Response | None:
        """The proxy's own response; None if the application responds."""
        return None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = None if scope["path"].startswith("/_control") else self.instead(scope)
        await (answer or self.app)(scope, receive, send)


class Limits(Front):
    """Refuses more than a number of requests per second; says how long to wait, or does not."""

    def __init__(self, app: ASGIApp, rate: int = 20, *, retry_after: bool) -> None:
        super().__init__(app)
        self._rate, self._told = rate, {"Retry-After": "1"} if retry_after else {}
        self._second, self._count = 0, 0

    def instead(self, scope: Scope) -> Response | None:
        second = int(time.monotonic())
        self._count = self._count + 1 if second == self._second else 1
        self._second = second
        return JSONResponse({"detail": "Too many requests"}, 429, self._told) if self._count > self._rate else None


class Fails(Front):
    """Answers every 19th request with 503, sometimes with the seconds to wait, and knows few methods."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app)
        self._count = 0

    def instead(self, scope: Scope) -> Response | None:
        if scope["method"] not in KNOWN:
            return HTMLResponse("<h1>Not Implemented</h1>", 501)
        self._count += 1
        if self._count % 19:
            return None
        return HTMLResponse("<h1>Busy</h1>", 503, {"Retry-After": "0"} if self._count % 2 else {})


class Restarts(Front):
    """An nginx whose upstream restarts now and then: one in `every` requests is lost, by turns before and after the
    application has handled it.
    """

    page = BAD_GATEWAY

    def __init__(self, app: ASGIApp, every: int) -> None:
        super().__init__(app)
        self._every, self._count = every, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def lost(_: Message) -> None:
            """Nobody hears it."""

        self._count += not scope["path"].startswith("/_control")
        if scope["path"].startswith("/_control") or not self.is_lost():
            await self.app(scope, receive, send)
            return
        if self._count % 2:
            await self.app(scope, receive, lost)
        await self.page(scope, receive, send)

    def is_lost(self) -> bool:
        """Whether this request is."""
        return self._count % self._every == 0


class LosesAtRandom(Restarts):
    """One in `every` on average."""

    def __init__(self, app: ASGIApp, every: int, seed: int) -> None:
        super().__init__(app, every)
        self._random = Random(seed)

    def is_lost(self) -> bool:
        return self._random.randrange(self._every) == 0


class Nameless(Front):
    """Does not identify itself; refuses large bodies, headers that are not ASCII and TRACE with a page of its own."""

    def instead(self, scope: Scope) -> Response | None:
        headers = dict(scope["headers"])
        if int(headers.get(b"content-length", b"0")) > 1_048_576:
            return HTMLResponse("<h1>Too large</h1>", 413, {"Connection": "close"})
        if any(not value.isascii() for value in headers.values()):
            return HTMLResponse("<h1>Bad Request</h1>", 400)
        return HTMLResponse("<h1>Not Allowed</h1>", 405) if scope["method"] == "TRACE" else None


class Headers(Front):
    """Removes headers that the page does not show, adds some, writes names in its own way, and closes each
    connection.
    """

    taken = frozenset({b"date", b"server"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def changed(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [(name.title(), value) for name, value in message["headers"] if name.lower() not in self.taken]
                added = [(b"Via", b"1.1 front"), (b"X-Request-Id", b"7f"), (b"Connection", b"close")]
                message = {**message, "headers": [*kept, *added]}
            await send(message)

        await self.app(scope, receive, changed)


class RefersToNothing(Implementation):
    """Returns `event.id` as null, which the schema allows."""

    def answer(self, project: Project, record: Record) -> dict[str, Any]:
        """The same, except for that."""
        shown = super().answer(project, record)
        return {**shown, "event": {**shown["event"], "id": None}}


class ReadsNumbers(Implementation):
    """Reads a DSN's project number as a number, and its key as hexadecimal digits: zeros and case do not matter."""

    def by_dsn(self, dsn: str) -> tuple[str, Project | None]:
        """The same, in its usual spelling."""
        return super().by_dsn(re.sub(r"//\w+|(?<=/)0+(?=\d+$)", lambda found: found[0].lower().lstrip("0"), dsn))


class TakesAnyEventId(Implementation):
    """Accepts event ids that are shorter or not hexadecimal, which is allowed, and stores them as they were sent."""

    def problem(self, name: str, value: Any) -> str | None:
        """The same, except for that."""
        told = super().problem(name, value)
        return None if told == "Enter 32 hexadecimal digits." else told


class ListsTiesOldestFirst(Implementation):
    """Newest first, but what was submitted at the same instant in the order in which it came."""

    def listed(self, project: Project, status: str, environment: str | None) -> list[Record]:
        """The same feedback."""
        every = super().listed(project, status, environment)
        return sorted(every, key=lambda each: (each.first, -int(each.id)), reverse=True)


class LagsLists(Implementation):
    """Lists what was stored a second ago, like a replica."""

    lag = 1.0

    def __init__(self) -> None:
        super().__init__()
        self._past: dict[int, list[tuple[float, dict[Any, Record]]]] = {}

    def submit(self, project: Project, body: dict[str, str], by: str) -> Record:
        """Remembers the previous state."""
        record = super().submit(project, body, by)
        self._past.setdefault(id(project), []).append((time.monotonic(), copy.deepcopy(project.records)))
        return record

    def listed(self, project: Project, status: str, environment: str | None) -> list[Record]:
        """The state at that time."""
        then = [records for at, records in self._past.get(id(project), []) if at <= time.monotonic() - self.lag]
        present, project.records = project.records, then[-1] if then else {}
        try:
            return super().listed(project, status, environment)
        finally:
            project.records = present


class QueuesEvents(Implementation):
    """Knows an event half a second after it was saved, like a server with a queue."""

    lag = 0.5

    def __init__(self) -> None:
        super().__init__()
        self._from: dict[tuple[int, str], float] = {}

    def save_event(self, project: Project, event_id: str, body: dict[str, Any]) -> None:
        """Accepts it; it counts from now."""
        super().save_event(project, event_id, body)
        self._from[id(project), event_id] = time.monotonic() + self.lag

    def find_event(self, project: Project, event_id: str) -> Event | None:
        """Only what has left the queue."""
        known = self._from.get((id(project), event_id), 0.0) <= time.monotonic()
        return super().find_event(project, event_id) if known else None


class LagsInBoth(QueuesEvents, LagsLists):
    """Knows its events and shows its lists later, each on its own."""

    lag = 0.5


class KeepsLists(Implementation):
    """Answers the same list again for a while, as a cache in front of it does."""

    lag = 0.5

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[str, tuple[float, Response]] = {}

    def listing(self, request: Request, project: Project) -> Response:
        """By its address."""
        at, response = self._kept.get(str(request.url), (0.0, Response()))
        if time.monotonic() - at > self.lag:
            at, response = self._kept[str(request.url)] = time.monotonic(), super().listing(request, project)
        return response


class CountsInSteps(Implementation):
    """Its clock counts in steps, and so do the instants that it stores."""

    step = timedelta(milliseconds=1)

    def now(self, project: Project) -> datetime:
        """The beginning of the step."""
        return self._cut(project.now)

    def save_event(self, project: Project, event_id: str, body: dict[str, Any]) -> None:
        """Ages count from the step's beginning."""
        super().save_event(project, event_id, body)
        event = project.events[event_id]
        event.saved, event.timestamp = self._cut(event.saved), self._cut(event.timestamp)

    def _cut(self, instant: datetime) -> datetime:
        return instant - (instant - datetime.min.replace(tzinfo=instant.tzinfo)) % self.step


class ForgetsParts(CountsInSteps):
    """Its clock always stops at the beginning of a step, wherever it is moved."""

    async def control(self, request: Request) -> Response:
        """The next move starts from there."""
        response = await super().control(request)
        for project in tuple(self.projects.values()):
            project.now = self._cut(project.now)
        return response


class CountsInSeconds(CountsInSteps):
    """Like a database column of whole seconds."""

    step = timedelta(seconds=1)


class SpellsOtherwise(Implementation):
    """Uses what RFC 8288 and the document leave to a server: other links, and keys that the document does not have."""

    count = 0

    def respond(self, request: Request, content: bytes) -> Response:
        """As if a proxy had added the server's own headers once more."""
        response = super().respond(request, content)
        for name in ("X-Frame-Options", "X-Content-Type-Options"):
            response.headers[name] = f"{response.headers[name]}, {response.headers[name].upper()}"
        return response

    def answer(self, project: Project, record: Record) -> dict[str, Any]:
        """With a number that is another one each time."""
        self.count += 1
        return {**super().answer(project, record), "served": self.count}

    def refuse(self, refusal: Refusal) -> Response:
        """With a sentence on the whole body beside those on its fields."""
        whole = {"non_field_errors": ["Not stored."]} if refusal.status == 400 and "name" in refusal.body else {}
        return super().refuse(Refusal(refusal.status, {**refusal.body, **whole}, refusal.headers))

    def listing(self, request: Request, project: Project) -> Response:
        """Names each link's relation last, without quotes where none are needed, and has a link of its own."""
        response = super().listing(request, project)
        if "Link" in response.headers:
            links = re.findall(r'(<[^>]*>); rel="(\w+)"; (results="\w+"); (cursor="[^"]*")', response.headers["Link"])
            more = r'title="a, \"b\"; c"'
            told = [f"{url} ;{cursor.title()};{more}; {results} ; rel={rel}" for url, rel, results, cursor in links]
            response.headers["Link"] = ",".join([*told, "</style.css>; rel=preload; as=style; crossorigin"])
        return response


class ReadsLittle(Implementation):
    """Behind an nginx that passes on no body of more than 64 KiB."""

    def respond(self, request: Request, content: bytes) -> Response:
        """Without any header of the server."""
        if len(content) > 65_536:
            return HTMLResponse("<h1>413 Request Entity Too Large</h1><hr><center>nginx</center>", 413)
        return super().respond(request, content)


class Firewall(Implementation):
    """Behind a firewall that takes markup for an attack."""

    def respond(self, request: Request, content: bytes) -> Response:
        """Without any header of the server."""
        if re.search(rb"<|%3c|\\u003c", content, re.I):
            return HTMLResponse("<h1>Request blocked</h1>", 403)
        return super().respond(request, content)


class SavesEventsInSeconds(CountsInSeconds):
    """Only the instants of its events are in whole seconds."""

    def now(self, project: Project) -> datetime:
        """The exact one."""
        return project.now


class ShowsSeconds(Implementation):
    """Counts exactly, and shows dates as a serializer with whole seconds does."""

    fraction = ""

    def answer(self, project: Project, record: Record) -> dict[str, Any]:
        """The date is cut, not rounded."""
        answer = super().answer(project, record)
        return {**answer, "dateCreated": re.sub(r"\.\d+(?=Z)", self._cut, answer["dateCreated"])}

    def _cut(self, found: re.Match[str]) -> str:
        return found[0][: len(self.fraction)]


class ShowsMilliseconds(ShowsSeconds):
    """The same with three digits, as `toISOString` in JavaScript."""

    fraction = ".000"


@contextmanager
def closing(url: str, every: int = 150, *, used: bool = False) -> Iterator[str]:
    """A proxy that closes one in this many connections after reading a request, without a response, or each that is
    `used` a second time.
    """
    host, port = url.removeprefix("http://").split(":")
    count = 0

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        if count % every == 0:
            await reader.read(65_536)
            writer.close()
            return
        upstream_reader, upstream_writer = await asyncio.open_connection(host, int(port))
        answered = False

        def is_used() -> bool:
            return used and answered

        def is_answered() -> bool:
            nonlocal answered
            answered = True
            return False

        there, back = _copy(reader, upstream_writer, is_used), _copy(upstream_reader, writer, is_answered)
        with suppress(asyncio.CancelledError):  # at the end; asyncio would tell of it as of a fault
            await asyncio.gather(there, back, return_exceptions=True)

    loop, ready = asyncio.new_event_loop(), threading.Event()
    listening: list[asyncio.Server] = []

    async def listen() -> None:
        listening.append(await asyncio.start_server(pass_on, "127.0.0.1", 0))
        ready.set()

    async def end() -> None:
        listening[0].close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for each in others:
            each.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def run() -> None:
        loop.run_until_complete(listen())
        loop.run_forever()
        loop.run_until_complete(end())
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield f"http://127.0.0.1:{listening[0].sockets[0].getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ends: Callable[[], bool]) -> None:
    try:
        while (content := await reader.read(65_536)) and not ends():
            writer.write(content)
            await writer.drain()
    finally:
        writer.close()


@contextmanager
def nginx(url: str, folder: Path) -> Iterator[str]:
    """nginx as Debian ships it, with only the upstream set."""
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    configuration = folder / "nginx.conf"
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration.write_text(
        f"daemon off; user {getpass.getuser()}; pid {folder}/pid; error_log {folder}/error.log; events {{ }}\n"
        f"http {{ access_log off; {temporary}\n"
        f"  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass {url}; }} }} }}\n"
    )
    assert NGINX
    with subprocess.Popen([NGINX, "-p", str(folder), "-c", str(configuration)], stderr=subprocess.DEVNULL) as process:
        try:
            with httpx.Client(transport=httpx.HTTPTransport(retries=8), trust_env=False) as client:
                client.get(f"http://127.0.0.1:{port}/")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
