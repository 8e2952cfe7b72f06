"""Checks whether a response is one that the document describes: status, media type, headers, body. Pure."""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs
from feedback_spec.bodies import FORMS, Unreadable, split_media_type
from feedback_spec.document import Document
from feedback_spec.openapi.render31 import to_31
from feedback_spec.openapi.schemas import validator_of
from feedback_spec.operations import JSON, Operation, Response, operations_of

from feedback_verify.exchange import Exchange, Request, as_data

ASKED = ("PUT", "PATCH", "DELETE")  # other methods may be refused before they reach an application


class Answers:
    """Judges every response of the documented path behind that of `base_url`; other paths are not described."""

    def __init__(self, document: Document, base_url: str = "") -> None:
        self._prefix = urlsplit(base_url).path.rstrip("/")
        self._openapi = to_31(document.openapi)
        self._trimmed = document.behaviour.is_trimmed
        self._methods = document.behaviour.methods
        self._validators: dict[str, jsonschema_rs.Draft202012Validator] = {}

    @cached_property
    def _paths(self) -> list[tuple[re.Pattern[str], Mapping[str, Operation]]]:
        """The operations of each path by method."""
        paths: dict[str, dict[str, Operation]] = {}
        for operation in operations_of(self._openapi):
            paths.setdefault(operation.path, {})[operation.method] = operation
        return [(_pattern(path), operations) for path, operations in paths.items()]

    def problem(self, exchange: Exchange) -> str | None:
        """What the document does not allow in this response; None if nothing is wrong or the path is not documented."""
        known = self._described(exchange)
        if known is None:
            return None
        method = exchange.request.method.lower()
        if self._methods is not None and method not in known:
            # Access is checked before existence: other statuses belong to the rules about access.
            refused = exchange.status in (400, 401, 403, 404, 405)
            return None if refused else f"{exchange.request.method} is answered {exchange.status}"
        operation = known.get("get" if method == "head" else method)
        if operation is None:
            return self._not_allowed_problem(exchange, known)
        response = operation.responses.get(str(exchange.status))
        if response is None:
            return f"{exchange.request.method} is answered {exchange.status}, which the document does not declare"
        return self._header_problem(exchange, response) or self._body_problem(exchange, response)

    def _not_allowed_problem(self, exchange: Exchange, known: Mapping[str, Operation]) -> str | None:
        """A method that the path does not have is refused as the path's operations declare."""
        if exchange.status != 405:
            return f"{exchange.request.method} is answered {exchange.status}, not 405"
        declared = next((each.responses["405"] for each in known.values() if "405" in each.responses), None)
        if declared is None or exchange.request.method not in ASKED:
            return None
        return self._header_problem(exchange, declared) or self._body_problem(exchange, declared)

    def speaks_of(self, exchange: Exchange) -> bool:
        """Whether the document says what this response must be, so that `problem` could have found something."""
        return self._described(exchange) is not None

    def _described(self, exchange: Exchange) -> Mapping[str, Operation] | None:
        """The operations of the documented path, by method; None if the document does not describe the response."""
        path = urlsplit(exchange.request.url).path.removeprefix(self._prefix)
        plain = "/../" not in path  # which some servers resolve and others don't
        known = next((each for pattern, each in self._paths if plain and pattern.fullmatch(path)), None)
        if known is None or exchange.status >= 500 or self._should_not_have_passed(exchange, known.get("post")):
            return None
        return known

    def _should_not_have_passed(self, exchange: Exchange, operation: Operation | None) -> bool:
        """Whether this accepts what the request schema forbids; other rules judge that, and the response repeats it."""
        if (
            exchange.request.method != "POST"
            or operation is None
            or operation.body is None
            or exchange.status != operation.success
        ):
            return False
        sent = as_data(exchange.request.content)
        sent = _form(exchange.request) if sent is None else sent
        if sent is None:
            return False
        if isinstance(sent, dict):
            sent = {
                key: value.strip() if isinstance(value, str) and self._trimmed(key) else value
                for key, value in sent.items()
            }
        return not self._validator(operation.body.content[JSON].schema).is_valid(sent)

    def _header_problem(self, exchange: Exchange, response: Response) -> str | None:
        for name, header in response.headers.items():
            value = exchange.headers.get(name.lower())
            if value is None:
                if header.required:
                    return f"a {exchange.status} without the header {name}"
            elif not self._validator(header.schema).is_valid(value):
                return f"a {exchange.status} with the header {name}: {value[:80]!r}, which its schema does not allow"
        return None

    def _body_problem(self, exchange: Exchange, response: Response) -> str | None:
        content = response.content
        if not exchange.content:
            # Some servers answer a DSN with an empty body; the document leaves that open.
            by_dsn = exchange.request.sent_headers().get("Authorization", "").lower().startswith("dsn")
            bodiless = by_dsn or exchange.request.method == "HEAD" or not content
            return None if bodiless else f"a {exchange.status} without a body"
        if not content:
            return f"a {exchange.status} with a body, although the document has none"
        if exchange.media_type not in content:
            return f"a {exchange.status} as {exchange.media_type or 'no media type'}, not {', '.join(content)}"
        if exchange.json is None:
            return f"a {exchange.status} whose body is not JSON"
        for error in self._validator(content[exchange.media_type].schema).iter_errors(exchange.json):
            place = "".join(f".{step}" for step in error.instance_path)
            return f"a {exchange.status} whose body{place} does not follow its schema: {error.message[:200]}"
        return None

    def _validator(self, schema: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator:
        key = repr(schema)
        if key not in self._validators:
            self._validators[key] = validator_of(schema, self._openapi.get("components", {}))
        return self._validators[key]


def _form(request: Request) -> dict[str, Any] | None:
    """The fields of a form; None for anything else."""
    content_type = request.sent_headers().get("Content-Type", "").encode("latin-1", "replace")
    parse = FORMS.get(split_media_type(content_type)[1])
    try:
        return None if parse is None else parse(request.content, content_type)
    except Unreadable:
        return None


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(
        "".join("[^/%]+" if part.startswith("{") else re.escape(part) for part in re.split(r"({\w+})", path))
    )
