"""Requests that do not wait for answers: servers that mix them up are seen, servers that close in between are sound."""

import time
from collections.abc import Callable
from random import Random

import pytest
from feedback_spec.document import Document
from feedback_verify.checks.pipelining import pipelined_requests_are_answered_one_by_one
from feedback_verify.scenario import Scenario, Violated
from feedback_verify.targets import ControlTarget
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.broken.server import Implementation
from tests.broken.serving import serving

AT_ONCE = 0.05  # seconds between two requests of a connection that came together


class Connections:
    """What a server remembers of a connection: its last answer and credentials, for requests that come at once."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.kept: dict[object, tuple[float, list[Message], list[tuple[bytes, bytes]]]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        messages: list[Message] = []

        async def remembered(message: Message) -> None:
            messages.append(message)
            await send(message)

        began, before, headers = self.kept.get(scope["client"], (0.0, [], []))
        if time.monotonic() - began > AT_ONCE or scope["path"].startswith("/_control"):
            before, headers = [], []
        await self.answer(scope, receive, remembered, before, headers)
        self.kept[scope["client"]] = (time.monotonic(), messages, list(scope["headers"]))

    async def answer(
        self, scope: Scope, receive: Receive, send: Send, before: list[Message], headers: list[tuple[bytes, bytes]]
    ) -> None:
        """As it should be."""
        await self.app(scope, receive, send)


class AnswersOnce(Connections):
    """A submission that comes at once with another one has its answer."""

    async def answer(
        self, scope: Scope, receive: Receive, send: Send, before: list[Message], headers: list[tuple[bytes, bytes]]
    ) -> None:
        if scope["method"] == "POST" and before and before[0]["status"] == 200:
            for message in before:
                await send(message)
        else:
            await self.app(scope, receive, send)


class KnowsWhoAsked(Connections):
    """Who asks without credentials at once with somebody else is taken for them."""

    async def answer(
        self, scope: Scope, receive: Receive, send: Send, before: list[Message], headers: list[tuple[bytes, bytes]]
    ) -> None:
        known = [each for each in headers if each[0] == b"authorization"]
        if known and not any(name == b"authorization" for name, _ in scope["headers"]):
            scope = {**scope, "headers": [*scope["headers"], *known]}
        await self.app(scope, receive, send)


class ClosesAfterRefusals(Connections):
    """Closes the connection where it has not read a body, as it may."""

    async def answer(
        self, scope: Scope, receive: Receive, send: Send, before: list[Message], headers: list[tuple[bytes, bytes]]
    ) -> None:
        async def closing(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
            await send(message)

        await self.app(scope, receive, closing)


def told(front: Callable[[ASGIApp], ASGIApp], document: Document) -> str:
    """What is wrong; nothing where all is well. How much was seen stands in the number of observations."""
    with (
        serving(front(Implementation().app())) as url,
        ControlTarget(url, url) as target,
        Scenario(target, document, Random(1)) as scenario,
    ):
        try:
            pipelined_requests_are_answered_one_by_one(scenario)
        except Violated as violated:
            return str(violated)
        return "" if scenario.observations and scenario.finding is None else "nothing was seen"


@pytest.mark.parametrize("front", [Connections, ClosesAfterRefusals])
def test_own_answers_and_closed_connections_are_right(front: Callable[[ASGIApp], ASGIApp], document: Document) -> None:
    assert told(front, document) == ""


def test_answer_of_another_request_is_seen(document: Document) -> None:
    assert told(AnswersOnce, document).startswith("a submission for another event, pipelined: ")


def test_credentials_of_another_request_are_seen(document: Document) -> None:
    assert told(KnowsWhoAsked, document).startswith("one without credentials and with a long body, pipelined: ")
