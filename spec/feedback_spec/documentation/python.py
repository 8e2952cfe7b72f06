"""Renders OpenAPI 3.0 schemas as Python types: a TypedDict for each named object, a dict for each unnamed one. Pure.

Lengths, patterns and bounds are left to the server.
"""

import json
import keyword
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from typing import Any

_PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}


def definitions(schemas: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """A definition for each schema, after the definitions that it refers to."""
    # Lists, because the order of a set of strings changes from process to process.
    order = TopologicalSorter({name: list(_named(schema)) for name, schema in schemas.items()})
    for name in order.static_order():
        yield _definition(name, schemas[name])


def type_of(schema: Mapping[str, Any]) -> str:
    """The type as an expression."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    return _shape(schema) + (" | None" if schema.get("nullable") else "")


def _shape(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return f"Literal[{', '.join(map(json.dumps, schema['enum']))}]"
    if "anyOf" in schema:
        return " | ".join(map(type_of, schema["anyOf"]))
    match schema.get("type"):
        case "array":
            return f"list[{type_of(schema['items'])}]"
        case "object":
            more = schema.get("additionalProperties")
            return f"dict[str, {type_of(more) if isinstance(more, dict) and 'properties' not in schema else 'Any'}]"
        case kind:
            return _PLAIN.get(str(kind), "Any")


def _definition(name: str, schema: Mapping[str, Any]) -> str:
    properties = schema.get("properties", {})
    if not properties:
        return f"{name} = {type_of(schema)}"
    required = schema.get("required", ())
    types = {
        key: type_of(each) if key in required else f"NotRequired[{type_of(each)}]" for key, each in properties.items()
    }
    if all(key.isidentifier() and not keyword.iskeyword(key) for key in types):
        return "\n".join([f"class {name}(TypedDict):", *(f"    {key}: {each}" for key, each in types.items())])
    keys = [f"        {json.dumps(key)}: {each}," for key, each in types.items()]
    return "\n".join([f"{name} = TypedDict(", f'    "{name}",', "    {", *keys, "    },", ")"])


def _named(node: Any) -> Iterator[str]:
    """The names of the schemas that a node refers to."""
    if isinstance(node, dict):
        if "$ref" in node:
            yield str(node["$ref"]).rpartition("/")[2]
        for each in node.values():
            yield from _named(each)
    elif isinstance(node, list):
        for each in node:
            yield from _named(each)
