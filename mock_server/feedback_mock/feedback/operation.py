"""Serves one operation of the feedback document: everything that the document says of it, compiled once.

Per request: credentials, project, media type, size, syntax, fields, the handler, and whether the answer keeps to the
document. Stores nothing and knows no window; that is the handler's.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import Any
from urllib.parse import parse_qsl, quote

from feedback_spec.document import Document
from feedback_spec.source import DocumentError

from feedback_mock.body import (
    Gone,
    TooLarge,
    Unreadable,
    parse_form,
    parse_json,
    parse_multipart,
    read,
    split_media_type,
)
from feedback_mock.description import Description, Parameter
from feedback_mock.feedback.access import DSN, Access
from feedback_mock.feedback.answers import Answer, Answers, Headers, Refused, Reply, rule_header
from feedback_mock.feedback.fields import Fields
from feedback_mock.feedback.rate import RATE_RULE, RateLimit
from feedback_mock.store import Project, Store

PARSERS: dict[str, Callable[[bytes, bytes | None], Any]] = {
    "application/json": parse_json,
    "application/x-www-form-urlencoded": parse_form,
    "multipart/form-data": parse_multipart,
}
_BODY_RULES = ("body-size", "media-type", "body-syntax")
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,255}|\[(?P<six>[0-9A-Fa-f:.]{2,45})\])(?::(?P<port>[0-9]{1,5}))?")
_LAST_PORT = 65_535
Scope = Any
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]
Send = Callable[[Any], Awaitable[None]]
Receive = Callable[[], Awaitable[Any]]


@dataclass(slots=True)
class Request:
    """What a handler gets. `project` is None only where no credentials are asked for; `now` is its clock, read once."""

    project: Project
    now: int
    fields: dict[str, Any]
    query: dict[str, Any]
    base_url: str
    by_dsn: bool


@dataclass(frozen=True, slots=True)
class Handler:
    """The code of an operation and the rules by which it may refuse; `query_rules` by name of its parameters,
    None for one of which any text is allowed."""

    run: Callable[[Request], Reply | Refused]
    rules: tuple[str, ...] = ()
    query_rules: Mapping[str, str | None] = field(default_factory=dict)


class OffContract(Exception):
    """An answer that the document does not allow: a bug of the mock. Its message shows no value of the answer."""

    def __init__(self, operation: str, status: int, validator: Any, value: Any) -> None:
        errors = [] if validator is None else validator.iter_errors(value)
        failed = next((f": {'.'.join(map(str, each.instance_path))}: {each.kind.name}" for each in errors), "")
        super().__init__(f"{operation}: the document does not allow this {status}{failed}")


class FeedbackOperation:
    """An ASGI application that answers one operation; `head`, where given, is what answers HEAD in its place."""

    def __init__(
        self,
        document: Document,
        description: Description,
        handler: Handler,
        answers: Answers,
        store: Store,
        rate_limit: RateLimit | None = None,
        head: ASGIApp | None = None,
    ) -> None:
        self._description, self._run, self._answers = description, handler.run, answers
        self._head = head
        name, behaviour = document.name, document.behaviour
        operation = description.operation
        self._access = Access(store, description.kinds, operation.scopes, behaviour) if description.kinds else None
        media_types = tuple(operation.body.content) if operation.body else ()
        for media_type in set(media_types) - set(PARSERS):
            raise DocumentError(f"{name}: {operation.id}: the mock does not implement bodies of {media_type}.")
        self._parsers = {media_type: PARSERS[media_type] for media_type in media_types}
        self._rate_limit = rate_limit if self._access else None
        self._fields = None
        if operation.body is not None:
            self._fields = Fields(operation.body.fields, description.body_validator, answers, name, behaviour)
        self._query = [each for each in description.parameters if each.place == "query"]
        self._query_rules = self._rules_of_query(handler, name)
        rules = {*handler.rules, *(self._query_rules.values()), *(self._access.rules if self._access else ())}
        rules |= {RATE_RULE} if self._rate_limit else set()
        rules |= {*_BODY_RULES, *self._fields.rules} if self._fields else set()
        self._refusals = {rule: answers.refusal(rule, operation) for rule in sorted(rules)}
        for rule, refusal in self._refusals.items():
            if not self._allows(refusal.status, refusal.value):
                cause = f'the example that the rule "{rule}" refuses with is not what its schema allows'
                raise DocumentError(f"{name}: {operation.id}: the response {refusal.status}: {cause}.")
        success = operation.responses.get("200")
        self._more = tuple(answers.more_headers(success)) if success else ()
        self._rule_headers: dict[str, bytes] = {}

    def _rules_of_query(self, handler: Handler, name: str) -> dict[str, str]:
        operation = self._description.operation.id
        known = set(handler.query_rules)
        if known != {each.name for each in self._query}:
            names = ", ".join(sorted(known)) or "none"
            raise DocumentError(
                f"{name}: {operation}: the mock implements these query parameters, all of them: {names}."
            )
        rules = {}
        for each in self._query:
            rule = handler.query_rules[each.name]
            if rule is not None:
                rules[each.name] = rule
            elif each.constrained:
                raise DocumentError(f"{name}: {operation}: the mock has no rule that refuses a value of {each.name}.")
        return rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; says nothing to a client that left while it was still sending."""
        if self._head is not None and scope["method"] == "HEAD":
            await self._head(scope, receive, send)
            return
        headers = _headers(scope)
        more: Headers = []
        try:
            outcome = await self._serve(scope, headers, receive, more)
        except Gone:
            return
        answer = self._render(outcome)
        if more:
            answer = answer._replace(headers=[*answer.headers, *more])
        answer = self._answers.for_origin(answer, outcome, headers.get(b"origin"))
        await send_answer(send, answer, scope["method"] != "HEAD")

    async def _serve(
        self, scope: Scope, headers: dict[bytes, bytes], receive: Receive, more: Headers
    ) -> Reply | Refused:
        project: Any = None
        authorization = headers.get(b"authorization")
        if self._access is not None:
            path = scope["path_params"]
            project = self._access.check(
                authorization, headers.get(b"origin"), path["organization_slug"], path["project_slug"]
            )
            if type(project) is Refused:
                return project
            if self._rate_limit is not None:
                within, counted = self._rate_limit.count(project, self._description.operation.id, project.clock.now())
                more.extend(counted)
                if not within:
                    return Refused(RATE_RULE, word=self._rate_limit.message)
        query: Any = self._read_query(scope) if self._query else {}
        if type(query) is Refused:
            return query
        fields: Any = await self._read_fields(headers, receive) if self._fields else {}
        if type(fields) is Refused:
            return fields
        # The one reading of the clock; from here to the handler's end nothing is awaited, so that it is atomic.
        now = project.clock.now() if project is not None else 0
        by_dsn = authorization is not None and authorization[:3].lower() == DSN.encode()
        return self._run(Request(project, now, fields, query, _base_url(scope, headers) if self._query else "", by_dsn))

    async def _read_fields(self, headers: dict[bytes, bytes], receive: Receive) -> dict[str, Any] | Refused:
        content_type = headers.get(b"content-type")
        shown, media_type, charset = split_media_type(content_type)
        parser = self._parsers.get(media_type)
        if content_type is not None and (parser is None or charset not in (None, "utf-8", "utf8")):
            return Refused("media-type", word=shown)
        try:
            body = await read(receive, self._description.max_body_bytes, headers.get(b"content-length"))
            if body and parser is None:
                return Refused("media-type", word="")
            value = parser(body, content_type) if body and parser is not None else {}
            assert self._fields is not None
            return self._fields.check(value)
        except TooLarge:
            return Refused("body-size", f"at most {self._description.max_body_bytes} bytes")
        except Unreadable as error:
            detail = self._answers.message("body-syntax", reason=error)
            return Refused("body-syntax", str(error), {"detail": detail})

    def _read_query(self, scope: Scope) -> dict[str, Any] | Refused:
        given = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        query = {}
        for parameter in self._query:
            name = parameter.name
            value = _typed(parameter, given[name]) if name in given else parameter.default
            if name in given and not parameter.validator.is_valid(value):
                return Refused(self._query_rules[name], f"{name} is not what the document allows")
            query[name] = value
        return query

    def _render(self, outcome: Reply | Refused) -> Answer:
        if type(outcome) is Refused:
            answer = self._refusals[outcome.rule].answer(outcome)
            if outcome.value is not None:
                self._check(answer.status, outcome.value)
            return answer
        assert isinstance(outcome, Reply)
        self._check(outcome.status, outcome.value)
        rule = self._rule_headers.get(outcome.rule)
        if rule is None:
            rule = self._rule_headers[outcome.rule] = rule_header(outcome.rule)
        return self._answers.json(outcome.status, outcome.value, rule, (*self._more, *outcome.headers))

    def _allows(self, status: int, value: Any) -> bool:
        responses = self._description.responses
        validator = responses.get(status)
        return status in responses and (value is None or (validator is not None and validator.is_valid(value)))

    def _check(self, status: int, value: Any) -> None:
        if not self._allows(status, value):
            validator = self._description.responses.get(status)
            raise OffContract(self._description.operation.id, status, validator, value)


async def send_answer(send: Send, answer: Answer, with_body: bool = True) -> None:
    """Sends an answer; without its body to HEAD."""
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": answer.body if with_body else b""})


def _headers(scope: Scope) -> dict[bytes, bytes]:
    """The request's headers by name in lower case; of one that is there twice the first counts."""
    return dict(reversed(scope["headers"]))


def is_host(text: str) -> bool:
    """Whether a DSN can name this `host` or `host:port`: a name or an IPv4 address, or an IPv6 address in brackets."""
    match = _HOST.fullmatch(text)
    if match is None or int(match["port"] or 0) > _LAST_PORT:
        return False
    try:
        return match["six"] is None or IPv6Address(match["six"]) is not None
    except ValueError:
        return False


def _base_url(scope: Scope, headers: dict[bytes, bytes]) -> str:
    """The address that was asked for, without its query and safe to stand in a header."""
    host = headers.get(b"host", b"").decode("latin-1")
    return f"{scope.get('scheme', 'http')}://{host if is_host(host) else 'localhost'}{quote(scope['path'])}"


def _typed(parameter: Parameter, text: str) -> Any:
    """The value as the schema's type; text that is no number stays text, which the schema then refuses."""
    if parameter.type == "integer" and text.isascii() and text.isdigit() and len(text) < 19:
        return int(text)
    return text
