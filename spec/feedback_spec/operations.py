"""The operations of an OpenAPI document. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the document: where it is and what is said of it, `$ref`s not resolved."""

    id: str
    path: str
    method: str
    item: Mapping[str, Any]
    definition: Mapping[str, Any]


def operations_of(document: Mapping[str, Any]) -> Iterator[Operation]:
    """Every operation of a document, in its order."""
    for path, item in document["paths"].items():
        for method in _METHODS:
            if isinstance(item, dict) and isinstance(item.get(method), dict):
                definition = item[method]
                yield Operation(str(definition.get("operationId", f"{method} {path}")), path, method, item, definition)
