"""Pipelined requests: mixed-up responses are detected; closing the connection in between is allowed."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from random import Random

import pytest
from feedback_spec.document import Document
from feedback_verify.checks.pipelining import pipelined_requests_are_answered_one_by_one
from feedback_verify.scenario import Scenario, Violated
from feedback_verify.targets import ControlTarget
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.broken.server import Implementation
from tests.broken.serving import serving
from tests.fronts.fronts import Fails

Change = Callable[[bytes], bytes]


def nothing(read: bytes) -> bytes:
    """The input, unchanged."""
    return read


def one_user(read: bytes) -> bytes:
    """Of requests that arrive together, those without credentials get those of the first."""
    known = re.search(rb"(?i)authorization: [^\r]+\r\n", read)
    requests = re.split(rb"(?=POST /|GET /|HEAD /|OPTIONS /)", read)
    if known is None or len(requests) < 3:
        return read
    add = known[0]
    return b"".join(
        each.replace(b"\r\n", b"\r\n" + add, 1) if each and b"uthorization:" not in each else each for each in requests
    )


def one_body(read: bytes) -> bytes:
    """Of two submissions of the same length that arrive together, the second gets the body of the first."""
    bodies = re.findall(rb'\r\n\r\n(\{"event_id": "[0-9a-f]{32}", "name": "Jane Smith"[^}]*\})POST /', read)
    return read.replace(bodies[1], bodies[0], 1) if len(bodies) > 1 and len(bodies[0]) == len(bodies[1]) else read


@contextmanager
def proxy(url: str, change: Change) -> Iterator[str]:
    """A proxy that treats what it reads at once in its own way."""
    host, port = url.removeprefix("http://").split(":")

    def copy(source: socket.socket, to: socket.socket, change: Change) -> None:
        with source:
            with suppress(OSError):
                while read := source.recv(1_048_576):
                    to.sendall(change(read))
            with suppress(OSError):
                to.shutdown(socket.SHUT_WR)

    def accept() -> None:
        with suppress(OSError):
            while True:
                client = listener.accept()[0]
                server = socket.create_connection((host, int(port)))
                threading.Thread(target=copy, args=(client, server, change), daemon=True).start()
                threading.Thread(target=copy, args=(server, client, nothing), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


class ClosesAfterRefusals:
    """Closes the connection if it has not read a body, as it may."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def closing(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
            await send(message)

        await self.app(scope, receive, closing)


class SaysALot:
    """A head of nearly 100 KiB, as much as HTTP clients read."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def saying(message: Message) -> None:
            if message["type"] == "http.response.start":
                more = [(b"x-more-%d" % number, b"m" * 990) for number in range(97)]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        await self.app(scope, receive, saying)


def told(app: ASGIApp, change: Change, document: Document) -> str:
    """What is wrong, or was not judged; nothing if all is well."""
    with (
        serving(app) as behind,
        proxy(behind, change) as url,
        ControlTarget(url, behind) as target,
        Scenario(target, document, Random(1)) as scenario,
    ):
        try:
            pipelined_requests_are_answered_one_by_one(scenario)
        except Violated as violated:
            return str(violated)
        return scenario.finding or ("" if scenario.observations else "nothing was seen")


@pytest.mark.parametrize("around", [lambda app: app, ClosesAfterRefusals, SaysALot])
def test_what_servers_may_do_is_right(around: Callable[[ASGIApp], ASGIApp], document: Document) -> None:
    assert told(around(Implementation().app()), nothing, document) == ""


def test_server_that_is_busy_for_one_of_them_is_not_judged(document: Document) -> None:
    """The 19th request, one of the pipelined ones, is answered with 503."""
    shown = told(Fails(Implementation().app()), nothing, document)

    assert shown.startswith("pipelined requests were not judged: the target was busy")


def test_body_of_another_request_is_seen(document: Document) -> None:
    shown = told(Implementation().app(), one_body, document)

    assert shown.startswith("a submission for another event, pipelined: ")


def test_credentials_of_another_request_are_seen(document: Document) -> None:
    shown = told(Implementation().app(), one_user, document)

    assert shown.startswith("one without credentials and with a long body, pipelined: ")
