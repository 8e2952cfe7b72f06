"""The operations of an OpenAPI document, 3.0 or 3.1, as values: the view that mock, verifier and reference share.

Pure. Requires valid OpenAPI. A `$ref` to a parameter, a header, a body, a response, an example or a whole schema is
resolved; one inside a schema is kept.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from feedback_spec.source import resolve

JSON = "application/json"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@dataclass(frozen=True, slots=True)
class Value:
    """A parameter, a header or a field. `place` is `path`, `query`, `header`, `cookie` or `body`.

    `example` is None if there is none; `keys` are its keys in the document.
    """

    name: str
    place: str
    required: bool
    description: str
    schema: Mapping[str, Any]
    example: Any
    keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class NamedExample:
    """A named example of a body, and its value."""

    name: str
    summary: str
    value: Any


@dataclass(frozen=True, slots=True)
class Content:
    """A body in one media type."""

    schema: Mapping[str, Any]
    examples: Mapping[str, NamedExample]
    keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class RequestBody:
    """The body that an operation accepts, by media type; `fields` are the properties of its JSON schema."""

    required: bool
    description: str
    content: Mapping[str, Content]
    fields: tuple[Value, ...]

    @property
    def examples(self) -> Mapping[str, NamedExample]:
        """The examples of the JSON body, by name."""
        return self.content[JSON].examples if JSON in self.content else {}


@dataclass(frozen=True, slots=True)
class Response:
    """One declared response; `status` is as written in the document, including `default`.

    `fields` are the properties of its JSON schema, each followed by those of its own object, such as `event.id`.
    """

    status: str
    description: str
    headers: Mapping[str, Value]
    content: Mapping[str, Content]
    fields: tuple[Value, ...]

    @property
    def examples(self) -> Mapping[str, NamedExample]:
        """The examples of the JSON body, by name."""
        return self.content[JSON].examples if JSON in self.content else {}


@dataclass(frozen=True, slots=True)
class Credentials:
    """One kind of credentials, with the name of its security scheme; `oauth_scopes` are those that its use names."""

    name: str
    type: str
    scheme: str
    place: str
    header: str
    description: str
    oauth_scopes: tuple[str, ...]

    @property
    def line(self) -> str:
        """The header line with a placeholder: `Authorization: Bearer <token>`."""
        if self.type == "http":
            return f"Authorization: {self.scheme.title()} <token>"
        return f"{self.header}: {self.name.upper()} <{self.name}>"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `method` is in lower case; `parameters` are those of the path and its own.

    `security` lists alternatives, each a set of credentials sent together; `extensions` are its `x-` keys; `keys` and
    `path_keys` are the keys of the operation and of its path in the document.
    """

    id: str
    path: str
    method: str
    summary: str
    description: str
    parameters: tuple[Value, ...]
    security: tuple[tuple[Credentials, ...], ...]
    body: RequestBody | None
    responses: Mapping[str, Response]
    extensions: Mapping[str, Any]
    keys: frozenset[str]
    path_keys: frozenset[str]

    @property
    def success(self) -> int:
        """The status that is described first among those of success. Raises StopIteration if none is."""
        return next(int(status) for status in self.responses if status.startswith("2"))

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes of which a token needs one (`x-scopes`)."""
        return tuple(self.extensions.get("x-scopes", ()))

    @property
    def credentials(self) -> tuple[Credentials, ...]:
        """The kinds of credentials that it accepts, in its order."""
        return tuple(each for together in self.security for each in together)


def operations_of(document: Mapping[str, Any]) -> Iterator[Operation]:
    """Every operation of a document, in its order."""
    reader = _Reader(document)
    for path, item in document["paths"].items():
        for method in METHODS:
            if isinstance(item, dict) and isinstance(item.get(method), dict):
                yield reader.operation(path, method, item)


def operation_at(operations: Iterable[Operation], method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """The operation that a request with this path reaches, HEAD like GET, and the parameters in the path; None if it
    reaches none.
    """
    segments = path.split("/")
    method = "get" if method.lower() == "head" else method.lower()
    for each in operations:
        names = each.path.split("/")
        if each.method != method or len(names) != len(segments):
            continue
        pairs = list(zip(names, segments, strict=True))
        if all(name == segment or (name.startswith("{") and segment) for name, segment in pairs):
            return each, {name[1:-1]: unquote(segment) for name, segment in pairs if name.startswith("{")}
    return None


class _Reader:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document

    def operation(self, path: str, method: str, item: Mapping[str, Any]) -> Operation:
        node = item[method]
        operation_id = str(node.get("operationId", f"{method} {path}"))
        return Operation(
            id=operation_id,
            path=path,
            method=method,
            summary=node.get("summary", operation_id),
            description=node.get("description", ""),
            parameters=tuple(
                self._value(each["name"], each["in"], each)
                for each in map(self._resolve, (*item.get("parameters", ()), *node.get("parameters", ())))
            ),
            security=tuple(map(self._together, node.get("security", self._document.get("security", ())))),
            body=self._body(self._resolve(node["requestBody"])) if "requestBody" in node else None,
            responses={status: self._response(status, each) for status, each in node.get("responses", {}).items()},
            extensions={key: value for key, value in node.items() if key.startswith("x-")},
            keys=frozenset(node),
            path_keys=frozenset(item),
        )

    def _resolve(self, node: Any) -> Any:
        return resolve(self._document, node)

    def _value(self, name: str, place: str, node: Mapping[str, Any]) -> Value:
        schema = self._resolve(node.get("schema", {}))
        return Value(
            name=name,
            place=place,
            required=node.get("required", False),
            description=node.get("description", schema.get("description", "")),
            schema=schema,
            example=node.get("example", _example(schema)),
            keys=frozenset(node),
        )

    def _body(self, node: Mapping[str, Any]) -> RequestBody:
        content = self._content(node)
        return RequestBody(
            required=node.get("required", False),
            description=node.get("description", ""),
            content=content,
            fields=tuple(self._fields(content)),
        )

    def _fields(self, content: Mapping[str, Content]) -> Iterator[Value]:
        return self._properties(content[JSON].schema if JSON in content else {})

    def _properties(self, schema: Mapping[str, Any], before: str = "") -> Iterator[Value]:
        required = schema.get("required", ())
        for name, each in schema.get("properties", {}).items():
            yield self._value(before + name, "body", {"schema": each, "required": name in required})

    def _response(self, status: str, node: Any) -> Response:
        node = self._resolve(node)
        headers = {name: self._resolve(each) for name, each in node.get("headers", {}).items()}
        content = self._content(node)
        return Response(
            status=status,
            description=node.get("description", ""),
            headers={name: self._value(name, "header", each) for name, each in headers.items()},
            content=content,
            fields=tuple(
                each
                for field in self._fields(content)
                for each in (field, *self._properties(field.schema, f"{field.name}."))
            ),
        )

    def _content(self, node: Mapping[str, Any]) -> Mapping[str, Content]:
        return {
            media_type: Content(
                schema=self._resolve(each.get("schema", {})),
                examples={
                    name: _named(name, self._resolve(example)) for name, example in each.get("examples", {}).items()
                },
                keys=frozenset(each),
            )
            for media_type, each in node.get("content", {}).items()
        }

    def _together(self, requirement: Mapping[str, Any]) -> tuple[Credentials, ...]:
        schemes = self._document.get("components", {}).get("securitySchemes", {})
        return tuple(
            _credentials(name, self._resolve(schemes.get(name, {})), tuple(scopes))
            for name, scopes in requirement.items()
        )


def _credentials(name: str, scheme: Mapping[str, Any], scopes: tuple[str, ...]) -> Credentials:
    return Credentials(
        name=name,
        type=scheme.get("type", ""),
        scheme=scheme.get("scheme", "").lower(),
        place=scheme.get("in", ""),
        header=scheme.get("name", ""),
        description=scheme.get("description", ""),
        oauth_scopes=scopes,
    )


def _named(name: str, example: Mapping[str, Any]) -> NamedExample:
    words = name.replace("-", " ").replace("_", " ").capitalize()
    return NamedExample(name, example.get("summary", words), example.get("value"))


def _example(schema: Mapping[str, Any]) -> Any:
    """The example of a schema; OpenAPI 3.1 has a list of them."""
    return schema.get("example", next(iter(schema.get("examples", ())), None))
