"""The command's log of each request: one line, without a secret, and never waited for."""

import os
import re
import sys
from typing import Any

import httpx
import pytest
from feedback_mock.app import create_app
from feedback_mock.command import log
from feedback_mock.command.console import Console
from feedback_mock.command.log import Said, Stderr, message

from tests.mock.conftest import EVENT

PATH = "/api/0/projects/acme/web/user-feedback/"


@pytest.fixture
def told(make_api: Any) -> tuple[Any, list[Said]]:
    """A client of a mock with a console, and the lines logged since its project was created."""
    mock, said = create_app(), list[Said]()

    api = make_api(mock)
    api.send_through(Console(mock, lambda line: said.append(line())))
    return api, said


def test_a_request_is_told_with_its_rule_and_why(told: Any) -> None:
    api, said = told
    api.submit()
    api.advance("PT5M0.000001S")
    api.submit()

    assert [each.text for each in said] == [
        f"POST {PATH} 200 submission",
        "POST /_control/projects/acme/web/clock/advance 200",
        f"POST {PATH} 409 overwrite-window: feedback first submitted 5m00.000001s ago, window PT5M",
    ]
    assert said[2].facts == {
        "method": "POST",
        "path": PATH,
        "status": 409,
        "rule": "overwrite-window",
        "reason": "feedback first submitted 5m00.000001s ago, window PT5M",
    }


def test_files_of_the_page_are_not_told(told: Any) -> None:
    api, said = told
    for path in ("/", "/_control/page/", "/_control/page/app.js"):
        api.send("GET", path)

    assert [each.text for each in said] == ["GET / 302"]


def test_a_refusal_of_the_control_protocol_and_a_broken_connection_are_told(told: Any) -> None:
    api, said = told
    api.control("PUT", "/clock", json={"now": "yesterday"})
    api.control("POST", "/faults", json={"faults": [{"effect": {"connection": "CONNECTION_RESET_BY_PEER"}}]})
    with pytest.raises(ConnectionResetError):
        api.submit()

    assert said[0].text.startswith('PUT /_control/projects/acme/web/clock 400 request: now: "yesterday" is not ')
    assert said[2].text == f"POST {PATH} (no answer)"


def test_no_secret_is_told_wherever_somebody_puts_it(told: Any) -> None:
    api, said = told
    token, key = api.project["tokens"]["write"], api.project["dsn"][7:39]
    api.send("GET", f"/api/0/projects/acme/{token}/user-feedback/?key={key}", headers=api.bearer())
    api.send("POST", f"/api/{key}/envelope/?sentry_key={key}")
    api.submit(headers={"Authorization": f"DSN http://{key}@127.0.0.1:8080/77"})

    shown = "\n".join(f"{each.text} {each.facts}" for each in said)
    assert token not in shown
    assert key not in shown
    assert "/api/0/projects/acme/[redacted]/user-feedback/ 404 project-exists: there is no project acme/" in shown


def test_the_event_of_a_path_is_told(told: Any) -> None:
    api, said = told
    api.save_event()

    assert said[0].text == f"PUT /_control/projects/acme/web/events/{EVENT} 200"


def test_nothing_reaches_a_terminal_but_printable_ascii(runner: Any) -> None:
    said = list[Said]()
    console = Console(create_app(), lambda line: said.append(line()))

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(_: Any) -> None:
        pass

    path = "/\x1b[31m\u202e" + "x" * 1_000
    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "headers": []}
    runner.run(console({**scope, "query_string": b"", "http_version": "1.1"}, receive, send))

    assert said[0].text.startswith("GET /?[31m???xxx")
    assert said[0].text.isprintable()
    assert len(said[0].text) < 300


def test_lines_that_nobody_reads_are_bounded_and_their_number_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """More lines than a pipe holds and than may wait; lost lines are counted."""
    monkeypatch.setattr(log, "MOST_WAITING", 100)
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream, os.fdopen(reading, "rb", buffering=0) as reader:
        monkeypatch.setattr(sys, "stderr", stream)
        stderr = Stderr()
        for _ in range(400):
            stderr.say(message("x" * 1_000))
        text, kept, lost = "", 0, 0
        while kept + lost < 400:
            text += reader.read(2**20).decode()
            kept = text.count("x" * 1_000)
            lost = sum(int(number) for number in re.findall("([0-9]+) lines were lost", text))
        stderr.close()

    assert kept + lost == 400
    assert kept <= 200


# The reason for a refusal, as in X-Feedback-Rule, where people need it most.


@pytest.mark.parametrize(
    ("dsn", "why"),
    [
        ("http://{key}@127.0.0.1/77", "the DSN names project 77; its public key belongs to project {id}"),
        (
            "http://{key}@127.0.0.1",
            "the DSN does not end in a project's number; its public key belongs to project {id}",
        ),
        ("http://127.0.0.1/{id}", "the DSN has no public key before an @"),
        ("http://0123@127.0.0.1/{id}", "no project has the DSN's public key"),
    ],
)
def test_the_part_of_a_dsn_that_is_wrong_is_named(api: Any, dsn: str, why: str) -> None:
    words = {"key": api.project["dsn"][7:39], "id": api.project["id"]}
    answer = api.submit(headers={"Authorization": f"DSN {dsn.format_map(words)}"})

    assert answer.status_code == 401
    assert answer.headers["x-feedback-rule"] == f'dsn-known; reason="{why.format_map(words)}"'


def test_whoever_asks_for_a_project_that_is_not_there_reads_how_it_is_made(api: Any) -> None:
    path = PATH.replace("web", "app")
    unknown = api.send("POST", path, headers=api.bearer())
    nobody = api.send("POST", path, headers={"Authorization": "Bearer 123"})
    rule = "there is no project acme/app; create it with PUT /_control/projects/acme/app"

    assert unknown.headers["x-feedback-rule"] == f'project-exists; reason="{rule}"'
    assert nobody.headers["x-feedback-rule"] == f'credentials-known; reason="{rule}"'


def test_json_that_curl_sends_as_a_form_is_told(api: Any) -> None:
    answer = api.post(b'{"event_id": "1"}', "application/x-www-form-urlencoded")

    assert answer.json()["comments"] == ["This field is required."]
    assert "looks like JSON, but was read as a form" in answer.headers["x-feedback-rule"]


def test_scripts_of_a_page_read_the_rule_of_every_protocol(api: Any) -> None:
    rest, ingest = api.submit(headers={}), api.send("POST", "/api/1/envelope/?sentry_key=" + "0" * 32, content=b"{}")

    for each in (rest, ingest):
        assert "x-feedback-rule" in each.headers["access-control-expose-headers"].lower()
    assert ingest.headers["x-feedback-rule"] == 'key-known; reason="the DSN\'s public key is not that of project 1"'


def test_without_control_nothing_is_said_of_making_projects(runner: Any) -> None:
    mock = create_app(control=False)
    token = mock.default_project.credentials.tokens["write"]

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(mock), base_url="http://x") as client:
            return await client.post(PATH, headers={"Authorization": f"Bearer {token}"})

    assert runner.run(ask()).headers["x-feedback-rule"] == 'project-exists; reason="there is no project acme/web"'
