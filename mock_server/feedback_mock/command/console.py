"""Logs each request in one line: method, path, status, rule and reason. Never shows queries, headers or secrets."""

import re
from collections.abc import Callable
from functools import lru_cache, partial

from feedback_mock.asgi import ASGIApp, Header, Message, Receive, Scope, Send, printable, rule_and_reason
from feedback_mock.command.log import Line, Said
from feedback_mock.control.har import HIDDEN
from feedback_mock.page.site import PAGE

MOST_OF_A_PATH = 200
# Anything that looks like a token or key. Event ids look the same, and appear in the control protocol's paths.
_KEY = re.compile(r"(?<!/events/)(?<![0-9A-Za-z])[0-9A-Fa-f]{32,}")


class Console:
    """The application, with a log line for each request once it has been answered.

    A status of 0 is a connection that broke without a response.
    """

    def __init__(self, app: ASGIApp, say: Callable[[Line], None]) -> None:
        self._app, self._say = app, say

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request and logs it, except for the page's own files, which no client asks for."""
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
            # The line is formatted by the thread that writes it, so no request waits for that.
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
