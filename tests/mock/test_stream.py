"""The stream of a project: what it sends first, what follows, and when it ends."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema_rs
import pytest
from feedback_mock import Sandbox, Server
from feedback_mock.control import stream
from feedback_spec.document import load_control
from feedback_spec.openapi.render31 import to_31

from tests.mock.conftest import EVENT, submitted_in_one_piece

FIRST = ["project", "journal", "events", "feedback", "faults"]
SCHEMAS = to_31(load_control())["components"]["schemas"]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def sandbox(server: Server) -> Iterator[Sandbox]:
    with Sandbox(server, "acme", "web") as made:
        yield made


class Followed:
    """The events of a stream, one after the other."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._context = httpx.stream("GET", f"{sandbox.control_url}/stream", timeout=10)

    def __enter__(self) -> "Followed":
        self.answer = self._context.__enter__()
        self._lines = self.answer.iter_lines()
        return self

    def __exit__(self, *_: Any) -> None:
        self._context.__exit__(None, None, None)

    def next(self) -> tuple[str, Any]:
        """The next event's name and data. Raises StopIteration at the end."""
        fields: dict[str, str] = {}
        while line := next(self._lines):
            name, _, value = line.partition(": ")
            fields[name] = value
        return fields["event"], json.loads(fields["data"])

    def until(self, *names: str) -> dict[str, Any]:
        """Everything sent until each of these was, the latest by name."""
        told: dict[str, Any] = {}
        while not set(names) <= told.keys():
            name, data = self.next()
            told[name] = data
        return told


def submit(sandbox: Sandbox) -> None:
    """So that no listener looks while the head is there without the body."""
    with submitted_in_one_piece(sandbox) as connection:
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")


def holds(name: str, data: Any) -> bool:
    """Whether data follows the schema of this name."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": SCHEMAS}}
    return jsonschema_rs.is_valid(schema, data)


def test_stream_begins_with_all_that_there_is(sandbox: Sandbox) -> None:
    sandbox.save_event(EVENT)
    submit(sandbox)

    with Followed(sandbox) as followed:
        assert followed.answer.headers["content-type"] == "text/event-stream"
        names = [followed.next() for _ in range(len(FIRST) + 1)]

    told = dict(names)
    assert [name for name, _ in names] == ["project", "request", *FIRST[1:]]
    assert holds("Project", told["project"])
    assert holds("Entry", told["request"])
    assert holds("Event", told["events"]["events"][0])
    assert holds("Record", told["feedback"]["feedback"][0])
    assert (told["events"]["count"], told["feedback"]["count"]) == (1, 1)
    assert told["journal"] == {"first": 1, "last": 1, "dropped": 0}


def test_stream_tells_what_changes(sandbox: Sandbox) -> None:
    with Followed(sandbox) as followed:
        followed.until(*FIRST)
        submit(sandbox)
        told = followed.until("request", "feedback", "journal")
        assert told["request"]["response"]["status"] == 200
        assert told["feedback"]["feedback"][0]["event_id"] == EVENT
        sandbox.advance("PT1M")
        assert holds("Clock", followed.until("clock")["clock"])
        sandbox.save_event("a" * 32)
        assert followed.until("events")["events"]["events"][0]["event_id"] == "a" * 32
        sandbox.fail({"status": 503})
        assert followed.until("faults")["faults"]["faults"][0]["effect"] == {"status": 503}


def test_long_journal_is_told_whole_and_in_order(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_MOST_AT_ONCE", 2)
    for _ in range(5):
        submit(sandbox)
    with Followed(sandbox) as followed:
        followed.next()
        numbers: list[int] = []
        while len(numbers) < 5:
            name, data = followed.next()
            numbers += [data["_feedback"]["number"]] if name == "request" else []

    assert numbers == [1, 2, 3, 4, 5]


def test_request_that_waits_is_told_twice(sandbox: Sandbox) -> None:
    sandbox.fail({"delay": "until_released"})
    with Followed(sandbox) as followed, httpx.Client() as client:
        followed.until(*FIRST)
        with pytest.raises(httpx.ReadTimeout):
            client.post(sandbox.feedback_url, timeout=0.01)
        assert followed.until("request")["request"]["_feedback"]["state"] == "pending"
        httpx.post(f"{sandbox.control_url}/faults/release")
        assert followed.until("request")["request"]["_feedback"]["state"] != "pending"


def test_reset_begins_anew(sandbox: Sandbox) -> None:
    submit(sandbox)
    with Followed(sandbox) as followed:
        followed.until(*FIRST)
        sandbox.reset()
        told = followed.until(*FIRST)

    assert (told["journal"]["last"], told["feedback"]["count"]) == (0, 0)


def test_cleared_journal_is_told(sandbox: Sandbox) -> None:
    submit(sandbox)
    with Followed(sandbox) as followed:
        followed.until(*FIRST)
        httpx.delete(f"{sandbox.control_url}/requests")
        assert followed.until("journal")["journal"] == {"first": 2, "last": 1, "dropped": 0}


def test_stream_ends_with_the_project(sandbox: Sandbox) -> None:
    with Followed(sandbox) as followed:
        followed.until(*FIRST)
        httpx.delete(sandbox.control_url)
        assert followed.until("deleted") == {"deleted": {}}
        with pytest.raises(StopIteration):
            followed.next()


def test_stream_ends_with_the_server() -> None:
    """Immediately, like a complete response: a server that waits for its clients would not stop."""
    with Server() as server:
        followed = Followed(Sandbox(server, "acme", "web")).__enter__()
        followed.until(*FIRST)

    with pytest.raises(StopIteration):
        followed.next()


def test_listeners_are_told_the_same_which_is_written_once(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    write = stream._event

    def counting(name: str, *rest: Any) -> bytes:
        written.append(name)
        return write(name, *rest)

    monkeypatch.setattr(stream, "_event", counting)
    with Followed(sandbox) as first, Followed(sandbox) as second:
        for each in (first, second):
            each.until("faults")
        submit(sandbox)
        told = [each.until("request", "feedback") for each in (first, second)]

    assert told[0]["request"] == told[1]["request"]
    assert told[0]["feedback"] == told[1]["feedback"]
    assert written.count("request") == 1


def test_streams_are_bounded(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MOST_STREAMS", 1)
    with Followed(sandbox) as followed:
        followed.next()
        refused = httpx.get(f"{sandbox.control_url}/stream")
    assert (refused.status_code, refused.json()["detail"][:29]) == (507, "The server has 1 open streams")


def test_stream_refuses_as_all_operations_do(sandbox: Sandbox) -> None:
    missing = httpx.get(f"{sandbox.control_url}x/stream").json()
    assert missing == {"detail": "There is no project acme/webx; create it with PUT /_control/projects/acme/webx."}
    elsewhere = httpx.get(f"{sandbox.control_url}/stream", headers={"Origin": "https://elsewhere.example"})
    assert elsewhere.status_code == 403
