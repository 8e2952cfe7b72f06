"""Connexion's part: it reads the documents, checks them against the OpenAPI schema and routes. The only import of it.

Our `RoutedMiddleware` hands each request to an operation that was compiled at start, past Connexion's own
per-request machinery, which knows neither Sentry's order of checks nor its error bodies.
"""

import warnings
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from feedback_spec.source import DocumentError

from feedback_mock.routes.deferred import deferred

with warnings.catch_warnings(), deferred("connexion"):
    # Connexion uses what jsonschema and starlette call deprecated; nobody who starts the mock can change that.
    warnings.simplefilter("ignore")
    from connexion.exceptions import InvalidSpecification
    from connexion.frameworks.starlette import starlettify_path
    from connexion.middleware import ConnexionMiddleware
    from connexion.middleware.abstract import RoutedAPI, RoutedMiddleware
    from connexion.middleware.routing import RoutingMiddleware, RoutingOperation
    from connexion.resolver import Resolver

ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]
OtherMethods = Callable[[str], ASGIApp]


def route(
    documents: Sequence[tuple[str, dict[str, Any]]],
    operations: Mapping[str, ASGIApp],
    other_methods: OtherMethods,
    not_found: ASGIApp,
) -> ASGIApp:
    """An application that serves the documents, each given with its name.

    `operations` by operationId answer the requests; `other_methods` makes the application that answers all other
    methods of a path, `not_found` what has no route. Raises DocumentError for a document that is no OpenAPI 3.0 or
    has an operation that is not among the operations.
    """
    compiled = partial(_CompiledMiddleware, compiled=operations, other_methods=other_methods)
    middleware = ConnexionMiddleware(not_found, import_name=__name__, middlewares=[_Routing, compiled])
    # Connexion turns the order of documents with the same base path; the first is to be looked at first.
    for name, document in reversed(documents):
        try:
            middleware.add_api(document, base_path="", resolver=_NoResolver())
        except InvalidSpecification as error:
            raise DocumentError(f"{name}: is no valid OpenAPI document: {str(error).splitlines()[0]}.") from None
        for path, item in document["paths"].items():
            for method, definition in item.items():
                if isinstance(definition, dict) and definition.get("operationId") not in operations:
                    raise DocumentError(f'{name}: {method} {path}: the mock has no operation "{_id(definition)}".')
    # Connexion would do this at the first request; a document that cannot be served must be refused at start.
    application, _ = middleware._build_middleware_stack()
    # No document has a base path, so that one router leads on to the next; to choose one costs a tenth of a request.
    application.router = application.router.routes[0].app
    return application  # type: ignore[no-any-return]


def _id(definition: Mapping[str, Any]) -> str:
    return str(definition.get("operationId", "without operationId"))


def _any_method(path: str) -> str:
    return f"any other method of {path}"


class _NoResolver(Resolver):  # type: ignore[misc]
    """Operations are found by operationId, not by import path."""

    def resolve_function_from_operation_id(self, _: str) -> None:
        return None


class _Routing(RoutingMiddleware):  # type: ignore[misc]
    """Connexion's router without redirects, with one more route per path for all methods that it does not have."""

    def add_api(self, specification: Any, **options: Any) -> None:
        super().add_api(specification, **options)
        routers = [route.app for route in self.router.routes]
        # Connexion makes the newest router the next of all others, so that those between are never asked.
        for each, following in pairwise(routers):
            each.default = following
        router = routers[-1]
        router.redirect_slashes = self.router.redirect_slashes = False
        for path in specification["paths"]:
            router.add_route(starlettify_path(path), RoutingOperation(_any_method(path), self.app), methods=None)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].endswith("\n"):
            # The router's patterns end in `$`, which also matches before a final line feed.
            scope = {**scope, "path": scope["path"] + "/"}
        await super().__call__(scope, receive, send)


class _CompiledAPI(RoutedAPI):  # type: ignore[misc]
    """Finds for each operation of one document what was compiled for it."""

    def __init__(
        self, *args: Any, compiled: Mapping[str, ASGIApp], other_methods: OtherMethods, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self._compiled = compiled
        self.add_paths()
        for path in self.specification["paths"]:
            self.operations[_any_method(path)] = other_methods(path)

    def make_operation(self, operation: Any) -> ASGIApp:
        return self._compiled[operation.operation_id]


class _CompiledMiddleware(RoutedMiddleware):  # type: ignore[misc]
    api_cls = _CompiledAPI

    def __init__(self, app: ASGIApp, *, compiled: Mapping[str, ASGIApp], other_methods: OtherMethods) -> None:
        super().__init__(app)
        self._options = {"compiled": compiled, "other_methods": other_methods}

    def add_api(self, specification: Any, **options: Any) -> Any:
        return super().add_api(specification, **options, **self._options)
