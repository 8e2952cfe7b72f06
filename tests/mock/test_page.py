"""How the page is served: where, under which policy, with which documents, and where not."""

import tomllib
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from feedback_mock import Server
from feedback_mock.page import site

PAGE = "/_control/page/"


def test_root_leads_to_the_page(api: Any) -> None:
    answer = api.send("GET", "/")

    assert (answer.status_code, answer.headers["location"]) == (302, PAGE)
    assert api.send("GET", PAGE[:-1]).headers["location"] == PAGE
    assert "<title>Feedback mock" in api.send("GET", PAGE).text


@pytest.mark.parametrize("path", ["", "app.js", "page.css", "icon.svg", "documents/openapi.json", "nothing"])
def test_page_is_served_under_a_strict_policy(api: Any, path: str) -> None:
    """Nothing from elsewhere, nothing inline, no markup from values, no guessed types, no stale copies."""
    headers = api.send("GET", PAGE + path).headers
    policy = dict(each.strip().partition(" ")[::2] for each in headers["content-security-policy"].split(";"))

    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["img-src"] == "'self'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-cache"


def test_copy_that_is_current_is_not_sent_again(api: Any) -> None:
    tag = api.send("GET", f"{PAGE}app.js").headers["etag"]

    assert api.send("GET", f"{PAGE}app.js", headers={"If-None-Match": tag}).status_code == 304


def test_documents_are_those_that_are_served_and_name_this_server_only(api: Any) -> None:
    for name in ("openapi", "control", "ingest"):
        document = api.send("GET", f"{PAGE}documents/{name}.json").json()
        assert [each["url"] for each in document["servers"]] == ["/"]
    assert api.send("GET", f"{PAGE}documents/openapi.json").json()["x-rules"]


@pytest.mark.parametrize(
    "path", ["site.py", "../site.py", "..%2fsite.py", "%2e%2e/site.py", "documents/x.json", "static"]
)
def test_nothing_else_is_served(api: Any, path: str) -> None:
    answer = api.send("GET", PAGE + path)

    assert answer.status_code == 404
    assert answer.json().keys() == {"detail"}


def test_reference_has_a_policy_as_strict_but_for_icons_and_markup(api: Any) -> None:
    policy = api.send("GET", f"{PAGE}reference/").headers["content-security-policy"]

    assert "script-src 'self'; connect-src 'self'" in policy
    assert "style-src 'self'; img-src 'self' data:" in policy
    assert "unsafe" not in policy


def test_swagger_ui_is_as_it_was_published() -> None:
    """Every file has the hash listed with its origin, and there are no others."""
    folder = Path(site.__file__).parent / "static" / "reference" / "swagger-ui"
    origin = tomllib.loads((folder / "ORIGIN.toml").read_text("utf-8"))
    found = {each.name: sha256(each.read_bytes()).hexdigest() for each in folder.iterdir()}
    found.pop("ORIGIN.toml")

    assert found == origin["sha256"]


def test_host_that_is_none_is_refused(api: Any) -> None:
    assert api.send("GET", PAGE, headers={"Host": "a/b"}).status_code == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_page_takes_nothing(api: Any, method: str) -> None:
    assert api.send(method, PAGE).status_code == 404


def test_there_is_no_page_without_the_control_protocol() -> None:
    with Server(control=False) as server:
        for path in ("/", PAGE, f"{PAGE}app.js"):
            assert httpx.get(f"{server.url}{path}").status_code == 404
