"""Creates all validators of JSON schemas, so that none fetches anything or runs without bounds."""

import re
from collections.abc import Mapping
from typing import Any, NoReturn

import jsonschema_rs

from feedback_spec.source import Fail

_COMPONENT = re.compile(r"#/components/([^/]+)/([^/]+)")
_EMAIL = jsonschema_rs.EmailOptions(allow_display_text=False)
PATTERNS = jsonschema_rs.RegexOptions()
"""The engine for patterns: linear in the text, whatever the pattern, hence without look-around and back references."""


def validator_of(schema: Mapping[str, Any], components: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """The validator of a schema of an OpenAPI 3.1 document with these components; formats are checked.

    Raises ValueError for an invalid schema, such as one with a pattern that needs a backtracking engine.
    """
    return jsonschema_rs.Draft202012Validator(
        # References begin at the root, so each schema becomes a root with the components beside it that it needs.
        # With all of them, a validator would take ten times as long to make.
        {**schema, "components": needed(schema, components)},
        validate_formats=True,
        email_options=_EMAIL,
        pattern_options=PATTERNS,
        retriever=_nothing,
    )


def needed(schema: Mapping[str, Any], components: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The components that a schema refers to, directly or through others."""
    found: dict[str, dict[str, Any]] = {}
    waiting: list[Any] = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            waiting.extend(node.values())
            reference = _COMPONENT.match(str(node.get("$ref")))
            kind, name = reference.groups() if reference else ("", "")
            if name in components.get(kind, {}) and name not in found.get(kind, {}):
                found.setdefault(kind, {})[name] = components[kind][name]
                waiting.append(components[kind][name])
        elif isinstance(node, list):
            waiting.extend(node)
    return found


def check_pattern(pattern: str, place: str, fail: Fail) -> None:
    """Raises DocumentError for a pattern that the linear engine cannot run."""
    try:
        validator_of({"pattern": pattern}, {})
    except ValueError:
        raise fail(
            place,
            f'"{pattern[:100]}" is not a regular expression that runs in linear time, '
            "that is, without look-around and back references.",
        ) from None


def _nothing(uri: str) -> NoReturn:
    raise ValueError(f"{uri} is not fetched")
