"""Responds if there is no operation: no such route, or no such method. Never redirects."""

from collections.abc import Mapping
from typing import Any

from feedback_spec.document import Document
from feedback_spec.operations import operations_of

from feedback_mock.asgi import Answer, ASGIApp, Receive, Scope, Send
from feedback_mock.control.handlers import PREFIX
from feedback_mock.control.rendering import render as render_control
from feedback_mock.credentials import BEARER, DSN
from feedback_mock.exchange import Endpoint, Exchange
from feedback_mock.feedback.access import OTHER_PROJECT, Access
from feedback_mock.feedback.rendering import Rendering, RuleAnswer
from feedback_mock.result import Refused, Result
from feedback_mock.routes.router import fits
from feedback_mock.store import Store


class NotFound(Endpoint):
    """404, with a hint if only the trailing slash is missing."""

    def __init__(self, document: Document, rendering: Rendering, store: Store) -> None:
        self.journaled = store
        self._no_route = rendering.refusal("route")
        self._paths = [fits(path.rstrip("/")) for path in document.openapi["paths"]]
        below = [path[: path.rindex("}") + 1] for path in document.openapi["paths"] if "}" in path]
        self._projects = [fits(f"{path}{rest}") for path in (*below, "/api/{project_id}") for rest in ("", "/{_:path}")]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, which is also recorded in the journal of the project that its path begins with."""
        self.locate(scope)
        await super().__call__(scope, receive, send)

    def locate(self, scope: Scope) -> None:
        """Finds the project that the path begins with, if any."""
        found = next((match for fit in self._projects if (match := fit(scope["path"]))), None)
        scope["path_params"] = found.groupdict() if found else {}

    async def respond(self, exchange: Exchange, receive: Receive) -> Result:
        """Nothing is here, whatever was requested."""
        path = exchange.scope["path"]
        if path.startswith(PREFIX):
            return Refused("path", "The control protocol has no such path.")
        if any(fit(path) for fit in self._paths):
            return Refused("route", f"with a trailing slash, the path is {path}/", word=f"{path}/")
        return Refused("route")

    def render(self, exchange: Exchange, result: Result) -> Answer:
        """In the words of the document that the path would belong to."""
        assert isinstance(result, Refused)
        return self._no_route.answer(result) if result.rule == "route" else render_control(result)


class OtherMethods:
    """What answers methods that a path does not have, by path, in all three documents."""

    def __init__(
        self,
        document: Document,
        controls: Mapping[str, Any],
        ingest: Mapping[str, Any],
        rendering: Rendering,
        store: Store,
    ) -> None:
        self._ours: Mapping[str, ASGIApp] = {
            **{path: _NotAllowed(methods) for path, methods in _methods(controls).items()},
            **{path: _NotAllowed(methods, store) for path, methods in _methods(ingest).items()},
        }
        guarded = document.behaviour.methods is not None
        self._documents: ASGIApp = _Guarded(document, rendering, store) if guarded else _Refusing(rendering, store)

    def __call__(self, path: str) -> ASGIApp:
        """The application for this path."""
        return self._ours.get(path, self._documents)


def _methods(openapi: Mapping[str, Any]) -> dict[str, list[str]]:
    """The methods of each path."""
    allowed: dict[str, list[str]] = {}
    for operation in operations_of(openapi):
        allowed.setdefault(operation.path, []).append(operation.method.upper())
    return allowed


class _NotAllowed(Endpoint):
    """405, in our own documents."""

    def __init__(self, allowed: list[str], journaled: Store | None = None) -> None:
        self.journaled = journaled
        self._allow = (b"allow", ", ".join(allowed).encode())

    async def respond(self, exchange: Exchange, receive: Receive) -> Result:
        return Refused("method", f"The method {exchange.scope['method'][:40]} is not allowed here.")

    def render(self, exchange: Exchange, result: Result) -> Answer:
        return render_control(result, self._allow)


class _Refusing(Endpoint):
    """405 at once, as the feedback document says."""

    def __init__(self, rendering: Rendering, store: Store) -> None:
        self.journaled = store
        self._no_method = rendering.refusal("method")

    async def respond(self, exchange: Exchange, receive: Receive) -> Result:
        return Refused("method", word=exchange.scope["method"])

    def render(self, exchange: Exchange, result: Result) -> Answer:
        assert isinstance(result, Refused)
        return self._no_method.answer(result)


class _Guarded(Endpoint):
    """405 after checking credentials and scopes (docs/sentry.md, facts 70 and 71)."""

    def __init__(self, document: Document, rendering: Rendering, store: Store) -> None:
        behaviour, kinds = document.behaviour, (BEARER, DSN)
        self.journaled = store
        self._by_method = {
            method: Access(store, kinds, scopes, behaviour) for method, scopes in (behaviour.methods or {}).items()
        }
        self._nobody = Access(store, kinds, None, behaviour)
        self._refusals: Mapping[str, RuleAnswer] = {
            rule: rendering.refusal(rule) for rule in ("method", *self._nobody.rules)
        }
        self._finish = rendering.finish

    def admit(self, exchange: Exchange) -> Refused:
        method = exchange.scope["method"]
        refused = self._by_method.get(method, self._nobody).check(exchange)
        # Only a method could decide whether the DSN of another project is allowed, and this method does not exist.
        return Refused("method", word=method) if refused is None or refused.rule == OTHER_PROJECT else refused

    async def respond(self, exchange: Exchange, receive: Receive) -> Result:
        return self.admit(exchange)

    def render(self, exchange: Exchange, result: Result) -> Answer:
        assert isinstance(result, Refused)
        answer = self._refusals[result.rule].answer(result)
        for finish in self._finish:
            answer = finish(exchange, result, answer)
        return answer
