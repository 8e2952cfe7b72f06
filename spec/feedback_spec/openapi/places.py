"""Locates everything in an OpenAPI 3.0 or 3.1 document: every node with its JSON pointer and its kind.

Pure. Follows the structure of OpenAPI, not the names of keys: a key `schema` in an example or in an extension is not a
schema.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

# Kind of a node -> its keys with further nodes -> what these are: a kind, a [list] or a {map} of it.
_CHILDREN: Mapping[str, Mapping[str, str]] = {
    "document": {"info": "info", "paths": "{path}", "webhooks": "{path}", "components": "components"},
    "components": {
        "schemas": "{schema}",
        "responses": "{response}",
        "parameters": "{parameter}",
        "requestBodies": "{body}",
        "headers": "{header}",
        "examples": "{example}",
        "links": "{link}",
        "securitySchemes": "{scheme}",
        "callbacks": "{callback}",
        "pathItems": "{path}",
    },
    "info": {},
    "example": {},
    "link": {},
    "scheme": {},
    "path": {"parameters": "[parameter]", **dict.fromkeys(_METHODS, "operation")},
    "operation": {
        "parameters": "[parameter]",
        "requestBody": "body",
        "responses": "{response}",
        "callbacks": "{callback}",
    },
    "parameter": {"schema": "schema", "content": "{media}", "examples": "{example}"},
    "header": {"schema": "schema", "content": "{media}", "examples": "{example}"},
    "body": {"content": "{media}"},
    "response": {"headers": "{header}", "content": "{media}", "links": "{link}"},
    "media": {"schema": "schema", "encoding": "{encoding}", "examples": "{example}"},
    "encoding": {"headers": "{header}"},
    "schema": {
        "properties": "{schema}",
        "additionalProperties": "schema",
        "items": "schema",
        "not": "schema",
        "allOf": "[schema]",
        "anyOf": "[schema]",
        "oneOf": "[schema]",
    },
}
# Maps in which a key that begins with `x-` is an extension, not an entry.
_EXTENSIBLE = frozenset({"path", "response"})


@dataclass(frozen=True, slots=True)
class Place:
    """A node of the document, with its JSON pointer and its kind (a key of the table above)."""

    pointer: str
    kind: str
    node: dict[str, Any]


def places(document: dict[str, Any]) -> Iterator[Place]:
    """Every node of the document, parents first, including those that are only a `$ref`; none is followed."""
    yield from _places(document, "document", "")


def _places(node: Any, kind: str, pointer: str) -> Iterator[Place]:
    if not isinstance(node, dict):
        return
    if kind == "callback":
        yield from _held(node, "{path}", pointer)
        return
    yield Place(pointer, kind, node)
    for key, held in _CHILDREN[kind].items():
        if key in node:
            yield from _held(node[key], held, f"{pointer}/{key}")


def _held(value: Any, held: str, pointer: str) -> Iterator[Place]:
    kind = held.strip("[]{}")
    if held == kind:
        yield from _places(value, kind, pointer)
    elif held.startswith("[") and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _places(item, kind, f"{pointer}/{index}")
    elif held.startswith("{") and isinstance(value, dict):
        for key, item in value.items():
            if not (kind in _EXTENSIBLE and key.startswith("x-")):
                yield from _places(item, kind, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}")
