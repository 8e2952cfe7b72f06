"""Serves the page with its files, and the documents that it reads. Answers no operation and keeps no state.

Its policies keep browsers from loading or sending anything elsewhere, and from running anything in a value.
"""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from feedback_mock.asgi import Answer, ASGIApp, Header, Receive, Scope, Send, json_answer
from feedback_mock.control.guard import wrong_host
from feedback_mock.control.handlers import PREFIX
from feedback_mock.control.rendering import render
from feedback_mock.exchange import Exchange, send_all

PAGE = f"{PREFIX}page/"
_REFERENCE = "reference/"
_HERE = Path(__file__).parent / "static"
_LEADS_HERE = frozenset({"/", PAGE.rstrip("/")})
_SAME = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_POLICY = f"{_SAME}; style-src 'self'; img-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"
# Swagger UI has its icons in its style sheet and turns descriptions into markup.
_REFERENCE_POLICY = f"{_SAME}; style-src 'self'; img-src 'self' data:"
_HEADERS: tuple[Header, ...] = (
    (b"cache-control", b"no-cache"),  # every load checks whether its copy is current
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class Site:
    """The ASGI application of the page; `otherwise` answers requests for anything else."""

    def __init__(self, documents: Mapping[str, Mapping[str, Any]], otherwise: ASGIApp) -> None:
        """`documents` by name, which the page gets with this server as the only one."""
        self._documents = {f"documents/{name}.json": document for name, document in documents.items()}
        self._otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers GET and HEAD below PAGE, and redirects there from the root."""
        path: str = scope["path"]
        if scope["method"] not in ("GET", "HEAD") or not (path in _LEADS_HERE or path.startswith(PAGE)):
            await self._otherwise(scope, receive, send)
            return
        if refused := wrong_host(Exchange(scope)):
            await send_all(render(refused), scope, send)
        elif path in _LEADS_HERE:
            await send_all(Answer(302, [(b"content-length", b"0"), (b"location", PAGE.encode())], b""), scope, send)
        else:
            await self._serve(path.removeprefix(PAGE), scope, receive, send)

    async def _serve(self, name: str, scope: Scope, receive: Receive, send: Send) -> None:
        policy = _REFERENCE_POLICY if name.startswith(_REFERENCE) else _POLICY
        headers = [*_HEADERS, (b"content-security-policy", policy.encode())]
        document = self._documents.get(name)
        if document is not None:
            shown = {**document, "servers": [{"url": "/", "description": "This server"}]}
            await send_all(json_answer(200, shown, *headers), scope, send)
            return
        response = await self._file(name, scope)
        if response is None:
            await send_all(json_answer(404, {"detail": "The page has no such file."}, *headers), scope, send)
            return
        response.raw_headers.extend(headers)
        await response(scope, receive, send)

    async def _file(self, name: str, scope: Scope) -> Any:
        """The response with this file; None if it does not exist."""
        from starlette.exceptions import HTTPException  # noqa: PLC0415 (only visitors of the page wait for it)

        try:
            return await self._files.get_response(name or "index.html", scope)
        except HTTPException:
            return None

    @cached_property
    def _files(self) -> Any:
        from starlette.staticfiles import StaticFiles  # noqa: PLC0415 (as above)

        return StaticFiles(directory=_HERE, html=True)
