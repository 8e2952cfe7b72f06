"""A mock that records what SDKs sent to it and how it responded. Changes neither."""

from dataclasses import dataclass
from typing import Any

from feedback_mock.app import create_app
from feedback_mock.asgi import ASGIApp, Receive, Scope, Send
from feedback_mock.ingest.envelope import Bounds, Unpacking, parse_items, unpack
from feedback_mock.mock import Mock
from feedback_spec.document import Document, load_ingest
from feedback_spec.operations import operations_of

INGEST = next(each.extensions for each in operations_of(load_ingest()) if each.id == "ingestEnvelope")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request, the status of its response, and the types of the items if it was an accepted envelope."""

    method: str
    path: str
    status: int
    items: tuple[str, ...]

    @property
    def is_ingest(self) -> bool:
        """Whether an SDK sent it on its own."""
        return self.path.endswith(("/envelope/", "/store/"))


def watched(document: Document) -> tuple[Mock, list[Exchange]]:
    """The mock of a document, and its exchanges, in the order of the responses."""
    mock, exchanges = create_app(document), list[Exchange]()
    watching = _watching(mock, exchanges)
    return Mock(mock.document, mock.store, mock.default_project, watching, mock.control), exchanges


def _watching(app: ASGIApp, exchanges: list[Exchange]) -> ASGIApp:
    async def watch(scope: Scope, receive: Receive, send: Send) -> None:
        body = bytearray()

        async def receiving() -> Any:
            message = await receive()
            body.extend(message.get("body", b""))
            return message

        async def sending(message: Any) -> None:
            # Recorded before the client gets the response, so nothing that a client has seen is missing.
            if message["type"] == "http.response.start":
                taken = message["status"] == 200 and scope["method"] == "POST" and scope["path"].endswith("/envelope/")
                items = _types(bytes(body), dict(scope["headers"])) if taken else ()
                exchanges.append(Exchange(scope["method"], scope["path"], message["status"], items))
            await send(message)

        await app(scope, receiving, sending)

    return watch


def _types(body: bytes, headers: dict[bytes, bytes]) -> tuple[str, ...]:
    pieces = unpack(body, headers.get(b"content-encoding", b"").decode("latin-1"), Unpacking.of(INGEST))
    return tuple(item.type for item in parse_items(b"".join(pieces), Bounds.of(INGEST)))
