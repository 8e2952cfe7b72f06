"""Renders an OpenAPI 3.0 document as OpenAPI 3.1, whose schemas are JSON Schema 2020-12. Pure: no I/O.

Only schemas change: the `example` of a parameter, a header or a media type is the same in both versions.
"""

from copy import deepcopy
from typing import Any

from feedback_spec.openapi.places import places
from feedback_spec.openapi.schemas import needed


def to_31(document: dict[str, Any]) -> dict[str, Any]:
    """A whole OpenAPI 3.0 document as OpenAPI 3.1.0; the input is not modified."""
    rendered = deepcopy(document)
    rendered["openapi"] = "3.1.0"
    # Lists all schemas before changing the first one: a change moves schemas, but keeps the objects.
    for place in [each for each in places(rendered) if each.kind == "schema"]:
        schema = _schema(place.node)
        place.node.clear()
        place.node.update(schema)
    return rendered


def standalone(document: dict[str, Any], name: str, uri: str, title: str) -> dict[str, Any]:
    """The schema with this name, of an OpenAPI 3.0 document, as a JSON Schema that needs no other document."""
    rendered = to_31(document)
    components = rendered["components"]
    schema = components["schemas"][name]
    definitions = needed(schema, components).get("schemas", {})
    for place in places(rendered):
        if place.kind == "schema" and "$ref" in place.node:
            place.node["$ref"] = place.node["$ref"].replace("#/components/schemas/", "#/$defs/", 1)
    about = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": uri, "title": title}
    return {**about, **schema, "$defs": definitions}


def _schema(schema: dict[str, Any]) -> dict[str, Any]:
    """One schema, without its subschemas."""
    nullable = schema.get("nullable", False)
    if "$ref" in schema:
        # Keys beside a `$ref` have no meaning in 3.0, but would in 3.1.
        rendered = {"$ref": schema["$ref"]}
        return {"anyOf": [rendered, {"type": "null"}]} if nullable else rendered
    rendered = {key: value for key, value in schema.items() if key not in ("nullable", "example")}
    if "example" in schema:
        rendered["examples"] = [schema["example"]]
    for bound in ("Minimum", "Maximum"):
        _exclusive(rendered, f"exclusive{bound}", bound.lower())
    _encoding(rendered)
    return _nullable(rendered) if nullable else rendered


def _exclusive(schema: dict[str, Any], exclusive: str, inclusive: str) -> None:
    """Turns the flag beside a bound into the bound itself."""
    if isinstance(schema.get(exclusive), bool) and schema.pop(exclusive) and inclusive in schema:
        schema[exclusive] = schema.pop(inclusive)


def _encoding(schema: dict[str, Any]) -> None:
    """`byte` and `binary` are not formats in JSON Schema, which has keywords for them."""
    if schema.get("format") == "byte":
        del schema["format"]
        schema["contentEncoding"] = "base64"
    elif schema.get("format") == "binary":
        del schema["format"]
        schema["contentMediaType"] = "application/octet-stream"


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    if "type" not in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    schema["type"] = types if "null" in types else types + ["null"]
    if "enum" in schema and None not in schema["enum"]:
        schema["enum"] = schema["enum"] + [None]
    return schema
