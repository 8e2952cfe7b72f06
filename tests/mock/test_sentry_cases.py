"""What real Sentry servers of both eras answer (tests/data/sentry-cases.json, each case with its source)."""

import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from spec.document import load
from spec.render31 import to_31

DATA = json.loads((Path(__file__).parents[1] / "data" / "sentry-cases.json").read_text("utf-8"))
CASES = [case for case in DATA["cases"] if case["use"] == "assert" and case["era"] == "both"]
NOW = datetime.fromisoformat("2026-01-01T12:00:00+00:00")
TYPES: dict[str, Any] = {
    "numeric string": lambda value: isinstance(value, str) and value.isdigit(),
    "string of digits": lambda value: isinstance(value, str) and value.isdigit(),
    "RFC3339 UTC": lambda value: value.endswith("Z") and datetime.fromisoformat(value),
    "object or null": lambda value: value is None or isinstance(value, dict),
    "object": lambda value: isinstance(value, dict),
    "string": lambda value: isinstance(value, str),
}


def ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def prepare(api: Any, case: dict[str, Any]) -> list[str]:
    """Makes the projects of the case, with the clock at NOW, and answers the ids of the feedback in it.

    Feedback first: the events are only said to be saved afterwards, for some are too old to be spoken of.
    """
    given, path = case["given"], case["request"]["path"].split("/")
    target = ("acme", "web") if path[5] == "nope" else (path[4], path[5])
    for slug in ("other", target[1]):
        api.project = api.send(
            "PUT", f"/_control/projects/{target[0]}/{slug}", json={"clock": {"now": ago(86_400), "running": False}}
        ).json()
    ids = {}
    for index, each in sorted(enumerate(given["feedback"]), key=lambda pair: -pair[1]["age_seconds"]):
        assert api.control("PUT", "/clock", json={"now": ago(each["age_seconds"])}).status_code == 200
        fields = {name: each[name] for name in ("event_id", "name", "email", "comments")}
        ids[index] = api.submit(**fields).json()["id"]
    for slug in ("other", target[1]):
        api.send("PUT", f"/_control/projects/{target[0]}/{slug}/clock", json={"now": ago(0)})
    for event in given["events"]:
        at = ago(event["age_seconds"])
        body = {"saved_at": at, "timestamp": at, "environment": event.get("environment")}
        where = f"/_control/projects/{target[0]}/{event.get('project', target[1])}/events/{event['id']}"
        assert api.send("PUT", where, json=body).status_code == 200
    return [ids[index] for index in sorted(ids)]


def headers_of(api: Any, case: dict[str, Any]) -> dict[str, str]:
    kinds = {"project:write": "write", "project:read": "read", "project:admin": "admin"}
    scopes = (case["given"]["auth"].get("scopes") or ["project:write"])[0]
    words = {
        "{{token}}": api.project["tokens"][kinds[scopes]],
        "{{dsn}}": api.project["dsn"],
        "{{public_key}}": api.project["dsn"].split("//")[1].split("@")[0],
    }
    headers = dict(case["request"]["headers"])
    for name, value in headers.items():
        for word, meaning in words.items():
            headers[name] = headers[name].replace(word, meaning) if word in value else headers[name]
    return headers


def assert_subset(wanted: Any, value: Any) -> None:
    if isinstance(wanted, dict):
        for key, each in wanted.items():
            assert_subset(each, value[key])
    else:
        assert value == wanted


def at(value: Any, pointer: str) -> Any:
    for step in pointer.split("/")[1:]:
        value = value[step]
    return value


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['id']} {case['title']}")
def test_the_mock_answers_as_sentry_does(api: Any, case: dict[str, Any]) -> None:
    ids, request, expect = prepare(api, case), case["request"], case["expect"]
    body = (
        {"content": case["raw_body"]}
        if "raw_body" in case
        else {"json": request["body"]}
        if request.get("body")
        else {}
    )
    answer = api.send(request["method"], request["path"], headers=headers_of(api, case), **body)

    assert answer.status_code == expect["status"]
    if expect.get("body_empty"):
        assert answer.content == b""
    value = answer.json() if answer.content else {}
    wanted = expect.get("body_subset", {})
    if wanted.get("id") == "{{feedback[0].id}}":
        wanted = {**wanted, "id": ids[0]}
    assert_subset(wanted, value)
    for key in expect.get("body_absent", []):
        assert key not in value
    for key, pattern in expect.get("body_match", {}).items():
        assert re.search(pattern, value[key])
    for key, kind in expect.get("body_types", {}).items():
        assert TYPES[kind](value[key])
    if "one_of" in expect:
        assert at(value, expect["one_of"]["pointer"]) in expect["one_of"]["values"]
    for name, header in expect.get("headers_subset", {}).items():
        assert answer.headers[name] == header
    if "schema" in expect:
        document = to_31(load().openapi)
        schema = {"$ref": f"#/components/schemas/{expect['schema']}", "components": document["components"]}
        jsonschema_rs.validate(schema, value)
    if "list_event_ids" in expect:
        assert sorted(each["eventID"] for each in value) == sorted(expect["list_event_ids"])
    if "then_stored" in case:
        posted = (request.get("body") or json.loads(case.get("raw_body", "{}")))["event_id"]
        assert len([each for each in api.stored() if each["event_id"] == posted]) == case["then_stored"]


def test_no_case_is_left_out() -> None:
    assert len(CASES) == 39
