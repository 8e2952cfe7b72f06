"""How real Sentry servers of both eras respond (tests/data/sentry-cases.json, each case with its source)."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from feedback_mock.app import create_app
from feedback_spec.document import load
from feedback_spec.openapi.render31 import to_31
from feedback_spec.profiles import DOCUMENTED

DATA = json.loads((Path(__file__).parents[1] / "data" / "sentry-cases.json").read_text("utf-8"))
# The eras of each profile: the recordings are from March 2020 and today; the profiles are around and at these.
ERAS = {
    DOCUMENTED: {"both"},
    "sentry-9.1": {"both", "2020"},
    "sentry-23.7": {"both"},
    "sentry-latest": {"both", "today"},
}
# Cases in which a profile responds differently, with the reason.
OTHERWISE = {
    ("sentry-9.1", "D66"): "OPTIONS asks for credentials before 10.0 (fact 69)",
    ("sentry-9.1", "D49"): "9.1.2 takes white space as a value, as a run of it shows",
    **{
        ("sentry-9.1", case): "the serializers of 9.1.2 word it otherwise, as a run of it shows"
        for case in ("D44", "D55", "D58", "T24", "T26", "T27")
    },
}
CASES = [
    (profile, case)
    for profile, eras in ERAS.items()
    for case in DATA["cases"]
    if case["era"] in eras and (case["use"] == "assert" or (case["use"] == "tolerate" and profile != DOCUMENTED))
]
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
    """Creates the projects of the case, with the clock at NOW, and returns the ids of their feedback.

    Feedback first: events are saved afterwards, because some are too old to receive feedback.
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
    if case["given"]["auth"].get("same_org") is False:
        foreign = api.send("PUT", "/_control/projects/elsewhere/web").json()
        words["{{dsn}}"] = foreign["dsn"]
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


def parameters() -> Iterator[Any]:
    """Every case under every profile of its era; expected to fail, strictly, if the profile responds differently."""
    for profile, case in CASES:
        why = OTHERWISE.get((profile, case["id"]))
        marks = [pytest.mark.xfail(strict=True, raises=(AssertionError, KeyError), reason=why)] if why else []
        yield pytest.param(profile, case, id=f"{profile} {case['id']} {case['title']}", marks=marks)


@pytest.mark.parametrize(("profile", "case"), list(parameters()))
def test_the_mock_answers_as_sentry_does(make_api: Any, profile: str, case: dict[str, Any]) -> None:
    document = load(None, profile)
    api = make_api(create_app(document))
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
        rendered = to_31(document.openapi)
        schema = {"$ref": f"#/components/schemas/{expect['schema']}", "components": rendered["components"]}
        jsonschema_rs.validate(schema, value)
    if "list_event_ids" in expect:
        assert sorted(each["eventID"] for each in value) == sorted(expect["list_event_ids"])
    if "then_stored" in case:
        posted = (request.get("body") or json.loads(case.get("raw_body", "{}")))["event_id"]
        assert len([each for each in api.stored() if each["event_id"] == posted]) == case["then_stored"]


def test_no_case_is_left_out() -> None:
    of_profile = {profile: sum(profile == each for each, _ in CASES) for profile in ERAS}

    assert of_profile == {"documented": 39, "sentry-9.1": 44, "sentry-23.7": 43, "sentry-latest": 46}
