"""Shared by the mock's tests: the application in-process, with one project whose clock is frozen."""

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from feedback_mock import Sandbox
from feedback_mock.app import create_app
from feedback_mock.mock import Mock
from feedback_mock.shared import connection, logs

from tests.mock.redis_server import PROGRAM, RedisServer
from tests.mock.redis_server import redis_server as running_redis

NOW = "2026-01-01T00:00:00.000000Z"
EVENT = "7167980ca1db42cdba8d5284e7f81c66"
FIRST_ID = "1239804060000001"  # of acme/web, on every server

ON_BOTH_STORES = (
    "test_control",
    "test_faults",
    "test_following",
    "test_journal",
    "test_ingest",
    "test_listing",
    "test_sleeping",
    "test_snapshot",
    "test_windows",
)


class Api:
    """A client of one mock; `project` is acme/web unless a test creates another."""

    def __init__(self, mock: Mock, runner: asyncio.Runner, project: dict[str, Any] | None = None) -> None:
        """`project` is an existing one."""
        self.mock, self.runner = mock, runner
        transport = httpx.ASGITransport(mock, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080")
        self.project = project or self.make_project("acme", "web")

    def send_through(self, app: Any) -> None:
        """From now on, sends requests to this application, which contains the mock."""
        transport = httpx.ASGITransport(app, raise_app_exceptions=True)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080")

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self.runner.run(self.request(method, path, **options))

    async def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """The same, for several at once."""
        return await self._client.request(method, path, **options)

    def make_project(self, organization: str, slug: str) -> dict[str, Any]:
        clock = {"now": NOW, "running": False}
        answer = self.send("PUT", f"/_control/projects/{organization}/{slug}", json={"clock": clock})
        assert answer.status_code == 200
        project: dict[str, Any] = answer.json()
        return project

    @property
    def path(self) -> str:
        return f"/api/0/projects/{self.project['organization']}/{self.project['project']}/user-feedback/"

    def bearer(self, kind: str = "write") -> dict[str, str]:
        return {"Authorization": f"Bearer {self.project['tokens'][kind]}"}

    def dsn(self) -> dict[str, str]:
        return {"Authorization": f"DSN {self.project['dsn']}"}

    def submit(self, headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
        """Four valid fields, except for those given; a field given as `...` is left out."""
        body = {"event_id": EVENT, "name": "Jane Smith", "email": "jane@example.com", "comments": "It broke!", **fields}
        body = {name: value for name, value in body.items() if value is not ...}
        return self.send("POST", self.path, headers=self.bearer() if headers is None else headers, json=body)

    def post(self, content: Any, content_type: str | None = "application/json") -> httpx.Response:
        headers: dict[str, Any] = self.bearer() | (
            {} if content_type is None else {"Content-Type": content_type.encode("latin-1")}
        )
        return self.send("POST", self.path, headers=headers, content=content)

    def listed(self, query: str = "", kind: str = "read") -> httpx.Response:
        return self.send("GET", self.path + query, headers=self.bearer(kind))

    def control(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self.send(
            method, f"/_control/projects/{self.project['organization']}/{self.project['project']}{path}", **options
        )

    def save_event(self, event_id: str = EVENT, **event: Any) -> None:
        assert self.control("PUT", f"/events/{event_id}", json=event).status_code == 200

    def advance(self, duration: str) -> None:
        assert self.control("POST", "/clock/advance", json={"duration": duration}).status_code == 200

    def stored(self) -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = self.control("GET", "/feedback").json()
        return records

    def close(self) -> None:
        self.runner.run(self._client.aclose())
        self.runner.run(self.mock.close())


@contextmanager
def submitted_in_one_piece(sandbox: Sandbox) -> Iterator[socket.socket]:
    """The connection on which head and body of a submission were sent together; its response has not been read."""
    body = json.dumps({"event_id": EVENT, "name": "Jane", "email": "jane@example.com", "comments": "It broke!"})
    url = urlsplit(sandbox.feedback_url)
    head = f"POST {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: {len(body)}\r\n"
    head += f"Content-Type: application/json\r\nAuthorization: Bearer {sandbox.token}\r\n\r\n"
    with socket.create_connection((url.hostname, url.port)) as opened:
        opened.sendall((head + body).encode())
        yield opened


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as running:
        yield running


@pytest.fixture
def make_api(runner: asyncio.Runner) -> Iterator[Any]:
    """Creates clients of mocks with other options than the usual ones."""
    made: list[Api] = []

    def make(mock: Mock) -> Api:
        made.append(Api(mock, runner))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A real one, if Redis is installed."""
    if PROGRAM is None:
        pytest.skip("redis-server cannot be had")
    with running_redis() as server, pytest.MonkeyPatch.context() as patch:
        for each in (connection, logs):  # however busy this machine is
            patch.setattr(each, "PATIENCE", 60.0)
        yield server


@pytest.fixture
def empty_redis(redis_server: RedisServer) -> RedisServer:
    with redis_server.client as client:
        client.flushall()
    return redis_server


@pytest.fixture(scope="session")
def mock_on_redis(redis_server: RedisServer) -> Mock:
    """One for all tests: it starts afresh whenever Redis is empty."""
    return create_app(redis=redis_server.url)


@pytest.fixture
def shared_mock(empty_redis: RedisServer, mock_on_redis: Mock) -> Mock:
    """A mock on an empty Redis."""
    assert empty_redis.url
    return mock_on_redis


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs the tests of some modules on both stores; the others test nothing about stores."""
    if "api" in metafunc.fixturenames and metafunc.module.__name__.rpartition(".")[2] in ON_BOTH_STORES:
        metafunc.parametrize("store", ["memory", "redis"])


@pytest.fixture
def store() -> str:
    """Where the projects are stored."""
    return "memory"


@pytest.fixture
def api(make_api: Any, store: str, request: pytest.FixtureRequest) -> Api:
    api: Api = make_api(request.getfixturevalue("shared_mock") if store == "redis" else create_app())
    return api
