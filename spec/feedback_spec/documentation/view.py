"""What the reference says, as plain values that templates print: no Markdown, no HTML, no I/O.

Everything comes from a `Document` and from the control document; wording that neither has stands here.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from feedback_spec.catalogue import Rule
from feedback_spec.document import Document
from feedback_spec.documentation.page import authorization
from feedback_spec.operations import Operation, operations_of
from feedback_spec.source import resolve

JSON = "application/json"
SHORT = 100  # characters of a body that is shown on one line
# Python before 3.13 has the phrases that RFC 9110 replaced; the reference is the same under every Python.
_PHRASES = {"413": "Content Too Large", "416": "Range Not Satisfiable", "422": "Unprocessable Content"}
_TYPES = {"string": "text", "integer": "integer", "number": "number", "array": "list", "object": "object"}


@dataclass(frozen=True, slots=True)
class Value:
    """A parameter, a field or a header: `limits` are short phrases, `example` is None where there is none."""

    name: str
    type: str
    required: bool
    limits: tuple[str, ...]
    description: str
    example: str | None


@dataclass(frozen=True, slots=True)
class Body:
    """A named example body, pretty-printed, and what it shows."""

    summary: str
    text: str


@dataclass(frozen=True, slots=True)
class Response:
    """One declared response of an operation."""

    status: str
    phrase: str
    description: str
    headers: tuple[Value, ...]
    bodies: tuple[Body, ...]


@dataclass(frozen=True, slots=True)
class Credentials:
    """One kind of credentials: `header` is the header line with a placeholder."""

    name: str
    header: str
    description: str


@dataclass(frozen=True, slots=True)
class OperationView:
    """One operation, `$ref`s resolved; `credentials` are names of the kinds that it takes."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    parameters: tuple[Value, ...]
    credentials: tuple[str, ...]
    scopes: tuple[str, ...]
    media_types: tuple[str, ...]
    body_description: str
    fields: tuple[Value, ...]
    bodies: tuple[Body, ...]
    responses: tuple[Response, ...]


def operation_view(document: Mapping[str, Any], operation: Operation) -> OperationView:
    """An operation of a document as values."""
    definition = operation.definition
    parameters = [resolve(document, each) for each in _listed(operation.item) + _listed(definition)]
    security = definition.get("security", document.get("security", []))
    request = resolve(document, definition.get("requestBody", {}))
    return OperationView(
        id=operation.id,
        method=operation.method.upper(),
        path=operation.path,
        summary=definition.get("summary", operation.id),
        description=definition.get("description", ""),
        parameters=tuple(_value(document, each["name"], each, each.get("required", False)) for each in parameters),
        credentials=tuple(name for each in security for name in each),
        scopes=tuple(definition.get("x-scopes", ())),
        media_types=tuple(request.get("content", {})),
        body_description=request.get("description", ""),
        fields=tuple(_fields(document, request)),
        bodies=_bodies(document, request),
        responses=tuple(
            _response(document, status, resolve(document, each)) for status, each in definition["responses"].items()
        ),
    )


def other_operations(document: Document) -> tuple[OperationView, ...]:
    """The operations beside the submit operation, without the parameters that all have in common."""
    shared = operation_view(document.openapi, document.submit).parameters
    rest = [operation_view(document.openapi, each) for each in document.operations.values() if each != document.submit]
    return tuple(
        replace(each, parameters=tuple(item for item in each.parameters if item not in shared)) for each in rest
    )


def control_operations(control: Mapping[str, Any]) -> tuple[OperationView, ...]:
    """The requests of the control protocol."""
    return tuple(operation_view(control, each) for each in operations_of(control))


def credentials(document: Document) -> tuple[Credentials, ...]:
    """The kinds of credentials that the submit operation takes, in its order."""
    schemes = document.openapi["components"]["securitySchemes"]
    names = operation_view(document.openapi, document.submit).credentials
    return tuple(
        Credentials(name, authorization(schemes[name], name), schemes[name].get("description", "")) for name in names
    )


def rule_groups(document: Document) -> tuple[tuple[str, tuple[Rule, ...]], ...]:
    """The rule catalogue by group, groups and rules in the document's order."""
    groups: dict[str, list[Rule]] = {}
    for rule in document.rules.values():
        groups.setdefault(rule.group, []).append(rule)
    return tuple((group, tuple(rules)) for group, rules in groups.items())


def phrase(status: str) -> str:
    """What RFC 9110 calls a status."""
    return _PHRASES.get(status) or (HTTPStatus(int(status)).phrase if status.isdigit() else "any other")


def _listed(node: Mapping[str, Any]) -> list[Any]:
    return list(node.get("parameters", []))


def _fields(document: Mapping[str, Any], request: Mapping[str, Any]) -> Iterator[Value]:
    schema = resolve(document, request.get("content", {}).get(JSON, {}).get("schema", {}))
    for name, field in schema.get("properties", {}).items():
        resolved = resolve(document, field)
        yield _value(document, name, {"schema": resolved, **resolved}, name in schema.get("required", ()))


def _value(document: Mapping[str, Any], name: str, node: Mapping[str, Any], required: bool) -> Value:
    schema = resolve(document, node.get("schema", {}))
    example = node.get("example", schema.get("example"))
    return Value(
        name=name,
        type=_TYPES.get(schema.get("type", ""), schema.get("type", "anything")),
        required=required,
        limits=tuple(limits(schema)),
        description=node.get("description", schema.get("description", "")),
        example=None if example is None else example if isinstance(example, str) else json.dumps(example),
    )


def limits(schema: Mapping[str, Any]) -> Iterator[str]:
    """What a schema allows, in short phrases in Markdown: `1 to 128 characters`, `format email`, `by default 100`."""
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


def _response(document: Mapping[str, Any], status: str, response: Mapping[str, Any]) -> Response:
    headers = [(name, resolve(document, each)) for name, each in response.get("headers", {}).items()]
    return Response(
        status=status,
        phrase=phrase(status),
        description=response.get("description", ""),
        headers=tuple(_value(document, name, each, each.get("required", False)) for name, each in headers),
        bodies=_bodies(document, response),
    )


def _bodies(document: Mapping[str, Any], node: Mapping[str, Any]) -> tuple[Body, ...]:
    examples = node.get("content", {}).get(JSON, {}).get("examples", {})
    resolved = {name: resolve(document, example) for name, example in examples.items()}
    return tuple(
        Body(example.get("summary", name.replace("-", " ").replace("_", " ").capitalize()), _pretty(example["value"]))
        for name, example in resolved.items()
    )


def _pretty(value: Any) -> str:
    line = json.dumps(value, ensure_ascii=False)
    return line if len(line) <= SHORT else json.dumps(value, indent=2, ensure_ascii=False)
