"""How a request is processed, the same in every protocol: respond, render, send. Knows no protocol.

An `Exchange` collects what becomes known along the way. Once `Endpoint` has the response, and before it sends anything,
everything is known: the project, the instant, the body, the result with its rule, and the response.
"""

import asyncio
import logging
import traceback
from abc import ABC, abstractmethod

import jsonschema_rs
from feedback_spec.bodies import event_ids

from feedback_mock.asgi import Answer, Headers, Receive, Scope, Send, json_answer, rule_header
from feedback_mock.body import Gone
from feedback_mock.effects import Broken, Rereading, break_off, changed, decided, send_slowly, wait
from feedback_mock.faults import AFTER
from feedback_mock.following import follow_header
from feedback_mock.journal import ANSWERED, LOST, Entry
from feedback_mock.result import Refused, Result
from feedback_mock.store import Project, Store

log = logging.getLogger(__name__)
MAX_CAUSES = 10
RESET_RULE = "reset"
"""What X-Feedback-Rule names where a request waited until its project was reset."""
_NO_PARAMETERS: dict[str, str] = {}


class Exchange:
    """One request and what is known about it so far.

    `project` is None until credentials or the path identify one; `now` is the instant on its clock, read once, 0 before
    that; `body` is None until it has been read; `more` are headers added to any response. `headers` are those of the
    request by lower-case name, duplicates combined (RFC 9110, 5.3); `path` contains the path's parameters.
    """

    __slots__ = ("body", "by_dsn", "headers", "more", "now", "path", "project", "scope")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        if len(self.headers) < len(scope["headers"]):
            self.headers = _combined(scope["headers"])
        self.path: dict[str, str] = scope.get("path_params", _NO_PARAMETERS)
        self.project: Project | None = None
        self.now = 0
        self.body: bytes | None = None
        self.by_dsn = False
        self.more: Headers = ()

    @property
    def origin(self) -> bytes | None:
        """The origin of the request, according to the browser."""
        return self.headers.get(b"origin")


def _combined(headers: Headers) -> dict[bytes, bytes]:
    """Not the first or the last one of duplicates: a proxy may have looked at the other one."""
    values: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        values.setdefault(name, []).append(value)
    return {name: b", ".join(each) for name, each in values.items()}


class Endpoint(ABC):
    """An ASGI application that answers the requests of one operation, or those without one.

    Requests to a project of the `journaled` store are recorded, with the name of the operation, if there is one.
    """

    operation: str | None = None
    journaled: Store | None = None
    most_body = 0
    """How many bytes of a body it reads at most."""

    def admit(self, exchange: Exchange) -> Refused | None:
        """Refuses the request for reasons outside its project, such as the credentials of another one.

        Called only if projects are shared, before the request is written down: other processes process it later, when
        there may be other projects.
        """
        return None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; sends nothing to a client that disconnected while it was still sending."""
        exchange, store = Exchange(scope), self.journaled
        project = entry = None
        began = 0 if store is None else store.source()
        if store is not None and (project := store.project_of_path(exchange.path)) is not None:
            entry = project.journal.begin(scope, self.operation, began)
            if project.follow and (wrong := follow_header(project, exchange.headers)) is not None:
                answer = misled(wrong)
                self.complete(entry, project, exchange, wrong, answer)
                await send_all(answer, scope, send)
                return
            if project.faults.rules:
                await self._under_faults(entry, project, exchange, receive, send)
                return
        try:
            result, answer = await self.answered(exchange, receive)
        except Gone:
            if entry is not None and project is not None:
                entry.state, entry.now = LOST, exchange.now or project.clock.now()
            return
        if entry is not None and project is not None:
            self.complete(entry, project, exchange, result, answer)
        elif store is not None:
            store.tally.count(result.rule if result else "", answer.status, store.source() - began)
        await send_all(answer, scope, send)

    async def answered(self, exchange: Exchange, receive: Receive) -> tuple[Result | None, Answer]:
        """The result of the request, None if the mock failed, and the response. Raises Gone."""
        try:
            result = await self.respond(exchange, receive)
            return result, self.render(exchange, result)
        except Gone:
            raise
        except Exception as error:
            return None, failed(exchange.scope, error)

    async def _under_faults(
        self, entry: Entry, project: Project, exchange: Exchange, receive: Receive, send: Send
    ) -> None:
        """Processes a request to a project with faults: one of them may strike before or after the handling."""
        faults, again, result, answer = project.faults, Rereading(receive), None, None
        fault = leaving = None
        try:
            body, exchange.now = await again.read(), project.clock.now()
            ids = event_ids(body, exchange.headers.get(b"content-type", b"").decode("latin-1"))
            fault = faults.pick(self.operation, entry.method, ids, exchange.now)
            if fault is None:
                result, answer = await self.answered(exchange, again)
            else:
                restarts = entry.restarts = project.journal.restarts
                exchange.body, entry.fault = body, fault.told()
                entry.body = body  # a request that waits is in the journal with all that was sent, and when
                entry.measure()
                entry.now = exchange.now
                if fault.phase == AFTER:
                    result, answer = await self.answered(exchange, again)
                if again.whole and fault.lasts:
                    leaving = asyncio.ensure_future(self._leaving(entry, again))
                await wait(fault, faults)
                break_off(fault, faults, exchange.scope)
                if answer is None and not fault.answers:
                    is_late = project.gone or project.journal.restarts != restarts
                    result, answer = too_late() if is_late else await self.answered(exchange, again)
                answer = changed(fault, answer)
                result = decided(fault) if fault.answers else result
            if fault is None:
                self.complete(entry, project, exchange, result, answer)
                await send_all(answer, exchange.scope, send)
            else:
                await send_slowly(fault, answer, send)  # which takes time that is the request's
                self.complete(entry, project, exchange, result, None if entry.left else answer)
        except (Gone, Broken):
            self.complete(entry, project, exchange, result, None)
        except ConnectionError:
            self.complete(entry, project, exchange, result, None)
            raise
        finally:
            if leaving is not None:
                leaving.cancel()

    async def _leaving(self, entry: Entry, request: Rereading) -> None:
        """Writes down when the client left, if it leaves before it has the whole response."""
        assert self.journaled is not None
        await request.left()
        entry.ended, entry.left = self.journaled.source(), True

    def complete(
        self, entry: Entry, project: Project, exchange: Exchange, result: Result | None, answer: Answer | None
    ) -> None:
        """Records the outcome of a request; without a response, the connection broke."""
        assert self.journaled is not None
        project = exchange.project or project  # which may have been replaced while the body arrived
        entry.now = exchange.now or project.clock.now()
        if result is not None:
            entry.rule, entry.reason = result.rule, result.reason
        entry.body, entry.answer = exchange.body, answer
        if answer is None:
            entry.state, status = LOST, 0
        else:
            entry.state, status = ANSWERED, answer.status
        if not entry.ended:  # its client is still there
            entry.ended = self.journaled.source()
        if not project.gone:
            project.journal.complete(entry)
        self.journaled.tally.count(entry.rule, status, entry.ended - entry.began)

    @abstractmethod
    async def respond(self, exchange: Exchange, receive: Receive) -> Result:
        """The result of the request. Raises Gone."""

    @abstractmethod
    def render(self, exchange: Exchange, result: Result) -> Answer:
        """The response with this result, in the words of the protocol."""


async def send_all(answer: Answer, scope: Scope, send: Send) -> None:
    """Sends a complete response; without its body in response to HEAD."""
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})


def misled(wrong: Refused) -> Answer:
    """The response to a request with an invalid X-Feedback-Now: our own, in no API document."""
    rule = (b"x-feedback-rule", rule_header(wrong.rule, wrong.reason))
    return json_answer(400, {"detail": wrong.reason}, rule)


def too_late() -> tuple[Refused, Answer]:
    """The result and response of a request that a fault delayed until its project was reset, replaced or deleted: it
    must not change what came after that.
    """
    refused = Refused(RESET_RULE, "its project was reset, replaced or deleted while it waited")
    rule = (b"x-feedback-rule", rule_header(refused.rule, refused.reason))
    return refused, json_answer(503, {"detail": f"The request was not handled: {refused.reason}."}, rule)


class OffContract(Exception):
    """A response that the document does not allow: a bug in the mock. The message shows no value of the response."""

    def __init__(
        self, operation: str, status: int, validator: jsonschema_rs.Draft202012Validator | None, value: object
    ) -> None:
        errors = [] if validator is None else validator.iter_errors(value)
        found = next((f": {'.'.join(map(str, each.instance_path))}: {each.kind.name}" for each in errors), "")
        super().__init__(f"{operation}: the document does not allow this {status}{found}")


def failed(scope: Scope, error: Exception) -> Answer:
    """The response to a request on which the mock failed: a bug, whose place is logged."""
    # Not `log.exception`, which would log the error's message. Nothing is raised, because a server would log it with
    # the message.
    where = (scope["method"], scope["path"][:200], _without_values(error))
    log.error("The mock failed at %s %a.\n%s", *where)
    return json_answer(500, {"detail": "The mock failed; its log says why."})


def _without_values(error: BaseException | None) -> str:
    """The traceback of an error and of its causes, without their messages, which may contain credentials."""
    parts: list[str] = []
    while error is not None and len(parts) < MAX_CAUSES:
        said = f": {error}" if isinstance(error, OffContract) else ""
        parts.append(f"{''.join(traceback.format_tb(error.__traceback__))}{type(error).__name__}{said}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\nwhich led to\n".join(reversed(parts))
