"""Writes the heads of responses from cached lines, as nearly all of them are the same in every response. Parses
nothing.
"""

import re
from functools import lru_cache
from itertools import chain
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from feedback_mock.asgi import Header, Headers, Message

MAX_KEPT_VALUE = 500
KEPT_BLOCKS = 64
VARYING = 2
"""So many fields at the beginning of a head differ between responses: Content-Length and X-Feedback-Rule."""
_LINE_END = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def _line(name: bytes, value: bytes) -> bytes:
    if _LINE_END.search(name) or _LINE_END.search(value):
        raise RuntimeError("a header of a response contains a line end")
    return b"%b: %b\r\n" % (name, value)


_kept_line = lru_cache(4096)(_line)


@lru_cache(KEPT_BLOCKS)
def _block(headers: tuple[Header, ...]) -> bytes:
    return b"".join([_line(name, value) for name, value in headers])


class Cycle(RequestResponseCycle):
    """One request and its response.

    uvicorn looks for line ends in each name and value of each response, which took a fifth of the time of a request.
    Nearly all of them are the same in every response, so their lines are cached.

    If its client has closed its sending side (`alone`), the request is still answered, unless all it waits for is the
    client to disconnect.
    """

    alone = awaits_end = _is_read = False
    _waiting = b""

    async def receive(self) -> Any:
        """The next part of the body, and after the last one, the client's disconnection."""
        if self._is_read:
            self.awaits_end = True
            if self.alone:
                self.transport.close()
        if (
            self._is_read
            or self.more_body
            or self.disconnected
            or self.response_complete
            or self.waiting_for_100_continue
        ):
            message = await super().receive()
            self._is_read = not message.get("more_body", False)
            return message
        # All of it has arrived, as nearly always.
        self._is_read = True
        self.message_event.clear()
        self.flow.resume_reading()
        body, self.body = bytes(self.body), bytearray()
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:  # type: ignore[override]  # uvicorn has a type for each message
        """Writes a response whose length is known, as nearly all of the mock's are; uvicorn does the rest.

        Its head waits for its body, as one write costs less than two.
        """
        headers, body = message.get("headers"), message.get("body", b"")
        if self.disconnected or self.response_complete or self.flow.write_paused:
            await self._send_otherwise(message)
        elif headers and headers[0][0] == b"content-length" and not self.response_started:
            self.response_started, self.waiting_for_100_continue = True, False
            self.chunked_encoding, self.expected_content_length = False, int(headers[0][1])
            self._waiting = self._head(message["status"], headers)
        elif (
            self.chunked_encoding is False
            and self.expected_content_length == len(body)
            and not message.get("more_body")
        ):
            self.transport.write(self._waiting + body)
            self.response_complete = True
            self.message_event.set()
            if not self.keep_alive:
                self.transport.close()
            self.on_response()
        else:
            await self._send_otherwise(message)

    async def _send_otherwise(self, message: Message) -> None:
        if self._waiting and not self.disconnected:
            self.transport.write(self._waiting)
        self._waiting = b""
        await super().send(message)  # type: ignore[arg-type]  # as above

    def _head(self, status: int, headers: Headers) -> bytes:
        lines = [STATUS_LINE[status]]
        for name, value in chain(self.default_headers, headers[:VARYING]):
            lines.append(_kept_line(name, value) if len(value) < MAX_KEPT_VALUE else _line(name, value))
        lines.append(_block(tuple(headers[VARYING:])))
        lines.append(b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n")
        return b"".join(lines)
