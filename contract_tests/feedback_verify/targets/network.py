"""How this machine reaches a target: certificates, a proxy, timeouts, and messages about failed connections.

Creates what sends HTTP requests. Sends nothing.
"""

import socket
import ssl
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from weakref import WeakSet

import httpx

from feedback_verify.exchange import Request

TIMEOUT, CONNECT_TIMEOUT = 30.0, 1.5
MOST_KEPT = 16
LARGEST = 16 * 1_048_576  # bytes of a response body; the rest is not read
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
        except (OSError, ssl.SSLError) as error:
            reason = getattr(error, "strerror", None) or "it is not a file of certificates in PEM format"
            raise ValueError(f"--cacert: {self.cacert}: {reason}.") from None
        try:
            self.transport(kept_for=0).close()
        except (ValueError, httpx.InvalidURL) as error:
            raise ValueError(f'--proxy: "{self.proxy}" is not the URL of a proxy: {error}.') from None

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        context = httpx.create_ssl_context(verify=not self.insecure)
        if self.cacert is not None:
            context.load_verify_locations(self.cacert)
        return context

    def secured(self, plain: socket.socket, host: str) -> ssl.SSLSocket:
        """The connection with TLS, with certificates checked as for every other."""
        return self._tls.wrap_socket(plain, server_hostname=host)

    def transport(self, *, kept_for: float) -> httpx.HTTPTransport:
        """Connections that are kept for so many idle seconds. Unlike a client, it knows no redirects, cookies or
        defaults.
        """
        limits = httpx.Limits(max_keepalive_connections=MOST_KEPT if kept_for else 0, keepalive_expiry=kept_for)
        return httpx.HTTPTransport(verify=self._tls, trust_env=False, proxy=self.proxy, limits=limits)


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


def told_of(request: Request, error: httpx.RequestError) -> str:
    """What went wrong, in one sentence, with the remedy if one is known."""
    said = str(error) or type(error).__name__
    remedy = "Is the server running, and is the URL right?"
    if "CERTIFICATE_VERIFY_FAILED" in said:
        remedy = "Trust its certificate with --cacert FILE, or any certificate with --insecure."
    elif "WRONG_VERSION_NUMBER" in said or "record layer failure" in said:
        remedy = "Does the server speak plain HTTP there?"
    elif isinstance(error, httpx.RemoteProtocolError | httpx.ReadError) and request.url.startswith("http://"):
        remedy = "Is the server running, and does it perhaps not speak HTTPS there?"
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
    """The body. Raises ReadTimeout if it takes longer than a response may."""
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


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode("utf-8", "surrogateescape")) for name, value in headers.items()]
