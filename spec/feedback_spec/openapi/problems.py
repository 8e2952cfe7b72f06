"""Describes what violates a JSON schema in one sentence with its place. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

import jsonschema_rs

from feedback_spec.openapi.schemas import PATTERNS
from feedback_spec.spelling import meant

_LONGEST = 200  # characters of a message


class Checker:
    """A JSON schema that describes what is wrong with a value in one sentence."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema
        self._validator = jsonschema_rs.validator_for(dict(schema), validate_formats=True, pattern_options=PATTERNS)

    def problem(self, value: Any) -> tuple[str, str] | None:
        """The place and cause of what is wrong; None if nothing is.

        Unknown keys come first: usually, one is a misspelling of another that is missing.
        """
        errors = [_deepest(each) for each in self._validator.iter_errors(value)]
        for error in sorted(errors, key=lambda each: each.kind.name != "additionalProperties"):
            return place_of(error.instance_path), _cause(error, self._schema)
        return None


def place_of(path: Iterable[str | int]) -> str:
    """The place of a value, as in `x-mutability.windows[0].limit`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def _deepest(error: jsonschema_rs.ValidationError) -> jsonschema_rs.ValidationError:
    """Of the errors in the branches of a `oneOf`, the most deeply nested: that branch was meant."""
    branches: Any = getattr(error.kind, "context", None) or ()
    inner = [_deepest(each) for branch in branches for each in branch]
    return max(inner, key=lambda each: len(each.instance_path), default=error)


def _cause(error: jsonschema_rs.ValidationError, schema: Mapping[str, Any]) -> str:
    kind: Any = error.kind
    if kind.name == "additionalProperties":
        around: Any = schema
        for step in error.schema_path[:-1]:
            around = around[step]
        unknown = kind.unexpected[0]
        return f'"{unknown[:_LONGEST]}" is not a key here{meant(unknown, around.get("properties", {}))}'
    if kind.name == "required":
        return f'the key "{kind.property}" is missing.'
    message = str(error.message)
    return f"{message[:_LONGEST]}{'…' if len(message) > _LONGEST else ''}."
