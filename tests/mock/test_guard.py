"""Only authorised clients may use the control protocol: pages of other sites, foreign hosts and wrong tokens are
refused.
"""

from typing import Any

import httpx
import pytest
from feedback_mock.app import create_app
from feedback_mock.server import Server

WEB = "/_control/projects/acme/web"
TOKEN = "a-token-for-tests"


def refused(api: Any, headers: dict[str, str], method: str = "GET") -> str:
    """The sentence of a refusal, which is the same for every request."""
    answer = api.send(method, WEB, headers=headers)
    assert answer.status_code in (401, 403)
    detail: str = answer.json()["detail"]
    return detail


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_foreign_host_neither_reads_nor_writes(api: Any, method: str) -> None:
    """A name that resolves to 127.0.0.1 would make any page same-origin: DNS rebinding."""
    headers = {"Host": "rebound.example:8080", "Origin": "http://rebound.example:8080"}

    assert refused(api, headers, method).startswith(
        '"rebound.example" is not a host of this server; add it with --allow-host '
    )
    assert api.send("GET", WEB).json() == api.project


@pytest.mark.parametrize("host", ["localhost", "app.localhost:80", "127.0.0.1:1", "[::1]:8080", "Mock.Test:8080"])
def test_known_hosts_are_this_machine_and_those_that_are_allowed(make_api: Any, host: str) -> None:
    api = make_api(create_app(allow_hosts=["mock.test"]))

    assert api.send("GET", WEB, headers={"Host": host}).status_code == 200


def test_the_address_that_was_called_is_known(api: Any) -> None:
    assert api.send("GET", f"http://192.0.2.7:8080{WEB}").status_code == 200
    assert refused(api, {"Host": "192.0.2.7:8080"})


def test_with_a_token_only_who_has_it_controls_from_wherever() -> None:
    with Server(control_token=TOKEN) as server:

        def ask(path: str, **headers: str) -> int:
            return httpx.get(server.url + path, headers=headers).status_code

        assert ask("/_control/projects") == 401
        assert ask("/_control/projects", Authorization=f"Bearer {TOKEN}x") == 401
        assert ask("/_control/projects", Authorization=f"Bearer {TOKEN}", Host="mock.test") == 200
        assert ask("/_control/projects", Authorization=f"Bearer {TOKEN}", Origin="https://elsewhere.example") == 403
        assert ask("/_control/health", Host="mock.test") == 200


def test_what_a_page_of_another_site_loads_without_telling_its_origin_is_refused(api: Any) -> None:
    assert refused(api, {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"})
    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}):
        assert api.send("GET", WEB, headers=headers).status_code == 200


def test_our_own_page_may_ask_wherever_it_was_loaded_from(make_api: Any) -> None:
    api = make_api(create_app(allow_hosts=["mock.test"]))

    assert api.send("GET", WEB, headers={"Host": "mock.test:1", "Origin": "http://mock.test:1"}).status_code == 200
    assert refused(api, {"Host": "mock.test:1", "Origin": "http://mock.test:2"})


def test_no_other_site_may_embed_an_answer(api: Any) -> None:
    for answer in (api.send("GET", WEB), api.send("GET", f"{WEB}-none"), api.send("PATCH", WEB)):
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in answer.headers


def test_credentials_are_what_nobody_knows_who_does_not_know_the_secret(api: Any, make_api: Any) -> None:
    secret, same, other = (make_api(create_app(secret=each)).project for each in ("a", "a", "b"))

    assert secret == same
    assert len({each["tokens"]["write"] for each in (api.project, secret, other)}) == 3
    assert len({each["dsn"] for each in (api.project, secret, other)}) == 3


def test_a_server_that_others_reach_makes_up_a_token_and_credentials() -> None:
    with Server(host="0.0.0.0") as one, Server(host="0.0.0.0", control_token=TOKEN) as two:
        assert httpx.get(f"{one.url}/_control/projects").status_code == 401
        assert (
            httpx.get(f"{two.url}/_control/projects", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
        )

    projects = [each.app.default_project.credentials for each in (one, two)]
    assert projects[0].public_key != projects[1].public_key


@pytest.mark.parametrize(("told", "scheme"), [("https", "https"), ("HTTPS, http", "https"), ("javascript", "http")])
def test_a_proxy_says_which_scheme_the_client_used(api: Any, told: str, scheme: str) -> None:
    api.submit()
    headers = {"X-Forwarded-Proto": told}
    project = api.send("GET", WEB, headers=headers).json()
    listed = api.send("GET", api.path, headers={**api.bearer("read"), **headers})
    entry = api.send("GET", f"{WEB}/requests", headers=headers).json()["entries"][0]

    assert project["dsn"].startswith(f"{scheme}://")
    assert listed.headers["link"].startswith(f"<{scheme}://127.0.0.1:8080/api/")
    assert entry["request"]["url"].startswith(f"{scheme}://")
