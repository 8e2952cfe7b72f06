"""Handles a request whose project is shared: reads it, has it processed through the project's log, answers it."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from feedback_mock.asgi import Answer, ASGIApp, Receive, Scope, Send, json_answer, rule_header
from feedback_mock.body import Gone, TooLarge, read
from feedback_mock.clock import elapsed_time
from feedback_mock.control.sleeping import GET_CLOCK
from feedback_mock.control.stream import STREAM
from feedback_mock.effects import LONGEST, REREAD, UNTIL_RELEASED, Broken, break_off, changed, send_slowly, wait
from feedback_mock.elsewhere import NotFound
from feedback_mock.exchange import Endpoint, failed, send_all, too_late
from feedback_mock.result import Result
from feedback_mock.shared.ask import Ask
from feedback_mock.shared.connection import Away
from feedback_mock.shared.logs import Logs
from feedback_mock.shared.replicas import Change, Replicas
from feedback_mock.shared.request import Ending, Outcome, Request, Struck
from feedback_mock.shared.tallies import Tallies
from feedback_mock.store import Project

OF_DIRECTORY = frozenset({"controlMakeProject", "controlPutProject", "controlDeleteProject", "controlPutSnapshot"})
"""The operations that create and delete projects."""
OF_ALL = "controlListProjects"
"""The operation about all projects."""
ASKING = frozenset({"controlVerifyRequests"})
"""The operations that change nothing, although they are not GETs."""
RETRY_AFTER = b"1"  # seconds
_PAUSE = 0.1  # seconds between two checks whether a request is released
_TOGETHER = 100  # projects that are read at once


class Shared:
    """An endpoint for shared projects, as an ASGI application; `number` identifies it in all processes."""

    def __init__(
        self, endpoint: Endpoint, number: int, operation: str, logs: Logs, store: Replicas, tallies: Tallies
    ) -> None:
        self._endpoint, self._number, self._operation = endpoint, number, operation
        self._logs, self._store, self._tallies = logs, store, tallies
        self._ended = False

    def end(self) -> None:
        """Lets requests continue that wait to be released."""
        self._ended = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request: 503 while Redis is unreachable; nothing to a client that has disconnected."""
        began = elapsed_time()
        if isinstance(self._endpoint, NotFound):
            self._endpoint.locate(scope)
        fault, result = None, None
        try:
            if self._operation == STREAM:
                await self._logs.ask(Ask(scope["path_params"], lambda _: None))
                await self._endpoint(scope, receive, send)
                return
            request = await self._read(scope, receive, began)
            result, answer, struck = await self._outcome(request, receive)
            if struck is not None:
                fault = struck.fault
                result, answer, _ = await self._strike(request, struck)
        except Away as away:
            answer = _unavailable(away)
        except (Broken, Gone):
            return
        except ConnectionError:  # of a fault, in process
            raise
        except Exception as error:
            answer = failed(scope, error)
        if self._endpoint.journaled is not None:
            status = 0 if answer is None else answer.status
            self._tallies.count(result.rule if result else "", status, elapsed_time() - began)
        if answer is not None:
            await (send_all(answer, scope, send) if fault is None else send_slowly(fault, answer, send))

    async def _read(self, scope: Scope, receive: Receive, began: int) -> Request:
        body: bytes | None = b""
        long = False
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), None)
        try:
            body = await read(receive, self._endpoint.most_body or REREAD, announced)
        except TooLarge:
            long = True
        except Gone:
            body = None
        return Request(self._endpoint, scope, body, long, elapsed_time() - began)

    async def _outcome(self, request: Request, receive: Receive) -> Outcome:
        """The outcome of the request, through its project's log. Raises Away, and Gone."""
        if self._operation in OF_DIRECTORY:
            return await self._changing(request)
        if self._operation == OF_ALL:
            return await self._of_all(request)
        asks = request.scope["method"] in ("GET", "HEAD") and self._operation != GET_CLOCK
        if self._endpoint.journaled is None and (asks or self._operation in ASKING):
            return await self._asking(request)
        return await self._appended(request)

    async def _appended(self, request: Request) -> Outcome:
        def entry() -> bytes:
            request.admit()
            return request.packed(self._number)

        store = self._store
        done: Outcome = await self._logs.ask(
            Ask(request.path, lambda project: request.carry_out(project, store.instant), entry)
        )
        return done

    async def _changing(self, request: Request) -> Outcome:
        store = self._store

        def tried() -> tuple[Outcome, Change | None]:
            store.asked = None
            return request.carry_out(None, store.instant), store.asked

        done: Outcome = await self._logs.ask(
            Ask(request.path, lambda _: None, lambda: request.packed(self._number), tried)
        )
        return done

    async def _asking(self, request: Request) -> Outcome:
        run: _Run = await self._logs.ask(Ask(request.path, lambda _: _Run(request.answered())))
        return await run.rest()

    async def _of_all(self, request: Request) -> Outcome:
        """With every project filled at once; meanwhile, none is emptied."""
        store, logs = self._store, self._logs
        store.holding += 1
        try:
            await logs.ask(Ask({}, lambda _: None))
            paths = [_path_of(each) for each in tuple(store)]
            for start in range(0, len(paths), _TOGETHER):
                await asyncio.gather(
                    *(logs.ask(Ask(path, lambda _: None)) for path in paths[start : start + _TOGETHER])
                )
            return await self._asking(request)
        finally:
            store.holding -= 1

    async def _strike(self, request: Request, struck: Struck) -> Outcome:
        """Applies the fault, and records the end in the log. Raises Broken or, in-process, a ConnectionError."""
        fault, restarts, number, began, result, answer = struck
        replica = self._store.of_path(request.path)
        assert replica is not None
        faults = self._store.project_of(replica).faults
        try:
            await self._wait(request, struck)
            break_off(fault, faults, request.scope)
        except (Broken, ConnectionError):
            request.ending = Ending(fault, restarts, number, began, True, result, None)
            with suppress(Away):
                await self._appended(request)
            raise
        told = changed(fault, answer) if answer is not None or fault.answers else None
        if told is None and self._store.of_path(request.path) is not replica:  # replaced or deleted
            return Outcome(*too_late())
        request.ending = Ending(fault, restarts, number, began, False, result, told)
        return await self._appended(request)

    async def _wait(self, request: Request, struck: Struck) -> None:
        """Waits if the fault says so, or until another request, to any of the processes, releases this one."""
        store = self._store
        replica = store.of_path(request.path)
        faults = None if replica is None else store.project_of(replica).faults
        if faults is None:
            return
        if struck.fault.effect.get("delay") != UNTIL_RELEASED:
            await wait(struck.fault, faults)
            return
        releases = faults.releases
        for _ in range(round(LONGEST / _PAUSE)):
            now = await self._logs.ask(Ask(request.path, lambda project: project and project.faults.releases))
            if now != releases or store.of_path(request.path) is not replica or self._ended:
                return
            await asyncio.sleep(_PAUSE)


class Summed:
    """The endpoint of the metrics, as an ASGI application that adds up the counts of all processes first."""

    def __init__(self, endpoint: ASGIApp, tallies: Tallies) -> None:
        self._endpoint, self._tallies = endpoint, tallies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request: 503 while Redis is unreachable."""
        try:
            await self._tallies.add()
        except Away as away:
            await send_all(_unavailable(away), scope, send)
        else:
            await self._endpoint(scope, receive, send)


class _Run:
    """The handling of a request, started when its project was read; a long response is continued in later turns."""

    def __init__(self, coroutine: Coroutine[Any, Any, tuple[Result | None, Answer]]) -> None:
        self._coroutine = coroutine
        self._outcome: Outcome | None = None
        self._go()

    def _go(self) -> None:
        try:
            self._coroutine.send(None)
        except StopIteration as end:
            self._outcome = Outcome(*end.value)
        except Gone:
            self._outcome = Outcome()

    async def rest(self) -> Outcome:
        """The final result; other requests get their turn meanwhile."""
        while self._outcome is None:
            await asyncio.sleep(0)
            self._go()
        return self._outcome


def _path_of(project: Project) -> dict[str, str]:
    return {"organization_slug": project.organization, "project_slug": project.slug}


def _unavailable(away: Away) -> Answer:
    rule = (b"x-feedback-rule", rule_header("store", str(away)))
    return json_answer(503, {"detail": str(away)}, (b"retry-after", RETRY_AFTER), rule)
