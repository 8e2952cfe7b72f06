"""An invalid Host gets a clean response, and whatever fails, no log shows a project's credentials."""

import json
import logging
from typing import Any

import httpx
import pytest
from feedback_mock.app import create_app
from feedback_mock.server import Server

HEALTH, WEB = "/_control/health", "/_control/projects/acme/web"
CONTROL = [("GET", HEALTH), ("PUT", WEB), ("GET", WEB), ("POST", f"{WEB}/reset"), ("GET", f"{WEB}/clock")]
NO_HOSTS = ["::1", "[", "a:b", "[::1", "[::g]", "a:", "a:99999", "a b", "a/b", "user@a", "<x>", "a" * 300, "\xe9"]
HOSTS = ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]", "[::1]:8080", "mock_1.example:80", "MOCK"]


@pytest.mark.parametrize("host", NO_HOSTS)
def test_host_that_is_none_is_400_for_control_and_no_error_for_the_rest(api: Any, host: str) -> None:
    headers = {"Host": host.encode("latin-1")}
    for method, path in CONTROL:
        answer = api.send(method, path, headers=headers)
        assert (answer.status_code, list(answer.json())) == (400, ["detail"])
        assert answer.json()["detail"].startswith("The Host header ")
    submitted = api.submit({**api.bearer(), **headers})
    listed = api.send("GET", api.path, headers={**api.bearer("read"), **headers})

    assert (submitted.status_code, listed.status_code) == (200, 200)


@pytest.mark.parametrize("host", HOSTS)
def test_host_stands_in_the_dsn(make_api: Any, host: str) -> None:
    api = make_api(create_app(allow_hosts=["mock_1.example", "Mock"]))
    answer = api.send("GET", WEB, headers={"Host": host})

    assert answer.json()["dsn"].partition("@")[2] == f"{host}/{api.project['id']}"


def test_request_without_a_host_gets_the_default_one(api: Any) -> None:
    for headers in ([], [(b"host", b"")]):
        assert _project_by_scope(api, headers)["dsn"].partition("@")[2] == f"127.0.0.1:8080/{api.project['id']}"


def _project_by_scope(api: Any, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    """A request that httpx would not send: it always names a host."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": WEB, "query_string": b"", "headers": headers}
    api.runner.run(api.mock(scope, receive, send))
    project: dict[str, Any] = json.loads(sent[1]["body"])
    return project


class Failing(dict[Any, Any]):
    """Fails like a bug, with everything in the request in its message."""

    def get(self, key: Any, default: Any = None) -> Any:
        try:
            return {}[key]
        except KeyError as error:
            raise RuntimeError(f"cannot find {key} or {default}") from error


def test_failure_is_500_and_its_log_names_the_place_and_no_secret(caplog: Any) -> None:
    app = create_app()
    project = app.default_project
    path = f"/api/0/projects/{project.organization}/{project.slug}/user-feedback/"
    foreign = "sntrys_0123456789abcdef"
    app.store.grants = app.store.by_key = Failing()
    with caplog.at_level(logging.DEBUG), Server(app) as server, httpx.Client(base_url=server.url) as client:
        tokens = [*project.credentials.tokens.values(), foreign]
        by_token = [client.post(path, headers={"Authorization": f"Bearer {each}"}).status_code for each in tokens]
        dsn = f"DSN http://{project.credentials.public_key}@127.0.0.1/{project.id}"
        by_key = client.post(path, headers={"Authorization": dsn}).status_code

    assert {*by_token, by_key} == {500}
    assert "access.py" in caplog.text
    assert "RuntimeError" in caplog.text
    for secret in (*tokens, project.credentials.public_key):
        assert secret not in caplog.text


def test_answer_off_the_document_is_500_and_its_log_says_where_and_no_value(api: Any, caplog: Any) -> None:
    api.mock.store.project("acme", "web").id = "none"
    answer = api.send("GET", WEB)

    assert answer.status_code == 500
    assert "controlGetProject: the document does not allow this 200: id: pattern" in caplog.text
    for token in api.project["tokens"].values():
        assert token not in caplog.text
