"""The rendering of the documents as OpenAPI 3.1, and requirements on both versions."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from feedback_spec.document import load, load_control
from feedback_spec.openapi.examples import examples_of, invalid_examples
from feedback_spec.openapi.places import places
from feedback_spec.openapi.render31 import to_31
from openapi_schema_validator import OAS30Validator, oas30_format_checker
from openapi_spec_validator import validate

DOCUMENTS: dict[str, Callable[[], dict[str, Any]]] = {"openapi": lambda: load().openapi, "control": load_control}


@pytest.fixture(params=DOCUMENTS)
def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    return DOCUMENTS[request.param]()


def rendered(schema: dict[str, Any]) -> Any:
    document = {"openapi": "3.0.3", "paths": {}, "components": {"schemas": {"One": schema}}}
    return to_31(document)["components"]["schemas"]["One"]


def test_documents_are_valid_in_both_versions(document: dict[str, Any]) -> None:
    validate(document)
    validate(to_31(document))


def test_rendering_leaves_its_input_alone(document: dict[str, Any]) -> None:
    before = deepcopy(document)

    to_31(document)

    assert document == before


def test_rendering_twice_is_rendering_once(document: dict[str, Any]) -> None:
    assert to_31(to_31(document)) == to_31(document)


def test_only_schemas_change(document: dict[str, Any]) -> None:
    def bare(document: dict[str, Any]) -> dict[str, Any]:
        copy = deepcopy(document)
        for place in [each for each in places(copy) if each.kind == "schema"]:
            place.node.clear()
        return {**copy, "openapi": ""}

    assert bare(to_31(document)) == bare(document)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "string", "nullable": False}, {"type": "string"}),
        ({"type": "string", "enum": ["a"], "nullable": True}, {"type": ["string", "null"], "enum": ["a", None]}),
        ({"type": "string", "enum": ["a", None], "nullable": True}, {"type": ["string", "null"], "enum": ["a", None]}),
        (
            {"$ref": "#/components/schemas/Two", "nullable": True},
            {"anyOf": [{"$ref": "#/components/schemas/Two"}, {"type": "null"}]},
        ),
        (
            {"allOf": [{"type": "string"}], "nullable": True},
            {"anyOf": [{"allOf": [{"type": "string"}]}, {"type": "null"}]},
        ),
        ({"$ref": "#/components/schemas/Two", "description": "x"}, {"$ref": "#/components/schemas/Two"}),
        ({"type": "string", "example": "a"}, {"type": "string", "examples": ["a"]}),
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": True}, {"type": "integer", "exclusiveMinimum": 1}),
        ({"type": "integer", "maximum": 1, "exclusiveMaximum": False}, {"type": "integer", "maximum": 1}),
        ({"type": "string", "format": "byte"}, {"type": "string", "contentEncoding": "base64"}),
        ({"type": "string", "format": "binary"}, {"type": "string", "contentMediaType": "application/octet-stream"}),
        (
            {"type": "object", "properties": {"example": {"type": "string", "nullable": True}}},
            {"type": "object", "properties": {"example": {"type": ["string", "null"]}}},
        ),
        ({"type": "object", "default": {"nullable": True}}, {"type": "object", "default": {"nullable": True}}),
    ],
)
def test_schema_becomes(schema: dict[str, Any], expected: dict[str, Any]) -> None:
    assert rendered(schema) == expected


def test_example_of_a_parameter_stays() -> None:
    assert to_31(load().openapi)["components"]["parameters"]["project_slug"]["example"] == "plain-proxy"


def test_every_example_is_valid_in_both_versions(document: dict[str, Any]) -> None:
    assert list(invalid_examples(document)) == []
    assert list(invalid_examples(to_31(document))) == []


def test_every_example_is_valid_to_a_validator_of_openapi_30(document: dict[str, Any]) -> None:
    """With a validator that supports 3.0 itself, so that an error in our rendering cannot hide a broken example."""
    components = document["components"]

    for pointer, schema, value in examples_of(document):
        validator = OAS30Validator({**schema, "components": components}, format_checker=oas30_format_checker)
        assert [error.message for error in validator.iter_errors(value)] == [], pointer


def _submission(document: dict[str, Any]) -> Any:
    return next(iter(document["paths"].values()))["post"]["requestBody"]["content"]["application/json"]["examples"][
        "page"
    ]


def _break_request(document: dict[str, Any]) -> None:
    _submission(document)["value"]["event_id"] = "no event"


def _break_format(document: dict[str, Any]) -> None:
    _submission(document)["value"]["email"] = "no address"


def _break_response(document: dict[str, Any]) -> None:
    document["components"]["responses"]["Conflict"]["content"]["application/json"]["examples"]["conflict"]["value"] = {}


def _break_schema(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["UserFeedback"]["properties"]["id"]["example"] = 1


def _break_parameter(document: dict[str, Any]) -> None:
    document["components"]["parameters"]["project_slug"]["example"] = ""


def _break_header(document: dict[str, Any]) -> None:
    document["components"]["headers"]["Content-Length"]["example"] = "many"


def _break_default(document: dict[str, Any]) -> None:
    next(iter(document["paths"].values()))["get"]["parameters"][0]["schema"]["default"] = "all"


@pytest.mark.parametrize(
    ("break_it", "where"),
    [
        (_break_request, "requestBody/content/application~1json/examples/page"),
        (_break_format, "requestBody/content/application~1json/examples/page"),
        (_break_response, "responses/Conflict/content/application~1json/examples/conflict"),
        (_break_schema, "schemas/UserFeedback/properties/id/examples/0"),
        (_break_parameter, "parameters/project_slug/example"),
        (_break_header, "headers/Content-Length/example"),
        (_break_default, "get/parameters/0/schema/default"),
    ],
)
def test_broken_example_is_found(break_it: Callable[[dict[str, Any]], None], where: str) -> None:
    document = load().openapi
    break_it(document)

    assert [where in sentence for sentence in invalid_examples(document)] == [True]
