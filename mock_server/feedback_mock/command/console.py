"""Tells of each request in one line: method, path, status, rule and reason. Shows no query, no header and no secret."""

import re
from collections.abc import Callable
from functools import lru_cache, partial

from feedback_mock.asgi import ASGIApp, Header, Message, Receive, Scope, Send, printable, rule_and_reason
from feedback_mock.command.log import Line, Said
from feedback_mock.control.har import HIDDEN
from feedback_mock.page.site import PAGE

MOST_OF_A_PATH = 200
# What has the form of a token or key; an event id has it too, which stands in the control protocol's paths.
_KEY = re.compile(r"(?<!/events/)(?<![0-9A-Za-z])[0-9A-Fa-f]{32,}")


class Console:
    """The application, which says a line for each request once it is answered.

    A status of 0 is a connection that broke without an answer.
    """

    def __init__(self, app: ASGIApp, say: Callable[[Line], None]) -> None:
        self._app, self._say = app, say

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request and tells of it, but for the page's own files: they are not a client's."""
        if scope["type"] != "http" or scope["path"].startswith(PAGE):
            await self._app(scope, receive, send)
            return
        status, headers = 0, list[Header]()

        async def sending(message: Message) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status, headers = message["status"], message["headers"]
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            # The line is made where it is written: no request waits for it.
            self._say(
                partial(_line, scope["method"], scope.get("raw_path", b"")[: 2 * MOST_OF_A_PATH], status, headers)
            )


def _line(method: str, path: bytes, status: int, headers: list[Header]) -> Said:
    return _told(method[:40], path, status, next((value for name, value in headers if name == b"x-feedback-rule"), b""))


@lru_cache(1024)
def _told(method: str, path: bytes, status: int, header: bytes) -> Said:
    rule, reason = map(_hide, rule_and_reason(header.decode("latin-1")))
    method, shown = printable(method), printable(_hide(path.decode("latin-1")), MOST_OF_A_PATH)
    text = f"{method} {shown} {status or '(no answer)'} {rule}{': ' if reason else ''}{reason}".rstrip()
    return Said(text, {"method": method, "path": shown, "status": status, "rule": rule, "reason": reason})


def _hide(text: str) -> str:
    return _KEY.sub(HIDDEN, text)
