"""Clients that sleep on one clock over a real server: a 31-minute story, many at once, and clients that hang or
disconnect.
"""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from feedback_mock import Sandbox, Server, create_app

from tests.mock.conftest import NOW
from tests.mock.shared_story import differences, expected, play

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def sandbox(server: Server) -> Iterator[Sandbox]:
    with Sandbox(server, "acme", "web", now=START) as made:
        yield made


@pytest.fixture(scope="module")
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def shown(sandbox: Sandbox) -> dict[str, Any]:
    clock: dict[str, Any] = httpx.get(f"{sandbox.control_url}/clock").json()
    return clock


def asleep(sandbox: Sandbox, *names: str) -> None:
    """Waits until these participants are asleep, because their threads start at any time."""
    project = sandbox.app.store.project(sandbox.organization, sandbox.project)
    assert project is not None
    while any(project.sleepers.shown().get(name) is None for name in names):
        threading.Event().wait(0.001)


def test_two_clients_play_31_minutes_on_one_clock(sandbox: Sandbox) -> None:
    async def story() -> Any:
        async with httpx.AsyncClient(timeout=20) as http:
            return await play(sandbox, http)

    told = asyncio.run(story())

    assert told == expected(START)
    assert set(differences(sandbox, told)) == {timedelta(0)}
    assert [each.comments for each in sandbox.feedback] == ["It broke again!", "As old as can be."]
    assert shown(sandbox)["participants"] == []


def test_64_projects_skip_on_their_own(server: Server) -> None:
    """Frozen and running clocks alike; `python -m benchmarks.one_clock` plays the whole story in each."""
    sandboxes = [Sandbox(server, "acme", f"clock-{n}", now=START, running=n % 2 == 1) for n in range(64)]
    for each in sandboxes:
        each.join("own", lease="PT2M")
        each.join("other", lease="PT2M")

    async def skip(http: httpx.AsyncClient, sandbox: Sandbox, way: timedelta) -> tuple[datetime, datetime]:
        async def sleep(name: str, way: timedelta) -> datetime:
            body = {"until": (START + way).isoformat(), "participant": name}
            answer = await http.post(f"{sandbox.control_url}/clock/sleep", json=body)
            sandbox.leave(name)
            return datetime.fromisoformat(answer.json()["now"])

        own, other = await asyncio.gather(sleep("own", way), sleep("other", 2 * way))
        return own, other

    async def skips() -> list[tuple[datetime, datetime]]:
        async with httpx.AsyncClient(timeout=20, limits=httpx.Limits(max_connections=None)) as http:
            return await asyncio.gather(*(skip(http, each, way) for each, way in zip(sandboxes, ways, strict=True)))

    ways = [timedelta(hours=1, minutes=number) for number in range(64)]
    came = asyncio.run(skips())

    assert came[::2] == [(START + way, START + 2 * way) for way in ways[::2]]
    late = [each - START - way for pair, way in zip(came[1::2], ways[1::2], strict=True) for each in pair[:1]]
    assert all(timedelta(0) <= each < MINUTE for each in late)


def test_threads_sleep_by_the_sandbox_and_others_by_http(sandbox: Sandbox, threads: ThreadPoolExecutor) -> None:
    sandbox.join("test")
    client: Future[datetime] = threads.submit(sandbox.sleep, "PT5M", "client")
    asleep(sandbox, "client")
    assert shown(sandbox) == {
        "now": NOW,
        "running": False,
        "participants": [
            {"name": "test", "asleep_until": None},
            {"name": "client", "asleep_until": "2026-01-01T00:05:00.000000Z"},
        ],
        "held_by": ["test"],
    }
    body = {"until": "2026-01-01T00:31:00Z", "participant": "test"}
    test = threads.submit(httpx.post, f"{sandbox.control_url}/clock/sleep", json=body)

    assert client.result(10) == START + 5 * MINUTE
    assert sandbox.sleep(26 * MINUTE, "client") == START + 31 * MINUTE
    assert test.result(10).json() == {"now": "2026-01-01T00:31:00.000000Z", "running": False}


def test_who_hangs_holds_the_others_no_longer_than_its_lease(sandbox: Sandbox) -> None:
    sandbox.join("hangs", lease="PT0.02S")

    assert sandbox.sleep("PT31M", "client") == START + 31 * MINUTE
    assert [each["name"] for each in shown(sandbox)["participants"]] == ["client"]


def test_a_client_that_leaves_is_awake_with_its_lease(sandbox: Sandbox, threads: ThreadPoolExecutor) -> None:
    sandbox.join("test")
    body = {"duration": "PT5M", "participant": "client"}
    patience = httpx.Timeout(5, read=0.3)
    gone = threads.submit(httpx.post, f"{sandbox.control_url}/clock/sleep", json=body, timeout=patience)
    asleep(sandbox, "client")
    sandbox.join("client", lease="PT0.02S")
    assert isinstance(gone.exception(10), httpx.ReadTimeout)

    assert sandbox.sleep("PT31M", "test") == START + 31 * MINUTE
    assert [each["name"] for each in shown(sandbox)["participants"]] == ["test"]


@pytest.mark.parametrize(
    ("end", "what"),
    [
        ("reset", "was reset"),
        ("delete", "was deleted"),
        ("replace", "was replaced"),
        ("restore", "was replaced"),
    ],
)
def test_the_end_of_a_project_wakes_everybody(
    sandbox: Sandbox, threads: ThreadPoolExecutor, server: Server, end: str, what: str
) -> None:
    sandbox.join("test")
    body = {"duration": "PT5M", "participant": "http"}
    by_http = threads.submit(httpx.post, f"{sandbox.control_url}/clock/sleep", json=body)
    by_thread = threads.submit(sandbox.sleep, "PT5M", "thread")
    asleep(sandbox, "http", "thread")
    if end == "replace":
        Sandbox(server, sandbox.organization, sandbox.project)
    elif end == "restore":
        sandbox.restore(sandbox.snapshot())
    else:
        getattr(sandbox, end)()
    answer, sentence = by_http.result(10), f"The project acme/web {what} during this sleep."

    assert (answer.status_code, answer.json()) == (409, {"detail": sentence})
    assert answer.headers["X-Feedback-Rule"].partition(";")[0] == "clock"
    with pytest.raises(ValueError, match=sentence):
        by_thread.result(10)


def test_the_end_of_the_server_wakes_everybody(threads: ThreadPoolExecutor) -> None:
    with Server() as server:
        sandbox = Sandbox(server, "acme", "clock")
        sandbox.join("test")
        body = {"duration": "PT5M", "participant": "http"}
        by_http = threads.submit(httpx.post, f"{sandbox.control_url}/clock/sleep", json=body)
        by_thread = threads.submit(sandbox.sleep, "PT5M", "thread")
        asleep(sandbox, "http", "thread")

    assert by_http.result(10).json() == {"detail": "The server stopped during this sleep."}
    with pytest.raises(ValueError, match="The server stopped during this sleep"):
        by_thread.result(10)


def test_a_mock_in_process_needs_no_server(threads: ThreadPoolExecutor) -> None:
    with Sandbox(create_app(), "acme", "web", now=START) as sandbox:
        for name in ("test", "client"):
            sandbox.join(name)
        client = threads.submit(sandbox.sleep, "PT5M", "client")
        sandbox.sleep("PT4M", "test")
        sandbox.leave("test")

        assert client.result(10) == sandbox.now == START + 5 * MINUTE
