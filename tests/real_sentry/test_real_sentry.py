"""Tests of `make verify-sentry` without a Sentry: it compares two mocks, and says when it does nothing."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from feedback_mock.server import Server as MockServer
from feedback_spec.document import load

from tests.real_sentry.__main__ import main, make_mock, server_of
from tests.real_sentry.compare import Accepted, Difference, Server, compared, run
from tests.real_sentry.requests import EVENT_ID, GOOD, Call, Sequence

CORS = "header access-control-allow-origin"
WORDS = {"org": "acme", "project": "shop"}


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Server]]:
    """Mocks by profile; of `sentry-9.1` two."""
    profiles = {"first": "sentry-9.1", "second": "sentry-9.1", "latest": "sentry-latest"}
    running = {name: MockServer(document=load(None, profile)) for name, profile in profiles.items()}
    for server in running.values():
        server.__enter__()
    yield {name: make_mock(server, WORDS) for name, server in running.items()}
    for server in running.values():
        server.__exit__(None, None, None)


def test_servers_that_are_alike_do_not_differ(servers: dict[str, Server]) -> None:
    assert list(run(servers["first"], servers["second"], 40, 1, lambda _: None)) == []


def test_servers_that_differ_are_seen_to(servers: dict[str, Server]) -> None:
    """In values and in the status; a call after a different status is no longer compared."""
    plain = Call(body=json.dumps({"event_id": EVENT_ID, **GOOD}).encode())
    short = Call(body=json.dumps({"event_id": "x{short}", **GOOD}).encode())
    with httpx.Client() as client:
        found = list(compared(client, servers["first"], servers["latest"], Sequence(None, (plain, short, plain))))

    assert [each.what for each in found] == ["body.dateCreated", "body.event.id", CORS, "status"]
    assert (found[-1].real, found[-1].mock) == ("200", "400")


def test_difference_is_accepted_where_every_pattern_fits() -> None:
    accepted = Accepted()
    seen = Difference("call", "body.name", "\"[u'a']\"", "\"['a']\"")

    assert re.match("an array or an object is converted", accepted.reason(seen) or "")
    assert accepted.reason(Difference("call", "status", "500", "400")) is None
    assert sum(accepted.seen.values()) == 1


def test_without_a_sentry_it_says_that_it_did_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SENTRY_SEED", raising=False)
    outcome = CliRunner().invoke(main, [])

    assert outcome.exit_code == 0
    assert "nothing was done" in outcome.output


@pytest.mark.parametrize("content", ["", "{}", '{"projects": {}}'])
def test_seed_that_is_none_is_refused_in_one_sentence(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = tmp_path / "seed.json"
    seed.write_text(content)
    monkeypatch.setenv("SENTRY_SEED", str(seed))
    outcome = CliRunner().invoke(main, [])

    assert outcome.exit_code == 2
    assert f"SENTRY_SEED={seed}: is not a seed file: " in outcome.output


def test_seed_names_the_server() -> None:
    dsn = "http://abc@127.0.0.1:9/2"
    content = {"org": "o", "token_write": "w", "token_read": "r", "projects": {"a": {"id": 2, "dsn": dsn}}}
    content["projects"] |= {"b": {"id": 3, "dsn": "http://def@127.0.0.1:9/3"}}  # type: ignore[operator]  # the values of a JSON object
    server = server_of(json.loads(json.dumps(content)))

    assert server.url == "http://127.0.0.1:9"
    assert (server.words["key"], server.words["id"], server.words["project"]) == ("abc", "2", "a")
