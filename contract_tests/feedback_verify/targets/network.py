"""How this machine reaches a target: certificates, a proxy, timeouts, and messages about failed connections.

Creates what sends HTTP requests. Sends nothing.
"""

import socket
import ssl
import threading
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from weakref import WeakSet

import httpcore
import httpx
from feedback_spec.files import read

from feedback_verify.exchange import Request

TIMEOUT, CONNECT_TIMEOUT = 30.0, 1.5  # seconds; the first is for all of a response, from the last byte of its request
LARGEST = 16 * 1_048_576  # bytes of a response body, also once unpacked; the rest is not read
LARGEST_CACERT = 16 * 1_048_576
# By Content-Encoding, the formats that it may mean; some servers take "deflate" for the bare one (RFC 9110, 8.4.1.2).
_GZIP_OR_ZLIB, _BARE = zlib.MAX_WBITS + 32, -zlib.MAX_WBITS
_PACKED = {"gzip": (_GZIP_OR_ZLIB,), "x-gzip": (_GZIP_OR_ZLIB,), "deflate": (_GZIP_OR_ZLIB, _BARE)}
_TIMEOUTS = httpx.Timeout(TIMEOUT, connect=CONNECT_TIMEOUT).as_dict()


class Unsendable(Exception):
    """Such a request cannot be sent to the target at all, so nothing can be said about it."""


@dataclass(frozen=True)
class Network:
    """`cacert` is a file of certificates to trust besides the usual ones; `insecure` trusts any.

    `proxy` is the URL of a proxy for everything; without it none is used, whatever the environment says.
    """

    cacert: Path | None = None
    insecure: bool = False
    proxy: str | None = None

    def check(self) -> None:
        """Raises ValueError, with one sentence, if a setting is unusable."""
        try:
            _ = self._tls
        except (ssl.SSLError, ValueError):
            raise ValueError(f"--cacert: {self.cacert}: it is not a file of certificates in PEM format.") from None
        except OSError as error:
            raise ValueError(f"--cacert: {self.cacert}: {error.strerror}.") from None
        try:
            self.transport(kept_for=0).close()
        except (ValueError, httpx.InvalidURL) as error:
            raise ValueError(f'--proxy: "{self.proxy}" is not the URL of a proxy: {error}.') from None

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        context = httpx.create_ssl_context(verify=not self.insecure)
        if self.cacert is not None:
            # As data, because OpenSSL would read a file without end to its end.
            certificates = read(self.cacert, LARGEST_CACERT).decode("ascii", "ignore")  # there may be text between them
            context.load_verify_locations(cadata=certificates)
        return context

    def secured(self, plain: socket.socket, host: str) -> ssl.SSLSocket:
        """The connection with TLS, with certificates checked as for every other."""
        return self._tls.wrap_socket(plain, server_hostname=host)

    def transport(self, *, kept_for: float) -> httpx.HTTPTransport:
        """What opens connections, of which one is kept for so many idle seconds, for one thread. Unlike a client, it
        knows no redirects, cookies or defaults.
        """
        limits = httpx.Limits(max_keepalive_connections=1 if kept_for else 0, keepalive_expiry=kept_for)
        transport = httpx.HTTPTransport(verify=self._tls, trust_env=False, proxy=self.proxy, limits=limits)
        # Its own pool takes one, and httpx passes none on.
        transport._pool._network_backend = _Connecting()
        return transport


class PerThread(httpx.BaseTransport):
    """A transport of its own for each thread, made on its first request.

    A pool of httpcore that several threads share may close an idle connection just as one of them begins to use it.
    """

    def __init__(self, made: Callable[[], httpx.HTTPTransport]) -> None:
        self._made, self._own = made, threading.local()
        self._all: list[httpx.HTTPTransport] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Sends a request on a connection of this thread."""
        if not hasattr(self._own, "transport"):
            self._own.transport = self._made()
            self._all.append(self._own.transport)
        response: httpx.Response = self._own.transport.handle_request(request)
        return response

    def close(self) -> None:
        """Closes the connections of all threads."""
        for each in self._all:
            each.close()


class _Connecting(httpcore.SyncBackend):
    """Opens connections on which no response takes longer than TIMEOUT: httpx limits only each part of it, so that one
    with a byte a second, or with interim responses (1xx), need never end.
    """

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """The connection."""
        return _Timed(super().connect_tcp(host, port, timeout, local_address, socket_options))


class _Timed(httpcore.NetworkStream):
    """A connection that reads until TIMEOUT after the last write."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream, self._written = stream, time.monotonic()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """As much as there is. Raises ReadTimeout."""
        left = self._written + TIMEOUT - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout(f"the response is not complete after {TIMEOUT:g} s")
        return self._stream.read(max_bytes, left if timeout is None else min(left, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """All of it."""
        self._stream.write(buffer, timeout)
        self._written = time.monotonic()

    def close(self) -> None:
        """Closes it."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """The same, over TLS."""
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        """What is known about it."""
        return self._stream.get_extra_info(info)


class Sockets:
    """The sockets on which requests are waiting, so that all of them can be released at once."""

    def __init__(self) -> None:
        self._open: WeakSet[socket.socket] = WeakSet()

    def watch(self, event: str, info: Mapping[str, Any]) -> None:
        """The hook that httpx calls with its events."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._open.add(info["return_value"].get_extra_info("socket"))

    def shut(self) -> None:
        """Ends every wait for a response."""
        for each in list(self._open):
            with suppress(OSError, ValueError):
                each.shutdown(socket.SHUT_RDWR)


def why_not(request: Request, error: httpx.RequestError, *, was_there: bool = False) -> str:
    """What went wrong, in one sentence, with the remedy if one is known; `was_there`: the server responded before."""
    said = str(error) or type(error).__name__
    remedy = "Is the server running, and is the URL right?"
    if "CERTIFICATE_VERIFY_FAILED" in said:
        remedy = "Trust its certificate with --cacert FILE, or any certificate with --insecure."
    elif "WRONG_VERSION_NUMBER" in said or "record layer failure" in said:
        remedy = "Does the server speak plain HTTP there?"
    elif was_there:
        remedy = "It responded before: is it still running?"
    elif isinstance(error, httpx.RemoteProtocolError | httpx.ReadError) and request.url.startswith("http://"):
        remedy = "Is the server running, and does it perhaps speak HTTPS there?"
    return f"{request.method} {request.url}: no response ({said}). {remedy}"


def sendable(request: Request, *, asynchronous: bool = False) -> httpx.Request:
    """The request with only its own headers, plus those that carry the message. Raises Unsendable."""
    chunks: bytes | Iterator[bytes] | AsyncIterator[bytes] = request.content
    if request.chunked:
        chunks = _once(request.content) if asynchronous else iter([request.content])
    headers = [(b"Connection", b"keep-alive"), *_encoded(request.sent_headers())]
    try:
        return httpx.Request(
            request.method, request.sent_url, headers=headers, content=chunks, extensions={"timeout": _TIMEOUTS}
        )
    except httpx.InvalidURL as error:
        raise Unsendable(f"the URL {request.url[:80]!r} cannot be sent: {error}") from None


def content_of(response: httpx.Response) -> bytes:
    """The body, unpacked if it is gzip or deflate; nothing else was asked for, so anything else stays as it is.

    Raises ReadTimeout if it takes longer than a response may, and DecodingError. httpx would unpack without bounds.
    """
    content = bytearray()
    with closing(response):
        for chunk in response.iter_raw():
            content += chunk
            if len(content) > LARGEST:
                break
    formats = _PACKED.get(response.headers.get("content-encoding", "").strip().lower())
    if formats is None:
        return bytes(content[:LARGEST])
    for each in formats:
        try:
            return zlib.decompressobj(each).decompress(content, LARGEST)
        except zlib.error as error:
            wrong = error
    raise httpx.DecodingError(f"the body is not compressed as Content-Encoding says: {wrong}")


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode("utf-8", "surrogateescape")) for name, value in headers.items()]
