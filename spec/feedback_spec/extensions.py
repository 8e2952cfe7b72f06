"""Our extensions of OpenAPI: checks that each key is in its place and follows its schema, and rejects lookalikes."""

import difflib
import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from feedback_spec.openapi.places import Place, places
from feedback_spec.openapi.problems import Checker
from feedback_spec.openapi.schemas import check_pattern
from feedback_spec.operations import Operation
from feedback_spec.source import Fail
from feedback_spec.spelling import listed

# Kind of a place in the document -> the extensions that belong there.
_OURS = {
    "document": ("x-rules", "x-client-rules", "x-behaviour"),
    "info": ("x-profile",),
    "operation": ("x-mutability", "x-scopes", "x-max-body-bytes", "x-page"),
}
_NAMES = tuple(name for names in _OURS.values() for name in names)
_NEAR = 0.8  # ratio of difflib: `x-behavior` and `x-rule` are near, `x-logo` is not


def check_extensions(openapi: dict[str, Any], operation: Operation, fail: Fail) -> None:
    """Raises DocumentError for an extension of ours that is invalid, misspelt or out of place.

    `operation` is the one that the time rules belong to. Other people's extensions are left alone.
    """
    for place in places(openapi):
        for key in place.node:
            if key.startswith("x-"):
                _check_key(key, place, fail)
    extensions = {name: operation.extensions[name] for name in _OURS["operation"] if name in operation.extensions}
    extensions |= {name: openapi[name] for name in _OURS["document"] if name in openapi}
    if problem := _checker().problem(extensions):
        raise fail(problem[0] or operation.id, problem[1])
    for place in (each for each in places(openapi) if each.kind == "operation"):
        ours = {name: place.node[name] for name in _OURS["operation"] if name in place.node}
        if problem := _checker(of_all=False).problem(ours):
            raise fail(f"{place.pointer}: {problem[0]}", problem[1])
    if pattern := openapi.get("x-behaviour", {}).get("email_pattern"):
        check_pattern(pattern, "x-behaviour.email_pattern", fail)


def behaviour_keys() -> Mapping[str, Mapping[str, Any]]:
    """The keys of `x-behaviour`: each with a `title`, and `x-judged-by` (a rule) or `x-only-mock` (a reason)."""
    keys: Mapping[str, Mapping[str, Any]] = _schema()["properties"]["x-behaviour"]["properties"]
    return keys


def _check_key(key: str, place: Place, fail: Fail) -> None:
    if key in _OURS.get(place.kind, ()):
        return
    where = place.pointer or "document"
    if key in _NAMES:
        kind = next(kind for kind, names in _OURS.items() if key in names)
        raise fail(where, f'"{key}" does not belong here, but in the {kind}.')
    near = difflib.get_close_matches(key, _NAMES, cutoff=_NEAR) or [each for each in _NAMES if key.startswith(each)]
    if near:
        raise fail(where, f'"{key}" is not a key here; did you mean {listed(near[:3], "or")}?')


@cache
def _checker(of_all: bool = True) -> Checker:
    """Of all extensions, some of which are required, or of those that any operation may have."""
    return Checker(_schema() if of_all else {**_schema(), "required": []})


def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(
        (resources.files("feedback_spec") / "extensions.schema.json").read_text("utf-8")
    )
    return schema
