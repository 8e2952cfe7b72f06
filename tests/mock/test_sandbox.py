"""The Python interface: what it offers, and that it is as strict as the control protocol, with the same messages."""

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest
from feedback_mock import Sandbox, SavedEvent, Server, StoredFeedback, create_app

from tests.mock.conftest import EVENT, FIRST_ID

START = datetime(2026, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
DASHED = str(uuid.UUID(EVENT))


@pytest.fixture
def sandbox(api: Any) -> Iterator[Sandbox]:
    """acme/web, the project of `api` too."""
    with Sandbox(api.mock, "acme", "web", now=START) as sandbox:
        yield sandbox


@pytest.mark.parametrize(
    ("call", "method", "path", "body"),
    [
        (lambda it: it.save_event("xyz"), "PUT", "/events/xyz", {}),
        (lambda it: it.save_event(DASHED), "PUT", f"/events/{DASHED}", {}),
        (lambda it: it.save_event(uuid.UUID(EVENT)), "PUT", f"/events/{DASHED}", {}),
        (lambda it: it.save_event(EVENT, titel="Late"), "PUT", f"/events/{EVENT}", {"titel": "Late"}),
        (lambda it: it.save_event(EVENT, title=5), "PUT", f"/events/{EVENT}", {"title": 5}),
        (lambda it: it.save_event(EVENT, title=""), "PUT", f"/events/{EVENT}", {"title": ""}),
        (
            lambda it: it.save_event(EVENT, issue_status="nonsense"),
            "PUT",
            f"/events/{EVENT}",
            {"issue_status": "nonsense"},
        ),
        (lambda it: it.save_event(EVENT, "5 minutes"), "PUT", f"/events/{EVENT}", {"saved_ago": "5 minutes"}),
        (lambda it: it.save_event(EVENT, "P9999999D"), "PUT", f"/events/{EVENT}", {"saved_ago": "P9999999D"}),
        (
            lambda it: it.save_event(EVENT, "PT0S", saved_at=START),
            "PUT",
            f"/events/{EVENT}",
            {"saved_ago": "PT0S", "saved_at": START.isoformat()},
        ),
        (lambda it: it.advance("5 minutes"), "POST", "/clock/advance", {"duration": "5 minutes"}),
        (lambda it: it.advance("P1M"), "POST", "/clock/advance", {"duration": "P1M"}),
        (lambda it: it.advance("P9999999D"), "POST", "/clock/advance", {"duration": "P9999999D"}),
        (lambda it: it.set_clock(START - MICROSECOND), "PUT", "/clock", {"now": (START - MICROSECOND).isoformat()}),
    ],
)
def test_both_doors_refuse_in_the_same_words(
    sandbox: Sandbox, api: Any, call: Callable[[Sandbox], None], method: str, path: str, body: dict[str, Any]
) -> None:
    answer = api.control(method, path, json=body)
    with pytest.raises(ValueError, match=r"\.$") as caught:
        call(sandbox)

    assert answer.status_code in (400, 409)
    assert str(caught.value) == answer.json()["detail"]


def test_a_dashed_id_is_refused_and_its_hex_remains_unknown(sandbox: Sandbox, api: Any) -> None:
    with pytest.raises(ValueError, match="32 hexadecimal digits without dashes"):
        sandbox.save_event(DASHED, "PT31M")

    assert api.submit().json()["issue"] is None


@pytest.mark.parametrize(
    "call",
    [
        lambda it: it.advance(5),
        lambda it: it.advance(None),
        lambda it: it.advance(-MICROSECOND),
        lambda it: it.advance(timedelta.max),
        lambda it: it.set_clock("2026-01-01T00:00:00Z"),
        lambda it: it.set_clock(START.replace(tzinfo=None)),
        lambda it: it.set_clock(datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))),
        lambda it: it.save_event(EVENT, 60),
        lambda it: it.save_event(EVENT, saved_at="2026-01-01T00:00:00Z"),
        lambda it: it.save_event(EVENT, timestamp_ago=1.5),
        lambda it: it.save_event(EVENT, title=object()),
        lambda it: it.save_event(EVENT, title="\ud800"),
        lambda it: Sandbox(it.app, "a/b", "web"),
        lambda it: Sandbox(it.app, "acme", "web", now=START.replace(tzinfo=None)),
        lambda it: Sandbox(Server(it.app), "acme", "web"),
    ],
)
def test_what_json_cannot_say_is_refused_in_one_sentence(sandbox: Sandbox, call: Callable[[Sandbox], None]) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+\.$"):
        call(sandbox)

    assert sandbox.now == START


def test_an_event_is_answered_with_datetimes(sandbox: Sandbox) -> None:
    event = sandbox.save_event(EVENT.upper(), timedelta(minutes=1), timestamp=START, title="Late", environment="prod")

    assert event == SavedEvent(EVENT, START - timedelta(minutes=1), START, "Late", "prod", "unresolved")
    assert sandbox.save_event(EVENT, timestamp_ago="PT1S", saved_at=START).timestamp == START - timedelta(seconds=1)


def test_feedback_is_shown_with_datetimes(sandbox: Sandbox, api: Any) -> None:
    api.submit()
    sandbox.advance("PT1M")
    api.submit(name="Again")

    assert sandbox.feedback == [
        StoredFeedback(FIRST_ID, EVENT, "Again", "jane@example.com", "It broke!", START, START + timedelta(minutes=1))
    ]


def test_the_clock_is_set_frozen_and_run(sandbox: Sandbox) -> None:
    in_a_year = START.replace(year=2027)
    sandbox.set_clock(in_a_year.astimezone(timezone(timedelta(hours=5, minutes=30))))

    assert (sandbox.now, sandbox.running) == (in_a_year, False)
    sandbox.run()
    assert sandbox.running
    sandbox.freeze()
    assert sandbox.now == sandbox.now >= in_a_year


def test_a_reset_keeps_clock_and_credentials(sandbox: Sandbox, api: Any) -> None:
    api.submit()
    sandbox.save_event(EVENT)
    sandbox.advance("PT1M")
    before = (sandbox.now, sandbox.tokens, sandbox.dsn)
    sandbox.reset()

    assert (sandbox.now, sandbox.tokens, sandbox.dsn) == before
    assert sandbox.feedback == []
    assert api.submit().json()["issue"] is None


def test_addresses_and_credentials_are_those_that_http_answers() -> None:
    with Server() as server, Sandbox(server, "acme", "web") as sandbox:
        shown = httpx.get(sandbox.control_url).json()
        headers = {"Authorization": f"Bearer {sandbox.tokens['read']}"}

        assert (shown["organization"], shown["project"]) == (sandbox.organization, sandbox.project)
        assert (shown["dsn"], shown["tokens"]) == (sandbox.dsn, sandbox.tokens)
        assert shown["tokens"]["write"] == sandbox.token
        assert httpx.get(sandbox.feedback_url, headers=headers).json() == []


def test_a_sandbox_is_gone_at_its_end_and_may_be_before(api: Any) -> None:
    with Sandbox(api.mock, "acme", "other") as sandbox:
        assert api.send("DELETE", "/_control/projects/acme/other").status_code == 204
        with pytest.raises(ValueError, match="There is no project acme/other"):
            sandbox.advance("PT1S")
    with Sandbox(api.mock, "acme", "other"):
        pass

    assert api.send("GET", "/_control/projects/acme/other").status_code == 404


def test_a_mock_that_serves_no_control_protocol_has_sandboxes_too() -> None:
    with Sandbox(create_app(control=False), "acme", "web", now=START) as sandbox:
        sandbox.advance("PT1S")

        assert sandbox.now == START + timedelta(seconds=1)
