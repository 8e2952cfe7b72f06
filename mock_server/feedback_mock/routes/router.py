"""Connexion's part: it reads the documents and says which operation is where. The only module that imports it.

Our `SpecMiddleware` keeps one table of what Connexion reports, and passes each request to an operation compiled at
startup, bypassing Connexion's own per-request machinery, which knows neither Sentry's order of checks nor its error
bodies.
"""

import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from feedback_spec.source import DocumentError

from feedback_mock.asgi import ASGIApp, Receive, Scope, Send
from feedback_mock.routes.deferred import deferred

with warnings.catch_warnings(), deferred("connexion", "connexion.middleware"):
    # Connexion uses features that jsonschema and starlette have deprecated; users of the mock cannot change that.
    warnings.simplefilter("ignore")
    from connexion.middleware.abstract import AbstractRoutingAPI, SpecMiddleware
    from connexion.resolver import Resolver
    from connexion.spec import OpenAPISpecification
    from starlette.routing import compile_path

MAX_KNOWN_PATH = 500
_SLASH = re.compile(b"%2f", re.IGNORECASE)
OtherMethods = Callable[[str], ASGIApp]
Find = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Routed:
    """A document to route: its name, whether its GET also answers HEAD, and aliases by path."""

    name: str
    openapi: dict[str, Any]
    head: bool = True
    aliases: Mapping[str, str] = field(default_factory=dict)


def route(
    documents: Sequence[Routed], operations: Mapping[str, ASGIApp], other_methods: OtherMethods, not_found: ASGIApp
) -> ASGIApp:
    """An application that serves the documents; if two paths match a request, the first counts.

    `operations` by operationId answer the requests; `other_methods` creates the application for all other methods of a
    path, `not_found` answers requests without a route. Raises DocumentError for a document with an operation that is
    not among the operations.
    """
    table = _Table(not_found, operations=operations, other_methods=other_methods)
    for each in documents:
        # Connexion adds keys to what it is given, and then copies it.
        table.add_api(_Checked({**each.openapi}), base_path="", resolver=_NoResolver(), routed=each)
    return table


def _with_slashes_encoded(raw: bytes) -> str:
    """The path, decoded except for encoded slashes, which do not separate segments (RFC 3986, 2.2)."""
    return unquote(_SLASH.sub(b"%252F", raw.partition(b"?")[0]).decode("latin-1"))


def fits(path: str) -> Find:
    """A function that finds the parameters of a path, such as `/{organization}/`, in a request's; None if it does not
    match.
    """
    return compile_path(path)[0].fullmatch  # `fullmatch`, because `$` also matches before a final line feed


class _Checked(OpenAPISpecification):  # type: ignore[misc]  # Connexion has no types
    """A document that was validated against OpenAPI's own schema when loaded; Connexion would take 50 ms for it."""

    @classmethod
    def _validate_spec(cls, _: Any) -> None:
        pass


class _NoResolver(Resolver):  # type: ignore[misc]  # Connexion has no types
    """Operations are found by operationId, not by import path."""

    def resolve_function_from_operation_id(self, _: str) -> None:
        return None


class _Routes(AbstractRoutingAPI):  # type: ignore[misc]  # Connexion has no types
    """The operations of one document by path and method, as Connexion finds them."""

    def __init__(
        self, specification: Any, *, operations: Mapping[str, ASGIApp], routed: Routed, **options: Any
    ) -> None:
        self._operations, self._routed = operations, routed
        self.paths: dict[str, dict[str, ASGIApp]] = {}
        super().__init__(specification, **options)

    def make_operation(self, operation: Any) -> ASGIApp:
        found = self._operations.get(operation.operation_id)
        if found is None:
            place = f"{self._routed.name}: {operation.method} {operation.path}"
            name = operation.operation_id or "without operationId"
            raise DocumentError(f'{place}: the mock has no operation "{name}".')
        return found

    @staticmethod
    def _framework_path_and_name(_: Any, path: str) -> tuple[str, str]:
        return path, path

    def _add_operation_internal(self, method: str, path: str, operation: ASGIApp, name: str | None = None) -> None:
        self.paths.setdefault(path, {})[method.upper()] = operation

    def _handle_add_operation_error(self, path: str, method: str, exc: Exception) -> None:
        raise exc from None


class _Table(SpecMiddleware):  # type: ignore[misc]  # Connexion has no types
    """All routes, in the order in which they are tried."""

    def __init__(self, app: ASGIApp, *, operations: Mapping[str, ASGIApp], other_methods: OtherMethods) -> None:
        self._not_found, self._operations, self._other_methods = app, operations, other_methods
        self._routes: list[tuple[Find, dict[str, ASGIApp], ASGIApp]] = []
        self._known = lru_cache(1024)(self._found)

    def add_api(self, specification: Any, *, routed: Routed, **options: Any) -> None:
        """Adds the routes of a document, with one for all methods that a path does not have."""
        found = _Routes(specification, operations=self._operations, routed=routed, **options)
        for path, methods in found.paths.items():
            if routed.head and "GET" in methods:
                methods.setdefault("HEAD", methods["GET"])
            for each in (path, *([routed.aliases[path]] if path in routed.aliases else ())):
                self._routes.append((fits(each), methods, self._other_methods(path)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on to whatever answers it."""
        raw = scope.get("raw_path") or b""
        if b"%2" in raw:
            scope["path"] = _with_slashes_encoded(raw)
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        found = self._known(path) if len(path) < MAX_KNOWN_PATH else self._found(path)
        if found is None:
            await self._not_found(scope, receive, send)
        else:
            methods, other, scope["path_params"] = found
            await methods.get(scope["method"], other)(scope, receive, send)

    def _found(self, path: str) -> tuple[dict[str, ASGIApp], ASGIApp, dict[str, str]] | None:
        """The operations of a path by method, the one for all others, and the path's parameters."""
        for find, methods, other in self._routes:
            match = find(path)
            if match is not None:
                return methods, other, match.groupdict()
        return None
