"""What a document says about an operation, compiled for the mock. At startup, refuses anything that the mock does not
support.

Pure: nothing here runs while a request is served.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from feedback_spec.openapi.render31 import to_31
from feedback_spec.openapi.schemas import validator_of
from feedback_spec.operations import JSON, Operation, operations_of
from feedback_spec.source import DocumentError
from jsonschema_rs import Draft202012Validator

from feedback_mock.credentials import BEARER, DSN

_OPERATION_KEYS = frozenset(
    {"operationId", "tags", "summary", "description", "externalDocs", "deprecated", "security", "parameters"}
    | {"requestBody", "responses"}
)
_PARAMETER_KEYS = frozenset(
    {"name", "in", "required", "description", "schema", "example", "examples", "allowEmptyValue"}
)

_ANYTHING: Mapping[str, Any] = {}  # the schema of a body of which the document says nothing


@dataclass(frozen=True, slots=True)
class Parameter:
    """A path or query parameter: its type (`string` or `integer`), whether the schema says more, default, validator."""

    name: str
    description: str
    place: str
    type: str
    constrained: bool
    default: Any
    validator: Draft202012Validator


@dataclass(frozen=True, slots=True)
class Description:
    """One operation. `kinds`: the credentials it accepts, none for none; `responses`: validator by status, None: no
    body.
    """

    operation: Operation
    kinds: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    body: Mapping[str, Any] | None
    body_validator: Draft202012Validator
    max_body_bytes: int
    responses: Mapping[int, Draft202012Validator | None]


def describe(
    name: str, openapi: dict[str, Any], default_max_body_bytes: int, texts: frozenset[str] = frozenset()
) -> dict[str, Description]:
    """Every operation of an OpenAPI 3.0 document, by operationId; `name` identifies the document in errors.

    `texts` are the operations that may respond with text, which is not validated. Raises DocumentError, with one
    sentence, for anything that the mock does not implement.
    """
    rendered = to_31(openapi)
    reader = _Reader(name, rendered.get("components", {}), default_max_body_bytes, texts)
    return {operation.id: reader.describe(operation) for operation in operations_of(rendered)}


def typed(parameter: Parameter, text: str) -> int | str:
    """The value converted to the schema's type; a string that is not a number stays a string, which the schema then
    refuses.
    """
    if parameter.type == "integer" and text.isascii() and text.isdigit() and len(text) < 19:
        return int(text)
    return text


class _Reader:
    def __init__(
        self, name: str, components: Mapping[str, Any], default_max_body_bytes: int, texts: frozenset[str]
    ) -> None:
        self._name, self._components, self._default_max = name, components, default_max_body_bytes
        self._texts = texts
        self._validators: dict[int, Draft202012Validator] = {}

    def describe(self, operation: Operation) -> Description:
        self._only_known(operation.keys, _OPERATION_KEYS, operation.id)
        for key in operation.path_keys & {"servers", "$ref"}:
            raise self._fail(operation.id, f'the mock does not implement "{key}" on a path.')
        body = self._body(operation)
        return Description(
            operation=operation,
            kinds=tuple(self._kinds(operation)),
            parameters=tuple(self._parameters(operation)),
            body=body,
            body_validator=self._validator(_ANYTHING if body is None else body),
            max_body_bytes=operation.extensions.get("x-max-body-bytes", self._default_max),
            responses={int(status): validator for status, validator in self._responses(operation)},
        )

    def _kinds(self, operation: Operation) -> Iterator[str]:
        for together in filter(None, operation.security):
            if len(together) != 1 or together[0].oauth_scopes:
                raise self._fail(operation.id, "the mock accepts one kind of credentials at a time, without scopes.")
            each = together[0]
            if (each.type, each.scheme) == ("http", "bearer"):
                yield BEARER
            elif (each.type, each.place, each.header.lower()) == ("apiKey", "header", "authorization"):
                yield DSN
            else:
                raise self._fail(operation.id, f'the mock does not implement the scheme "{each.name}".')

    def _parameters(self, operation: Operation) -> Iterator[Parameter]:
        for parameter in operation.parameters:
            place = f"{operation.id}: the parameter {parameter.name}"
            if parameter.place not in ("path", "query"):
                raise self._fail(place, f"the mock does not implement parameters in {parameter.place}.")
            self._only_known(parameter.keys, _PARAMETER_KEYS, place)
            schema = parameter.schema
            kind = schema.get("type")
            if kind not in ("string", "integer") or (parameter.place == "query" and parameter.required):
                raise self._fail(
                    place, "the mock implements only optional query parameters, of type string or integer."
                )
            constrained = (
                bool(set(schema) - {"type", "default", "description", "title", "examples"}) or kind != "string"
            )
            yield Parameter(
                parameter.name,
                parameter.description,
                parameter.place,
                kind,
                constrained,
                schema.get("default"),
                self._validator(schema),
            )

    def _body(self, operation: Operation) -> Mapping[str, Any] | None:
        content = list(operation.body.content.values()) if operation.body else []
        if any(each.schema != content[0].schema or "encoding" in each.keys for each in content):
            raise self._fail(
                operation.id, "the mock implements only one request schema for all media types, and no encoding."
            )
        return content[0].schema if content else None

    def _responses(self, operation: Operation) -> Iterator[tuple[str, Draft202012Validator | None]]:
        for status, response in operation.responses.items():
            if operation.id in self._texts and [each[:5] for each in response.content] == ["text/"]:
                yield status, None
                continue
            if not status.isdigit() or set(response.content) - {JSON}:
                raise self._fail(
                    f"{operation.id}: the response {status}", f"the mock implements only {JSON} and statuses."
                )
            yield status, self._validator(response.content[JSON].schema) if response.content else None

    def _validator(self, schema: Mapping[str, Any]) -> Draft202012Validator:
        # One per place in the document, as many operations refer to the same one. The document outlives this reader.
        if id(schema) not in self._validators:
            try:
                self._validators[id(schema)] = validator_of(schema, self._components)
            except ValueError as error:
                raise self._fail("a schema", f"{str(error).splitlines()[0]}.") from None
        return self._validators[id(schema)]

    def _only_known(self, keys: frozenset[str], known: frozenset[str], place: str) -> None:
        for key in sorted(key for key in keys - known if not key.startswith("x-")):
            raise self._fail(place, f'the mock does not implement "{key}".')

    def _fail(self, place: str, cause: str) -> DocumentError:
        return DocumentError(f"{self._name}: {place}: {cause}")
