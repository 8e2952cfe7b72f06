"""The mock in Python: a server in a thread, a clock of its own, and a Connexion that others can use as usual."""

import asyncio
import http.client
import json
import os
import socket
import subprocess
import sys
import threading

import httpx
import pytest
from feedback_mock import protocol
from feedback_mock.app import create_app
from feedback_mock.asgi import Message
from feedback_mock.clock import Clock
from feedback_mock.sandbox import Sandbox
from feedback_mock.server import Server
from feedback_spec.instants import LAST_INSTANT


def test_a_server_is_there_within_its_block_and_gone_after_it() -> None:
    with Server() as server:
        url = server.url
        assert httpx.get(f"{url}/_control/health").status_code == 200

    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/_control/health")


def test_a_server_can_be_entered_again_and_remembers() -> None:
    server = Server()
    with server:
        httpx.put(f"{server.url}/_control/projects/acme/web")
    with server:
        assert httpx.get(f"{server.url}/_control/projects/acme/web").status_code == 200


@pytest.mark.parametrize("offer", ["Upgrade: h2c", "upgrade: h2c, websocket"])
def test_offer_of_an_upgrade_loses_no_body(offer: str) -> None:
    """As Java's own client offers it with the first request on each connection, twice here."""
    body = b'{"event_id": "x", "name": "Jane", "email": "jane@example.com"}'
    with Server() as server:
        project = server.app.default_project
        path = server.app.document.submit.path.format(organization_slug=project.organization, project_slug=project.slug)
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {server.address}\r\nConnection: Upgrade, HTTP2-Settings\r\n{offer}\r\n"
            f"HTTP2-Settings: AAEAAEAA\r\nAuthorization: Bearer {project.credentials.tokens['write']}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        host, _, port = server.address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            for _ in range(2):
                connection.sendall(head.encode() + body)
                answer = http.client.HTTPResponse(connection)
                answer.begin()
                assert list(json.loads(answer.read())) == ["event_id", "comments"]


def test_two_servers_know_nothing_of_each_other() -> None:
    with Server() as one, Server() as other:
        httpx.put(f"{one.url}/_control/projects/acme/web")
        assert httpx.get(f"{other.url}/_control/projects/acme/web").status_code == 404


def test_options_of_the_server_are_those_of_the_application() -> None:
    with Server(control=False) as server:
        assert httpx.get(f"{server.url}/_control/projects").status_code == 404


def test_a_used_address_is_an_oserror() -> None:
    with Server() as server:
        port = int(server.address.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            Server(port=port).__enter__()


def test_what_is_no_http_is_answered_without_harm() -> None:
    with Server() as server:
        upgrade = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "x",
        }
        assert httpx.get(f"{server.url}/none", headers=upgrade).status_code == 404


def test_a_running_clock_follows_its_source_and_never_goes_back() -> None:
    readings = iter([100, 110, 105, 130])
    clock = Clock(lambda: next(readings), now=1_000)

    assert [clock.now(), clock.now(), clock.now()] == [1_010, 1_010, 1_030]


def test_a_frozen_clock_stands_still_until_it_is_moved_and_runs_on_from_there() -> None:
    source = [100]
    clock = Clock(lambda: source[0], now=1_000, running=False)
    source[0] = 500

    assert clock.now() == 1_000
    assert clock.move(by=1)
    assert clock.now() == 1_001
    assert clock.move(running=True)
    source[0] = 507
    assert clock.now() == 1_008


def test_a_reading_that_another_thread_overtakes_does_not_set_a_frozen_clock_back() -> None:
    """The other thread freezes the clock between comparing and writing."""

    class Overtaken(int):
        def __add__(self, other: int) -> "Overtaken":
            return Overtaken(int(self) + other)

        def __gt__(self, other: int) -> bool:
            if clock.running:
                clock.move(by=5_000, running=False)
            return int(self) > other

    readings: list[int] = [0, Overtaken(10), 20, 20]
    clock = Clock(lambda: readings.pop(0), now=1_000)

    assert clock.now() == 1_010
    assert clock.now() == 6_020


def test_a_clock_moves_neither_back_nor_beyond_its_last_instant() -> None:
    clock = Clock(lambda: 0, now=1_000, running=False)

    assert not clock.move(to=999)
    assert not clock.move(by=LAST_INSTANT)
    assert clock.move(to=LAST_INSTANT)
    assert not clock.move(by=1, running=True)
    assert (clock.now(), clock.running) == (LAST_INSTANT, False)


def test_a_running_clock_stops_at_its_last_instant() -> None:
    source = [0]
    clock = Clock(lambda: source[0], now=LAST_INSTANT)
    source[0] = 5

    assert clock.now() == LAST_INSTANT


def test_an_application_needs_no_lifespan_but_takes_part_in_one() -> None:
    async def live() -> list[str]:
        said: list[str] = []
        messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

        async def receive() -> Message:
            return next(messages)

        async def send(message: Message) -> None:
            said.append(message["type"])

        await create_app()({"type": "lifespan"}, receive, send)
        return said

    assert asyncio.run(live()) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def in_a_process(code: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    ).stdout.strip()


def test_the_mock_loads_no_more_than_it_needs() -> None:
    """Startup must be fast; none of these is ever called."""
    unwanted = (
        "httpx",
        "requests",
        "jsonschema",
        "starlette.testclient",
        "connexion.apps",
        "schemathesis",
        "hypothesis",
        "rich",
        "pytest",
    )
    code = f"import feedback_mock.server, sys; print([each for each in {unwanted} if each in sys.modules])"

    assert in_a_process(code) == "[]"


def test_whoever_imports_connexion_later_gets_all_of_it() -> None:
    code = """if True:
        import warnings
        import feedback_mock.app
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import connexion, connexion.json_schema, connexion.security
        app = connexion.AsyncApp("x")
        print(connexion.json_schema.requests.get.__module__, connexion.security.httpx.AsyncClient.__name__)
        print(connexion.json_schema.Draft4Validator({"type": "null"}).is_valid(1))
        print(app.test_client)
    """

    assert in_a_process(code).startswith("requests.api AsyncClient\nFalse\n<bound method")


def test_whoever_imported_connexion_before_keeps_it() -> None:
    code = """if True:
        import warnings
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import connexion
        before = connexion.middleware
        import feedback_mock.app, feedback_mock.routes.router, sys
        ours = feedback_mock.routes.router.SpecMiddleware
        print(sys.modules["connexion"] is connexion, ours is before.SpecMiddleware)
    """

    assert in_a_process(code) == "True True"


@pytest.mark.parametrize("fields", [{"X-Long": "x" * 500_000}, {f"X-{each}": "x" for each in range(1000)}])
def test_a_head_beyond_the_bounds_is_answered_although_it_is_not_read_to_its_end(fields: dict[str, str]) -> None:
    with Server() as server:
        answer = httpx.get(f"{server.url}/_control/health", headers=fields)

    assert (answer.status_code, answer.headers["connection"]) == (431, "close")


def test_what_is_in_flight_is_answered_when_the_server_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that send one request after the other all get a response that says it is the last."""
    monkeypatch.setattr(protocol, "LINGER", 10)  # a busy machine may keep a client from its next request for long
    ask = b"GET /_control/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last: list[bytes] = []

    def go_on(connection: socket.socket, begun: threading.Event) -> None:
        answer = b"..."
        with connection:
            while answer and b"connection: close" not in answer:
                connection.sendall(ask)
                answer = connection.recv(4096)
                begun.set()
        last.append(answer)

    with Server() as server:
        host, _, port = server.address.partition(":")
        clients = []
        for _ in range(8):
            connection, begun = socket.create_connection((host, int(port)), timeout=10), threading.Event()
            clients.append(threading.Thread(target=go_on, args=[connection, begun]))
            clients[-1].start()
            begun.wait()  # it has a response, so its connection has been accepted
    for each in clients:
        each.join()

    assert len(last) == 8
    assert all(each.startswith(b"HTTP/1.1 200 ") for each in last)


def test_who_waits_for_a_fault_is_released_when_the_server_ends() -> None:
    with Server() as server:
        sandbox = Sandbox(server, "acme", "web")
        sandbox.fail({"delay": "until_released"})
        asked = threading.Thread(
            target=lambda: statuses.append(httpx.post(sandbox.feedback_url, json={}, timeout=10).status_code)
        )
        statuses: list[int] = []
        asked.start()
        while not sandbox.requests:
            pass
    asked.join()

    assert statuses == [401]
