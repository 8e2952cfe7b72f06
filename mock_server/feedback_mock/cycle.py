"""Writes the heads of responses from cached lines, as nearly all of them are the same in every response. Parses
nothing.
"""

import re
from functools import lru_cache
from itertools import chain
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from feedback_mock.asgi import Message

MAX_KEPT_VALUE = 500
_LINE_END = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def _line(name: bytes, value: bytes) -> bytes:
    if _LINE_END.search(name) or _LINE_END.search(value):
        raise RuntimeError("a header of a response contains a line end")
    return b"%b: %b\r\n" % (name, value)


_kept_line = lru_cache(4096)(_line)


class Cycle(RequestResponseCycle):
    """One request and its response.

    uvicorn looks for line ends in each name and value of each response, which took a fifth of the time of a request.
    Nearly all of them are the same in every response, so their lines are cached.

    If its client has closed its sending side (`alone`), the request is still answered, unless all it waits for is the
    client to disconnect.
    """

    alone = awaits_end = _is_read = False

    async def receive(self) -> Any:
        """The next part of the body, and after the last one, the client's disconnection."""
        if self._is_read:
            self.awaits_end = True
            if self.alone:
                self.transport.close()
        message = await super().receive()
        self._is_read = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:  # type: ignore[override]  # uvicorn has a type for each message
        """Writes the head of a response with a known length, as all of the mock's have; uvicorn does the rest."""
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
