"""Renders OpenAPI 3.0 schemas as TypeScript types. Pure.

Describes only the shape; lengths, patterns and bounds are left to the server.
"""

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

_PLAIN = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean"}
_INDENT = "  "


def type_of(schema: Mapping[str, Any], before: str = "") -> str:
    """The type. Each property of an object is on its own line, indented relative to `before`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    return _shape(schema, before) + (" | null" if schema.get("nullable") else "")


def _shape(schema: Mapping[str, Any], before: str) -> str:
    if "enum" in schema:
        return " | ".join(map(json.dumps, schema["enum"]))
    if "anyOf" in schema:
        return " | ".join(type_of(each, before) for each in schema["anyOf"])
    match schema.get("type"):
        case "array":
            return f"Array<{type_of(schema['items'], before)}>"
        case "object":
            return "\n".join(["{", *_properties(schema, before + _INDENT), f"{before}}}"])
        case kind:
            return _PLAIN.get(str(kind), "unknown")


def _properties(schema: Mapping[str, Any], before: str) -> Iterator[str]:
    properties, more = schema.get("properties", {}), schema.get("additionalProperties")
    for name, each in properties.items():
        if "description" in each:
            yield comment(each["description"], before)
        key = name if re.fullmatch(r"[A-Za-z_]\w*", name) else json.dumps(name)
        yield f"{before}{key}{'' if name in schema.get('required', ()) else '?'}: {type_of(each, before)};"
    if more or (more is None and not properties):
        yield f"{before}[key: string]: {type_of(more, before) if isinstance(more, dict) else 'unknown'};"


def comment(text: str, before: str = "", width: int = 112) -> str:
    """A text as a documentation comment, on one line if it fits."""
    first, *rest = textwrap.wrap(" ".join(text.split()).replace("*/", "* /"), width, break_long_words=False)
    if not rest:
        return f"{before}/** {first} */"
    return "\n".join([f"{before}/**", *(f"{before} * {line}" for line in (first, *rest)), f"{before} */"])
