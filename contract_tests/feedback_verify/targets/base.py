"""What every target can do: send a request once and time it. No judgement, no retry: a retried POST is an overwrite."""

import ssl
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Literal, Self
from urllib.parse import SplitResult, urlsplit

import httpx

from feedback_verify.exchange import Exchange, Project, Request
from feedback_verify.steps import Step

TIMEOUT = 30.0
LARGEST = 16 * 1_048_576  # bytes of an answer's body; what is behind them is not read


NO_COOKIES = CookieJar(DefaultCookiePolicy(allowed_domains=[]))


class NotReachable(Exception):
    """The target did not answer; the message says what was tried and what went wrong."""


class Unsendable(Exception):
    """The target cannot be sent such a request at all: nothing can be said of it."""


class ProtocolError(Exception):
    """The target's control API answered something that the protocol does not allow."""


class Target:
    """An implementation by its base URL, and what can be done with it: `capabilities` in the document's words."""

    capabilities: frozenset[str] = frozenset()
    application: Any = None
    sandboxes = False  # whether every scenario has a project of its own, so that event ids may come again
    calendar = False  # whether a scenario may begin at any instant
    clock: Literal["exact", "process", "real"] = "real"

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        self.offset = 0
        self._secrets: set[str] = set()
        # One connection for each request: servers that close idle ones without a word would seem to have crashed.
        self._client = new_client(keep_alive=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    @property
    def secrets(self) -> frozenset[str]:
        """Every secret that this target was entered with so far, to be cut out of what is shown."""
        return frozenset(self._secrets)

    def keep_secret(self, project: Project) -> None:
        """Remembers the project's tokens, its DSN and the DSN's public key."""
        for kind, each in project.credentials.items():
            self._secrets.add(each.secret)
            if kind.endswith("dsn"):
                self._secrets.add(str(read_dsn(each.secret).username))

    def exchange(self, request: Request) -> Exchange:
        """Sends the request once. Raises NotReachable where no answer comes."""
        return self._exchange(self._client, request)

    def connection(self) -> "Connection":
        """A connection of its own, to be opened before it is needed."""
        return Connection(self)

    def now(self) -> int:
        """The instant in microseconds of a clock that only runs forward, at the pace of the target's."""
        return time.monotonic_ns() // 1000 + self.offset

    def skip(self, microseconds: int) -> None:
        """Moves the target's clock forward, where that can be done."""
        raise ProtocolError("this target has no clock that moves")

    def _exchange(self, client: httpx.Client, request: Request) -> Exchange:
        built = sendable(client, request)
        sent = self.now()
        try:
            response = client.send(built, stream=True)
            content = _content(response)
        except httpx.RequestError as error:
            raise NotReachable(
                f"{request.method} {request.url}: no answer ({error or type(error).__name__}). "
                "Is the server running, and is the URL right?"
            ) from None
        return Exchange(request, response.status_code, dict(response.headers), content, sent, self.now())

    def reads(self) -> datetime | None:
        """What an exact clock shows where no scenario has its own; None where the clock is not exact."""
        return None

    def open(self, start: datetime | None = None) -> tuple[Project, list[Step]]:
        """A project for one scenario, and the lines that make it; its clock begins at `start`, where that can be."""
        raise NotImplementedError

    def close(self, project: Project) -> None:
        """Says that the scenario is over."""

    def save_event(self, project: Project, event_id: str, facts: Mapping[str, Any]) -> Step:
        """Saves an event; `facts` as the control protocol names them, ages in microseconds."""
        raise ProtocolError("this target cannot save events")

    def advance(self, project: Project, microseconds: int) -> Step:
        """Moves the project's clock forward."""
        raise ProtocolError("this target has no clock that moves")

    def records(self, project: Project) -> list[dict[str, Any]]:
        """All stored feedback, as the control protocol answers it."""
        raise ProtocolError("this target does not show its records")


def read_dsn(dsn: str) -> SplitResult:
    """The parts of a DSN. Raises ValueError where it is none; the message does not show it."""
    try:
        parts = urlsplit(dsn)
        whole = parts.scheme in ("http", "https") and parts.username and parts.hostname and parts.port != 0
    except ValueError:
        whole = None
    if not whole or not parts.path.rpartition("/")[2]:
        raise ValueError("a DSN is of the form https://KEY@HOST/PROJECT_ID")
    return parts


class Connection:
    """One connection to a target, for one request at a time."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._client = new_client(keep_alive=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def exchange(self, request: Request) -> Exchange:
        """As Target.exchange, on this connection."""
        return self._target._exchange(self._client, request)


def new_client(*, keep_alive: bool) -> httpx.Client:
    """A client that follows no redirect, knows no proxy, keeps no cookie and never tries again."""
    limits = httpx.Limits(max_keepalive_connections=1 if keep_alive else 0)
    return httpx.Client(
        timeout=TIMEOUT, limits=limits, follow_redirects=False, trust_env=False, verify=_tls(), cookies=NO_COOKIES
    )


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def sendable(client: httpx.Client | httpx.AsyncClient, request: Request) -> httpx.Request:
    """The request with its own headers only, but for those that carry the message. Raises Unsendable."""
    chunks: bytes | Iterator[bytes] | AsyncIterator[bytes] = request.content
    if request.chunked:
        chunks = _once(request.content) if isinstance(client, httpx.AsyncClient) else iter([request.content])
    try:
        built = client.build_request(request.method, request.url, content=chunks)
    except httpx.InvalidURL as error:
        raise Unsendable(f"the URL {request.url[:80]!r} cannot be sent: {error}") from None
    built.headers = httpx.Headers([*_transport_headers(built.headers), *_encoded(request.sent_headers())])
    return built


def _content(response: httpx.Response) -> bytes:
    """The body. Raises ReadTimeout where it takes longer than an answer may."""
    content, deadline = bytearray(), time.monotonic() + TIMEOUT
    with closing(response):
        for chunk in response.iter_bytes():
            content += chunk
            if len(content) > LARGEST:
                break
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout(f"the body is not complete after {TIMEOUT:g} s")
    return bytes(content[:LARGEST])


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _transport_headers(headers: httpx.Headers) -> list[tuple[bytes, bytes]]:
    kept = (b"host", b"content-length", b"transfer-encoding", b"connection")
    return [(name, value) for name, value in headers.raw if name.lower() in kept]


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode("utf-8", "surrogateescape")) for name, value in headers.items()]
