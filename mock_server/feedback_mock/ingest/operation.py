"""Serves the ingest document: key, size, encoding, then the handler. Stores nothing and knows no window.

Refusals are `{"detail": …}`, with `causes` where there is one, as Sentry's Relay answers.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs

import orjson
from feedback_spec.document import Document, load_ingest
from feedback_spec.operations import operations_of

from feedback_mock.body import Gone, TooLarge, Unreadable, read
from feedback_mock.feedback.answers import Answer, Headers
from feedback_mock.feedback.operation import ASGIApp, Receive, Scope, Send, send_answer
from feedback_mock.ingest.envelope import Bounds, Unpacking, parse_header, parse_items, unpack, unpack_text
from feedback_mock.ingest.events import Ingest
from feedback_mock.store import Project, Store

ENVELOPE, STORE = "ingestEnvelope", "ingestStore"
_KEY = re.compile(r"[0-9a-f]{32}")
_CORS: Headers = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"x-sentry-error, x-sentry-rate-limits, retry-after"),
]


class Refusal(Exception):
    """An answer other than 200: its status and what it says."""

    def __init__(self, status: int, detail: str, cause: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.value = {"detail": detail} if cause is None else {"detail": detail, "causes": [cause]}


def ingest_operations(document: Document, store: Store) -> dict[str, ASGIApp]:
    """The operations of the ingest document by operationId, by the windows of the feedback `document`."""
    made: dict[str, ASGIApp] = {}
    for operation in operations_of(load_ingest()):
        if operation.method == "post":
            made[operation.id] = IngestOperation(operation.extensions, document, store, operation.id == ENVELOPE)
        else:
            headers = operation.responses["200"].headers
            made[operation.id] = _preflight({name: header.example for name, header in headers.items()})
    return made


def _preflight(examples: Mapping[str, str]) -> ASGIApp:
    headers = [(name.lower().encode(), text.encode()) for name, text in examples.items()]
    answer = Answer(200, [(b"content-length", b"0"), *headers], b"")

    async def answer_preflight(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send_answer(send, answer)

    return answer_preflight


class IngestOperation:
    """An ASGI application that takes envelopes, or single events."""

    def __init__(self, limits: Mapping[str, Any], document: Document, store: Store, envelopes: bool) -> None:
        self._max_body, self._unpacking = limits["x-max-body-bytes"], Unpacking.of(limits)
        self._bounds = Bounds.of(limits) if envelopes else None
        self._ingest = Ingest(document, limits["x-max-event-bytes"])
        self._store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; says nothing to a client that left while it was still sending."""
        try:
            status, value = 200, await self._serve(scope, receive)
        except Refusal as refusal:
            status, value = refusal.status, refusal.value
        except Gone:
            return
        body = orjson.dumps(value)
        headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json"), *_CORS]
        await send_answer(send, Answer(status, headers, body))

    async def _serve(self, scope: Scope, receive: Receive) -> dict[str, Any]:
        headers = dict(reversed(scope["headers"]))
        project_id = scope["path_params"]["project_id"]
        if not (project_id.isascii() and project_id.isdecimal()):
            raise Refusal(400, "bad project path parameter")
        key = _key(headers, scope["query_string"])
        # A key of the request is looked at before the body is read, one in an envelope before more than its header is
        # unpacked.
        project = self._project(key, project_id) if key is not None or self._bounds is None else None
        try:
            body = await self._read(headers, receive)
            pieces = unpack(body, headers.get(b"content-encoding", b"").decode("latin-1"), self._unpacking)
            if self._bounds is not None:
                return self._take_envelope(project, project_id, pieces, self._bounds)
            assert project is not None
            return self._take_event(project, b"".join(pieces))
        except TooLarge as error:
            raise Refusal(413, "envelope exceeded size limits for type 'event'", str(error)) from None
        except LookupError:
            raise Refusal(415, "unsupported content encoding") from None
        except Unreadable as error:
            what = "invalid event data" if self._bounds is None else "invalid event envelope"
            raise Refusal(400, what, str(error)) from None

    async def _read(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        try:
            return await read(receive, self._max_body, headers.get(b"content-length"))
        except TooLarge:
            raise TooLarge(f"it is more than {self._max_body} bytes") from None

    def _take_event(self, project: Project, body: bytes) -> dict[str, Any]:
        text = _not_empty(body).lstrip()
        if not text.startswith(b"{"):
            text = unpack_text(text, self._unpacking)
        return {"id": self._ingest.store(project, text, project.clock.now())}

    def _take_envelope(
        self, project: Project | None, project_id: str, pieces: Iterator[bytes], bounds: Bounds
    ) -> dict[str, Any]:
        begun = b""
        while b"\n" not in begun and len(begun) <= bounds.header and (piece := next(pieces, None)) is not None:
            begun = begun + piece if begun else piece
        header = parse_header(begun if len(begun) > bounds.blank else _not_empty(begun), bounds)
        if project is None:
            project = self._project(_key_of_dsn(header.get("dsn")), project_id)
        items = parse_items(b"".join([begun, *pieces]), bounds)
        event_id = self._ingest.envelope(project, header, items, project.clock.now())
        return {} if event_id is None else {"id": event_id}

    def _project(self, key: str | None, project_id: str) -> Project:
        if key is None:
            raise Refusal(401, "missing authorization information")
        if not _KEY.fullmatch(key):
            raise Refusal(400, "bad sentry DSN public key")
        project = self._store.by_key.get(key)
        if project is None or project.id != project_id:
            raise Refusal(403, "event submission rejected with_reason: ProjectId")
        return project


def _not_empty(body: bytes) -> bytes:
    if not body or body.isspace():
        raise Refusal(400, "empty request body")
    return body


def _key(headers: Mapping[bytes, bytes], query: bytes) -> str | None:
    """The public key that the request names in a header or in its query. Raises Refusal for more than one."""
    found = []
    for name in (b"x-sentry-auth", b"authorization"):
        words = headers.get(name, b"").decode("latin-1")
        if words[:7].lower() == "sentry ":
            found.append(_key_of_words(words[7:]))
    in_query = parse_qs(query.decode("latin-1"), keep_blank_values=True).get("sentry_key", [])
    found += in_query[:1]
    if len(found) > 1:
        raise Refusal(401, "multiple authorization payloads detected")
    return found[0] if found else None


def _key_of_words(words: str) -> str:
    for word in words.replace(",", " ").split():
        name, _, value = word.partition("=")
        if name == "sentry_key":
            return value
    raise Refusal(401, "bad x-sentry-auth header", "the header has no sentry_key")


def _key_of_dsn(dsn: Any) -> str | None:
    if not isinstance(dsn, str):
        return None
    return dsn.partition("//")[2].partition("@")[0].partition(":")[0]
