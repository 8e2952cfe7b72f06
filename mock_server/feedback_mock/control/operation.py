"""Serves one operation of the control document: host, guard, path, size, syntax, schema, handler. Stores nothing.

Every refusal is `{"detail": …}`, with one sentence that names the field.
"""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from feedback_spec.bodies import Unreadable, parse_json
from feedback_spec.instants import parse_duration, parse_instant

from feedback_mock.asgi import Answer, Receive, origin_of
from feedback_mock.body import TooLarge, read
from feedback_mock.control.guard import Guard, wrong_host
from feedback_mock.control.handlers import DURATIONS, INSTANTS, ControlHandler, ControlRequest
from feedback_mock.control.pieces import Steps, TooLong, at_once, by_pieces
from feedback_mock.control.rendering import render
from feedback_mock.description import Description, typed
from feedback_mock.exchange import Endpoint, Exchange, OffContract
from feedback_mock.result import Done, Refused, Result


class ControlOperation(Endpoint):
    """Answers one operation of `openapi`, which Python tests may `perform` without HTTP.

    `host` is used in DSNs if the client names none. The `guard` checks requests, unless the document says that the
    operation needs no credentials.
    """

    def __init__(
        self, openapi: Mapping[str, Any], description: Description, handler: ControlHandler, host: str, guard: Guard
    ) -> None:
        self._description, self._handler, self._host = description, handler, host
        self.most_body = 0 if description.body is None else description.max_body_bytes
        self._most = description.operation.extensions.get("x-max-answer-bytes", sys.maxsize)
        self._guard = guard if description.operation.security else None
        self._schema = {"components": openapi.get("components", {}), **(description.body or {})}
        self._body_required = description.operation.body is not None and description.operation.body.required
        self._path = [each for each in description.parameters if each.place == "path"]
        self._query = {each.name: each for each in description.parameters if each.place == "query"}

    def end(self) -> None:
        """Ends whatever might go on forever; most operations have nothing of the kind."""

    async def respond(self, exchange: Exchange, receive: Receive) -> Result:
        """Checks host, guard and size, then calls `perform`."""
        refused = wrong_host(exchange) or (self._guard and self._guard.refuse(exchange))
        if refused:
            return refused
        headers, most = exchange.headers, self._description.max_body_bytes
        try:
            if self._description.body is not None:
                exchange.body = await read(receive, most, headers.get(b"content-length"))
        except TooLarge:
            return Refused("size", f"The request body is too large: at most {most} bytes.")
        origin = origin_of(exchange.scope, headers, self._host)
        done = await self._carried_out(
            self._perform(exchange.path, exchange.body or b"", origin, exchange.scope["query_string"]), receive
        )
        if isinstance(done, Refused):
            return done
        try:
            return done._replace(value=await by_pieces(done.value, self._most, partial(self._check, done.status)))
        except TooLong:
            return Refused("room", f"The response has more than {self._most} bytes, the maximum.")

    async def _carried_out(self, result: Result, receive: Receive) -> Result:
        """The final result of the request, which most operations know at once. Raises Gone."""
        if isinstance(result, Done) and isinstance(result.value, Steps):
            for _ in result.value:
                await asyncio.sleep(0)
            return result.value.finished
        return result

    def render(self, exchange: Exchange, result: Result) -> Answer:
        """The response as JSON."""
        return render(result)

    def perform(self, path: Mapping[str, object], body: bytes, origin: str, query: bytes = b"") -> Result:
        """Checks the parameters of path and query and the body against the document, then runs the handler, without
        await.
        """
        done = self._perform(path, body, origin, query)
        if isinstance(done, Done) and isinstance(done.value, Steps):
            for _ in done.value:
                pass
            done = done.value.finished
        if isinstance(done, Done):
            done = done._replace(value=at_once(done.value))
            self._check(done.status, done.value)
        return done

    def _perform(self, path: Mapping[str, object], body: bytes, origin: str, query: bytes) -> Result:
        """The same, except that the response's rows are not created and checked yet."""
        names = {name: str(value) for name, value in path.items()}
        for parameter in self._path:
            if not parameter.validator.is_valid(names[parameter.name]):
                allowed = parameter.description[:1].lower() + parameter.description[1:]
                found = _quoted(names[parameter.name])
                return Refused("request", f"{parameter.name}: {found} is not allowed in the path; use {allowed}")
        try:
            return self._handler(ControlRequest(names, self._parsed(body), origin, self._asked(query)))
        except Unreadable as error:
            return Refused("request", str(error))

    def _check(self, status: int, value: Any) -> None:
        """Checks that the document allows this response. Raises OffContract."""
        validator = self._description.responses.get(status)
        if value is not None and (validator is None or not validator.is_valid(value)):
            raise OffContract(self._description.operation.id, status, validator, value)

    def _asked(self, query: bytes) -> dict[str, Any]:
        """The query's parameters. Raises Unreadable for anything that the document does not allow."""
        values: dict[str, Any] = {}
        for name, text in parse_qsl(query.decode("latin-1"), keep_blank_values=True) if self._query else ():
            parameter = self._query.get(name)
            if parameter is None:
                keys = ", ".join(self._query)
                raise Unreadable(f"{name[:100]}: is not a query parameter here; the parameters are {keys}.")
            if name in values:
                raise Unreadable(f"{name}: is given more than once.")
            values[name] = typed(parameter, text)
            if not parameter.validator.is_valid(values[name]):
                allowed = parameter.description[:1].lower() + parameter.description[1:]
                raise Unreadable(f"{name}: {_quoted(text)} is not allowed in the query; use {allowed}")
        return values

    def _parsed(self, body: bytes) -> dict[str, Any]:
        if self._description.body is None or not (body or self._body_required):
            return {}
        if not body.strip():
            raise Unreadable("The request body is missing; send a JSON object.")
        try:
            value = parse_json(body)
        except Unreadable as error:
            raise Unreadable(f"The request body is not JSON: {error}.") from None
        try:
            failures = self._description.body_validator.iter_errors(value)
        except ValueError:
            raise Unreadable("The request body is nested too deeply.") from None
        for failure in failures:
            raise Unreadable(self._sentence(failure))
        assert isinstance(value, dict)
        return value

    def _sentence(self, error: Any) -> str:  # noqa: PLR0911, PLR0912 (a table of sentences)
        """One sentence for a violation of the schema, with the words of `spec.instants` for times."""
        path = [str(step) for step in error.instance_path]
        place = ".".join(path) or "the request body"
        found = error.instance  # its path has a number for a key such as "0", and lacks the key ""
        if path and isinstance(found, str):
            parser = parse_duration if path[-1] in DURATIONS else parse_instant if path[-1] in INSTANTS else None
            try:
                if parser:
                    parser(found[:100])
            except ValueError as cause:
                return f"{place}: {cause}"
        match error.kind.name:
            case "additionalProperties":
                keys = ", ".join(_at(self._schema, error.schema_path[:-1])["properties"])
                known = f"the keys are {keys}" if ", " in keys else f"the only key is {keys}"
                return f"{'.'.join([*path, error.kind.unexpected[0][:100]])}: is not a key here; {known}."
            case "required":
                return f"{'.'.join([*path, error.kind.property])}: is missing."
            case "not":
                return str(self._schema.get("description", f"{place}: these keys cannot be combined."))
            case "type":
                return f"{place}: must be of type {_types(error)}."
            case "enum":
                return f"{place}: must be one of {', '.join(map(str, error.kind.options))}."
            case "anyOf":
                allowed = str(_at(self._schema, error.schema_path[:-1])["description"])
                return f"{place}: must be {allowed[:1].lower()}{allowed[1:]}"
            case "minProperties" | "minItems":
                kind = "key" if error.kind.name == "minProperties" else "item"
                known = error.kind.name == "minProperties" and _at(self._schema, error.schema_path[:-1]).get(
                    "properties"
                )
                keys = f"; the keys are {', '.join(known)}" if known else ""
                return f"{place}: needs at least {error.kind.limit} {kind}{'s' * (error.kind.limit > 1)}{keys}."
            case "pattern" if "description" in (schema := _at(self._schema, error.schema_path[:-1])):
                allowed = str(schema["description"])
                return f"{place}: {_quoted(found)} is not allowed; use {allowed[:1].lower()}{allowed[1:]}"
            case "minLength" | "maxLength":
                bound = "at least" if error.kind.name == "minLength" else "at most"
                return f"{place}: its length must be {bound} {error.kind.limit}, not {len(found)}."
            case _:
                return f"{place}: {str(error.message)[-200:]}."


def _at(value: Any, path: Sequence[Any]) -> Any:
    for step in path:
        value = value[step]
    return value


def _types(error: Any) -> str:
    types = error.kind.types
    return " or ".join(types) if isinstance(types, list) else str(types)


def _quoted(text: str) -> str:
    return f'"{text[:100]}"'
