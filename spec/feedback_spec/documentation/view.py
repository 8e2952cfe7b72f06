"""How the reference describes an operation's parts: types, limits, examples and statuses as short texts. Pure."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from feedback_spec.catalogue import Rule
from feedback_spec.document import Document
from feedback_spec.operations import Operation

SHORT = 100  # characters of a body that is shown on one line
# Python before 3.13 has the phrases that RFC 9110 replaced; the reference must be the same with every Python.
_PHRASES = {"413": "Content Too Large", "416": "Range Not Satisfiable", "422": "Unprocessable Content"}
_TYPES = {"string": "text", "integer": "integer", "number": "number", "array": "list", "object": "object"}


def other_operations(document: Document) -> tuple[Operation, ...]:
    """The operations other than submit, without the parameters common to all."""
    shared = document.submit.parameters
    return tuple(
        replace(each, parameters=tuple(item for item in each.parameters if item not in shared))
        for each in document.operations.values()
        if each.id != document.submit.id
    )


def grouped(rules: Iterable[Rule]) -> tuple[tuple[str, tuple[Rule, ...]], ...]:
    """The rules by group, groups and rules in their order."""
    groups: dict[str, list[Rule]] = {}
    for rule in rules:
        groups.setdefault(rule.group, []).append(rule)
    return tuple((group, tuple(each)) for group, each in groups.items())


def phrase(status: str) -> str:
    """The RFC 9110 phrase of a status."""
    return _PHRASES.get(status) or (HTTPStatus(int(status)).phrase if status.isdigit() else "any other")


def type_of(schema: Mapping[str, Any]) -> str:
    """The type of a schema in words."""
    name = str(schema.get("type", "anything"))
    return _TYPES.get(name, name)


def limits(schema: Mapping[str, Any]) -> Iterator[str]:
    """What a schema allows, in short Markdown phrases: `1 to 128 characters`, `format email`, `by default 100`."""
    if "minLength" in schema or "maxLength" in schema:
        yield _range(schema.get("minLength"), schema.get("maxLength"), " characters")
    if "minimum" in schema or "maximum" in schema:
        yield _range(schema.get("minimum"), schema.get("maximum"), "")
    if "format" in schema:
        yield f"format `{schema['format']}`"
    if "pattern" in schema:
        yield f"pattern `{schema['pattern']}`"
    if "enum" in schema:
        yield "one of " + ", ".join(f"`{json.dumps(each)}`" for each in schema["enum"])
    if "default" in schema:
        yield f"by default `{json.dumps(schema['default'])}`"
    if schema.get("nullable"):
        yield "or null"


def _range(least: int | None, most: int | None, unit: str) -> str:
    if most is None:
        return f"at least {least}{unit[:-1] if least == 1 else unit}"
    return f"at most {most:,}{unit}" if least is None else f"{least:,} to {most:,}{unit}"


def shown(value: Any) -> str:
    """An example of a value: a string as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def body(value: Any) -> str:
    """An example of a body: JSON, on one line if it is short."""
    line = json.dumps(value, ensure_ascii=False)
    return line if len(line) <= SHORT else json.dumps(value, indent=2, ensure_ascii=False)
