"""What a document says of an operation, in the form the mock works with. Refuses at start what the mock cannot honour.

Pure: nothing here runs while a request is served.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs
from feedback_spec.openapi.render31 import to_31
from feedback_spec.operations import Operation, operations_of
from feedback_spec.source import DocumentError, resolve

from feedback_mock.access import BEARER, DSN

JSON = "application/json"
_EMAIL = jsonschema_rs.EmailOptions(allow_display_text=False)
_OPERATION_KEYS = frozenset(
    {"operationId", "tags", "summary", "description", "externalDocs", "deprecated", "security", "parameters"}
    | {"requestBody", "responses"}
)
_PARAMETER_KEYS = frozenset(
    {"name", "in", "required", "description", "schema", "example", "examples", "allowEmptyValue"}
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A path or query parameter: its type (`string` or `integer`), whether the schema says more, default, validator."""

    name: str
    description: str
    place: str
    type: str
    constrained: bool
    default: Any
    validator: Any


@dataclass(frozen=True, slots=True)
class Description:
    """One operation. `kinds`: credentials it takes, none for none; `responses`: validator by status, None: no body."""

    operation: Operation
    kinds: tuple[str, ...]
    scopes: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    media_types: tuple[str, ...]
    body: dict[str, Any] | None
    body_validator: Any
    max_body_bytes: int
    responses: Mapping[int, Any]


def describe(name: str, openapi: dict[str, Any], default_max_body_bytes: int) -> dict[str, Description]:
    """Every operation of an OpenAPI 3.0 document, by operationId; `name` names the document in errors.

    Raises DocumentError, in one sentence, for whatever the mock does not implement.
    """
    rendered = to_31(openapi)
    reader = _Reader(name, rendered, default_max_body_bytes)
    return {operation.id: reader.describe(operation) for operation in operations_of(rendered)}


class _Reader:
    def __init__(self, name: str, openapi: dict[str, Any], default_max_body_bytes: int) -> None:
        self._name, self._openapi, self._default_max = name, openapi, default_max_body_bytes

    def describe(self, operation: Operation) -> Description:
        definition = operation.definition
        self._only_known(set(definition), _OPERATION_KEYS, operation.id)
        for key in set(operation.item) & {"servers", "$ref"}:
            raise self._fail(operation.id, f'the mock does not implement "{key}" on a path.')
        media_types, body = self._body(operation)
        return Description(
            operation=operation,
            kinds=tuple(self._kinds(operation)),
            scopes=tuple(definition.get("x-scopes", ())),
            parameters=tuple(self._parameters(operation)),
            media_types=media_types,
            body=body,
            body_validator=None if body is None else self._validator(body),
            max_body_bytes=definition.get("x-max-body-bytes", self._default_max),
            responses={int(status): validator for status, validator in self._responses(operation)},
        )

    def _kinds(self, operation: Operation) -> Iterator[str]:
        schemes = self._openapi.get("components", {}).get("securitySchemes", {})
        for requirement in operation.definition.get("security", self._openapi.get("security", ())):
            if len(requirement) != 1 or any(requirement.values()):
                raise self._fail(operation.id, "the mock takes one kind of credentials at a time, without scopes.")
            scheme = resolve(self._openapi, schemes.get(next(iter(requirement)), {}))
            match scheme.get("type"), str(scheme.get("scheme", scheme.get("in"))).lower():
                case "http", "bearer":
                    yield BEARER
                case "apiKey", "header" if str(scheme.get("name")).lower() == "authorization":
                    yield DSN
                case _:
                    raise self._fail(
                        operation.id, f'the mock does not implement the scheme "{next(iter(requirement))}".'
                    )

    def _parameters(self, operation: Operation) -> Iterator[Parameter]:
        listed = (*operation.item.get("parameters", ()), *operation.definition.get("parameters", ()))
        for parameter in (resolve(self._openapi, each) for each in listed):
            place = f"{operation.id}: the parameter {parameter.get('name')}"
            if parameter.get("in") not in ("path", "query"):
                raise self._fail(place, f"the mock does not implement parameters in {parameter.get('in')}.")
            self._only_known(set(parameter), _PARAMETER_KEYS, place)
            schema = resolve(self._openapi, parameter.get("schema", {}))
            kind = schema.get("type")
            if kind not in ("string", "integer") or (parameter["in"] == "query" and parameter.get("required")):
                raise self._fail(place, "the mock implements optional query parameters, of type string or integer.")
            constrained = (
                bool(set(schema) - {"type", "default", "description", "title", "examples"}) or kind != "string"
            )
            yield Parameter(
                parameter["name"],
                parameter.get("description", ""),
                parameter["in"],
                kind,
                constrained,
                schema.get("default"),
                self._validator(schema),
            )

    def _body(self, operation: Operation) -> tuple[tuple[str, ...], dict[str, Any] | None]:
        content = resolve(self._openapi, operation.definition.get("requestBody", {})).get("content", {})
        schemas = [media.get("schema", {}) for media in content.values()]
        if any(each != schemas[0] for each in schemas) or any("encoding" in media for media in content.values()):
            raise self._fail(operation.id, "the mock implements one request schema for all media types, no encoding.")
        return tuple(content), resolve(self._openapi, schemas[0]) if schemas else None

    def _responses(self, operation: Operation) -> Iterator[tuple[str, Any]]:
        for status, node in operation.definition.get("responses", {}).items():
            content = resolve(self._openapi, node).get("content", {})
            if not status.isdigit() or set(content) - {JSON}:
                raise self._fail(f"{operation.id}: the response {status}", f"the mock implements {JSON} and statuses.")
            yield status, self._validator(content[JSON].get("schema", {})) if content else None

    def _validator(self, schema: dict[str, Any]) -> Any:
        try:
            return jsonschema_rs.Draft202012Validator(
                {"components": self._openapi.get("components", {}), **schema},
                validate_formats=True,
                email_options=_EMAIL,
            )
        except (ValueError, jsonschema_rs.ValidationError) as error:
            raise self._fail("a schema", f"{str(error).splitlines()[0]}.") from None

    def _only_known(self, keys: set[str], known: frozenset[str], place: str) -> None:
        for key in sorted(key for key in keys - known if not key.startswith("x-")):
            raise self._fail(place, f'the mock does not implement "{key}".')

    def _fail(self, place: str, cause: str) -> DocumentError:
        return DocumentError(f"{self._name}: {place}: {cause}")
