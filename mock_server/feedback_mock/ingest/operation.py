"""Serves the ingest document: key, size, encoding, then the handler. Stores nothing and knows no windows."""

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any
from urllib.parse import parse_qs

from feedback_spec.bodies import Unreadable
from feedback_spec.document import Document, load_ingest
from feedback_spec.operations import Operation, operations_of

from feedback_mock.asgi import Answer, ASGIApp, Header, Receive
from feedback_mock.body import TooLarge, read
from feedback_mock.exchange import Endpoint, Exchange
from feedback_mock.following import follow
from feedback_mock.ingest.envelope import Bounds, Unpacking, parse_header, parse_items, unpack, unpack_text
from feedback_mock.ingest.events import Ingest
from feedback_mock.ingest.rendering import render
from feedback_mock.result import Done, Refused, Result
from feedback_mock.store import Project, Store

ENVELOPE = "ingestEnvelope"
_KEY = re.compile(r"[0-9a-f]{32}")


def ingest_operations(ingest: Mapping[str, Any], document: Document, store: Store) -> dict[str, ASGIApp]:
    """The operations of the document `ingest` by operationId, under the windows of the feedback `document`."""
    made: dict[str, ASGIApp] = {}
    for operation in operations_of(ingest):
        if operation.method == "post":
            made[operation.id] = IngestOperation(operation, document, store)
        else:
            examples = operation.responses["200"].headers
            headers = [(name.lower().encode(), str(each.example).encode()) for name, each in examples.items()]
            made[operation.id] = Preflight(operation.id, store, headers)
    return made


def decode(body: bytes, encoding: str) -> bytes:
    """A body without its Content-Encoding, within the limits for envelopes. Raises ValueError if that is impossible."""
    try:
        return b"".join(unpack(body, encoding, _unpacking()))
    except (LookupError, TooLarge, Unreadable) as error:
        raise ValueError(encoding) from error


@cache
def _unpacking() -> Unpacking:
    return Unpacking.of(next(each.extensions for each in operations_of(load_ingest()) if each.id == ENVELOPE))


class Preflight(Endpoint):
    """States in headers what is allowed."""

    def __init__(self, operation: str, store: Store, headers: list[Header]) -> None:
        self.operation, self.journaled = operation, store
        self._answer = Answer(200, [(b"content-length", b"0"), *headers], b"")

    async def respond(self, exchange: Exchange, receive: Receive) -> Result:
        """Always succeeds."""
        return Done(None)

    def render(self, exchange: Exchange, result: Result) -> Answer:
        """The one response."""
        return self._answer


class IngestOperation(Endpoint):
    """Accepts envelopes, or single events."""

    def __init__(self, operation: Operation, document: Document, store: Store) -> None:
        limits = operation.extensions
        self.operation, self.journaled = operation.id, store
        self.most_body, self._unpacking = limits["x-max-body-bytes"], Unpacking.of(limits)
        self._bounds = Bounds.of(limits) if operation.id == ENVELOPE else None
        self._ingest = Ingest(document, limits["x-max-event-bytes"])
        self._store, self._patience = store, self._unpacking
        if store.shared:
            self._unpacking = replace(self._unpacking, time=sys.maxsize)

    def admit(self, exchange: Exchange) -> Refused | None:
        """Refuses wrong keys, then what takes too long to decompress, as that takes another time in another process."""
        key, encoding = _key(exchange), exchange.headers.get(b"content-encoding", b"").decode("latin-1")
        if isinstance(key, Refused):
            return key
        pieces = unpack(exchange.body or b"", encoding, self._patience)
        try:
            if key is not None or self._bounds is None:
                refused = self._open(exchange, key)
                if refused is not None:
                    return refused
            elif self._open(exchange, _key_of_dsn(parse_header(_begun(pieces, self._bounds), self._bounds).get("dsn"))):
                return None  # what stands in the envelope says so everywhere
            for _ in pieces:
                pass
        except TooLarge as error:
            return Refused("size", str(error))
        except (LookupError, Unreadable):
            return None
        return None

    def render(self, exchange: Exchange, result: Result) -> Answer:
        """The response as Relay sends it."""
        return render(result)

    async def respond(self, exchange: Exchange, receive: Receive) -> Result:
        """Finds the project, reads and decompresses the body, and accepts its contents."""
        key = _key(exchange)
        if isinstance(key, Refused):
            return key
        # A key in the request is checked before the body is read, one in an envelope once only its header is
        # decompressed.
        if key is not None or self._bounds is None:
            refused = self._open(exchange, key)
            if refused is not None:
                return refused
        return await self._take(exchange, receive)

    async def _take(self, exchange: Exchange, receive: Receive) -> Result:
        headers = exchange.headers
        try:
            body = exchange.body = await self._read(headers, receive)
            if exchange.project is not None and exchange.project.gone:
                refused = self._open(exchange, exchange.project.credentials.public_key)
                if refused is not None:
                    return refused
            encoding = headers.get(b"content-encoding", b"").decode("latin-1")
            pieces = unpack(body, encoding, self._unpacking)
            if self._bounds is not None:
                return self._take_envelope(exchange, pieces, self._bounds)
            return self._take_event(exchange, b"".join(pieces))
        except TooLarge as error:
            return Refused("size", str(error))
        except LookupError:
            return Refused("encoding")
        except Unreadable as error:
            return Refused("event" if self._bounds is None else "envelope", str(error))

    async def _read(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        try:
            return await read(receive, self.most_body, headers.get(b"content-length"))
        except TooLarge:
            raise TooLarge(f"it is more than {self.most_body} bytes") from None

    def _take_event(self, exchange: Exchange, body: bytes) -> Result:
        if _is_empty(body):
            return Refused("empty")
        text = body.lstrip()
        if not text.startswith(b"{"):
            text = unpack_text(text, self._unpacking)
        project = _at_its_instant(exchange)
        return Done({"id": self._ingest.store(project, text, exchange.now)})

    def _take_envelope(self, exchange: Exchange, pieces: Iterator[bytes], bounds: Bounds) -> Result:
        begun = _begun(pieces, bounds)
        if len(begun) <= bounds.blank and _is_empty(begun):
            return Refused("empty")
        header = parse_header(begun, bounds)
        if exchange.project is None:
            refused = self._open(exchange, _key_of_dsn(header.get("dsn")))
            if refused is not None:
                return refused
        items = parse_items(b"".join([begun, *pieces]), bounds)
        if exchange.project is not None and exchange.project.follow and "sent_at" in header:
            try:
                follow(exchange.project, str(header["sent_at"]))
            except ValueError as error:
                raise Unreadable(f"sent_at: {error}") from None
        project = _at_its_instant(exchange)
        event_id = self._ingest.envelope(project, header, items, exchange.now)
        return Done({} if event_id is None else {"id": event_id})

    def _open(self, exchange: Exchange, key: str | None) -> Refused | None:
        """Opens the project to which the key belongs."""
        if key is None:
            return Refused(
                "key-missing", "no sentry_key in X-Sentry-Auth, Authorization or query, no dsn in an envelope"
            )
        if not _KEY.fullmatch(key):
            return Refused("key-form")
        project = self._store.project_of_path(exchange.path)
        if project is None:
            return Refused("key-known", f"there is no project {exchange.path['project_id'][:20]}")
        if key != project.credentials.public_key:
            return Refused("key-known", f"the DSN's public key is not that of project {project.id}")
        exchange.project = project
        return None


def _begun(pieces: Iterator[bytes], bounds: Bounds) -> bytes:
    """An envelope as far as its header goes, or may go."""
    begun = b""
    while b"\n" not in begun and len(begun) <= bounds.header and (piece := next(pieces, None)) is not None:
        begun = begun + piece if begun else piece
    return begun


def _at_its_instant(exchange: Exchange) -> Project:
    """The project, whose clock is read once here."""
    project = exchange.project
    assert project is not None
    exchange.now = project.clock.now()
    return project


def _is_empty(body: bytes) -> bool:
    return not body or body.isspace()


def _key(exchange: Exchange) -> str | Refused | None:
    """The public key that the request names in a header or its query; refused if it names more than one."""
    project_id, headers, query = exchange.path["project_id"], exchange.headers, exchange.scope["query_string"]
    if not (project_id.isascii() and project_id.isdecimal()):
        return Refused("project-number")
    found: list[str] = []
    for name in (b"x-sentry-auth", b"authorization"):
        words = headers.get(name, b"").decode("latin-1")
        if words[:7].lower() == "sentry ":
            key = _key_of_words(words[7:])
            if key is None:
                return Refused("key-header", "the header has no sentry_key")
            found.append(key)
    in_query = parse_qs(query.decode("latin-1"), keep_blank_values=True).get("sentry_key", [])
    found += in_query[:1]
    if len(found) > 1:
        return Refused("key-twice")
    return found[0] if found else None


def _key_of_words(words: str) -> str | None:
    for word in words.replace(",", " ").split():
        name, _, value = word.partition("=")
        if name == "sentry_key":
            return value
    return None


def _key_of_dsn(dsn: Any) -> str | None:
    if not isinstance(dsn, str):
        return None
    return dsn.partition("//")[2].partition("@")[0].partition(":")[0]
