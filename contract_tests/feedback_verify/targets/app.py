"""A target in this process: an ASGI or WSGI application, with a clock frozen and moved by time-machine."""

import asyncio
import importlib
import inspect
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import httpx

from feedback_verify.exchange import Exchange, Project, Request
from feedback_verify.steps import Advance, SaveEvent, Step
from feedback_verify.targets.base import Connection, ProtocolError
from feedback_verify.targets.network import Unsendable, sendable
from feedback_verify.targets.sending import NotReachable, Stopped
from feedback_verify.targets.url import UrlTarget

START = datetime(2026, 3, 29, 0, 59, 30, tzinfo=UTC)
BASE_URL = "http://testserver"


class AppTarget(UrlTarget):
    """`pkg.mod:app`, called without a socket. `seed` is `pkg.mod:function(event_id, saved_at, timestamp)`.

    Only the time that Python reads is frozen, not a database's clock or another process's.
    """

    clock = "exact"

    def __init__(
        self, app: str, organization: str, project: str, secrets: Mapping[str, str], seed: str | None = None
    ) -> None:
        super().__init__(BASE_URL, organization, project, secrets)
        if str(Path.cwd()) not in sys.path:
            sys.path.insert(0, str(Path.cwd()))  # where servers look for the application's package
        self._app = self.application = _imported(app, "--app")
        self._save = _imported(seed, "--seed-callable") if seed else None
        self._asynchronous = inspect.iscoroutinefunction(self._app) or inspect.iscoroutinefunction(
            getattr(self._app, "__call__", None)  # noqa: B004 (whether it is a coroutine function is what matters)
        )
        events = {"event", "aged-event", "aged-timestamp"} if seed else set()
        self.capabilities = (self.capabilities | {"clock"} | events) - {"parallel"}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        import time_machine  # noqa: PLC0415 (it imports pytest, which no other target needs)

        self._time = self._stack.enter_context(time_machine.travel(START, tick=False))
        if self._asynchronous:
            self._loop = asyncio.new_event_loop()
            self._stack.callback(self._loop.close)
            self._asgi = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        else:
            self._wsgi = httpx.WSGITransport(self._app, raise_app_exceptions=False)
        return self

    def __exit__(self, *_: object) -> None:
        if self._asynchronous:
            self._loop.run_until_complete(self._asgi.aclose())
        self._stack.close()
        super().__exit__()

    def reads(self) -> datetime:
        """The frozen instant."""
        return datetime.now(UTC)

    def exchange(self, request: Request) -> Exchange:
        """Calls the application; an exception is a 500, as from a server."""
        if not self._asynchronous:
            # WSGI has no chunks: a server joins them before it calls the application (PEP 3333).
            request = replace(request, chunked=False)
        built = sendable(request, asynchronous=self._asynchronous)
        if self.sender.stopped.is_set():
            raise Stopped
        sent = self.now()
        try:
            if self._asynchronous:
                response, content = self._loop.run_until_complete(self._called(built))
            else:
                response = self._wsgi.handle_request(built)
                content = response.read()
        except UnicodeError:
            raise Unsendable("a header that is not ASCII cannot be sent in-process") from None
        except httpx.RequestError as error:
            raise NotReachable(f"{request.method} {request.url}: the application did not answer ({error}).") from None
        except (Exception, SystemExit) as error:
            said = f"{type(error).__name__}: {error}".encode()
            return Exchange(request, 500, {}, said, sent, self.now())
        exchange = Exchange(request, response.status_code, dict(response.headers), content, sent, self.now())
        # Every server drops the body of an application's response to HEAD.
        return replace(exchange, content=b"") if request.method == "HEAD" else exchange

    async def _called(self, built: httpx.Request) -> tuple[httpx.Response, bytes]:
        response = await self._asgi.handle_async_request(built)
        return response, await response.aread()

    def connection(self) -> Connection:
        """There is no socket to keep: every request is a call."""
        return _Calls(self)

    def save_event(self, project: Project, event_id: str, facts: Mapping[str, Any]) -> Step:
        """Calls the seed function with the instants on the frozen clock."""
        if self._save is None:
            raise ProtocolError("this target has no --seed-callable")
        now = datetime.now(UTC)
        saved = now - timedelta(microseconds=facts.get("saved_ago", 0))
        timestamp = now - timedelta(microseconds=facts["timestamp_ago"]) if "timestamp_ago" in facts else saved
        try:
            self._save(event_id, saved, timestamp)
        except Exception as error:
            raise ProtocolError(f"--seed-callable raised {type(error).__name__}: {error}") from None
        return SaveEvent(project, event_id, facts)

    def advance(self, project: Project, microseconds: int) -> Step:
        """Moves the frozen clock."""
        self._time.shift(timedelta(microseconds=microseconds))
        return Advance(project, microseconds)


class _Calls(Connection):
    def exchange(self, request: Request) -> Exchange:
        return self._target.exchange(request)


def _imported(name: str, option: str) -> Callable[..., Any]:
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise ValueError(f'{option}: "{name}" is not of the form package.module:name.')
    try:
        found: Any = importlib.import_module(module)
        for each in attribute.split("."):
            found = getattr(found, each)
    except (Exception, SystemExit) as error:
        raise ValueError(f"{option}: {name} cannot be imported: {type(error).__name__}: {error}.") from error
    if not callable(found):
        raise ValueError(f"{option}: {name} is of type {type(found).__name__}, which cannot be called.")  # noqa: TRY004 (the option is wrong)
    return found  # type: ignore[no-any-return]  # imported by name
