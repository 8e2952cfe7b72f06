"""What can be changed in the document, fact by fact, and which rules cover each kind of fact. Pure.

The facts come from the document and from the schema of its extensions: a new window, field, parameter, refusal or
header is changed without an edit here.
"""

import json
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

from feedback_spec.document import LIST, SUBMIT
from feedback_spec.instants import SECOND, format_duration, parse_duration

Path = tuple[str | int, ...]
Edits = Mapping[Path, Any]
Fact = tuple[str, set[str], Edits]

DROPPED = object()  # in the place of a value: the key goes
FIELDS: Path = ("components", "schemas", "UserFeedbackSubmission", "properties")
SCOPES = ("project:read", "project:write")  # those that the control protocol gives tokens of
SEES_PARAMETER = {
    "status": {"list-status"},
    "environment": {"list-environment"},
    "per_page": {"list-pages"},
    "cursor": {"list-cursor"},
}
SEES_BEHAVIOUR = {
    "trim": {"trimmed", "field-blank"},
    "coerce": {"field-type"},
    "failures": {"field-required", "field-blank", "field-length"},
    "email_pattern": {"valid-accepted", "submission"},
    "event_id_form": {"event-id-format", "field-required"},
    "event_reference": {"submission", "response-schema"},
    "date_created": {"overwrite-same-record"},
    "date_fraction": {"submission", "response-schema"},
    "dsn_success": {"dsn"},
    "ids_in_path": {"project-exists"},
    "scope_first": {"check-order"},
    "alias": {"route"},
    "rate_limit": {"response-headers"},
    "methods": {"method"},
}


def get(openapi: Mapping[str, Any], path: Path) -> Any:
    """The value at this place."""
    found: Any = openapi
    for step in path:
        found = found[step]
    return found


def place_of(openapi: Mapping[str, Any], operation: str) -> Path:
    """The place of the operation with this operationId."""
    return next(
        ("paths", path, method)
        for path, item in openapi["paths"].items()
        for method, each in item.items()
        if isinstance(each, dict) and each.get("operationId") == operation
    )


def windows(openapi: Mapping[str, Any]) -> Iterator[Fact]:
    """Limits changed by a microsecond and a second, bases, inclusion, statuses; each left out; their order."""
    place = (*place_of(openapi, SUBMIT), "x-mutability")
    mutability = get(openapi, place)
    for index, window in enumerate(mutability["windows"]):
        rule, here = window["rule"], (*place, "windows", index)
        for by in (-SECOND, -1, 1, SECOND):
            limit = format_duration(parse_duration(window["limit"]) + by)
            yield f"{rule}: limit {limit}", {rule}, {(*here, "limit"): limit}
        near = {each["id"] for each in openapi["x-rules"] if each["id"].startswith(rule)}
        for base in _extension("base")["enum"]:
            yield f"{rule}: from {base}", near, {(*here, "from"): base}
        for at_limit in ("accepted", "refused"):
            yield f"{rule}: at_limit {at_limit}", {rule}, {(*here, "at_limit"): at_limit}
        for status in _plain(openapi, SUBMIT):
            answer = {_refusal(openapi, rule): {"status": status, "example": _example(openapi, status)}}
            other = answer if status != window["status"] else {}
            yield f"{rule}: status {status}", {rule, "conflict-body"}, {(*here, "status"): status, **other}
        others = [each for each in mutability["order"] if each != rule]
        yield f"{rule}: dropped", {rule}, {here: DROPPED, (*place, "order"): others}
    yield "windows: order", {"window-order"}, {(*place, "order"): mutability["order"][::-1]}


def fields(openapi: Mapping[str, Any]) -> Iterator[Fact]:
    """Lengths changed by one, patterns and formats left out; if a response has the same bound, it changes, too.

    And the size of the whole body.
    """
    for name, schema in get(openapi, FIELDS).items():
        here = (*FIELDS, name)
        length = "event-id-length" if name == "event_id" else "field-length"
        sees = {
            "maxLength": {length, "valid-accepted", "submission"},
            "minLength": {"field-blank", "valid-accepted"},
            # An id of another form may be accepted, but not returned.
            "pattern": {"event-id-format", "response-schema"} if name == "event_id" else {"field-blank"},
            "format": {"email-format"},
        }
        for key in sees.keys() & schema.keys():
            places = [(*here, key), *_answered(openapi, name, key)]
            yield f"{name}: no {key}", sees[key], dict.fromkeys(places, DROPPED)
            for by in (-1, 1) if isinstance(schema[key], int) else ():
                yield f"{name}: {key} {by:+}", sees[key], dict.fromkeys(places, schema[key] + by)
    size = (*place_of(openapi, SUBMIT), "x-max-body-bytes")
    for by in (-1, 1):
        yield f"body: x-max-body-bytes {by:+}", {"body-size"}, {size: get(openapi, size) + by}


def _answered(openapi: Mapping[str, Any], name: str, key: str) -> Iterator[Path]:
    """Where the same key bounds the field in a response."""
    told = "eventID" if name == "event_id" else name
    for schema, each in openapi["components"]["schemas"].items():
        if key in each.get("properties", {}).get(told, {}) and schema != FIELDS[2]:
            yield "components", "schemas", schema, "properties", told, key


def access(openapi: Mapping[str, Any]) -> Iterator[Fact]:
    """Each scope and each kind of credentials removed or added."""
    for operation, rules in ((SUBMIT, {"scope", "submission", "bearer", "dsn"}), (LIST, {"list", "list-credentials"})):
        place = place_of(openapi, operation)
        scopes, security = get(openapi, (*place, "x-scopes")), get(openapi, (*place, "security"))
        for scope in SCOPES:
            other = [each for each in [*scopes, scope] if each != scope or scope not in scopes]
            yield f"{operation}: scopes {', '.join(other)}", rules, {(*place, "x-scopes"): other}
        for kind in openapi["components"]["securitySchemes"]:
            one: dict[str, list[str]] = {kind: []}
            other = [each for each in [*security, one] if each != one or one not in security]
            if other:
                yield f"{operation}: {kind} taken or not", rules, {(*place, "security"): other}


def behaviour(openapi: Mapping[str, Any]) -> Iterator[Fact]:
    """Each key of x-behaviour with each other value; for lists, each item added or removed.

    Except for `nul` and `origins`, which need rules that the document does not have.
    """
    given = openapi["x-behaviour"]
    for key, schema in _extension("x-behaviour")["properties"].items():
        for value in _other_values(openapi, schema, given.get(key)) if key in SEES_BEHAVIOUR else ():
            name = f"x-behaviour.{key}: {json.dumps(value)}"
            yield name, SEES_BEHAVIOUR[key], {("x-behaviour", key): value}


def _other_values(openapi: Mapping[str, Any], schema: Mapping[str, Any], given: Any) -> Iterator[Any]:
    if "$ref" in schema:
        schema = _extension(schema["$ref"].rpartition("/")[2])
    match schema.get("type"):
        case "boolean":
            yield not given
        case "array" if "enum" in schema["items"]:
            for item in schema["items"]["enum"]:
                yield [each for each in given if each != item] if item in given else [*given, item]
        case "array":
            yield [each["id"] for each in openapi["x-rules"] if each["group"] == "fields" and "message" in each]
        case "object":
            yield {"PUT": ["project:write"]}
        case "string":
            yield "^[a-z]+$" if schema.get("format") == "regex" else "feedback"
        case _:
            yield from schema["enum"]


def refusals(openapi: Mapping[str, Any]) -> Iterator[Fact]:
    """Each refusal except the windows' with each other status that its operations declare."""
    of_windows = {each["rule"] for each in get(openapi, (*place_of(openapi, SUBMIT), "x-mutability", "windows"))}
    for rule in openapi["x-rules"]:
        if "refusal" not in rule or rule["id"] in of_windows or "only" in rule:
            continue
        status, allowed = rule["refusal"]["status"], rule.get("also_allowed", ())
        declared = [_refusing(openapi, each) for each in (SUBMIT, LIST) if status in _refusing(openapi, each)]
        for other, response in _plain(openapi, SUBMIT).items():
            if other not in (status, *allowed) and all(each.get(other) == response for each in declared):
                answer = {"status": other, "example": _example(openapi, other)}
                yield f"{rule['id']}: status {other}", {rule["id"]}, {_refusal(openapi, rule["id"]): answer}
                break


def parameters(openapi: Mapping[str, Any]) -> Iterator[Fact]:
    """The bounds of the list's parameters changed by one, their values and defaults, and without each of them."""
    place = (*place_of(openapi, LIST), "parameters")
    for index, parameter in enumerate(get(openapi, place)):
        name, schema, here = parameter["name"], parameter["schema"], (*place, index, "schema")
        rules = SEES_PARAMETER[name]
        for key in schema.keys() & {"enum", "pattern", "minimum", "maximum"}:
            yield f"{name}: no {key}", rules, {(*here, key): DROPPED}
            for by in (-1, 1) if isinstance(schema[key], int) else ():
                bounds = {**schema, key: schema[key] + by}
                default = {"default": min(schema["default"], bounds["maximum"])}
                yield f"{name}: {key} {by:+}", rules, {here: {**bounds, **default}}
        for value in schema.get("enum", ()):
            yield f"{name}: default {value!r}", rules, {(*here, "default"): value}


def headers(openapi: Mapping[str, Any]) -> Iterator[Fact]:
    """Each header of an accepted submission left out; the mock sends the same ones with a preflight."""
    place = (*place_of(openapi, SUBMIT), "responses", "200", "headers")
    for header in get(openapi, place):
        yield f"{SUBMIT}: no {header}", {"response-headers", "preflight"}, {(*place, header): DROPPED}


ALL = (windows, fields, access, behaviour, refusals, parameters, headers)


def _extension(name: str) -> Any:
    """The schema of one of our extensions."""
    schema = json.loads((resources.files("feedback_spec") / "extensions.schema.json").read_text("utf-8"))
    return schema["$defs"][name] if name in schema["$defs"] else schema["properties"][name]


def _refusing(openapi: Mapping[str, Any], operation: str) -> dict[int, Any]:
    """The refusals that the operation declares, by status."""
    responses = get(openapi, place_of(openapi, operation))["responses"]
    return {int(status): response for status, response in responses.items() if status.startswith("4")}


def _plain(openapi: Mapping[str, Any], operation: str) -> dict[int, Any]:
    """Those that need no header, so that another refusal can use them."""
    named = openapi["components"]["responses"]
    declared = _refusing(openapi, operation)
    return {
        status: each for status, each in declared.items() if "headers" not in named[each["$ref"].rpartition("/")[2]]
    }


def _refusal(openapi: Mapping[str, Any], rule: str) -> Path:
    index = next(index for index, each in enumerate(openapi["x-rules"]) if each["id"] == rule)
    return ("x-rules", index, "refusal")


def _example(openapi: Mapping[str, Any], status: int) -> str:
    """An example of the response with this status."""
    reference: str = {**_refusing(openapi, LIST), **_refusing(openapi, SUBMIT)}[status]["$ref"]
    named = openapi["components"]["responses"][reference.rpartition("/")[2]]
    example: str = next(iter(named["content"]["application/json"]["examples"]))
    return example
