"""The journal of a project: what it keeps, what it hides, and what it can and cannot say about what never happened."""

import gzip
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from feedback_mock import Sandbox
from feedback_mock.app import create_app
from feedback_mock.journal import MOST_SEARCHED
from feedback_mock.store import Limits

from tests.mock.conftest import EVENT, NOW

WEB = "/_control/projects/acme/web"


def entries(api: Any, query: str = "") -> list[dict[str, Any]]:
    answer = api.control("GET", f"/requests{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["entries"]
    return found


def facts(api: Any, query: str = "") -> list[dict[str, Any]]:
    return [each["_feedback"] for each in entries(api, query)]


def verdict(api: Any, **body: Any) -> str:
    answer = api.control("POST", "/requests/verify", json=body)
    assert answer.status_code == 200, answer.text
    said: str = answer.json()["verdict"]
    return said


def test_every_exchange_is_kept_in_full(api: Any) -> None:
    api.save_event(saved_ago="PT31M")
    refused = api.submit()
    (entry,) = entries(api)

    assert entry["request"]["method"] == "POST"
    assert entry["request"]["url"] == f"http://127.0.0.1:8080{api.path}"
    assert json.loads(entry["request"]["postData"]["text"])["comments"] == "It broke!"
    assert (entry["response"]["status"], entry["response"]["content"]["text"]) == (409, refused.text)
    assert entry["_feedback"] == {
        "number": 1,
        "now": NOW,
        "state": "answered",
        "operation": "submitUserFeedback",
        "event_ids": [EVENT],
        "rule": "event-window",
        "reason": "event saved 31m00s ago, window PT30M",
        "fault": None,
        "request": {"valid": True, "problems": []},
        "answer": {"valid": True, "problems": []},
    }


def test_the_instant_is_the_one_that_the_request_was_judged_by(api: Any) -> None:
    api.submit()
    api.advance("PT5M0.000001S")
    api.submit()

    assert [each["now"] for each in facts(api)] == [NOW, "2026-01-01T00:05:00.000001Z"]


def test_what_reaches_no_operation_is_kept_too(api: Any) -> None:
    api.send("POST", api.path.rstrip("/"), json={})
    api.send("DELETE", api.path)
    api.send("POST", api.path, headers={"Authorization": "Bearer wrong"}, json={})
    api.send("POST", f"/api/{api.project['id']}/envelope/", content=b"{}")
    api.send("PUT", f"/api/{api.project['id']}/store/")
    api.send("GET", "/api/0/nowhere/")
    told = [(each["operation"], each["rule"], each["request"]["valid"]) for each in facts(api)]

    assert told == [
        (None, "route", False),
        (None, "method", False),
        ("submitUserFeedback", "credentials-known", None),  # its body was not read
        ("ingestEnvelope", "key-missing", False),
        (None, "method", False),
    ]


def test_control_is_not_kept(api: Any) -> None:
    api.save_event()
    api.control("PATCH", "/clock")

    assert entries(api) == []


@pytest.mark.parametrize(
    ("headers", "content", "pointers"),
    [
        ({"Content-Type": "application/json"}, b'{"event_id": 5, "name": "J"}', {"event_id", "email", "comments"}),
        ({"Content-Type": "application/json"}, b"{", {""}),
        ({"Content-Type": "text/plain"}, b"{}", None),
    ],
)
def test_problems_of_a_request_are_json_pointers(api: Any, headers: Any, content: bytes, pointers: Any) -> None:
    api.send("POST", api.path, headers={**api.bearer(), **headers}, content=content)
    (found,) = facts(api)
    places = {each["pointer"] for each in found["request"]["problems"]}

    if pointers is None:
        # The server refuses it because of its media type without reading it.
        assert places == set()
    else:
        assert places == {f"/body/{each}".rstrip("/") for each in pointers}
    assert found["answer"]["valid"]


def test_missing_credentials_and_a_query_that_is_not_allowed_are_problems(api: Any) -> None:
    api.send("POST", api.path, json={})
    api.listed("?per_page=0")
    places = [each["pointer"] for found in facts(api) for each in found["request"]["problems"]]

    assert places == ["/headers/authorization", "/query/per_page"]


@pytest.mark.parametrize("shown", [False, True])
def test_secrets_are_shown_only_where_the_project_was_made_so(api: Any, shown: bool) -> None:
    project = api.send("PUT", WEB, json={"redact": not shown}).json()
    key, token = project["dsn"].split("//")[1].split("@")[0], project["tokens"]["write"]
    body = {"event_id": EVENT, "name": "Jane", "email": "jane@example.com", "comments": f"my {token} {project['dsn']}"}
    api.send("POST", api.path, headers={"Authorization": f"Bearer {token}", "Cookie": "s=swordfish"}, json=body)
    header = json.dumps({"dsn": project["dsn"], "event_id": EVENT}).encode()
    packed = gzip.compress(header + b'\n{"type":"event"}\n{"message":"boom"}')
    envelope = f"/api/{project['id']}/envelope/?sentry_key={key}"
    api.send("POST", envelope, headers={"Content-Encoding": "gzip"}, content=packed)
    api.send(
        "POST", api.path, headers={"Authorization": "Bearer not-ours-at-all"}, json={"event_id": "not-ours-at-all"}
    )
    text = json.dumps([entries(api), api.control("GET", "/requests.har").json()])

    for secret in (key, token, "swordfish", "not-ours-at-all"):
        assert (secret in text) is shown
    assert "boom" in text


def test_compressed_body_that_cannot_be_unpacked_is_not_shown(api: Any) -> None:
    api.send(
        "POST",
        f"/api/{api.project['id']}/envelope/?sentry_key={api.project['dsn'].split('//')[1].split('@')[0]}",
        headers={"Content-Encoding": "gzip"},
        content=gzip.compress(api.project["dsn"].encode())[:-9],
    )
    (entry,) = entries(api)

    assert entry["request"]["postData"]["text"] == ""
    assert "cannot be decompressed" in entry["request"]["postData"]["comment"]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [1, 2, 3, 4]),
        ("?method=get", [3]),
        ("?status=200", [1, 3]),
        ("?rule=field-required", [2]),
        (f"?event_id={EVENT.upper()}", [1, 2]),
        ("?valid=true", [1, 3]),
        ("?valid=false", [2]),
        ("?since=2", [3, 4]),
        ("?since=1&status=200", [3]),
    ],
)
def test_entries_are_found_by_what_they_are(api: Any, query: str, numbers: list[int]) -> None:
    api.submit()
    api.submit(comments=...)
    api.listed()
    api.submit(headers={"Authorization": "Bearer wrong"}, event_id="f" * 32)

    assert [each["number"] for each in facts(api, query)] == numbers
    har = api.control("GET", f"/requests.har{query}").json()["log"]["entries"]
    assert [each["_feedback"]["number"] for each in har] == numbers


def test_archive_is_valid_har(api: Any) -> None:
    """Under the schema of version 1.2, whatever the requests and responses."""
    api.submit()
    api.submit(comments=...)
    api.submit(comments="\x00<\U0001f600")
    api.listed()
    schema = json.loads((Path(__file__).parents[1] / "data" / "har-1.2.schema.json").read_text("utf-8"))
    archive = api.control("GET", "/requests.har").json()

    assert len(archive["log"]["entries"]) == 4
    jsonschema_rs.validator_for(schema).validate(archive)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        (
            "?methode=GET",
            "methode: is not a query parameter here; the parameters are method, status, rule, event_id, valid",
        ),
        ("?rule=evnt-window", 'rule: there is no rule "evnt-window"; did you mean "event-window"'),
        ("?status=409&status=200", "status: is given more than once."),
        ("?valid=maybe", 'valid: "maybe" is not allowed in the query; use true or false'),
        ("?since=x", 'since: "x" is not allowed in the query; use a whole number from 0'),
    ],
)
def test_query_that_is_not_one_is_refused(api: Any, query: str, sentence: str) -> None:
    answer = api.control("GET", f"/requests{query}")

    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(sentence)


@pytest.mark.parametrize("with_faults", [False, True])
@pytest.mark.parametrize(("method", "path"), [("POST", "/reset"), ("DELETE", "/requests"), ("PUT", "")])
def test_a_request_whose_body_ends_after_a_reset_is_in_the_new_journal(
    make_api: Any, method: str, path: str, with_faults: bool
) -> None:
    """It is stored there, so that "never" must not be the verdict; also if the reset removed faults."""
    api = make_api(create_app())
    if with_faults:
        never = {"match": {"event_id": "f" * 32}, "effect": {"status": 503}}
        api.control("POST", "/faults", json={"faults": [never]})
    body = json.dumps({"event_id": EVENT, "name": "Jane", "email": "jane@example.com", "comments": "It broke!"})

    async def arriving() -> AsyncIterator[bytes]:
        yield body[:9].encode()
        await api.request(method, f"/_control/projects/acme/web{path}")
        yield body[9:].encode()

    headers = {**api.bearer(), "Content-Type": "application/json"}
    answer = api.send("POST", api.path, headers=headers, content=arriving())
    journal = api.control("GET", "/requests").json()

    assert answer.status_code == 200
    assert (len(api.stored()), len(journal["entries"])) == (1, 1)
    assert journal["entries"][0]["_feedback"]["number"] == journal["first"] == journal["last"]
    assert journal["dropped"] == 0


def test_numbers_go_on_when_entries_are_cleared_and_begin_anew_with_a_reset(api: Any) -> None:
    api.submit()
    assert api.control("DELETE", "/requests").status_code == 204
    assert api.control("GET", "/requests").json() == {"first": 2, "last": 1, "dropped": 0, "entries": []}
    api.submit()
    assert [each["number"] for each in facts(api)] == [2]
    api.control("POST", "/reset")
    api.submit()

    assert [each["number"] for each in facts(api)] == [1]


def test_never_is_unknown_once_entries_were_dropped(make_api: Any) -> None:
    api = make_api(create_app(limits=Limits(requests=2)))
    api.submit()
    api.submit()
    assert verdict(api, match={"status": 409}, exactly=0) == "yes"
    api.submit()
    said = api.control("POST", "/requests/verify", json={"match": {"status": 409}, "exactly": 0}).json()

    assert (said["verdict"], said["count"], said["dropped"], said["first"], said["last"]) == ("unknown", 0, 1, 2, 3)
    assert said["detail"] == "0 of the kept requests match; 1 that might have matched was dropped."
    assert verdict(api, match={"status": 409, "since": 1}, exactly=0) == "yes"
    assert verdict(api, match={"status": 200}, at_least=2) == "yes"
    assert verdict(api, match={"status": 200}, at_least=3) == "unknown"
    assert verdict(api, match={"status": 200}, at_least=4) == "no"
    assert verdict(api, match={"status": 200}, at_most=1) == "no"
    assert verdict(api, match={"status": 200}, at_most=2) == "unknown"
    assert verdict(api, match={"status": 200}, exactly=1) == "no"
    api.control("DELETE", "/requests")
    assert verdict(api, exactly=0) == "yes"


def test_a_misspelt_rule_does_not_prove_that_there_was_no_such_request(api: Any) -> None:
    answer = api.control("POST", "/requests/verify", json={"match": {"rule": "overwrite_window"}, "exactly": 0})

    assert answer.status_code == 400
    assert 'match.rule: there is no rule "overwrite_window"; did you mean "overwrite-window"' in answer.json()["detail"]
    for rule in ("envelope", "follow", "submission"):  # of the ingest, of no document, and of the document
        assert verdict(api, match={"rule": rule}, exactly=0) == "yes"


@pytest.mark.parametrize("body", [{}, {"exactly": 1, "at_least": 1}, {"match": {"status": 200}}])
def test_a_count_is_needed_once(api: Any, body: dict[str, Any]) -> None:
    answer = api.control("POST", "/requests/verify", json=body)

    assert answer.json() == {"detail": "The request body needs exactly one of exactly, at_least, at_most."}


def test_a_misspelt_match_is_refused_with_the_keys_that_there_are(api: Any) -> None:
    answer = api.control("POST", "/requests/verify", json={"match": {"state": 1}, "exactly": 0})

    assert answer.json()["detail"].startswith("match.state: is not a key here; the keys are method, status, rule")


def test_journal_is_bounded_in_bytes_for_each_project_and_for_all(make_api: Any) -> None:
    limits = Limits(request_bytes=100_000, all_request_bytes=150_000)
    api = make_api(create_app(limits=limits))
    for _ in range(20):
        api.submit(comments="x" * 20_000)
    web = api.mock.store.project("acme", "web")
    assert web.journal.size <= limits.request_bytes
    assert web.journal.last == 20
    first = api.project
    api.project = api.make_project("acme", "other")
    for _ in range(20):
        api.submit(comments="x" * 20_000)
    other = api.mock.store.project("acme", "other")

    assert web.journal.size + other.journal.size <= limits.all_request_bytes
    assert 0 < len(web.journal.entries) < 4
    assert len(other.journal.entries) > 0
    assert first["id"] != api.project["id"]


def test_deleted_and_replaced_projects_give_their_bytes_back(make_api: Any) -> None:
    api = make_api(create_app(limits=Limits(all_request_bytes=200_000)))
    for _ in range(10):
        api.send("DELETE", WEB)
        api.make_project("acme", "web")
        api.make_project("acme", "web")
        for _ in range(3):
            api.submit(comments="x" * 20_000)

    assert len(entries(api)) == 3


def test_long_body_is_cut_and_says_so(api: Any) -> None:
    api.submit(comments="x" * 300_000)
    (entry,) = entries(api)

    assert len(entry["request"]["postData"]["text"]) == 262_144
    assert entry["request"]["bodySize"] > 300_000
    assert entry["request"]["postData"]["comment"].startswith("truncated after 262144 of 300")
    assert len(entry["response"]["content"]["text"]) == 262_144
    assert entry["response"]["bodySize"] == entry["response"]["content"]["size"] > 300_000
    assert entry["response"]["content"]["comment"].startswith("truncated after 262144 of 300")
    assert entry["_feedback"]["answer"]["valid"]
    assert entry["_feedback"]["request"]["valid"]


def test_it_is_not_known_whether_what_was_not_read_was_valid(api: Any) -> None:
    """As of a request that is refused by its head: "never" must not be the verdict."""
    api.submit(headers={"Authorization": "Bearer wrong"})
    api.submit(headers={"Authorization": "Bearer wrong"}, comments=...)
    api.submit()
    api.submit(headers={"Authorization": "Token wrong"})
    found = facts(api)

    assert [each["request"]["valid"] for each in found] == [None, None, True, False]
    assert found[3]["request"]["problems"] == [
        {"pointer": "/headers/authorization", "detail": "must begin with Bearer or DSN"}
    ]
    assert [each["number"] for each in facts(api, "?valid=true")] == [3]
    assert [each["number"] for each in facts(api, "?valid=false")] == [4]
    assert verdict(api, match={"valid": False}, exactly=1) == "unknown"
    assert verdict(api, match={"valid": False, "since": 2}, exactly=1) == "yes"
    assert verdict(api, match={"valid": True}, at_least=2) == "unknown"
    assert verdict(api, match={"valid": True, "event_id": "f" * 32, "since": 2}, exactly=0) == "yes"
    assert verdict(api, match={"valid": False, "event_id": "f" * 32, "since": 3}, at_most=0) == "unknown"
    assert verdict(api, match={"valid": True}, at_most=3) == "yes"


@pytest.mark.parametrize("kind", ["json", "form"])
def test_the_event_of_a_long_body_is_known(api: Any, kind: str) -> None:
    """Otherwise a submission for it would seem never to have come."""
    fields = {"event_id": EVENT, "name": "Jane", "email": "jane@example.com", "comments": "x" * 300_000}
    api.send("POST", api.path, headers=api.bearer(), **{"json" if kind == "json" else "data": fields})

    assert [each["event_ids"] for each in facts(api, f"?event_id={EVENT}")] == [[EVENT]]
    assert verdict(api, match={"event_id": EVENT}, exactly=1) == "yes"
    assert verdict(api, match={"event_id": "f" * 32}, exactly=0) == "yes"


@pytest.mark.parametrize("encoded", [False, True])
def test_what_was_not_read_may_have_been_about_any_event(api: Any, encoded: bool) -> None:
    """A body that is too large is not read, and of an encoded one too little is kept to decode it."""
    if encoded:
        key = api.project["dsn"].split("//")[1].split("@")[0]
        packed = gzip.compress(random.Random(1).randbytes(400_000))
        path = f"/api/{api.project['id']}/envelope/?sentry_key={key}"
        api.send("POST", path, headers={"Content-Encoding": "gzip"}, content=packed)
    else:
        api.submit(comments="x" * 1_100_000)

    assert facts(api)[0]["event_ids"] == []
    assert verdict(api, match={"event_id": EVENT}, exactly=0) == "unknown"
    assert verdict(api, match={"event_id": EVENT}, at_least=0) == "yes"
    assert verdict(api, match={"event_id": EVENT, "method": "GET"}, exactly=0) == "yes"


@pytest.mark.parametrize(("more", "expected"), [(0, "yes"), (1, "unknown")])
def test_a_body_that_is_too_long_to_be_searched_may_be_about_any_event(api: Any, more: int, expected: str) -> None:
    """An envelope may have 20 MiB, which is not parsed just for the journal; its beginning is."""
    key = api.project["dsn"].split("//")[1].split("@")[0]
    body = json.dumps({"event_id": EVENT}).encode().ljust(MOST_SEARCHED + more, b"\n")
    api.send("POST", f"/api/{api.project['id']}/envelope/?sentry_key={key}", content=body)

    assert facts(api)[0]["event_ids"] == [EVENT]
    assert verdict(api, match={"event_id": "f" * 32}, exactly=0) == expected


def test_a_body_that_is_too_large_is_not_valid(api: Any) -> None:
    api.submit(comments="x" * 1_100_000)
    (entry,) = entries(api, "?valid=false")

    assert entry["_feedback"]["rule"] == "body-size"
    assert entry["request"]["bodySize"] == -1
    assert [each["pointer"] for each in entry["_feedback"]["request"]["problems"]] == ["/body"]


@pytest.mark.parametrize(("method", "size"), [("GET", 2), ("HEAD", 0)])
def test_a_request_without_a_body_has_none_of_its_own(api: Any, method: str, size: int) -> None:
    """And a response to HEAD has none, whatever one to GET would have."""
    api.send(method, api.path, headers=api.bearer("read"))
    (entry,) = entries(api)

    assert entry["request"]["bodySize"] == 0
    assert (entry["response"]["bodySize"], entry["response"]["content"]["size"]) == (size, size)
    assert entry["response"]["content"]["text"] == "[]"[:size]
    assert entry["_feedback"]["answer"] == {"valid": True, "problems": []}


@pytest.mark.parametrize("name", ["X-Api-Key", "apikey", "Private-Token", "X-Client-Secret", "Proxy-Authorization"])
def test_credentials_of_anything_on_the_way_are_hidden(api: Any, name: str) -> None:
    api.submit(headers={**api.bearer(), name: "hush-hush-42"}, comments="It broke with hush-hush-42")
    (entry,) = entries(api)
    given = [each["value"] for each in entry["request"]["headers"] if each["name"] == name.lower()]

    assert given == ["[redacted]"]
    assert "hush-hush-42" not in json.dumps(entry)


@pytest.mark.parametrize("redact", [True, False])
def test_cookies_are_listed_as_har_wants_them(make_api: Any, redact: bool) -> None:
    api = make_api(create_app())
    api.control("PUT", "", json={"redact": redact})
    api.submit(headers={"Cookie": "sid=secret1; theme=dark"})
    (entry,) = entries(api)
    values = ["[redacted]"] * 2 if redact else ["secret1", "dark"]

    assert entry["request"]["cookies"] == [
        {"name": name, "value": value} for name, value in zip(["sid", "theme"], values, strict=True)
    ]


@pytest.mark.parametrize("match", [{"status": 9999}, {"status": -1}, {"method": "a b"}, {"method": ""}])
def test_a_count_of_what_cannot_be_is_refused(api: Any, match: dict[str, Any]) -> None:
    answer = api.control("POST", "/requests/verify", json={"match": match, "exactly": 0})

    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(f"match.{next(iter(match))}: ")


def test_only_what_is_kept_of_a_long_exchange_counts(make_api: Any) -> None:
    api = make_api(create_app(limits=Limits(request_bytes=3 * 2 * 270_000)))
    for _ in range(4):
        api.submit(comments="x" * 900_000)

    assert len(entries(api)) == 3


def test_sandbox_shows_what_was_asked(make_api: Any) -> None:
    api = make_api(create_app())
    with Sandbox(api.mock, "acme", "mine") as sandbox:
        headers = {"Authorization": f"Bearer {sandbox.token}"}
        api.send(
            "POST", f"http://127.0.0.1:8080{sandbox.feedback_url.removeprefix(sandbox.url)}", headers=headers, json={}
        )
        (request,) = sandbox.requests

        assert (request.number, request.method, request.status) == (1, "POST", 400)
        assert (request.rule, request.json(), request.valid) == ("field-required", {}, False)
        assert {each["pointer"] for each in request.problems} == {
            "/body/comments",
            "/body/email",
            "/body/event_id",
            "/body/name",
        }
        assert request.headers["authorization"] == "Bearer [redacted]"
        assert request.now == sandbox.now
