"""Clients that sleep on the clock of one project, with both stores: who is woken when, and what is refused."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import httpx
import pytest
from feedback_mock.app import create_app

from tests.mock.conftest import NOW, Api

WEB = "/_control/projects/acme/web"


def at(minutes: int) -> str:
    return f"2026-01-01T00:{minutes:02}:00.000000Z"


async def sleep(api: Api, duration: str, participant: str) -> httpx.Response:
    body = {"duration": duration, "participant": participant}
    async with asyncio.timeout(20):
        return await api.request("POST", f"{WEB}/clock/sleep", json=body)


async def clock(api: Api) -> Any:
    return (await api.request("GET", f"{WEB}/clock")).json()


async def fallen_asleep(api: Api, asleep: Coroutine[Any, Any, httpx.Response], name: str) -> Any:
    """The task of a sleep, once its participant is asleep."""
    task = asyncio.create_task(asleep)
    async with asyncio.timeout(20):
        while not any(each["name"] == name and each["asleep_until"] for each in (await clock(api))["participants"]):
            await asyncio.sleep(0)
    return task


def join(api: Api, name: str, lease: str = "PT2M") -> None:
    assert api.control("PUT", f"/clock/participants/{name}", json={"lease": lease}).status_code == 200


def test_clock_jumps_as_soon_as_all_are_asleep(api: Api) -> None:
    join(api, "form")
    join(api, "job")

    async def job() -> list[str]:
        return [(await sleep(api, each, "job")).json()["now"] for each in ("PT5M", "PT26M")]

    async def story() -> Any:
        return await asyncio.gather(sleep(api, "PT31M", "form"), job())

    form, woken = api.runner.run(story())
    assert form.json() == {"now": at(31), "running": False}
    assert woken == [at(5), at(31)]


def test_clock_names_who_holds_it_up(api: Api) -> None:
    join(api, "test")

    async def story() -> Any:
        asleep = await fallen_asleep(api, sleep(api, "PT5M", "client"), "client")
        told = await clock(api)
        await api.request("DELETE", f"{WEB}/clock/participants/test")
        return told, (await asleep).json()

    told, answer = api.runner.run(story())
    participants = [{"name": "test", "asleep_until": None}, {"name": "client", "asleep_until": at(5)}]
    assert told == {"now": NOW, "running": False, "participants": participants, "held_by": ["test"]}
    assert answer["now"] == at(5)


def test_clock_that_is_moved_wakes_who_is_due_whether_it_takes_part_or_not(api: Api) -> None:
    join(api, "test")

    async def story() -> Any:
        watching = asyncio.create_task(api.request("POST", f"{WEB}/clock/sleep", json={"until": at(6)}))
        asleep = await fallen_asleep(api, sleep(api, "PT5M", "client"), "client")
        await api.request("POST", f"{WEB}/clock/advance", json={"duration": "PT6M"})
        return await asyncio.gather(watching, asleep)

    assert [each.json()["now"] for each in api.runner.run(story())] == [at(6), at(6)]


def test_running_clock_wakes_without_a_request(api: Api) -> None:
    api.control("PUT", "/clock", json={"running": True})
    answer = api.runner.run(sleep(api, "PT0.05S", "client"))

    assert answer.status_code == 200
    assert answer.json()["now"] >= "2026-01-01T00:00:00.050000Z"


def test_who_hangs_holds_the_others_up_no_longer_than_its_lease(api: Api) -> None:
    join(api, "hangs", "PT0.02S")

    assert api.runner.run(sleep(api, "PT31M", "client")).json()["now"] == at(31)
    assert api.control("GET", "/clock").json()["held_by"] == ["client"]


def test_who_sleeps_twice_or_leaves_asleep_is_refused(api: Api) -> None:
    join(api, "test")

    async def story() -> Any:
        asleep = await fallen_asleep(api, sleep(api, "PT5M", "client"), "client")
        again = await sleep(api, "PT1M", "client")
        await api.request("DELETE", f"{WEB}/clock/participants/client")
        return again, await asleep

    again, left = api.runner.run(story())
    sentence = "The participant client is already asleep; each can have one sleep at a time."
    assert (again.status_code, again.json()) == (409, {"detail": sentence})
    assert (left.status_code, left.json()) == (409, {"detail": "The participant client left while it slept."})


def test_client_that_disconnects_is_awake(api: Api) -> None:
    join(api, "test")
    said: list[Any] = []

    async def story() -> Any:
        left, messages = asyncio.Event(), [{"type": "http.request", "body": BODY, "more_body": False}]

        async def receive() -> Any:
            if messages:
                return messages.pop()
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            said.append(message)

        scope = {"type": "http", "method": "POST", "path": f"{WEB}/clock/sleep", "query_string": b""}
        scope |= {"http_version": "1.1", "headers": [(b"host", b"127.0.0.1")], "server": ("127.0.0.1", 1)}
        asleep = await fallen_asleep(api, api.mock(scope, receive, send), "client")  # type: ignore[arg-type]
        left.set()
        await asleep
        return await clock(api)

    assert api.runner.run(story())["held_by"] == ["test", "client"]
    assert said == []


BODY = b'{"duration": "PT5M", "participant": "client"}'
ENDS = [
    ("POST", "/reset", "reset"),
    ("DELETE", "", "deleted"),
    ("PUT", "", "replaced"),
    ("PUT", "/snapshot", "replaced"),
]


@pytest.mark.parametrize(("method", "path", "what"), ENDS)
def test_end_of_a_project_wakes_everybody(api: Api, method: str, path: str, what: str) -> None:
    join(api, "test")
    options = {"json": api.control("GET", "/snapshot").json()} if path == "/snapshot" else {}

    async def story() -> Any:
        asleep = await fallen_asleep(api, sleep(api, "PT5M", "client"), "client")
        ended = await api.request(method, f"{WEB}{path}", **options)
        return ended.status_code, await asleep

    status, answer = api.runner.run(story())
    assert status in (200, 204)
    assert answer.status_code == 409
    assert answer.json() == {"detail": f"The project acme/web was {what} during this sleep."}
    assert answer.headers["X-Feedback-Rule"].partition(";")[0] == "clock"


def test_end_of_the_server_wakes_its_own(make_api: Any, store: str, api: Api, request: Any) -> None:
    """Other mocks on the same Redis go on, and see the participant awake."""
    url = request.getfixturevalue("redis_server").url if store == "redis" else None
    stopping = make_api(create_app(redis=url))
    join(stopping, "test")

    async def story() -> Any:
        asleep = await fallen_asleep(stopping, sleep(stopping, "PT5M", "client"), "client")
        stopping.mock.end()
        return await asleep

    assert stopping.runner.run(story()).json() == {"detail": "The server stopped during this sleep."}
    assert api.control("GET", "/clock").json()["held_by"] == (["test", "client"] if url else [])


WRONG = [
    ("PUT", "participants/a", {"lease": "PT0S"}, 400, "lease: must be longer than PT0S and at most PT1H, not PT0S."),
    ("PUT", "participants/a", {"lease": "PT2H"}, 400, "lease: must be longer than PT0S and at most PT1H, not PT2H."),
    ("PUT", "participants/a", {"lease": "soon"}, 400, 'lease: "soon" is not an ISO 8601 duration'),
    ("PUT", "participants/a%20b", None, 400, 'participant: "a b" is not allowed in the path; use the name of'),
    ("DELETE", "participants/a", None, 404, "There is no participant a in acme/web."),
    ("POST", "sleep", {}, 400, "the request body: needs exactly one of duration and until."),
    ("POST", "sleep", {"duration": "PT1S", "until": NOW}, 400, "the request body: needs exactly one of duration and"),
    ("POST", "sleep", {"duration": "P999999W"}, 409, "The clock cannot go beyond 9999-12-31T23:59:59.999999Z."),
    ("POST", "sleep", {"until": "soon"}, 400, 'until: "soon" is not an RFC 3339 instant'),
    ("POST", "sleep", {"until": NOW, "participant": "a b"}, 400, "participant: "),
    ("POST", "sleep", {"until": NOW, "name": "a"}, 400, "name: is not a key here; the keys are duration, until, part"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "sentence"), WRONG)
def test_what_is_wrong_is_said(api: Api, method: str, path: str, body: Any, status: int, sentence: str) -> None:
    answer = api.control(method, f"/clock/{path}", **({} if body is None else {"json": body}))

    assert answer.status_code == status
    assert sentence in answer.text.replace('\\"', '"')
