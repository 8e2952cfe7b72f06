"""Each operation against a running mock, in both kinds, and what the mock says when it refuses."""

import asyncio
import inspect

import httpx
import pytest
from feedback_mock_client import AsyncControl, AsyncControlProject, AsyncSandbox, Control, ControlError, Sandbox
from feedback_mock_client.control import ControlProject

EVENT = "7167980ca1db42cdba8d5284e7f81c66"
START = "2026-01-01T00:00:00.000000Z"
CLOCK = {"now": START, "running": False}
KINDS = ((Control, AsyncControl), (ControlProject, AsyncControlProject))


def operations_of(kind):
    return {name for name in vars(kind) if not name.startswith("_")} - {"project"}


@pytest.fixture
def called(monkeypatch):
    """The operations that a test calls, of both kinds, by class and name."""
    names = set()

    def watched(kind, name, method):
        def call(self, *arguments, **given):
            names.add((kind, name))
            return method(self, *arguments, **given)

        return call

    for kind in (each for pair in KINDS for each in pair):
        for name in operations_of(kind):
            monkeypatch.setattr(kind, name, watched(kind, name, getattr(kind, name)))
    return names


@pytest.fixture
def control(feedback_server):
    with Control(feedback_server.url) as control:
        yield control


@pytest.fixture
def sandbox(control):
    with Sandbox(control, clock=CLOCK) as sandbox:
        yield sandbox


def submit(sandbox):
    body = {"event_id": EVENT, "name": "Jane", "email": "jane@example.com", "comments": "It broke!"}
    headers = {"Authorization": f"Bearer {sandbox.tokens['write']}"}
    return httpx.post(sandbox.feedback_url, json=body, headers=headers).status_code


async def result_of(answer):
    return await answer if inspect.isawaitable(answer) else answer


async def story(control, sandbox):
    """Calls every operation, and tells what came of those whose answer does not depend on other tests."""

    async def ask(answer):
        return await result_of(answer)

    told = [(await ask(control.health()))["status"]]
    told.append(any(each["path"] == "/_control/health" for each in (await ask(control.index()))["operations"]))
    told.append("feedback_mock_requests_total" in await ask(control.metrics()))
    told.append(sandbox.project in {each["project"] for each in (await ask(control.list_projects()))["projects"]})
    await ask(sandbox.add_faults(faults=[{"effect": {"status": 503}, "times": 1}]))
    told += [submit(sandbox), submit(sandbox), (await ask(sandbox.list_faults()))["faults"][0]["applied"]]
    told.append([each["response"]["status"] for each in (await ask(sandbox.list_requests(status=503)))["entries"]])
    told.append(len((await ask(sandbox.export_requests(since=1)))["log"]["entries"]))
    told.append((await ask(sandbox.verify_requests(match={"status": 409}, exactly=0)))["verdict"])
    told += [await ask(sandbox.clear_faults()), (await ask(sandbox.release_faults()))["released"]]
    told += [await ask(sandbox.clear_requests()), [each["comments"] for each in await ask(sandbox.list_feedback())]]
    told.append((await ask(sandbox.put_event(EVENT, saved_ago="PT29M")))["saved_at"])
    told.append((await ask(sandbox.get_event(EVENT)))["title"] != "")
    told.append(await ask(sandbox.delete_event(EVENT)))
    await ask(sandbox.put_clock(now="2026-01-01T00:01:00Z"))
    told.append((await ask(sandbox.advance_clock(duration="PT0.000001S")))["now"])
    told.append((await ask(sandbox.join_clock("client", lease="PT1M")))["held_by"])
    told.append((await ask(sandbox.sleep(duration="PT30M", participant="client")))["now"])
    told += [await ask(sandbox.leave_clock("client")), (await ask(sandbox.get_clock()))["participants"]]
    other = control.project("acme", "copy")
    await ask(other.put_project(clock=CLOCK))
    await ask(other.put_snapshot(**await ask(sandbox.get_snapshot())))
    told.append(len(await ask(other.list_feedback())))
    told.append(await ask(other.reset_project()) == await ask(other.get_project()))
    told.append(await ask(other.delete_project()))
    return told


TOLD = [
    *("ok", True, True, True, 503, 200, 1, [503], 1, "yes", None, 0, None, ["It broke!"]),
    *("2025-12-31T23:31:00.000000Z", True, None, "2026-01-01T00:01:00.000001Z", ["client"]),
    *("2026-01-01T00:31:00.000001Z", None, [], 1, True, None),
]


def test_every_operation_does_what_the_document_says(called, control, sandbox):
    assert asyncio.run(story(control, sandbox)) == TOLD
    assert {(kind, name) for kind, _ in KINDS for name in operations_of(kind)} <= called


def test_every_operation_does_the_same_asynchronously(feedback_server, called):
    async def run():
        async with (
            AsyncControl(feedback_server.url) as control,
            await AsyncSandbox.make(control, clock=CLOCK) as sandbox,
        ):
            return await story(control, sandbox)

    assert asyncio.run(run()) == TOLD
    assert {(kind, name) for _, kind in KINDS for name in operations_of(kind)} <= called


def test_refusal_says_what_would_be_right(sandbox):
    with pytest.raises(ControlError, match='duration: "5 minutes" is not an ISO 8601 duration') as refused:
        sandbox.advance_clock(duration="5 minutes")

    assert refused.value.status == 400


def test_project_is_deleted_when_it_is_left(control):
    with Sandbox(control) as sandbox:
        assert sandbox.get_clock()["running"] is False

    with pytest.raises(ControlError, match="There is no project"):
        sandbox.get_project()


def answered(seen, *, status=200, text="{}"):
    """A client whose requests go nowhere but into `seen`."""

    def answer(request):
        seen.append(request)
        return httpx.Response(status, text=text)

    return httpx.Client(transport=httpx.MockTransport(answer))


def test_token_and_path_are_sent_as_they_are():
    seen = []
    control = Control("http://mock.test/below/", token="secret", client=answered(seen))
    control.project("a/b", "c?d").get_event("#")

    assert str(seen[0].url) == "http://mock.test/below/_control/projects/a%2Fb/c%3Fd/events/%23"
    assert seen[0].headers["authorization"] == "Bearer secret"
    assert "secret" not in repr(control)


def test_refusal_that_is_no_json_is_told_as_it_is():
    control = Control("http://mock.test", client=answered([], status=502, text="Bad gateway"))

    with pytest.raises(ControlError, match="GET /_control/health: 502 Bad gateway"):
        control.health()
