"""Faults: which requests they apply to, their effects, and how to test a client's retries with them."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from feedback_mock import Sandbox, Server

from tests.mock.conftest import EVENT, submitted_in_one_piece

CONNECTION_FAULTS = {
    "CONNECTION_RESET_BY_PEER": httpx.ReadError,
    "EMPTY_RESPONSE": httpx.RemoteProtocolError,
    "MALFORMED_RESPONSE_CHUNK": httpx.RemoteProtocolError,
    "RANDOM_DATA_THEN_CLOSE": httpx.RemoteProtocolError,
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def sandbox(server: Server) -> Iterator[Sandbox]:
    with Sandbox(server, "acme", "faulty") as sandbox:
        yield sandbox


def submit(sandbox: Sandbox, **fields: Any) -> httpx.Response:
    body = {"event_id": EVENT, "name": "Jane", "email": "jane@example.com", "comments": "It broke!", **fields}
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    return httpx.post(sandbox.feedback_url, json=body, headers=headers, trust_env=False)


def add(api: Any, *faults: dict[str, Any]) -> Any:
    return api.control("POST", "/faults", json={"faults": list(faults)})


def statuses(api: Any, count: int, **fields: Any) -> list[int]:
    return [api.submit(**fields).status_code for _ in range(count)]


def test_a_lost_answer_that_is_retried_six_minutes_later_is_409_though_the_first_was_stored(sandbox: Sandbox) -> None:
    """The page mentions network failures as the reason for overwriting: this is what a client that retries late will
    see.
    """
    sandbox.save_event(EVENT)
    sandbox.fail("CONNECTION_RESET_BY_PEER", phase="after", times=1)
    with pytest.raises(httpx.TransportError):
        submit(sandbox, comments="It broke!")
    sandbox.advance(timedelta(minutes=6))
    retried = submit(sandbox, comments="It broke again!")
    lost, refused = sandbox.requests

    assert retried.status_code == 409
    assert [each.comments for each in sandbox.feedback] == ["It broke!"]
    assert (lost.status, lost.rule, lost.har["_feedback"]["state"]) == (0, "submission", "lost")
    assert lost.fault == {"number": 1, "phase": "after", "effect": {"connection": "CONNECTION_RESET_BY_PEER"}}
    assert (refused.status, refused.fault) == (409, None)
    assert lost.json()["comments"] == "It broke!"


@pytest.mark.parametrize("phase", ["before", "after"])
@pytest.mark.parametrize("kind", CONNECTION_FAULTS)
def test_a_connection_breaks_before_or_after_the_feedback_is_stored(sandbox: Sandbox, kind: str, phase: str) -> None:
    sandbox.fail(kind, phase=phase, times=1)
    with pytest.raises(CONNECTION_FAULTS[kind]):
        submit(sandbox)
    assert len(sandbox.feedback) == (phase == "after")

    assert submit(sandbox).status_code == 200
    assert [each.status for each in sandbox.requests] == [0, 200]
    assert sandbox.requests[0].json()["event_id"] == EVENT


@pytest.mark.parametrize("kind", CONNECTION_FAULTS)
def test_in_process_a_broken_connection_is_an_exception(api: Any, kind: str) -> None:
    add(api, {"effect": {"connection": kind}})

    async def post() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(api.mock), base_url="http://mock.test") as client:
            await client.post(api.path, headers=api.bearer(), json={})

    with pytest.raises(ConnectionError, match=kind):
        api.runner.run(post())


def test_three_times_503_then_it_works(api: Any) -> None:
    add(
        api,
        {
            "effect": {"status": 503, "retry_after": 30, "headers": {"X-Why": "tests"}, "body": {"detail": "Later."}},
            "times": 3,
        },
    )
    first = api.submit()

    assert (first.status_code, first.json(), first.headers["retry-after"]) == (503, {"detail": "Later."}, "30")
    assert (first.headers["x-why"], first.headers["x-feedback-rule"].split(";")[0]) == ("tests", "fault")
    assert api.stored() == []
    assert statuses(api, 3) == [503, 503, 200]


@pytest.mark.parametrize(
    ("effect", "kind"),
    [
        ({"body": "<h1>Bad Gateway</h1>"}, "text/plain; charset=utf-8"),
        ({"body": "<h1>Bad Gateway</h1>", "headers": {"Content-Type": "text/html"}}, "text/html"),
        ({"body": ["Bad Gateway"]}, "application/json"),
    ],
)
def test_a_body_has_the_content_type_of_what_it_is(api: Any, effect: dict[str, Any], kind: str) -> None:
    add(api, {"effect": {"status": 502, **effect}})
    answer = api.submit()

    assert answer.headers.get_list("content-type") == [kind]
    assert "Bad Gateway" in answer.text


def test_a_script_of_another_origin_can_read_what_a_fault_says(api: Any) -> None:
    """Otherwise it sees a network error, and no Retry-After."""
    add(api, {"effect": {"status": 429, "retry_after": 60}, "times": 1})
    add(api, {"effect": {"status": 503, "headers": {"Access-Control-Allow-Origin": "https://a.example"}}})
    busy, named = api.submit(), api.submit()

    assert busy.headers["access-control-allow-origin"] == "*"
    exposed = busy.headers["access-control-expose-headers"].lower().split(", ")
    assert {"retry-after", "x-sentry-rate-limits", "x-feedback-rule"} <= set(exposed)
    assert named.headers.get_list("access-control-allow-origin") == ["https://a.example"]


def test_429_says_when_to_come_back_in_both_ways(api: Any) -> None:
    add(api, {"effect": {"status": 429, "retry_after": 60}})
    answer = api.submit()

    assert (answer.headers["retry-after"], answer.headers["x-sentry-rate-limits"]) == ("60", "60::organization")


def test_a_status_after_the_handling_hides_that_it_was_stored(api: Any) -> None:
    add(api, {"phase": "after", "effect": {"status": 502}})

    assert api.submit().status_code == 502
    assert len(api.stored()) == 1


@pytest.mark.parametrize(
    ("rule", "affected"),
    [
        ({"skip": 2}, [3, 4, 5, 6]),
        ({"times": 2}, [1, 2]),
        ({"every": 2}, [1, 3, 5]),
        ({"skip": 1, "every": 2, "times": 2}, [2, 4]),
        ({"match": {"nth": 3}}, [3]),
        ({"probability": 0}, []),
        ({"match": {"operation": "listUserFeedback"}}, []),
        ({"match": {"method": "post"}}, [1, 2, 3, 4, 5, 6]),
        ({"match": {"event_id": "F" * 32}}, [2, 4, 6]),
        ({"match": {"event_id": "f" * 32, "nth": 2}}, [4]),
        ({"from": "2026-01-01T00:02:00Z", "until": "2026-01-01T00:03:00Z"}, [3, 4]),
        ({"lifetime": "PT1M"}, [1, 2]),
    ],
)
def test_which_requests_meet_a_fault(api: Any, rule: dict[str, Any], affected: list[int]) -> None:
    """Six requests, one a minute, those with even numbers for another event."""
    assert add(api, {**rule, "effect": {"status": 500}}).status_code == 200
    found = []
    for number in range(1, 7):
        if api.submit(event_id="ef"[number % 2 == 0] * 32).status_code == 500:
            found.append(number)
        api.advance("PT1M")

    assert found == affected
    assert api.control("GET", "/faults").json()["faults"][0]["applied"] == len(affected)


def test_chance_is_the_same_with_the_same_seed(api: Any) -> None:
    def drawn(seed: int) -> list[int]:
        api.send("PUT", "/_control/projects/acme/web", json={"seed": seed, "clock": {"running": False}})
        add(api, {"effect": {"status": 500}, "probability": 0.5})
        return statuses(api, 12)

    first = drawn(1)

    assert set(first) == {200, 500}
    assert drawn(1) == first
    assert drawn(2) != first


def test_rules_are_tried_in_order_and_removed_together(api: Any) -> None:
    add(api, {"effect": {"status": 500}, "times": 1}, {"effect": {"status": 502}, "times": 1})
    add(api, {"effect": {"status": 504}, "times": 1})
    assert statuses(api, 4) == [500, 502, 504, 200]
    add(api, {"effect": {"status": 500}})
    assert api.control("DELETE", "/faults").status_code == 204

    assert statuses(api, 1) == [200]
    assert api.control("GET", "/faults").json() == {"faults": []}


@pytest.mark.parametrize("phase", ["before", "after"])
def test_a_response_of_a_fault_is_put_down_to_it(api: Any, phase: str) -> None:
    """In the journal and the metrics as in the response."""
    add(api, {"effect": {"status": 503}, "phase": phase})
    answer = api.submit()
    (entry,) = api.control("GET", "/requests?rule=fault").json()["entries"]
    found = api.control("POST", "/requests/verify", json={"match": {"rule": "fault"}, "exactly": 1}).json()

    assert answer.headers["x-feedback-rule"] == 'fault; reason="rule 1 of the project\'s faults"'
    assert (entry["_feedback"]["rule"], entry["_feedback"]["reason"]) == ("fault", "rule 1 of the project's faults")
    assert found["verdict"] == "yes"
    assert 'feedback_mock_requests_total{rule="fault",status="503"} 1.0' in api.send("GET", "/_control/metrics").text


def test_a_reset_mends_everything(api: Any) -> None:
    add(api, {"effect": {"status": 500}})
    api.control("POST", "/reset")

    assert statuses(api, 1) == [200]


WEB = "/_control/projects/acme/web"


@pytest.mark.parametrize(
    ("method", "path", "effect", "status"),
    [
        ("POST", f"{WEB}/reset", {}, 503),
        ("PUT", WEB, {}, 503),
        ("DELETE", WEB, {}, 503),
        ("POST", f"{WEB}/reset", {"broken_body": "wrong"}, 503),
        ("POST", f"{WEB}/reset", {"status": 418}, 418),
        ("DELETE", f"{WEB}/faults", {}, 200),
        ("DELETE", f"{WEB}/requests", {}, 200),
    ],
)
def test_a_request_that_waits_until_its_project_is_reset_leaves_nothing_in_it(
    api: Any, method: str, path: str, effect: dict[str, Any], status: int
) -> None:
    """A test that began with a reset would find what an earlier one had sent."""
    add(api, {"effect": {"delay": "until_released", **effect}})

    async def run() -> httpx.Response:
        body = {"event_id": EVENT, "name": "Jane", "email": "jane@example.com", "comments": "It broke!"}
        waits = asyncio.create_task(api.request("POST", api.path, headers=api.bearer(), json=body))
        entries: list[Any] = []
        while not (entries and entries[0]["_feedback"]["fault"]):
            await asyncio.sleep(0)
            entries = (await api.request("GET", f"{WEB}/requests")).json()["entries"]
        await api.request(method, path)
        await api.request("POST", f"{WEB}/faults/release")
        answer: httpx.Response = await waits
        return answer

    answer = api.runner.run(run())
    if method == "DELETE" and path == WEB:
        api.make_project("acme", "web")
    entries = api.control("GET", "/requests").json()["entries"]

    assert answer.status_code == status
    assert len(api.stored()) == len(entries) == (1 if status == 200 else 0)
    if status == 503:
        assert answer.headers["x-feedback-rule"].startswith('reset; reason="its project was reset, replaced or ')


@pytest.mark.parametrize("how", ["truncated", "wrong"])
def test_a_broken_body_is_http_but_not_the_answer(api: Any, how: str) -> None:
    add(api, {"effect": {"broken_body": how}})
    answer = api.submit()

    assert answer.status_code == 200
    assert len(api.stored()) == 1
    if how == "truncated":
        with pytest.raises(json.JSONDecodeError):
            answer.json()
    else:
        assert answer.json() == {"unexpected": []}
        assert api.control("GET", "/requests").json()["entries"][0]["_feedback"]["answer"]["valid"] is False


def test_a_dribbled_answer_is_whole_in_the_end(sandbox: Sandbox) -> None:
    sandbox.fail({"dribble": {"pieces": 5, "duration": "PT0.01S"}})

    assert submit(sandbox).json()["comments"] == "It broke!"
    (request,) = sandbox.requests
    assert (request.status, request.har["_feedback"]["state"]) == (200, "answered")
    assert request.har["time"] == request.har["timings"]["wait"] >= 10


def test_the_head_of_a_dribbled_answer_does_not_wait_for_its_first_piece(sandbox: Sandbox) -> None:
    """A client may well look at the status first; a response that is not dribbled is one write."""
    sandbox.fail({"dribble": {"pieces": 1, "duration": "PT5M"}})
    body = {"event_id": EVENT, "name": "Jane", "email": "jane@example.com", "comments": "It broke!"}
    headers = {"Authorization": f"Bearer {sandbox.token}"}

    with httpx.stream("POST", sandbox.feedback_url, json=body, headers=headers, timeout=60, trust_env=False) as answer:
        assert answer.status_code == 200


@pytest.mark.parametrize("delay", ["PT0.001S", {"median": "PT0.001S", "sigma": 0.2}])
def test_a_delayed_request_is_answered(api: Any, delay: Any) -> None:
    add(api, {"effect": {"delay": delay}})

    assert api.submit().status_code == 200


def test_a_request_waits_until_it_is_released_and_is_judged_then(sandbox: Sandbox) -> None:
    """The journal shows it while it waits, and the clock may pass a window meanwhile."""
    sandbox.save_event(EVENT)
    sandbox.fail({"delay": "until_released"}, times=1)
    answers: list[int] = []
    waiting = threading.Thread(target=lambda: answers.append(submit(sandbox).status_code))
    waiting.start()
    while not (sandbox.requests and sandbox.requests[0].fault):
        pass
    (pending,) = sandbox.requests
    assert (pending.status, pending.har["_feedback"]["state"]) == (0, "pending")
    assert pending.json()["event_id"] == EVENT
    sandbox.advance("PT31M")
    sandbox.release()
    waiting.join(30)

    assert answers == [409]


@pytest.mark.parametrize("phase", ["before", "after"])
@pytest.mark.parametrize("more", [{}, {"status": 503}])
def test_a_client_that_leaves_while_it_waits_gets_no_answer(sandbox: Sandbox, phase: str, more: dict[str, Any]) -> None:
    """As with a time-out of its own: its request is handled, but lost to it."""
    sandbox.fail({"delay": "until_released", **more}, phase=phase, times=1)
    with submitted_in_one_piece(sandbox):
        while not (sandbox.requests and sandbox.requests[0].fault):
            pass
    (waiting,) = sandbox.requests
    assert (waiting.har["_feedback"]["state"], waiting.har["time"]) == ("pending", 0)
    sandbox.release()
    while sandbox.requests[0].har["_feedback"]["state"] == "pending":
        pass
    (left,) = sandbox.requests

    assert (left.har["_feedback"]["state"], left.status, left.har["response"]["headers"]) == ("lost", 0, [])
    assert left.rule == ("fault" if more else "submission")
    assert len(sandbox.feedback) == (0 if more and phase == "before" else 1)


def test_a_client_that_leaves_before_its_request_is_complete_meets_no_fault(sandbox: Sandbox) -> None:
    """Nobody knows then what it would have sent, so the journal does not say that it sent less."""
    sandbox.fail({"connection": "EMPTY_RESPONSE"}, times=1)
    url = urlsplit(sandbox.feedback_url)
    head = f"POST {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: 205\r\n"
    with socket.create_connection((url.hostname, url.port)) as connection:
        connection.sendall(f"{head}Authorization: Bearer {sandbox.token}\r\n\r\n".encode() + b'{"event_id":')
    while not (sandbox.requests and sandbox.requests[0].har["_feedback"]["state"] == "lost"):
        pass
    (left,) = sandbox.requests

    assert left.fault is None
    assert left.har["request"]["bodySize"] == -1
    assert "postData" not in left.har["request"]
    with pytest.raises(httpx.RemoteProtocolError):
        submit(sandbox)


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ({"effect": {}}, "faults.0.effect: needs exactly one of connection, status, delay, dribble, broken_body; "),
        ({"effect": {"status": 500, "broken_body": "wrong"}}, "faults.0.effect: needs exactly one of"),
        ({"effect": {"delay": "PT1S", "retry_after": 3}}, "faults.0.effect.retry_after: is allowed only with status."),
        (
            {"effect": {"delay": "PT10M0.000001S"}},
            "faults.0.effect.delay: PT10M0.000001S is more than the PT10M that a request may take.",
        ),
        (
            {"effect": {"delay": {"median": "PT11M", "sigma": 1}}},
            "faults.0.effect.delay.median: PT11M is more than the PT10M",
        ),
        (
            {"effect": {"dribble": {"pieces": 2, "duration": "PT1H"}}},
            "faults.0.effect.dribble.duration: PT1H is more than the PT10M",
        ),
        ({"effect": {"status": 500}, "tims": 3}, "faults.0.tims: is not a key here; the keys are match, phase, effect"),
        ({"effect": {"state": 500}}, "faults.0.effect.state: is not a key here; the keys are connection, status"),
        (
            {"effect": {"delay": "5s"}},
            "faults.0.effect.delay: must be a duration such as `PT5S`, `until_released`, or ",
        ),
        ({"effect": {"connection": "RESET"}}, "faults.0.effect.connection: must be one of CONNECTION_RESET_BY_PEER"),
        ({"effect": {"status": 500, "headers": {"a b": "c"}}}, 'faults.0.effect.headers: "a b" is not a valid name'),
        (
            {"effect": {"status": 500, "headers": {"Content-Length": "3"}}},
            'faults.0.effect.headers: "Content-Length" cannot be set',
        ),
        (
            {"effect": {"status": 500, "headers": {"a": "b\r\nc: d"}}},
            "faults.0.effect.headers.a: is not a valid header value on one",
        ),
        ({"effect": {"status": 500, "headers": {"0": 1}}}, "faults.0.effect.headers.0: must be of type string."),
        ({"effect": {"status": 500, "headers": {"": 1}}}, "faults.0.effect.headers: must be of type string."),
        ({"effect": {"status": 204, "body": "x"}}, "faults.0.effect.body: a response with status 204 has no body."),
        (
            {"effect": {"status": 500}, "from": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"},
            "faults.0.from: is after the end of the rule, so it would never apply.",
        ),
        (
            {"effect": {"status": 500}, "from": "9999-01-01T00:00:00Z", "lifetime": "PT1M"},
            "faults.0.from: is after the end of the rule, so it would never apply.",
        ),
        ({"effect": {"status": 500}, "lifetime": "5 minutes"}, 'faults.0.lifetime: "5 minutes" is not an ISO 8601'),
        ({}, "faults.0.effect: is missing."),
    ],
)
def test_a_fault_that_is_none_is_refused(api: Any, fault: dict[str, Any], sentence: str) -> None:
    answer = add(api, fault)

    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(sentence)
    assert api.control("GET", "/faults").json() == {"faults": []}


def test_faults_are_bounded(api: Any) -> None:
    assert add(api, *[{"effect": {"status": 500}}] * 100).status_code == 200

    assert add(api, {"effect": {"status": 500}}).status_code == 507


def test_wrong_use_in_python_is_one_sentence(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="tims: is not a key here; the keys are match, phase, effect, skip, times"):
        sandbox.fail({"status": 500}, tims=3)
    with pytest.raises(ValueError, match="must be one of CONNECTION_RESET_BY_PEER"):
        sandbox.fail("BOOM")
