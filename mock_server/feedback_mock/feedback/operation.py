"""Serves one operation of the feedback document: everything that the document says about it, compiled once.

Per request: credentials, project, rate, media type, size, syntax, fields or query, the handler, and whether the
response follows the document. Stores nothing and knows no windows; the handler does.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from feedback_spec.bodies import PARSERS, Unreadable, parse_form, split_media_type
from feedback_spec.document import Document
from feedback_spec.source import DocumentError

from feedback_mock.asgi import Answer, Receive, rule_header
from feedback_mock.body import TooLarge, read
from feedback_mock.description import Description, typed
from feedback_mock.exchange import Endpoint, Exchange, OffContract
from feedback_mock.feedback.access import Access
from feedback_mock.feedback.fields import Fields
from feedback_mock.feedback.handlers import Handler
from feedback_mock.feedback.rate import RATE_RULE, RateLimit, add_counts
from feedback_mock.feedback.rendering import Rendering
from feedback_mock.result import Refused, Result, Values
from feedback_mock.store import Store

_JSON_AS_FORM = "the body looks like JSON, but was read as a form because of its Content-Type (curl -d sends that)"
_BODY_RULES = ("body-size", "media-type", "body-syntax")
Check = Callable[[Exchange], Refused | None]
Read = Callable[[Exchange, Receive], Awaitable[Values | Refused]]


class FeedbackOperation(Endpoint):
    """Answers one operation; everything that depends on its document and profile is chosen here, at startup."""

    def __init__(
        self,
        document: Document,
        description: Description,
        handler: Handler,
        rendering: Rendering,
        store: Store,
        rate_limit: RateLimit | None = None,
    ) -> None:
        self._description, self._run, self._rendering = description, handler.run, rendering
        self.operation, self.journaled = description.operation.id, store
        self.most_body = 0 if description.body is None else description.max_body_bytes
        self._name = f"{document.name}: {description.operation.id}"
        rules = set(handler.rules)
        self._checks: tuple[Check, ...] = ()
        values = description.operation.body or any(each.place == "query" for each in description.parameters)
        if () in description.operation.security or (values and not description.kinds):
            raise DocumentError(f"{self._name}: the mock does not implement optional credentials.")
        self._finish = rendering.finish
        if description.kinds:
            access = Access(store, description.kinds, description.operation.scopes, document.behaviour)
            self._checks += (access.check,)
            self.admit = access.check  # type: ignore[method-assign]  # credentials may be those of any project
            rules |= set(access.rules)
            if rate_limit is not None:
                self._checks += (rate_limit.of(description.operation.id),)
                self._finish = (add_counts, *self._finish)
                rules |= {RATE_RULE}
        self._read, rules_of_values = self._reading(document, handler)
        rules |= rules_of_values
        self._refusals = {rule: rendering.refusal(rule, description.operation) for rule in sorted(rules)}
        for rule, refusal in self._refusals.items():
            try:
                self._check(refusal.status, refusal.value)
            except OffContract:
                cause = f'the example with which the rule "{rule}" refuses does not follow its schema'
                raise DocumentError(f"{self._name}: the response {refusal.status}: {cause}.") from None
        success = description.operation.responses.get("200")
        self._more = rendering.more_headers(success) if success else ()
        self._rule_headers: dict[str, bytes] = {}

    def _reading(self, document: Document, handler: Handler) -> tuple[Read, set[str]]:
        """What reads the client's values, and the rules with which it may refuse them."""
        body = self._description.operation.body
        self._query = [each for each in self._description.parameters if each.place == "query"]
        self._query_rules = self._rules_of_query(handler)
        if body is None:
            return self._read_query if self._query else self._read_nothing, set(self._query_rules.values())
        if self._query:
            raise DocumentError(f"{self._name}: the mock implements a body or a query, not both.")
        for media_type in set(body.content) - set(PARSERS):
            raise DocumentError(f"{self._name}: the mock does not implement bodies of {media_type}.")
        self._parsers = {media_type: PARSERS[media_type] for media_type in body.content}
        self._fields = Fields(document, self._description, self._rendering)
        return self._read_fields, {*_BODY_RULES, *self._fields.rules}

    def _rules_of_query(self, handler: Handler) -> dict[str, str]:
        known = set(handler.query_rules)
        if known != {each.name for each in self._query}:
            names = ", ".join(sorted(known)) or "none"
            raise DocumentError(f"{self._name}: the mock implements exactly these query parameters: {names}.")
        rules = {}
        for each in self._query:
            needs = handler.query_needs.get(each.name)
            if needs and not (each.type == needs["type"] and isinstance(each.default, needs["default"])):
                cause = f"the mock requires the type {needs['type']} and a default"
                raise DocumentError(f"{self._name}: the parameter {each.name}: {cause}.")
            rule = handler.query_rules[each.name]
            if rule is not None:
                rules[each.name] = rule
            elif each.constrained:
                raise DocumentError(f"{self._name}: the mock has no rule that refuses a value of {each.name}.")
        return rules

    async def respond(self, exchange: Exchange, receive: Receive) -> Result:
        """The result of the request, with checks in the order of real servers."""
        for check in self._checks:
            refused = check(exchange)
            if refused is not None:
                return refused
        values = await self._read(exchange, receive)
        if isinstance(values, Refused):
            return values
        if exchange.project is not None and exchange.project.gone:
            # Deleted while the body arrived; a new project of the same name would accept the same credentials.
            refused = self._checks[0](exchange)
            if refused is not None:
                return refused
        # The only reading of the clock; nothing awaits from here to the handler's end, so it is atomic.
        if exchange.project is not None:
            exchange.now = exchange.project.clock.now()
        return self._run(exchange, values)

    async def _read_nothing(self, _exchange: Exchange, _receive: Receive) -> Values | Refused:
        return {}

    async def _read_fields(self, exchange: Exchange, receive: Receive) -> Values | Refused:
        headers, most = exchange.headers, self._description.max_body_bytes
        content_type = headers.get(b"content-type")
        shown, media_type, charset = split_media_type(content_type)
        parser = self._parsers.get(media_type)
        if content_type is not None and (parser is None or charset not in (None, "utf-8", "utf8")):
            taken = f"it must be one of {', '.join(self._parsers)}" if parser is None else "the charset must be utf-8"
            return Refused("media-type", taken, word=shown)
        try:
            exchange.body = body = await read(receive, most, headers.get(b"content-length"))
            if body and parser is None:
                return Refused("media-type", "no Content-Type", word="")
            values = self._fields.check(parser(body, content_type) if body and parser is not None else {})
            if parser is parse_form and isinstance(values, Refused) and body.lstrip()[:1] in (b"{", b"["):
                values = values._replace(reason=f"{values.reason}; {_JSON_AS_FORM}")
        except TooLarge:
            return Refused("body-size", f"at most {most} bytes")
        except Unreadable as error:
            detail = self._rendering.message("body-syntax", reason=error)
            return Refused("body-syntax", str(error), {"detail": detail})
        return values

    async def _read_query(self, exchange: Exchange, _receive: Receive) -> Values | Refused:
        given = dict(parse_qsl(exchange.scope["query_string"].decode("latin-1"), keep_blank_values=True))
        query: Values = {}
        for parameter in self._query:
            name = parameter.name
            value = typed(parameter, given[name]) if name in given else parameter.default
            if name in given and not parameter.validator.is_valid(value):
                return Refused(self._query_rules[name], f"{name} is not what the document allows")
            query[name] = value
        return query

    def render(self, exchange: Exchange, result: Result) -> Answer:
        """The response in the document's form, which is always kept. Raises OffContract."""
        if isinstance(result, Refused):
            answer = self._refusals[result.rule].answer(result)
            if result.value is not None:
                self._check(answer.status, result.value)
        else:
            self._check(result.status, result.value)
            rule = self._rule_headers.get(result.rule)
            if rule is None:
                rule = self._rule_headers[result.rule] = rule_header(result.rule)
            answer = self._rendering.json(result.status, result.value, rule, (*self._more, *result.headers))
        for finish in self._finish:
            answer = finish(exchange, result, answer)
        return answer

    def _check(self, status: int, value: object) -> None:
        """Checks that the document allows this response. Raises OffContract."""
        responses = self._description.responses
        validator = responses.get(status)
        if status not in responses or (value is not None and (validator is None or not validator.is_valid(value))):
            raise OffContract(self._description.operation.id, status, validator, value)
