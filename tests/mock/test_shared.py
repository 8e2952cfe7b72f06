"""Two mocks, as on two hosts, with one Redis: each sees what the other did, and what happens when Redis fails."""

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from feedback_mock import Sandbox
from feedback_mock.app import create_app
from feedback_mock.mock import Mock
from feedback_mock.shared import connection, logs, replicas, sleeping, tallies
from feedback_mock.shared.connection import Away
from feedback_mock.shared.directory import LIFETIME, PREFIX
from feedback_mock.shared.state import fill, pieces_of
from feedback_mock.store import Limits

from tests.mock.conftest import EVENT, Api
from tests.mock.crashing import Host
from tests.mock.redis_server import RedisServer


@pytest.fixture
def here(make_api: Any, shared_mock: Mock) -> Api:
    """A client of the one mock, with a new project."""
    api: Api = make_api(shared_mock)
    return api


@pytest.fixture(scope="session")
def another_mock_on_redis(redis_server: RedisServer) -> Mock:
    return create_app(redis=redis_server.url)


@pytest.fixture
def there(here: Api, another_mock_on_redis: Mock) -> Iterator[Api]:
    """A client of the other one, with the same project."""
    api = Api(another_mock_on_redis, here.runner, here.project)
    yield api
    api.close()


def body(**fields: Any) -> dict[str, Any]:
    return {"event_id": EVENT, "name": "Jane", "email": "jane@example.com", "comments": "It broke!", **fields}


def at_once(*apis: Api, times: int, **fields: Any) -> list[httpx.Response]:
    """This many submissions by each, all at the same time; `name` counts them unless given."""

    async def submit() -> list[httpx.Response]:
        asked = [
            api.request("POST", api.path, headers=api.bearer(), json=body(**{"name": f"{place}-{number}", **fields}))
            for number in range(times)
            for place, api in enumerate(apis)
        ]
        return list(await asyncio.gather(*asked))

    return apis[0].runner.run(submit())


def keys(server: RedisServer, part: bytes) -> list[bytes]:
    with server.client as client:
        return [key for key in client.scan_iter() if key.endswith(part)]


def snapshot(api: Api) -> Any:
    return api.control("GET", "/snapshot").json()


def test_what_one_mock_stores_the_other_overwrites_and_refuses(here: Api, there: Api) -> None:
    here.save_event(saved_ago="PT29M")
    first, second = here.submit(), there.submit(name="John")
    there.advance("PT1M0.000001S")

    assert (first.json()["id"], second.json()["name"]) == (second.json()["id"], "John")
    assert here.submit().status_code == 409
    assert here.stored() == there.stored()


def test_journals_are_one(here: Api, there: Api) -> None:
    for api in (here, there, here):
        api.submit()
    there.send("POST", there.path, headers={"Authorization": "Bearer nobody"}, json={})

    found = [api.control("GET", "/requests").json() for api in (here, there)]
    assert found[0] == found[1]
    assert [each["_feedback"]["number"] for each in found[0]["entries"]] == [1, 2, 3, 4]
    assert [each["_feedback"]["rule"] for each in found[0]["entries"]][-1] == "credentials-known"


def test_refusal_of_another_projects_token_stays_so_when_that_project_is_gone(here: Api, there: Api) -> None:
    """A process that carries it out later would not know the token."""
    token = here.make_project("acme", "other")["tokens"]["write"]
    here.send("POST", here.path, headers={"Authorization": f"Bearer {token}"}, json={})
    here.send("DELETE", "/_control/projects/acme/other")

    (entry,) = there.control("GET", "/requests").json()["entries"]
    assert entry["_feedback"]["rule"] == "project-token"


def test_clocks_faults_and_projects_are_one(here: Api, there: Api) -> None:
    here.control("PUT", "/clock", json={"now": "2027-01-01T00:00:00Z"})
    here.control("POST", "/faults", json={"faults": [{"effect": {"status": 503}, "times": 1}]})
    there.make_project("acme", "new")

    assert there.control("GET", "/clock").json()["now"] == "2027-01-01T00:00:00.000000Z"
    assert [there.submit().status_code, here.submit().status_code] == [503, 200]
    assert here.send("DELETE", "/_control/projects/acme/new").status_code == 204
    names = [each["project"] for each in there.send("GET", "/_control/projects").json()["projects"]]
    assert names == ["plain-proxy", "web"]


def test_projects_made_at_once_have_numbers_of_their_own(here: Api, there: Api) -> None:
    async def make() -> list[httpx.Response]:
        asked = [api.request("POST", "/_control/projects", json={}) for _ in range(20) for api in (here, there)]
        return list(await asyncio.gather(*asked))

    made = [each.json() for each in here.runner.run(make())]
    assert len({each["id"] for each in made}) == len({each["project"] for each in made}) == 40


def test_request_that_waits_at_one_mock_is_released_by_the_other(here: Api, there: Api) -> None:
    here.control("POST", "/faults", json={"faults": [{"effect": {"delay": "until_released"}}]})

    async def run() -> tuple[httpx.Response, int]:
        waits = asyncio.create_task(here.request("POST", here.path, headers=here.bearer(), json=body()))
        released = 0
        while not released:
            answer = await there.request("POST", "/_control/projects/acme/web/faults/release")
            released = answer.json()["released"]
        return await waits, released

    answer, released = here.runner.run(run())
    assert (answer.status_code, released) == (200, 1)
    assert there.control("GET", "/requests").json()["entries"][0]["response"]["status"] == 200


def test_mock_that_stops_releases_no_request_of_the_others(here: Api, redis_server: RedisServer) -> None:
    stopping = Api(create_app(redis=redis_server.url), here.runner, here.project)
    here.control("POST", "/faults", json={"faults": [{"effect": {"delay": "until_released"}}]})

    async def run() -> tuple[httpx.Response, int]:
        waits = asyncio.create_task(here.request("POST", here.path, headers=here.bearer(), json=body()))
        requests: list[Any] = []
        while not requests:
            answer = await stopping.request("GET", "/_control/projects/acme/web/requests")
            requests = answer.json()["entries"]
        stopping.mock.end()
        answer = await stopping.request("POST", "/_control/projects/acme/web/faults/release")
        return await waits, answer.json()["released"]

    answer, released = here.runner.run(run())
    stopping.close()
    assert (answer.status_code, released) == (200, 1)


def test_stream_tells_what_happens_at_the_other_mock(here: Api, there: Api) -> None:
    told: list[bytes] = []

    async def follow() -> None:
        left = asyncio.Event()

        async def receive() -> Any:
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            told.append(message.get("body", b""))
            if message.get("body", b"").startswith(b"event: faults"):
                asyncio.get_running_loop().create_task(
                    there.request("POST", there.path, headers=there.bearer(), json=body())
                )
            if message.get("body", b"").startswith(b"event: request"):
                left.set()

        path = "/_control/projects/acme/web/stream"
        scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "http_version": "1.1"}
        await here.mock({**scope, "headers": [(b"host", b"127.0.0.1")], "server": ("127.0.0.1", 1)}, receive, send)

    here.runner.run(asyncio.wait_for(follow(), 10))
    assert b"Jane" in b"".join(told)


def test_hot_record_loses_no_overwrite(here: Api, there: Api) -> None:
    answers = at_once(here, there, times=100)

    assert [each.text for each in answers if each.status_code != 200] == []
    assert len({each.json()["id"] for each in answers}) == 1
    last = max(there.control("GET", "/requests").json()["entries"], key=lambda each: each["_feedback"]["number"])
    assert here.stored()[0]["name"] == json.loads(last["request"]["postData"]["text"])["name"]


def test_log_is_put_together_and_read_again_as_it_was(
    here: Api, there: Api, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that had carried it out continues, and so does one that starts from the compacted log."""
    monkeypatch.setattr(logs, "LONG", 20_000)
    here.control("POST", "/faults", json={"faults": [{"effect": {"status": 418}, "probability": 0.3}], "seed": 1})
    here.save_event("a" * 32)
    there.submit(event_id="a" * 32)
    for number in range(60):
        here.submit(event_id=f"{number:032x}", comments="x" * 300)
    monkeypatch.setattr(logs, "LONG", 10_000_000)
    (log,) = [key for key in keys(redis_server, b":log") if here.mock.store.replicas["acme", "web"].incarnation in key]  # type: ignore[attr-defined]
    with redis_server.client as client:
        first = client.lindex(log, 0)
    late = Api(create_app(redis=redis_server.url), here.runner, here.project)

    assert isinstance(first, bytes)
    assert first[16:].startswith(b'{"head":')
    assert snapshot(here) == snapshot(there) == snapshot(late)
    for api in (here, there, late):
        api.submit(event_id="f" * 32, name="once more")
    assert snapshot(here) == snapshot(there) == snapshot(late)
    late.close()


def test_project_in_pieces_is_the_same_project(here: Api) -> None:
    """Everything in it."""
    here.control("POST", "/faults", json={"faults": [{"effect": {"status": 418}, "times": 3}]})
    here.control("PUT", "/clock", json={"follow": True, "running": True})
    here.save_event(environment="production")
    for digit in "abcdefba":
        here.submit(event_id=digit * 32)
    here.send("POST", here.path, headers=here.dsn(), content=b"\xff\x00")
    store = here.mock.store
    assert isinstance(store, replicas.Replicas)
    sleepers = store.projects["acme", "web"].sleepers
    assert sleepers.join("a", 3_600_000_000) is None
    sleepers.sleep(store.projects["acme", "web"].clock.now() + 1_000_000_000, "b")
    before = [json.loads(each) for each in pieces_of(store.projects["acme", "web"])]
    project = store.empty(store.replicas["acme", "web"])
    for each in before:
        fill(project, each)

    assert [json.loads(each) for each in pieces_of(project)] == before
    assert project.size > 0
    assert project.journal.size > 0


def test_what_a_process_has_no_room_for_it_reads_again(here: Api, there: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replicas, "MOST_LOADED", 1)
    here.submit()
    here.send("GET", "/_control/projects/the-interstellar-jurisdiction/plain-proxy/feedback")

    assert not here.mock.store.projects["acme", "web"].feedback
    assert here.stored() == there.stored() != []


# --- Redis fails


def test_while_redis_is_away_requests_are_503_and_then_served_again(here: Api, redis_server: RedisServer) -> None:
    redis_server.stop()
    answers = [here.submit(), here.control("GET", "/feedback"), here.send("GET", "/_control/health")]
    redis_server.start()

    for answer in answers:
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert answer.json()["detail"].startswith(f"Redis at {redis_server.url} cannot be asked: ")
    # Its data is gone, because it persists nothing here.
    assert here.submit().status_code == 401
    here.make_project("acme", "web")
    assert here.submit().status_code == 200


def test_slow_redis_is_waited_for_in_bounds(
    make_api: Any, empty_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "PATIENCE", 0.2)
    monkeypatch.setattr(logs, "PATIENCE", 0.2)
    api = make_api(create_app(redis=empty_redis.url))
    os.kill(empty_redis.pid, signal.SIGSTOP)
    try:
        answers = at_once(api, times=3)
    finally:
        os.kill(empty_redis.pid, signal.SIGCONT)

    late = "took longer than 0.2 seconds; it may do what it was asked for all the same"
    assert {each.status_code for each in answers} == {503}
    assert {each.json()["detail"] for each in answers} == {f"Redis at {empty_redis.url} {late}."}
    assert api.submit().status_code == 200


def test_full_redis_is_told(here: Api, redis_server: RedisServer) -> None:
    with redis_server.client as client:
        client.config_set("maxmemory", "1")
        answer = here.submit()
        client.config_set("maxmemory", "0")

    assert (answer.status_code, answer.json()["detail"]) == (503, f"Redis at {redis_server.url} has no memory left.")
    assert here.submit().status_code == 200
    assert len(here.control("GET", "/requests").json()["entries"]) == 1


@pytest.mark.parametrize("parts", [[b":log", b":head"], [b":log"], [b":head"]])
def test_project_that_redis_forgot_is_gone_and_the_first_one_is_made_anew(
    here: Api, redis_server: RedisServer, parts: list[bytes]
) -> None:
    """All of it, or a part, as a Redis does that makes room by itself."""
    first = "/_control/projects/the-interstellar-jurisdiction/plain-proxy"
    here.send("PUT", f"{first}/events/{EVENT}")
    with redis_server.client as client:
        client.delete(*(key for part in parts for key in keys(redis_server, part)))

    assert here.submit().status_code == 401
    assert here.send("GET", f"{first}/events/{EVENT}").json()["detail"].startswith("There is no event")
    assert here.make_project("acme", "web")["project"] == "web"


def test_projects_that_redis_forgot_take_no_room(make_api: Any, empty_redis: RedisServer) -> None:
    api = make_api(create_app(redis=empty_redis.url, limits=Limits(projects=3)))
    made = [api.send("POST", "/_control/projects", json={}) for _ in range(2)]
    with empty_redis.client as client:
        client.delete(*keys(empty_redis, b":head"))
    made += [api.send("POST", "/_control/projects", json={}) for _ in range(3)]

    assert [each.status_code for each in made] == [201, 507, 201, 201, 507]


def test_entries_that_redis_lost_are_forgotten_by_all(here: Api, there: Api, redis_server: RedisServer) -> None:
    """As when Redis loses the last second of its writes when killed; others may have written meanwhile."""
    here.submit(name="kept")
    there.stored()
    here.submit(name="lost")
    replica = here.mock.store.replicas["acme", "web"]  # type: ignore[attr-defined]
    with redis_server.client as client:
        client.rpop(f"{PREFIX.decode()}{replica.incarnation.decode()}:log")
    there.submit(name="later")

    assert here.stored() == there.stored()
    assert [each["name"] for each in here.stored()] == ["later"]
    assert len(here.control("GET", "/requests").json()["entries"]) == 2


@pytest.mark.parametrize("damage", [b"", b"0", b"{", b"[]", b"[1]", b"nil", b"\xff\xfe", b"[1,2,3,4]"])
def test_directory_that_another_program_damaged_is_told_in_one_sentence(
    here: Api, redis_server: RedisServer, damage: bytes
) -> None:
    with redis_server.client as client:
        client.hset(f"{PREFIX.decode()}directory", mapping={"acme/web": damage, "epoch": "another"})
    answer = here.submit()

    assert answer.status_code == 503
    assert "holds what is no list of projects under {feedback-mock}:*. Use another" in answer.json()["detail"]


@pytest.mark.parametrize(
    "damage", [b"", b"x", b"0" * 16, b"0" * 16 + b"[]", b"x" * 16 + b"{}", b'0000000000000000{"events": 1}']
)
def test_entry_that_another_program_wrote_is_logged_and_passed_over(
    here: Api, redis_server: RedisServer, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    here.submit(name="kept")
    replica = here.mock.store.replicas["acme", "web"]  # type: ignore[attr-defined]
    with redis_server.client as client:
        client.rpush(f"{PREFIX.decode()}{replica.incarnation.decode()}:log", damage)

    assert here.submit(name="later").status_code == 200
    assert [each["name"] for each in here.stored()] == ["later"]
    assert [each.message[:40] for each in caplog.records] == ["An entry of a log could not be processed"]


@pytest.mark.parametrize("options", [{"secret": "another"}, {"control": False}])
def test_who_serves_otherwise_is_refused_in_one_sentence(here: Api, redis_server: RedisServer, options: Any) -> None:
    other = create_app(redis=redis_server.url, **options)
    assert other.sharing is not None

    with pytest.raises(Away, match="holds projects of another version of the mock"):
        here.runner.run(other.sharing.begin())


def test_all_keys_are_ours_by_name_and_end_by_themselves(here: Api, redis_server: RedisServer) -> None:
    here.submit()
    here.make_project("acme", "web")  # which removes what there was
    assert counts(here)
    with redis_server.client as client:
        lasts = {key: client.ttl(key) for key in client.scan_iter()}

    assert len(lasts) == 3 + 1 + 2 * 2
    assert all(key.startswith(PREFIX) and 0 < seconds <= LIFETIME for key, seconds in lasts.items())


def test_url_is_shown_without_its_password() -> None:
    shown = connection.Connection("redis://user:secret@redis.test:6379/0?password=secret").shown

    assert shown == "redis://redis.test:6379/0"


def test_sandbox_is_refused_in_one_sentence(here: Api) -> None:
    with pytest.raises(ValueError, match="by HTTP only"):
        Sandbox(here.mock, "acme", "mine")


# --- sleeps


async def asleep(api: Api, name: str, duration: str, *, at: Api) -> "asyncio.Task[httpx.Response]":
    """A sleep of this participant that has begun `at` one mock, as another one shows."""
    task = asyncio.create_task(sleep(at, name, duration))
    await begun(api, name)
    return task


async def sleep(api: Api, name: str, duration: str) -> httpx.Response:
    body = {"duration": duration, "participant": name}
    async with asyncio.timeout(20):
        return await api.request("POST", "/_control/projects/acme/web/clock/sleep", json=body)


async def begun(api: Api, name: str) -> None:
    async with asyncio.timeout(20):
        while not any(each["name"] == name and each["asleep_until"] for each in (await clock(api))["participants"]):
            await asyncio.sleep(0)


async def clock(api: Api) -> Any:
    return (await api.request("GET", "/_control/projects/acme/web/clock")).json()


def join(api: Api, **leases: str) -> None:
    for name, lease in leases.items():
        assert api.control("PUT", f"/clock/participants/{name}", json={"lease": lease}).status_code == 200


def test_clock_jumps_when_the_participants_at_both_mocks_are_asleep(here: Api, there: Api) -> None:
    join(here, a="PT2M", b="PT2M")

    async def story() -> Any:
        a = await asleep(there, "a", "PT31M", at=here)
        held = [await clock(here), await clock(there)]
        b = (await sleep(there, "b", "PT5M")).json()["now"]
        return (
            held,
            b,
            [await clock(here), await clock(there)],
            (await sleep(there, "b", "PT26M")).json()["now"],
            await a,
        )

    held, b, after, *last = here.runner.run(story())
    assert held[0] == held[1]
    assert held[0]["held_by"] == ["b"]
    assert b == after[0]["now"] == "2026-01-01T00:05:00.000000Z"
    assert after[0] == after[1]
    assert after[0]["held_by"] == ["b"]
    assert [last[0], last[1].json()["now"]] == ["2026-01-01T00:31:00.000000Z"] * 2


def test_sleeper_whose_mock_is_killed_holds_the_others_up_for_one_lease(here: Api, redis_server: RedisServer) -> None:
    join(here, b="PT2M")

    async def story() -> Any:
        host, body = Host(redis_server.url), {"duration": "PT5M", "participant": "a"}
        await host.start()
        try:
            async with httpx.AsyncClient(base_url=host.url, timeout=20) as http:
                a = asyncio.create_task(http.post("/_control/projects/acme/web/clock/sleep", json=body))
                await begun(here, "a")
                await here.request("PUT", "/_control/projects/acme/web/clock/participants/a", json={"lease": "PT0.3S"})
                await host.kill()
                with pytest.raises(httpx.TransportError):
                    await a
        finally:
            await host.end()
        held = await clock(here)
        return held["held_by"], (await sleep(here, "b", "PT31M")).json()["now"], await clock(here)

    held, now, after = here.runner.run(story())
    assert held == ["b"]
    assert now == "2026-01-01T00:31:00.000000Z"
    assert [each["name"] for each in after["participants"]] == ["b"]


@pytest.mark.parametrize(
    ("meanwhile", "status", "said"),
    [
        (("POST", "/clock/advance", {"duration": "PT6M"}), 200, "2026-01-01T00:06:00.000000Z"),
        (("POST", "/reset", None), 409, "This sleep ended before its time."),
        (("POST", "/clock/advance", {"duration": "PT4M"}), 200, "2026-01-01T00:05:00.000000Z"),
    ],
)
def test_sleep_outlasts_that_its_mock_reads_the_project_again(
    here: Api, there: Api, monkeypatch: pytest.MonkeyPatch, meanwhile: Any, status: int, said: str
) -> None:
    """Although the log may not show any more how it ended."""
    join(here, b="PT2M")
    monkeypatch.setattr(sleeping, "_PAUSE", 60)

    async def story() -> httpx.Response:
        a = await asleep(there, "a", "PT5M", at=here)
        method, path, body = meanwhile
        await there.request(method, f"/_control/projects/acme/web{path}", json=body)
        monkeypatch.setattr(logs, "LONG", 1)
        await clock(there)  # which puts the log together
        monkeypatch.undo()
        await clock(here)
        if said.endswith("05:00.000000Z"):
            await sleep(here, "b", "PT1M")
        return await a

    answer = here.runner.run(story())
    assert (answer.status_code, answer.json().get("now", answer.json().get("detail"))) == (status, said)


def test_what_is_due_for_many_at_once_is_one_entry(here: Api, redis_server: RedisServer) -> None:
    here.control("PUT", "/clock", json={"running": True})
    body = {"until": "2026-01-01T00:00:00.200000Z"}

    async def story() -> Any:
        path = "/_control/projects/acme/web/clock/sleep"
        return await asyncio.gather(*(here.request("POST", path, json=body) for _ in range(30)))

    assert {each.status_code for each in here.runner.run(story())} == {200}
    with redis_server.client as client:
        entries = [each for key in keys(redis_server, b":log") for each in client.lrange(key, 0, -1)]
    assert sum(b'"settle"' in each for each in entries) <= 1


SUBMITTED = 'feedback_mock_requests_total{rule="submission",status="200"}'
ROUND_TRIPS = "feedback_mock_redis_round_trip_seconds_count"


def counts(api: Api) -> dict[str, float]:
    answer = api.send("GET", "/_control/metrics")
    assert answer.status_code == 200
    lines = (each.rsplit(" ", 1) for each in answer.text.splitlines() if not each.startswith("#"))
    return {SUBMITTED: 0, **{name: float(count) for name, count in lines}}


@pytest.fixture
def before(here: Api, there: Api) -> dict[str, float]:
    """All that was counted in other tests."""
    assert counts(here)
    return counts(there)


def test_requests_to_all_mocks_are_counted_together(here: Api, there: Api, before: dict[str, float]) -> None:
    """By any of them; how long they took, and round trips, too."""
    for number, api in enumerate((here, here, there)):
        assert api.submit(event_id=f"{number:032x}").status_code == 200
    counts(there)
    after = counts(here)

    assert after[SUBMITTED] == counts(there)[SUBMITTED] == before[SUBMITTED] + 3
    for name, least in (("count", 3), ("sum", 0.000001)):
        assert after[f"feedback_mock_request_seconds_{name}"] - before[f"feedback_mock_request_seconds_{name}"] >= least
    assert after[ROUND_TRIPS] > before[ROUND_TRIPS] + 3


def test_what_was_counted_is_added_when_a_mock_ends(here: Api, there: Api, before: dict[str, float]) -> None:
    here.submit()
    assert counts(there)[SUBMITTED] == before[SUBMITTED]
    here.runner.run(here.mock.close())

    assert counts(there)[SUBMITTED] == before[SUBMITTED] + 1


def test_what_was_counted_is_added_soon(
    here: Api, there: Api, before: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has to ask for it."""
    monkeypatch.setattr(tallies, "DELAY", 0)
    here.submit()

    async def added() -> None:
        async with asyncio.timeout(20):
            expected = f"{SUBMITTED} {before[SUBMITTED] + 1}"
            while expected not in (await there.request("GET", "/_control/metrics")).text:
                pass

    here.runner.run(added())

    assert counts(there)[SUBMITTED] == before[SUBMITTED] + 1


def test_metrics_are_unavailable_without_redis_and_lose_nothing(
    here: Api, before: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    here.submit()
    monkeypatch.setattr(connection.Connection, "run", _unreachable)
    answer = here.send("GET", "/_control/metrics")
    monkeypatch.undo()

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json() == {"detail": "Redis is not there."}
    assert counts(here)[SUBMITTED] == before[SUBMITTED] + 1


async def _unreachable(*_: Any) -> Any:
    raise Away("Redis is not there.")
