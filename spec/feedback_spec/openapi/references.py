"""Checks that every `$ref` of an OpenAPI document stays in it and names the right kind of thing. Pure: opens
nothing.
"""

from collections.abc import Iterator
from typing import Any

from feedback_spec.openapi.places import Place, places
from feedback_spec.source import Fail
from feedback_spec.spelling import meant

_OF_JSON_SCHEMA = ("$schema", "$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef")


def check_references(document: dict[str, Any], fail: Fail) -> None:
    """Raises DocumentError for a `$ref` to a file or URL, to nothing, to a different kind of thing or to itself."""
    for pointer, node in _objects(document, ""):
        reference = node.get("$ref")
        if isinstance(reference, str) and not reference.startswith("#/"):
            raise fail(pointer, f'the `$ref` "{reference[:100]}" leaves the document; use one that begins with #/.')
        for key in _OF_JSON_SCHEMA:
            if isinstance(node.get(key), str):
                raise fail(pointer, f'"{key}" is not a key of OpenAPI 3.0.')
    known = {place.pointer: place for place in places(document)}
    for place in known.values():
        if "$ref" in place.node and place.kind == "path":
            raise fail(place.pointer, "a `$ref` in place of a path is not supported; write the path out.")
        if "$ref" in place.node:
            _check_kind(place, known, fail)


def _check_kind(place: Place, known: dict[str, Place], fail: Fail) -> None:
    seen = {place.pointer}
    node = place.node
    while "$ref" in node:
        reference = node["$ref"]
        if not isinstance(reference, str):
            raise fail(place.pointer, "a `$ref` must be a string that begins with #/.")
        pointer = reference.removeprefix("#")
        if pointer in seen:
            raise fail(place.pointer, f'the `$ref` "{reference[:100]}" leads back to itself.')
        seen.add(pointer)
        if pointer not in known or known[pointer].kind != place.kind:
            named = [f"#{each.pointer}" for each in known.values() if each.kind == place.kind and _has_a_name(each)]
            raise fail(
                place.pointer, f'the `$ref` "{reference[:100]}" does not name a {place.kind}{meant(reference, named)}'
            )
        node = known[pointer].node


def _has_a_name(place: Place) -> bool:
    return place.pointer.startswith("/components/") and place.pointer.count("/") == 3


def _objects(node: Any, pointer: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every JSON object of the document, with its pointer."""
    if isinstance(node, dict):
        yield pointer or "/", node
        for key, value in node.items():
            yield from _objects(value, f"{pointer}/{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _objects(value, f"{pointer}/{index}")
