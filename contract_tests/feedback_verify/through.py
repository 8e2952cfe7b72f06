"""An application for Schemathesis that forwards each request to the target, on the same connections and at the same
pace.

It records each one as an exchange, under the number that Schemathesis gives the case.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from feedback_verify.exchange import Exchange, Request
from feedback_verify.scenario import BY_CHANCE, Scenario
from feedback_verify.targets import NotReachable, Stopped, Trouble, Unsendable

NUMBER = "x-schemathesis-testcaseid"
DROPPED = frozenset({NUMBER, "host", "user-agent", "accept", "accept-encoding", "connection", "content-length"})
Message = MutableMapping[str, Any]


class Ended(Exception):
    """Schemathesis cannot continue; the message says why."""


class Through:
    """The application. `exchanges` are in the order of their responses; `answered` maps numbers to them.

    `lost` are requests that twice got no response.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.exchanges: list[Exchange] = []
        self.answered: dict[str, Exchange] = {}
        self.lost: list[Request] = []
        self._target = scenario.target
        self._place = "{0.scheme}://{0.netloc}".format(urlsplit(scenario.target.base_url))
        # Credentials arrive as text, and are shown by name.
        self._ours = {each.value: each for each in scenario.project.credentials.values()}

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """The ASGI interface."""
        if scope["type"] != "http":
            raise NotImplementedError
        headers = {name.decode(): value.decode("utf-8", "surrogateescape") for name, value in scope["headers"]}
        content, more = b"", True
        while more:
            message = await receive()
            content, more = content + message.get("body", b""), message.get("more_body", False)
        query = scope["query_string"].decode("ascii")
        url = self._place + scope["raw_path"].decode("ascii") + (f"?{query}" if query else "")
        kept = {name: self._ours.get(value, value) for name, value in headers.items() if name not in DROPPED}
        exchange = await asyncio.to_thread(self._exchange, Request(scope["method"], url, kept, content))
        self.exchanges.append(exchange)
        self.answered[headers.get(NUMBER, "")] = exchange
        told = [
            (name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in exchange.headers.items()
        ]
        await send({"type": "http.response.start", "status": exchange.status, "headers": told})
        await send({"type": "http.response.body", "body": exchange.content})

    def _exchange(self, request: Request) -> Exchange:
        try:
            for _ in range(BY_CHANCE):
                # Sending it again does no harm: event ids are fresh, and overwriting with the same values changes
                # nothing.
                with suppress(NotReachable):
                    return self._target.exchange(request)
            return self._target.exchange(request)
        except (NotReachable, Trouble, Unsendable) as error:
            if isinstance(error, NotReachable):
                self.lost.append(request)
            raise Ended(str(error)) from None
        except Stopped:
            raise Ended("the run was stopped") from None  # Ctrl-C would end the event loop that all cases share
