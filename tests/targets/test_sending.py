"""A 429 that waiting does not end: its clock stands still, so it says nothing about the pace."""

import math
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from feedback_verify.exchange import Request
from feedback_verify.targets.network import Network, PerThread
from feedback_verify.targets.pace import LONGEST, Pace
from feedback_verify.targets.sending import ASKED, NotReachable, Sender, Trouble
from starlette.requests import Request as Asked
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from tests.broken.serving import serving
from tests.fronts.fronts import closing


class Refuses:
    """Answers 429 to POST and says how long to wait, no matter how long one has waited; counts requests."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = Asked(scope).method
        self.asked.append(method)
        answer = JSONResponse({}, 429, {"Retry-After": "1"}) if method == "POST" else JSONResponse({})
        await answer(scope, receive, send)


class Impatient(Sender):
    """Its waits end immediately."""

    def wait(self, seconds: float) -> None:
        """Whatever it waits for has happened."""


def test_429_that_no_waiting_ends_is_given_up_once() -> None:
    """After five tries; then at the first response, and nothing else is slowed down."""
    server, network = Refuses(), Network()
    with serving(server) as url, network.transport(kept_for=1) as transport:
        sender = Impatient(network)
        assert sender.exchange(transport, Request("GET", url)).status == 200
        for _ in range(2):
            with pytest.raises(Trouble, match="429, Retry-After: 1"):
                sender.exchange(transport, Request("POST", url))

        assert server.asked == ["GET", *["POST"] * (1 + ASKED), "POST"]
        assert sender.pace.rate is None
        assert sender.exchange(transport, Request("GET", url)).status == 200


def test_server_that_responded_before_is_not_asked_whether_it_speaks_https() -> None:
    network = Network()
    sender = Sender(network)
    behind, transport = serving(JSONResponse({})), network.transport(kept_for=0)
    with behind as url, closing(url, every=2) as front, transport:
        sender.exchange(transport, Request("GET", front))
        with pytest.raises(NotReachable, match=r"It responded before: is it still running\?$"):
            sender.exchange(transport, Request("POST", front))


def test_server_at_another_address_did_not_respond_before() -> None:
    """As a control API has that is elsewhere: a wrong URL is not waited for, and its remedy is another one."""
    network = Network()
    sender = Sender(network)
    with serving(JSONResponse({})) as url, socket.socket() as unused, network.transport(kept_for=0) as transport:
        unused.bind(("127.0.0.1", 0))
        sender.exchange(transport, Request("GET", url))
        with pytest.raises(NotReachable, match=r"Is the server running, and is the URL right\?$"):
            sender.exchange(transport, Request("POST", f"http://127.0.0.1:{unused.getsockname()[1]}"))


@pytest.mark.parametrize("headers", [{}, {"retry-after": "0"}, {"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}])
def test_who_is_refused_again_and_again_slows_down(headers: dict[str, str]) -> None:
    """Even where a target says that it need not wait: otherwise it would get thousands of requests in a minute."""
    pace = Pace()
    for _ in range(10):
        pace.refused(429, math.inf, headers)

    assert pace.turn() > LONGEST / 2


def test_connections_that_are_kept_are_of_one_thread_each() -> None:
    """Of those of all, httpcore may close one just as another thread begins to use it."""
    server = Remembers()
    with serving(server) as url, PerThread(lambda: network.transport(kept_for=60)) as transport:
        network = Network()
        with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
            for each in (one, other, one):
                each.submit(Sender(network).exchange, transport, Request("GET", url)).result()

    first, second, third = server.clients
    assert first == third != second


class Remembers:
    """Remembers from which addresses it was asked."""

    def __init__(self) -> None:
        self.clients: list[tuple[str, int]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.clients.append(scope["client"])
        await JSONResponse({})(scope, receive, send)
