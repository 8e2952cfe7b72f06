"""Parts of OpenAPI that the mock does not implement are refused at startup, in one sentence, and never silently
ignored.
"""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from feedback_mock.app import create_app
from feedback_spec.document import load
from feedback_spec.source import DocumentError

OPENAPI = load().openapi
PATH = next(iter(OPENAPI["paths"]))
POST = OPENAPI["paths"][PATH]["post"]


def set_at(*steps: str | int, to: Any) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        for step in steps[:-1]:
            document = document[step]
        if isinstance(document, list):
            document.append(to)
        else:
            document[steps[-1]] = to

    return change


def remove_rule(rule: str) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        document["x-rules"] = [each for each in document["x-rules"] if each["id"] != rule]

    return change


def header(where: str) -> dict[str, Any]:
    return {"name": "X-Extra", "in": where, "schema": {"type": "string"}}


SCHEMA = ("components", "schemas", "UserFeedbackSubmission", "properties")
CHANGES: dict[str, tuple[Callable[[Any], None], str]] = {
    "a header parameter": (set_at("paths", PATH, "parameters", 0, to=header("header")), "parameters in header"),
    "a cookie parameter": (set_at("paths", PATH, "post", "parameters", 0, to=header("cookie")), "parameters in cookie"),
    "a required query parameter": (
        set_at("paths", PATH, "get", "parameters", 0, to={**header("query"), "required": True}),
        "optional query parameters",
    ),
    "a style of a parameter": (
        set_at("paths", PATH, "get", "parameters", 0, to={**header("query"), "style": "form"}),
        '"style"',
    ),
    "a query parameter with no rule": (
        set_at("paths", PATH, "get", "parameters", 0, to=header("query")),
        "implements exactly these query parameters",
    ),
    "a constraint on a parameter that has no rule": (
        lambda document: document["paths"][PATH]["get"]["parameters"][1]["schema"].update(maxLength=9),
        "refuses a value of environment",
    ),
    "a listing without cursor": (
        lambda document: document["paths"][PATH]["get"]["parameters"].pop(),
        "cursor",
    ),
    "no answer to a wrong media type of this operation": (
        lambda document: document["paths"][PATH]["get"]["responses"].pop("401"),
        "does not declare the response 401",
    ),
    "OAuth": (
        set_at("components", "securitySchemes", "bearer", to={"type": "oauth2", "flows": {}}),
        'the scheme "bearer"',
    ),
    "two credentials at once": (
        set_at("paths", PATH, "post", "security", to=[{"bearer": [], "dsn": []}]),
        "one kind of credentials at a time",
    ),
    "no credentials": (set_at("paths", PATH, "post", "security", to=[]), "optional credentials"),
    "no credentials of a listing": (
        set_at("paths", PATH, "get", "security", to=[]),
        "optional credentials",
    ),
    "another operation": (
        set_at("paths", PATH, "put", to={"operationId": "putFeedback", "responses": {"200": {"description": "x"}}}),
        'no operation "putFeedback"',
    ),
    "an operation without id": (
        set_at("paths", "/x", to={"get": {"responses": {"200": {"description": "x"}}}}),
        "no operation",
    ),
    "callbacks": (set_at("paths", PATH, "post", "callbacks", to={}), '"callbacks"'),
    "servers of an operation": (set_at("paths", PATH, "post", "servers", to=[{"url": "/x"}]), '"servers"'),
    "servers of a path": (set_at("paths", PATH, "servers", to=[{"url": "/x"}]), '"servers"'),
    "XML bodies": (set_at("paths", PATH, "post", "requestBody", "content", "application/xml", to={}), "media types"),
    "another response media type": (
        set_at("components", "responses", "Conflict", "content", "text/plain", to={}),
        "the response 409",
    ),
    "a default response": (
        set_at("paths", PATH, "post", "responses", "default", to={"description": "x"}),
        "the response default",
    ),
    "another format of a field": (set_at(*SCHEMA, "name", "format", to="uuid"), "the field name"),
    "a field that may be null": (
        set_at(*SCHEMA, "name", "nullable", to=True),
        "the field name: the mock does not impl",
    ),
    "no other keys in a body": (
        set_at(*SCHEMA[:-1], "additionalProperties", to=False),
        "implement additionalProperties",
    ),
    "a combination of schemas of a body": (set_at(*SCHEMA[:-1], "anyOf", to=[{}]), "implement anyOf"),
    "pages without a default size": (
        lambda document: document["paths"][PATH]["get"]["parameters"][2]["schema"].pop("default"),
        "the parameter per_page: the mock requires the type integer and a default",
    ),
    "an enumerated field": (set_at(*SCHEMA, "name", "enum", to=["a"]), "the field name"),
    "a field that is a number": (set_at(*SCHEMA, "name", to={"type": "integer"}), "the field name"),
    "a pattern that is none": (set_at(*SCHEMA, "name", "pattern", to="("), '"(" is not a "regex"'),
    "no rule for a missing route": (remove_rule("route"), '"route"'),
    "no rule for a missing field": (remove_rule("field-required"), '"field-required"'),
    "no answer to too large a body": (
        lambda document: document["paths"][PATH]["post"]["responses"].pop("413"),
        "declares a response 413",
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_is_not_implemented_is_refused_at_start(case: str, tmp_path: Path) -> None:
    change, cause = CHANGES[case]
    document = copy.deepcopy(OPENAPI)
    change(document)
    path = tmp_path / "openapi.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")

    with pytest.raises(DocumentError) as raised:
        create_app(load(path))

    assert cause in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_answer_that_the_document_does_not_allow_is_500_and_logged(make_api: Any, caplog: Any) -> None:
    """Responses are always validated: this document wants ids that the mock does not produce."""
    openapi = copy.deepcopy(OPENAPI)
    openapi["components"]["schemas"]["UserFeedback"]["properties"]["id"]["pattern"] = "^[a-z]+$"
    base = load()
    api = make_api(create_app(replace(base, openapi=openapi)))

    assert api.submit().status_code == 500
    assert "The mock failed at POST" in caplog.text


def test_a_cursor_of_any_form_is_no_failure_where_the_document_has_no_form(make_api: Any) -> None:
    openapi = copy.deepcopy(OPENAPI)
    del openapi["paths"][PATH]["get"]["parameters"][3]["schema"]["pattern"]
    base = load()
    api = make_api(create_app(replace(base, openapi=openapi)))
    wrong = api.listed("?cursor=2")

    assert (wrong.status_code, wrong.json()) == (400, {"detail": "Invalid cursor parameter."})
    assert api.listed("?cursor=0:1:0").status_code == 200


def test_texts_and_numbers_of_answers_follow_the_document(make_api: Any, tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "spec" / "openapi.yaml").read_text("utf-8")
    for old, new in (
        ("maxLength: 128", "maxLength: 9"),
        ("This field may not be blank.", "Say something."),
        ("Feedback for this event cannot be modified.", "Too late."),
        ("x-max-body-bytes: 1048576", "x-max-body-bytes: 300"),
        ("example: nosniff", "example: sniff"),
    ):
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "openapi.yaml"
    path.write_text(text, "utf-8")
    api = make_api(create_app(load(path)))
    api.save_event(saved_ago="PT1H")

    assert api.submit(name="0123456789").json() == {"name": ["Ensure this field has no more than 9 characters."]}
    assert api.submit(name=" ").json() == {"name": ["Say something."]}
    assert api.submit(name="x").json() == {"detail": "Too late."}
    assert api.submit(comments="x" * 300).status_code == 413
    assert api.submit().headers["x-content-type-options"] == "sniff"
