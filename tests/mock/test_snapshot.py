"""A project as one document: a snapshot recreates the same project anywhere."""

import asyncio
import copy
import json
from typing import Any

import jsonschema_rs
import pytest
from feedback_mock.app import create_app
from feedback_mock.store import Limits
from feedback_spec.document import load_control
from feedback_spec.documentation.build import snapshot_schema

from tests.mock.conftest import EVENT

OTHER = "a" * 32
FAULTS = [
    {"effect": {"status": 503}, "times": 1, "skip": 1, "lifetime": "PT1H"},
    {"match": {"event_id": OTHER}, "effect": {"status": 429}},
]


@pytest.fixture
def full(api: Any) -> Any:
    """A project with everything possible; its request after next meets a fault."""
    api.save_event(saved_ago="PT1M")
    api.submit()
    api.advance("PT4M")
    api.submit(name="Jane Doe")
    api.submit(event_id=OTHER)
    api.submit(headers={})
    api.control("POST", "/faults", json={"faults": FAULTS})
    api.submit(comments="before the fault")
    return api


def snapshot(api: Any) -> dict[str, Any]:
    taken: dict[str, Any] = api.control("GET", "/snapshot").json()
    return taken


def test_a_snapshot_makes_the_same_project_on_another_server(full: Any, make_api: Any) -> None:
    taken = snapshot(full)
    other = make_api(create_app())
    made = other.control("PUT", "/snapshot", json=taken)

    assert made.json() == full.project | {"clock": taken["clock"], "id": made.json()["id"]}
    assert snapshot(other) == taken
    for path in ("/feedback", "/requests", "/requests?rule=overwrite", f"/requests?event_id={OTHER}", "/faults"):
        assert _without_times(other.control("GET", path).json()) == _without_times(full.control("GET", path).json())


def _without_times(shown: Any) -> Any:
    """A rule in a snapshot states when it ends instead of its lifetime."""
    if isinstance(shown, dict) and "faults" in shown:
        return [{name: each[name] for name in ("number", "effect", "matched", "applied")} for each in shown["faults"]]
    return shown


def test_what_comes_after_it_is_the_same_too(full: Any, make_api: Any) -> None:
    other = make_api(create_app())
    other.control("PUT", "/snapshot", json=snapshot(full))

    for each in (full, other):
        assert each.submit().status_code == 503
        each.advance("PT1M0.000001S")
        assert each.submit().status_code == 409
        assert each.submit(event_id="b" * 32).json()["id"] == full.stored()[-1]["id"]
        assert each.control("GET", "/requests").json()["last"] == 8
    assert other.stored() == full.stored()


def test_a_snapshot_can_be_given_another_name_and_has_its_ids_and_credentials(full: Any) -> None:
    taken = snapshot(full)
    made = full.send("PUT", "/_control/projects/acme/copy/snapshot", json=taken).json()
    copied = full.send("GET", "/_control/projects/acme/copy/feedback").json()

    assert made["tokens"] != full.project["tokens"]
    assert [each["comments"] for each in copied] == [each["comments"] for each in full.stored()]
    assert not {each["id"] for each in copied} & {each["id"] for each in full.stored()}
    assert snapshot(full) == taken


def test_a_snapshot_has_no_secret(full: Any) -> None:
    text = json.dumps(snapshot(full))

    for secret in (*full.project["tokens"].values(), full.project["dsn"][7:39]):
        assert secret not in text


def test_the_published_schema_is_what_a_snapshot_keeps_to(full: Any) -> None:
    """By itself, as `feedback-docs build` writes it; what it refers to counts, too."""
    schema = jsonschema_rs.Draft202012Validator(snapshot_schema(load_control()))
    taken = snapshot(full)

    assert schema.is_valid(taken)
    assert not schema.is_valid({**taken, "version": 2})
    assert not schema.is_valid({**taken, "faults": [{**taken["faults"][0], "rule": {"effect": {"status": "503"}}}]})


def test_a_large_snapshot_is_read_in_pieces(full: Any) -> None:
    """And others have their turn between them."""
    taken = snapshot(full)
    record = taken["feedback"][0]
    taken["feedback"] = [{**record, "event_id": f"{each:032x}", "number": each} for each in range(1, 5_001)]
    taken["numbers"]["feedback"] = 5_000
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = full.runner.get_loop().create_task(others())
    made = full.control("PUT", "/snapshot", json=taken)
    other.cancel()

    assert made.status_code == 200
    assert len(full.stored()) == 5_000
    assert turns > 10


def test_a_request_that_waits_is_lost_in_the_copy(full: Any) -> None:
    taken = snapshot(full)
    taken["requests"][-1]["_feedback"]["state"] = "pending"
    full.control("PUT", "/snapshot", json=taken)

    assert snapshot(full)["requests"][-1]["_feedback"]["state"] == "lost"


def test_a_journal_that_dropped_entries_says_so_in_the_copy(make_api: Any) -> None:
    api = make_api(create_app(limits=Limits(requests=2)))
    for _ in range(5):
        api.submit()
    taken = snapshot(api)
    api.control("PUT", "/snapshot", json=taken)
    verdict = api.control("POST", "/requests/verify", json={"match": {"status": 409}, "exactly": 0}).json()

    assert taken["journal"] == {"first": 4, "last": 5, "dropped": 3}
    assert (verdict["verdict"], verdict["dropped"]) == ("unknown", 3)


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        (("version",), 2, "version: must be one of 1."),
        (("more",), 1, "more: is not a key here; the keys are version, clock, "),
        (
            ("clock", "now"),
            "2026-01-01T23:59:60Z",
            'clock.now: "2026-01-01T23:59:60Z" is a date or time that does ',
        ),
        (("numbers", "feedback"), 1, "feedback.1.number: must be greater than those before it and at most "),
        (("numbers", "issues"), 0, "events.0.issue: is greater than numbers.issues."),
        (("feedback", 1, "event_id"), EVENT, "feedback.1.event_id: occurs twice."),
        (("feedback", 0, "last_submitted_at"), "2025-01-01T00:00:00Z", "feedback.0.last_submitted_at: is before "),
        (("events", 0, "saved_at"), "0000-01-01T00:00:00Z", "events.0.saved_at: "),
        (("events", 0, "title"), 7, "events.0.title: must be of type string."),
        (("faults", 1, "number"), 1, "faults.1.number: occurs twice."),
        (("faults", 0, "applied"), 9, "faults.0.applied: is greater than matched."),
        (("faults", 0, "rule", "effect"), {}, "faults.0.rule.effect: needs exactly one of connection, "),
        (("faults", 0, "rule", "lifetime"), "PT1H", "faults.0.rule.lifetime: a snapshot has until instead."),
        (("faults", 0, "rule", "often"), 1, "faults.0.rule.often: is not a key here; the keys are match, "),
        (("journal", "last"), 9, "journal: first and last do not fit the number of requests."),
        (("journal", "dropped"), 1, "journal.dropped: is greater than the number of requests before first."),
        (
            ("requests", 1, "_feedback", "number"),
            9,
            "requests.1._feedback.number: must be 2, because there are no gaps.",
        ),
        (("requests", 0, "time"), -1, "requests.0.time: -1 is less than the minimum of 0."),
        (
            ("requests", 0, "response", "status"),
            1_000,
            "requests.0.response.status: 1000 is greater than the maximum of 999.",
        ),
        (
            ("requests", 0, "response", "content", "size"),
            -1,
            "requests.0.response.content.size: -1 is less than the minimum of 0.",
        ),
    ],
)
def test_a_wrong_snapshot_is_400_says_where_and_changes_nothing(full: Any, place: Any, value: Any, says: str) -> None:
    taken = snapshot(full)
    wrong = copy.deepcopy(taken)
    within: Any = wrong
    for step in place[:-1]:
        within = within[step]
    within[place[-1]] = value
    answer = full.control("PUT", "/snapshot", json=wrong)

    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(says)
    assert snapshot(full) == taken


def test_what_a_project_does_not_take_is_507(full: Any, make_api: Any) -> None:
    taken = snapshot(full)
    small = make_api(create_app(limits=Limits(feedback=1)))

    assert small.control("PUT", "/snapshot", json=taken).json() == {"detail": "feedback: a project may have 1, not 2."}


def test_a_snapshot_is_bounded(api: Any) -> None:
    for number in range(20):
        assert api.submit(event_id=f"{number:032x}", comments="x" * 1_000_000).status_code == 200
    answer = api.control("GET", "/snapshot")

    assert (answer.status_code, answer.json()["detail"][:42]) == (507, "The response has more than 16777216 bytes,")
