"""Makes the application: the documents' operations, the store behind them, and what answers where there is no route.

The table of contents of this package. Starts no server and reads no environment.
"""

import logging
import re
import traceback
from collections.abc import Mapping
from typing import Any

from feedback_spec.document import SUBMIT, Document, load, load_control, load_ingest
from feedback_spec.operations import operations_of
from feedback_spec.source import DocumentError

from feedback_mock.clock import Source, system_time
from feedback_mock.control.handlers import ControlHandlers
from feedback_mock.control.operation import ControlOperation, problem
from feedback_mock.description import describe
from feedback_mock.feedback.access import BEARER, DSN, OTHER_PROJECT, Access
from feedback_mock.feedback.answers import Answers, Refused
from feedback_mock.feedback.handlers import FeedbackHandlers
from feedback_mock.feedback.operation import FeedbackOperation, OffContract, Receive, Scope, Send, send_answer
from feedback_mock.feedback.rate import RateLimit
from feedback_mock.ingest.operation import ingest_operations
from feedback_mock.routes.router import ASGIApp, route
from feedback_mock.store import Limits, Project, Store

log = logging.getLogger(__name__)
CONTROL_PREFIX = "/_control/"
DEFAULT_HOST = "127.0.0.1:8080"
MAX_CAUSES = 10


class Mock:
    """The ASGI application, with the `document` it serves and the `store` behind it.

    `default_project` is the page's own, as it stood at start; `control`: the operations of the control protocol, served
    or not.
    """

    def __init__(
        self,
        document: Document,
        store: Store,
        default_project: Project,
        application: ASGIApp,
        control: Mapping[str, ControlOperation],
    ) -> None:
        self.document, self.store, self.default_project, self.control = document, store, default_project, control
        self._application = application
        segment = document.submit.path.rstrip("/").rpartition("/")[2]
        alias = document.behaviour.alias
        self._alias = None if alias is None else (f"/{alias}/", f"/{segment}/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves HTTP; needs no lifespan, but takes part in one."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
        else:
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Any) -> None:
            nonlocal started
            started = True
            await send(message)

        if self._alias is not None and scope["path"].endswith(self._alias[0]):
            scope = {**scope, "path": scope["path"].removesuffix(self._alias[0]) + self._alias[1]}
        try:
            await self._application(scope, receive, watched)
        except Exception as error:
            # A bug of the mock: the log says which, the client gets an answer all the same. Nothing is raised, as a
            # server would log it with its message; `log.exception` would too.
            where = (scope["method"], scope["path"][:200], _without_values(error))
            log.error("The mock failed at %s %a.\n%s", *where)  # noqa: TRY400 (see above)
            if not started:
                await send_answer(send, problem(500, "The mock failed; its log says why."))


def create_app(
    document: Document | None = None,
    *,
    control: bool = True,
    clock: Source = system_time,
    running: bool = True,
    limits: Limits | None = None,
    host: str = DEFAULT_HOST,
    rate_limit: RateLimit | None = None,
) -> Mock:
    """The mock of a document, by default the packaged one, ready to serve; no lifespan is needed.

    `clock` gives microseconds since 1970 UTC; `running` is whether projects begin with a running clock; `host` is the
    `host:port` that DSNs name where the client does not say how it calls us; `rate_limit` is the hosted service's, for
    a document that has one. Raises DocumentError for a document that the mock cannot honour.
    """
    document = document or load()
    store = Store(clock, running=running, limits=limits)
    answers = Answers(document)
    handlers = FeedbackHandlers(document).table
    if rate_limit is not None and not document.behaviour.rate_limit:
        raise DocumentError(f"{document.name}: this server has no rate limit; the profile sentry-latest has one.")
    elsewhere = Elsewhere(document, answers, store)
    described = describe(document.name, document.openapi, document.submit.extensions["x-max-body-bytes"])
    operations: dict[str, ASGIApp] = {}
    for name, description in described.items():
        if name not in handlers:
            raise DocumentError(f'{document.name}: the mock has no operation "{name}".')
        head = None if document.behaviour.methods is None else elsewhere.other_methods(description.operation.path)
        operations[name] = FeedbackOperation(document, description, handlers[name], answers, store, rate_limit, head)
    documents = [(document.name, document.openapi), ("ingest.yaml", load_ingest())]
    operations |= ingest_operations(document, store)
    control_operations = _control_operations(document, store, host)
    if control:
        operations |= control_operations
        documents.append(("control.yaml", load_control()))
    application = route(documents, operations, elsewhere.other_methods, elsewhere.not_found)
    return Mock(document, store, make_default_project(document, store), application, control_operations)


def _control_operations(document: Document, store: Store, host: str) -> dict[str, ControlOperation]:
    openapi, table = load_control(), ControlHandlers(store, document.profile).table
    described = describe("control.yaml", openapi, document.submit.extensions["x-max-body-bytes"])
    return {name: ControlOperation(openapi, each, table[name], host) for name, each in described.items()}


def make_default_project(document: Document, store: Store) -> Project:
    """The project that the examples of the path parameters name, which is the page's own."""
    slugs = [str(each.example or each.name) for each in document.submit.parameters if each.place == "path"]
    if len(slugs) != 2:
        raise DocumentError(f"{document.name}: {SUBMIT}: its path needs an organization and a project.")
    project = store.put_project(slugs[0], slugs[1], store.new_clock())
    assert project is not None
    return project


class Elsewhere:
    """Answers where no operation does: no such route, or no such method."""

    def __init__(self, document: Document, answers: Answers, store: Store) -> None:
        self._no_route, self._no_method = answers.refusal("route"), answers.refusal("method")
        self._answers, self._store, self._behaviour = answers, store, document.behaviour
        self._paths = [
            re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path.rstrip("/")))) for path in document.openapi["paths"]
        ]
        methods: dict[str, list[str]] = {}
        for operation in (*operations_of(load_control()), *operations_of(load_ingest())):
            methods.setdefault(operation.path, []).append(operation.method.upper())
        self._other_methods = {path: ", ".join(allowed).encode() for path, allowed in methods.items()}

    async def not_found(self, scope: Scope, _: Receive, send: Send) -> None:
        """404, with a hint where only the slash at the end is missing; never a redirect."""
        path = scope["path"]
        if path.startswith(CONTROL_PREFIX):
            answer = problem(404, "The control protocol has no such path.")
        elif any(pattern.fullmatch(path) for pattern in self._paths):
            answer = self._no_route.answer(Refused("route", f"the path with its slash is {path}/", word=f"{path}/"))
        else:
            answer = self._no_route.answer(Refused("route"))
        await send_answer(send, answer, scope["method"] != "HEAD")

    def other_methods(self, path: str) -> ASGIApp:
        """What answers the methods that a path does not have."""
        allowed = self._other_methods.get(path)

        async def refuse(scope: Scope, _: Receive, send: Send) -> None:
            method = scope["method"]
            if allowed is not None:
                answer = problem(405, f"The method {method[:40]} is not allowed here.", (b"allow", allowed))
            else:
                answer = self._no_method.answer(Refused("method", word=method))
            await send_answer(send, answer)

        return refuse if allowed is not None or self._behaviour.methods is None else self._guarded()

    def _guarded(self) -> ASGIApp:
        """Other methods where credentials and scopes are looked at first (docs/sentry.md, facts 70 and 71)."""
        kinds = (BEARER, DSN)
        by_method = {
            method: Access(self._store, kinds, scopes, self._behaviour)
            for method, scopes in (self._behaviour.methods or {}).items()
        }
        nobody = Access(self._store, kinds, None, self._behaviour)
        refusals = {rule: self._answers.refusal(rule) for rule in nobody.rules}

        async def refuse(scope: Scope, _: Receive, send: Send) -> None:
            headers, path = dict(reversed(scope["headers"])), scope["path_params"]
            access, origin = by_method.get(scope["method"], nobody), headers.get(b"origin")
            slugs = (path["organization_slug"], path["project_slug"])
            outcome = access.check(headers.get(b"authorization"), origin, *slugs)
            # What a DSN of another project may is for the method to say, and there is none.
            if type(outcome) is not Refused or outcome.rule == OTHER_PROJECT:
                outcome = Refused("method", word=scope["method"])
            refusal = self._no_method if outcome.rule == "method" else refusals[outcome.rule]
            answer = self._answers.for_origin(refusal.answer(outcome), outcome, origin)
            await send_answer(send, answer, scope["method"] != "HEAD")

        return refuse


def _without_values(error: BaseException | None) -> str:
    """The traceback of an error and of what led to it, without their messages: those may hold credentials."""
    parts: list[str] = []
    while error is not None and len(parts) < MAX_CAUSES:
        said = f": {error}" if isinstance(error, OffContract) else ""
        parts.append(f"{''.join(traceback.format_tb(error.__traceback__))}{type(error).__name__}{said}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\nwhich led to\n".join(reversed(parts))


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
