"""What a run of the verifier asks the correct server, so that a changed one can be asked the same. Judges nothing.

A server that answers all of it like the correct one gets the same verdicts without a run. For any other server, the run
can begin with the part in which the first answer differs.
"""

import asyncio
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

ASKED = ("type", "http_version", "method", "scheme", "path", "raw_path", "root_path", "query_string", "headers")


@dataclass(frozen=True)
class Told:
    """One request in the part `number` of a run, and a digest of everything that the server sent back."""

    number: int
    scope: dict[str, Any]
    body: bytes
    answer: bytes


class Recorder:
    """An application, and the story of what it is asked.

    It is called for whole requests, one at a time, so that the same requests in the same order find the same state.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app, self._number = app, 0
        self.story: list[Told] = []
        self._bodies: dict[bytes, bytes] = {}  # the large ones come again and again

    def progress(self, number: int, *_: object) -> None:
        """The part of the run that begins: for `Run.progress`."""
        self._number = number

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application."""
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        else:
            return  # the client is gone
        asked = {name: scope[name] for name in ASKED if name in scope}
        sent = await _sent(self._app, asked, body)
        self.story.append(Told(self._number, asked, self._bodies.setdefault(body, body), _digest(sent)))
        for each in sent:
            await send(each)


def first_difference(app: ASGIApp, story: Iterable[Told]) -> int | None:
    """The part of the run in which the application first answers differently; None if it never does."""

    async def play() -> int | None:
        for told in story:
            if _digest(await _sent(app, told.scope, told.body)) != told.answer:
                return told.number
        return None

    return asyncio.run(play())


async def _sent(app: ASGIApp, scope: dict[str, Any], body: bytes) -> list[Message]:
    """Everything that the application sends; if it raises, that is the last message."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    try:
        await app(dict(scope), receive, send)
    except Exception as error:  # whatever a changed text raises
        sent.append({"type": "raised", "error": type(error).__name__})
    return sent


def _digest(sent: list[Message]) -> bytes:
    """Without the order of the methods in `Allow`, which Starlette takes from a set: it differs between processes."""
    unordered = [
        [(name, sorted(value.split(b", ")) if name == b"allow" else value) for name, value in each.get("headers", ())]
        for each in sent
    ]
    rest = [{name: value for name, value in each.items() if name != "headers"} for each in sent]
    return hashlib.sha256(repr((rest, unordered)).encode()).digest()
