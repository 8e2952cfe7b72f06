"""Finds the examples of an OpenAPI document that are invalid under their schemas. Pure: no I/O.

OpenAPI validators check a document's structure, not its examples.
"""

from collections.abc import Iterator
from typing import Any

from feedback_spec.openapi.places import Place, places
from feedback_spec.openapi.render31 import to_31
from feedback_spec.openapi.schemas import validator_of
from feedback_spec.source import resolve


def examples_of(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Every example, and every default of a schema: its JSON pointer, its schema and its value."""
    for place in places(document):
        node = place.node
        if place.kind == "schema":
            yield from _of_schema(place)
        elif place.kind in ("media", "parameter", "header") and "schema" in node:
            if "example" in node:
                yield f"{place.pointer}/example", node["schema"], node["example"]
            for name, example in node.get("examples", {}).items():
                resolved = resolve(document, example)
                if "value" in resolved:
                    yield f"{place.pointer}/examples/{name}", node["schema"], resolved["value"]


def _of_schema(place: Place) -> Iterator[tuple[str, dict[str, Any], Any]]:
    for key in ("example", "default"):
        if key in place.node:
            yield f"{place.pointer}/{key}", place.node, place.node[key]
    for index, example in enumerate(place.node.get("examples", [])):
        yield f"{place.pointer}/examples/{index}", place.node, example


def invalid_examples(document: dict[str, Any]) -> Iterator[str]:
    """One sentence for each example that is invalid under its schema, including formats.

    Accepts OpenAPI 3.0 and 3.1; a 3.0 schema is converted to 3.1 first.
    """
    rendered = to_31(document) if str(document["openapi"]).startswith("3.0") else document
    components = rendered.get("components", {})
    for pointer, schema, value in examples_of(rendered):
        for error in validator_of(schema, components).iter_errors(value):
            yield f"{pointer}: {error.message}."
            break
