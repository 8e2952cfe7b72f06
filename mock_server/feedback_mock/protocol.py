"""HTTP/1.1 as read by uvicorn and httptools, with limits for heads and for waiting, and without upgrades.

Parses nothing itself.
"""

import asyncio
import json
import socket
import struct
import sys
from functools import cache, lru_cache
from http import HTTPStatus
from itertools import chain
from typing import Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from feedback_mock.asgi import HEAD_SIZE, Header
from feedback_mock.cycle import Cycle
from feedback_mock.effects import EXTENSION
from feedback_mock.heads import refusal_of, with_target

HEAD_BYTES = 64 * 1024
HEAD_FIELDS = 200
DISCARDED = 1024 * 1024
SPARE_FILES = 64
MOST_CONNECTIONS = 16_384
# Seconds that a client may take for a head, between two parts of a body, for the whole body, to read a response, and to
# begin its first request. Later requests must begin within uvicorn's keep-alive timeout.
HEAD_SECONDS, PART_SECONDS, BODY_SECONDS, READING_SECONDS, IDLE_SECONDS = 20, 20, 300, 30, 60
LINGER = 0.09  # seconds for which a stopping server waits for requests that are on their way
MAX_KNOWN_FIELD = 500
_NO_LINGERING = struct.pack("ii", 1, 0)


@lru_cache(1024)
def _known_field(name: bytes, value: bytes) -> Header:
    return name.lower(), value


class Unserved(Exception):
    """A head that is refused; httptools reports it as an error of its own."""


@cache
def most_connections() -> int:
    """The maximum number of connections, which leaves some file descriptors for everything else."""
    if sys.platform == "win32":
        return MOST_CONNECTIONS
    import resource  # noqa: PLC0415 (not available on all platforms)

    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return max(min(files - min(SPARE_FILES, files // 2), MOST_CONNECTIONS), 1)


class Http(HttpToolsProtocol):
    """One connection.

    Offers of an upgrade are ignored, as RFC 9110, 7.8 allows; Java's own client offers h2c with its first request.
    httptools treats what follows such a head as another protocol, whatever the callbacks say, so its body is read by a
    parser that got the head without the offer.

    A head has at most HEAD_BYTES and HEAD_FIELDS, and so have the trailers of a body, unless they arrive all at once.
    Anything that exceeds a limit or breaks HTTP is refused in its turn, after the responses to earlier requests, and
    ends the connection.

    So is a client that keeps us waiting; `tick` counts the seconds, so no request sets a timer.
    """

    _status: HTTPStatus | None = None
    _running: Cycle | None = None
    _in_head = True
    _reading = _ending = False
    _unseen = 0  # bytes in which no part of a body has been found yet
    _fields = 0  # bytes in the names and values of the current head's fields
    _age = _quiet = 0  # seconds since something began, and since the last part of it arrived

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Starts before the first head; there are no more connections than file descriptors allow."""
        super().connection_made(transport)
        self.url, self.headers = b"", []
        self._extensions: dict[str, Any] = {EXTENSION: self._break_off}
        if len(self.connections) > most_connections():
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
            self.transport.close()

    def tick(self) -> None:
        """A second has passed."""
        if self.flow.write_paused:
            self._quiet += 1
            if self._quiet > READING_SECONDS:
                self.transport.abort()
        elif self._status is None and not self.flow.read_paused and (self._reading or self._is_idle):
            self._age, self._quiet = self._age + 1, self._quiet + 1
            if not self._reading:
                if self._age > (IDLE_SECONDS if self.cycle is None else self.timeout_keep_alive):
                    self.transport.close()
            elif (
                self._age > HEAD_SECONDS
                if self._in_head
                else max(self._age / BODY_SECONDS, self._quiet / PART_SECONDS) > 1
            ):
                self._refuse(HTTPStatus.REQUEST_TIMEOUT)

    @property
    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def shutdown(self) -> None:
        """The server stops: requests that are on their way now are answered, and no others."""
        self._ending = True
        if self._is_idle:
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(LINGER, self.timeout_keep_alive_handler)
        else:
            (self.pipeline[0][0] if self.pipeline else self.cycle).keep_alive = False

    def eof_received(self) -> bool:  # type: ignore[override]  # uvicorn has no use for it
        """The client has closed its sending side: its complete requests are answered, except over TLS, which has no
        half-close.
        """
        if self._reading and not self._in_head:
            if not self.pipeline:
                return False
            self.pipeline.popleft()
        self._reading = False
        running = self._running
        if running is None or running.response_complete or running.awaits_end or self.scheme == "https":
            return False
        due = [cast(Cycle, cycle) for cycle, _ in self.pipeline] + [running]
        for each in due:
            each.alone = True
        if self._status is None:
            due[0].keep_alive = False
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Also notifies the request being answered, as uvicorn only notifies the latest one."""
        super().connection_lost(exc)
        if self._running is not None:
            self._running.disconnected = not self._running.response_complete
            self._running.message_event.set()

    def data_received(self, data: bytes) -> None:
        """Parses a packet. The cost depends only on its size, wherever it is split."""
        self._unseen, self._quiet = self._unseen + len(data), 0
        if self._status is not None:
            if self._unseen > DISCARDED:
                self.transport.close()
            return
        self._unset_keepalive_if_required()
        try:
            self._feed(data)
            # httptools keeps incomplete data, and copies all of it with each packet.
            if self._unseen > HEAD_BYTES or len(self.headers) > HEAD_FIELDS:
                self._check_bounds(self._unseen)
        except (httptools.HttpParserError, Unserved):
            self._refuse(self._status or HTTPStatus.BAD_REQUEST)

    def _feed(self, rest: bytes | memoryview) -> None:
        while True:
            try:
                self.parser.feed_data(rest)
            except httptools.HttpParserUpgrade as offer:
                rest = memoryview(rest)[offer.args[0] :]
                head = self._head_without_offer()
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
                self.parser.feed_data(head)
            else:
                return

    def _head_without_offer(self) -> bytes:
        line = b"%b %b HTTP/%b\r\n" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        fields = (b"%b: %b\r\n" % field for field in self.headers if field[0] != b"upgrade")
        return line + b"".join(fields) + b"\r\n"

    def _offered(self) -> bool:
        return self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self.scope["extensions"] = self._extensions
        self._in_head, self._unseen, self._fields = True, 0, 0
        self._reading, self._age = True, 0

    def on_headers_complete(self) -> None:
        """The request is known, unless its head is to be read again without an offer."""
        if len(self.url) + self._fields > HEAD_BYTES or len(self.headers) > HEAD_FIELDS:
            self._check_bounds(0)
        method = self.parser.get_method()
        self._status = refusal_of(method, self.parser.get_http_version(), self.url, self.headers)
        if self._status is not None:
            raise Unserved
        if self.url[:1] != b"/":
            self.url = with_target(method, self.url, self.headers)
            self._fields = sum(map(len, chain.from_iterable(self.headers)))
        if not self._offered():
            super().on_headers_complete()
            # uvicorn offers no other place to choose the class; its task has not started yet.
            self.cycle.__class__ = Cycle
            if not self.pipeline:
                self._running = cast(Cycle, self.cycle)
            self.scope[HEAD_SIZE] = len(self.url) + self._fields  # type: ignore[literal-required]  # our own
            # Trailers are added to the same list; they are not fields of the head (RFC 9110, 6.5.1).
            self._in_head, self._unseen, self.headers = False, 0, []
            self._age = 0
            if self._ending:
                self.cycle.keep_alive = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of a head. Most are the same in many requests, so the journal keeps them only once."""
        size = len(name) + len(value)
        field = _known_field(name, value) if size < MAX_KNOWN_FIELD else (name.lower(), value)
        if field[0] == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append(field)
        self._fields += size

    def _check_bounds(self, unfinished: int) -> None:
        if len(self.url) > HEAD_BYTES:
            self._status = HTTPStatus.REQUEST_URI_TOO_LONG
        elif unfinished > HEAD_BYTES or len(self.headers) > HEAD_FIELDS or len(self.url) + self._fields > HEAD_BYTES:
            self._status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        if self._status is not None:
            raise Unserved

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        super().on_body(body)
        self._unseen = 0

    def on_message_complete(self) -> None:
        """The request is complete, unless it was only its head."""
        if not self._offered():
            super().on_message_complete()
            self._in_head, self._reading, self._age = True, False, 0

    def _break_off(self, kind: str, random: bytes) -> None:
        """Breaks the connection in the middle of the current response, like WireMock's fault of this name."""
        self.cycle.disconnected = True
        if kind == "CONNECTION_RESET_BY_PEER":
            # Without lingering, a close is a reset (socket(7)).
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
            self.transport.abort()
            return
        if kind == "MALFORMED_RESPONSE_CHUNK":
            self.transport.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nno chunk begins like this\r\n")
        elif kind == "RANDOM_DATA_THEN_CLOSE":
            self.transport.write(random)
        self.transport.close()

    def _refuse(self, status: HTTPStatus) -> None:
        self.logger.warning("A request was refused: %d %s.", status, status.phrase)
        self._status, self._unseen = status, 0
        waiting = self.cycle is not None and not self.cycle.response_complete
        if not self._in_head:
            if self.cycle.response_complete or self.cycle.response_started:
                self.transport.close()
                return
            # The request with the broken body gets the refusal as its response.
            self.cycle.disconnected = self.cycle.response_complete = True
            self.cycle.message_event.set()
            waiting = bool(self.pipeline)
            if waiting:
                self.pipeline.popleft()
        if not waiting:
            self._answer(status)

    def on_response_complete(self) -> None:
        """A response has been sent: the next request's turn, or the refusal's."""
        if self.pipeline:
            self._running = cast(Cycle, self.pipeline[-1][0])
            super().on_response_complete()
            return
        # As uvicorn does, but without a timer for each request: `tick` ends connections that are idle for too long.
        self.server_state.total_requests += 1
        if not self.transport.is_closing():
            self.flow.resume_reading()
            if self._status is not None:
                self._answer(self._status)

    def _answer(self, status: HTTPStatus) -> None:
        if self.transport.is_closing():
            return
        body = json.dumps({"detail": f"{status.phrase}."}).encode()
        fields = [
            *self.server_state.default_headers,
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        ]
        head = STATUS_LINE[status] + b"".join(b"%b: %b\r\n" % field for field in fields)
        # Of a request whose target has come the method is known.
        is_head = (self.url or not self._in_head) and self.parser.get_method() == b"HEAD"
        self.transport.write(head + b"\r\n" + (b"" if is_head else body))
        if self._running is not None and self._running.alone:
            self.transport.close()
            return
        # A connection that is closed with unread data from the client is reset, and the response lost.
        self.transport.write_eof()
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)
