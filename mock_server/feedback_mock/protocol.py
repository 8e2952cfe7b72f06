"""HTTP/1.1 as uvicorn and httptools read it, with bounds for heads and without upgrades. Reads no byte itself.

Heads of answers are written of lines that are kept.
"""

import asyncio
import json
import re
import socket
import struct
from functools import lru_cache
from http import HTTPStatus
from itertools import chain
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from feedback_mock.asgi import Message
from feedback_mock.effects import EXTENSION

HEAD_BYTES = 64 * 1024
HEAD_FIELDS = 200
DISCARDED = 1024 * 1024
_NO_LINGERING = struct.pack("ii", 1, 0)
MAX_KEPT_VALUE = 500
_LINE_END = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def _line(name: bytes, value: bytes) -> bytes:
    if _LINE_END.search(name) or _LINE_END.search(value):
        raise RuntimeError("a header of an answer would end its line")
    return b"%b: %b\r\n" % (name, value)


_kept_line = lru_cache(4096)(_line)


class Cycle(RequestResponseCycle):
    """One request with its answer.

    uvicorn looks for line ends in each name and value of each answer, which took a fifth of a request; nearly all are
    the same in every answer, so that their lines are kept.
    """

    async def send(self, message: Message) -> None:  # type: ignore[override]  # uvicorn has a type for each message
        """Writes the head of an answer that has its length, as all of the mock's have; the rest is uvicorn's."""
        headers = message.get("headers")
        if not headers or headers[0][0] != b"content-length" or self.disconnected or self.flow.write_paused:
            await super().send(message)  # type: ignore[arg-type]  # as above
            return
        self.response_started, self.waiting_for_100_continue = True, False
        self.chunked_encoding, self.expected_content_length = False, int(headers[0][1])
        lines = [STATUS_LINE[message["status"]]]
        for name, value in chain(self.default_headers, headers):
            lines.append(_kept_line(name, value) if len(value) < MAX_KEPT_VALUE else _line(name, value))
        lines.append(b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n")
        self.transport.write(b"".join(lines))


class TooLarge(Exception):
    """A head beyond the bounds; httptools tells it on as an error of its own."""


class Http(HttpToolsProtocol):
    """One connection.

    The offer of an upgrade is ignored, as RFC 9110, 7.8 allows; Java's own client offers h2c with its first request.
    httptools takes what follows such a head for another protocol, whatever the callbacks say, so its body is read by a
    parser that was told the head without the offer.

    A head has at most HEAD_BYTES and HEAD_FIELDS, and so have the trailers of a body, unless they come all at once.
    What breaks a bound or HTTP itself is refused in its turn, after the answers to earlier requests, and ends the
    connection.
    """

    _status: HTTPStatus | None = None
    _in_head = True
    _unseen = _packet = _begun = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Begins before the first head."""
        super().connection_made(transport)
        self.url, self.headers = b"", []
        self._extensions: dict[str, Any] = {EXTENSION: self._break_off}

    def data_received(self, data: bytes) -> None:
        """Reads what came. Costs no more than its size, wherever it is cut."""
        self._packet = len(data)
        self._unseen += self._packet
        if self._status is not None:
            if self._unseen > DISCARDED:
                self.transport.close()
            return
        self._unset_keepalive_if_required()
        try:
            self._feed(data)
            # httptools keeps what is not complete, and copies all of it with each packet.
            if self._unseen > HEAD_BYTES or len(self.headers) > HEAD_FIELDS:
                self._check_bounds()
        except (httptools.HttpParserError, TooLarge):
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
        self._in_head, self._unseen, self._begun = True, 0, self._packet

    def on_headers_complete(self) -> None:
        """The request is known, unless its head is to be read again without an offer."""
        # What the head came with is at least as large as the head, and most often within the bounds itself.
        if self._begun + self._unseen > HEAD_BYTES or len(self.headers) > HEAD_FIELDS:
            self._check_bounds()
        if not self._offered():
            super().on_headers_complete()
            # uvicorn has no other place to say which class it is; its task has not begun yet.
            self.cycle.__class__ = Cycle
            # Trailers come to the same list; they are not fields of the head (RFC 9110, 6.5.1).
            self._in_head, self._unseen, self.headers = False, 0, []

    def _check_bounds(self) -> None:
        if len(self.url) > HEAD_BYTES:
            self._status = HTTPStatus.REQUEST_URI_TOO_LONG
        elif (
            self._unseen > HEAD_BYTES
            or len(self.headers) > HEAD_FIELDS
            or len(self.url) + sum(map(len, chain.from_iterable(self.headers))) > HEAD_BYTES
        ):
            self._status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        if self._status is not None:
            raise TooLarge

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        super().on_body(body)
        self._unseen = 0

    def on_message_complete(self) -> None:
        """The request is there, unless it was only its head."""
        if not self._offered():
            super().on_message_complete()
            self._in_head = True

    def _break_off(self, kind: str, random: bytes) -> None:
        """Ends the connection in the middle of the request that is answered now, as WireMock's fault of this name."""
        self.cycle.disconnected = True
        if kind == "CONNECTION_RESET_BY_PEER":
            # Without lingering a close is a reset (socket(7)).
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
            # The request whose body broke gets the refusal for its answer.
            self.cycle.disconnected = self.cycle.response_complete = True
            self.cycle.message_event.set()
            waiting = bool(self.pipeline)
            if waiting:
                self.pipeline.popleft()
        if not waiting:
            self._answer(status)

    def on_response_complete(self) -> None:
        """An answer is out: the next request's turn, or the refusal's."""
        last = not self.pipeline
        super().on_response_complete()
        if last and self._status is not None:
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
        self.transport.write(head + b"\r\n" + body)
        # A connection that is closed while something of the client's is unread is reset, and the answer lost.
        self.transport.write_eof()
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)
