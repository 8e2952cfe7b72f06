"""Projects whose clock follows the times that clients report, and others, whose clock does not."""

import json
from typing import Any

import pytest

from tests.mock.conftest import EVENT, NOW

LATER = "2026-01-01T00:05:00.000001Z"
WEB = "/_control/projects/acme/web"


@pytest.fixture
def following(api: Any) -> Any:
    assert api.control("PUT", "/clock", json={"follow": True}).json() == {"now": NOW, "running": False, "follow": True}
    return api


def submit(api: Any, now: str, credentials: str = "write") -> Any:
    return api.submit({**api.bearer(credentials), "X-Feedback-Now": now})


def send_envelope(api: Any, **header: Any) -> Any:
    lines = [{"event_id": EVENT, "dsn": api.project["dsn"], **header}, {"type": "event"}, {"event_id": EVENT}]
    content = "\n".join(map(json.dumps, lines)).encode()
    return api.send("POST", f"/api/{api.project['id']}/envelope/", content=content)


def now(api: Any) -> str:
    instant: str = api.control("GET", "/clock").json()["now"]
    return instant


def test_the_header_moves_the_clock_to_the_microsecond_and_never_back(following: Any) -> None:
    assert submit(following, NOW).status_code == 200
    assert submit(following, "2026-01-01T01:05:00.000001+01:00").status_code == 409
    assert now(following) == LATER

    assert submit(following, NOW).status_code == 409
    assert now(following) == LATER


def test_sent_at_of_an_envelope_moves_the_clock(following: Any) -> None:
    assert send_envelope(following, sent_at="2026-01-01T00:05:00.000001999Z").status_code == 200

    assert now(following) == LATER
    assert following.control("GET", f"/events/{EVENT}").json()["saved_at"] == LATER


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("soon", '"soon" is not an RFC 3339 instant such as 2026-01-01T00:00:00Z.'),
        ("2026-02-30T00:00:00Z", '"2026-02-30T00:00:00Z" is a date or time that does not exist.'),
    ],
)
def test_what_is_not_an_instant_is_400_and_changes_nothing(following: Any, said: str, sentence: str) -> None:
    by_header, by_envelope = submit(following, said), send_envelope(following, sent_at=said)

    assert (by_header.status_code, by_header.json()) == (400, {"detail": f"X-Feedback-Now: {sentence}"})
    assert by_header.headers["x-feedback-rule"].startswith("follow; reason=")
    assert by_envelope.status_code == 400
    assert sentence in by_envelope.headers["x-feedback-rule"].replace('\\"', '"')
    assert (now(following), following.stored()) == (NOW, [])
    entries = following.control("GET", "/requests").json()["entries"]
    assert [each["response"]["status"] for each in entries] == [400, 400]


def test_others_ignore_what_clients_say(api: Any) -> None:
    for said in (LATER, "soon"):
        assert submit(api, said).status_code == 200
        assert send_envelope(api, sent_at=said).status_code == 200

    assert now(api) == NOW


def test_who_sleeps_is_woken_by_what_a_client_says(following: Any) -> None:
    project = following.mock.store.project("acme", "web")
    sleep = project.sleepers.sleep(project.clock.now() + 5)
    submit(following, LATER)

    assert sleep.woken.done()


def test_following_is_set_with_the_project_kept_by_a_snapshot_and_ended_by_the_clock(api: Any) -> None:
    made = api.send("PUT", WEB, json={"clock": {"now": NOW, "running": False, "follow": True}}).json()
    assert made["clock"]["follow"] is True

    snapshot = api.control("GET", "/snapshot").json()
    api.send("PUT", WEB, json={"clock": {"now": NOW, "running": False}})
    assert "follow" not in api.control("GET", "/clock").json()
    assert api.control("PUT", "/snapshot", json=snapshot).json()["clock"]["follow"] is True
    assert api.control("PUT", "/clock", json={"running": False}).json()["follow"] is True
    assert "follow" not in api.control("PUT", "/clock", json={"follow": False}).json()
