"""Renders the responses of the feedback document, which supplies their statuses, texts and headers.

Decides nothing: whoever requests the response of a rule has decided that it applies.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import orjson
from feedback_spec.catalogue import Rule
from feedback_spec.document import Document
from feedback_spec.operations import Operation, Response, Value
from feedback_spec.source import DocumentError

from feedback_mock.asgi import Answer, Header, Headers, printable, rule_header
from feedback_mock.exchange import Exchange
from feedback_mock.result import Refused, Result

Finish = Callable[[Exchange, Result, Answer], Answer]
ORIGIN_RULE = "origin"
NO_ORIGIN = (None, b"", b"null")
KEPT_HEADERS = 1024
_ALLOW_ORIGIN, _ALLOW_METHODS = b"access-control-allow-origin", b"access-control-allow-methods"


class Rendering:
    """The form of all responses of one document, according to its profile."""

    def __init__(self, document: Document) -> None:
        self._document = document
        success = document.submit.responses.get("200")
        headers = success.headers if success else {}
        order = document.submit.extensions.get("x-page", {}).get("header_order", list(headers))
        self._names = frozenset(name.lower() for name in order) | {"x-feedback-rule"}
        self._fixed: list[Header] = []
        self.finish: tuple[Finish, ...] = (self._for_origin,) if document.behaviour.origins == "checked" else ()
        """What is done to every response before it is sent."""
        self._headers = lru_cache(KEPT_HEADERS)(self._build_headers)
        """The same in many responses, so the journal keeps them only once."""
        methods = document.openapi.get("components", {}).get("headers", {}).get("Access-Control-Allow-Methods", {})
        self._methods = str(methods.get("example", "")).encode("latin-1")
        for name in order:
            if name.lower() not in ("content-length", "content-type") and name in headers:
                self._fixed += _example_header(headers[name])
        # Scripts on a page can read the rule too, which Sentry's own header does not list.
        self._fixed = [
            (name, value + b", X-Feedback-Rule" if name == b"access-control-expose-headers" else value)
            for name, value in self._fixed
        ]

    def json(self, status: int, value: object, rule: bytes, more: tuple[Header, ...] = ()) -> Answer:
        """A response with a JSON body, or without one if the value is None."""
        body = b"" if value is None else orjson.dumps(value)
        # With a reason, they are different each time.
        build = self._build_headers if b";" in rule else self._headers
        return Answer(status, build(len(body), rule, more), body)

    def _build_headers(self, size: int, rule: bytes, more: tuple[Header, ...]) -> Headers:
        kind = [(b"content-type", b"application/json")] if size else []
        return ((b"content-length", b"%d" % size), (b"x-feedback-rule", rule), *self._fixed, *more, *kind)

    def _for_origin(self, exchange: Exchange, result: Result, answer: Answer) -> Answer:
        """The response for a browser of that origin, if origins are checked (docs/sentry.md, fact 72)."""
        origin = exchange.origin
        if origin in NO_ORIGIN or (isinstance(result, Refused) and result.rule == ORIGIN_RULE):
            return answer
        assert origin is not None
        headers = [each for each in answer.headers if each[0] != _ALLOW_ORIGIN]
        if self._methods and all(name != _ALLOW_METHODS for name, _ in headers):
            headers.append((_ALLOW_METHODS, self._methods))
        return answer._replace(headers=[*headers, (_ALLOW_ORIGIN, origin)])

    def refusal(self, rule_id: str, operation: Operation | None = None) -> "RuleAnswer":
        """How this rule refuses, in the operation or, if no operation is reached, in any that declares it.

        Raises DocumentError if the catalogue has no such rule, if it refuses nothing, or if the operation does not
        declare the response.
        """
        rule = self._document.rules.get(rule_id)
        if rule is None or rule.refusal is None:
            raise self._fail(f'x-rules: the mock refuses with the rule "{rule_id}", which has no refusal here.')
        status = str(rule.refusal.status)
        operations = [operation] if operation else list(self._document.operations.values())
        for each in operations:
            declared = each.responses.get(status)
            if declared is not None:
                if rule.refusal.example is None:
                    return RuleAnswer(self, rule, rule.refusal.status, None, ())
                if rule.refusal.example in declared.examples:
                    value = declared.examples[rule.refusal.example].value
                    return RuleAnswer(self, rule, rule.refusal.status, value, self.more_headers(declared))
        place = operation.id if operation else "paths"
        raise self._fail(f'{place}: does not declare the response {status} with which the rule "{rule_id}" refuses.')

    def message(self, rule_id: str, **words: object) -> str:
        """The rule's message with the words filled in. Raises DocumentError if the document gives it none."""
        rule = self._document.rules.get(rule_id)
        if rule is None or rule.message is None:
            raise self._fail(f'x-rules: the rule "{rule_id}" has no message here.')
        text = rule.message
        for name, word in words.items():
            text = text.replace(f"{{{name}}}", str(word))
        return text

    def more_headers(self, response: Response) -> tuple[Header, ...]:
        """The headers that this response has beyond the common ones, as their examples say."""
        more: list[Header] = []
        for name, header in response.headers.items():
            if name.lower() not in self._names:
                more += _example_header(header)
        return tuple(more)

    def _fail(self, cause: str) -> DocumentError:
        return DocumentError(f"{self._document.name}: {cause}")


def _example_header(header: Value) -> list[Header]:
    return [] if header.example is None else [(header.name.lower().encode(), str(header.example).encode("latin-1"))]


class RuleAnswer:
    """The response of one rule that refuses; the response without a reason is built only once."""

    def __init__(self, rendering: Rendering, rule: Rule, status: int, value: Any, more: tuple[Header, ...]) -> None:
        self.rule, self.status, self.value = rule.id, status, value
        self._rendering, self._more, self._message = rendering, more, rule.message
        self._constant = rendering.json(status, value, rule_header(rule.id), more)

    def answer(self, refused: Refused) -> Answer:
        """The response, with this case's reason, body or word."""
        value = refused.value
        if value is None:
            value = self.value
            if refused.word is None and not refused.reason:
                return self._constant
        if refused.word is not None and self._message is not None:
            word = printable(refused.word).replace('"', "'")
            text = self._message.replace("{word}", word)
            value = dict.fromkeys(self.value, text) if isinstance(self.value, dict) else text
        return self._rendering.json(self.status, value, rule_header(self.rule, refused.reason), self._more)
