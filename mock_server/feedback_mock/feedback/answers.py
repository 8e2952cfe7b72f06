"""Renders answers: statuses, texts and headers come from the document. The only place that makes error bodies.

Decides nothing: who asks for the answer of a rule has decided that it applies.
"""

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
from feedback_spec.catalogue import Rule
from feedback_spec.document import Document
from feedback_spec.operations import Operation, Response, Value
from feedback_spec.source import DocumentError

Headers = list[tuple[bytes, bytes]]
MAX_REASON = 300
ORIGIN_RULE = "origin"
NO_ORIGIN = (None, b"", b"null")
_ALLOW_ORIGIN, _ALLOW_METHODS = b"access-control-allow-origin", b"access-control-allow-methods"
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")


class Answer(NamedTuple):
    """An answer in full, ready to be sent."""

    status: int
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers when it does what it was asked for: JSON data, None for no body, and more headers."""

    status: int
    value: Any
    rule: str
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """What a handler answers when a rule says no: the reason goes into X-Feedback-Rule.

    `value` stands in for the body of the rule's example; `word` for the `{word}` in the rule's message.
    """

    rule: str
    reason: str = ""
    value: Any = None
    word: str | None = None


def rule_header(rule: str, reason: str = "") -> bytes:
    """The value of X-Feedback-Rule: `rule` or `rule; reason="…"`, printable ASCII and bounded."""
    if not reason:
        return rule.encode()
    shown = _UNPRINTABLE.sub("?", reason[:MAX_REASON]).replace("\\", "\\\\").replace('"', '\\"')
    return f'{rule}; reason="{shown}"'.encode()


class Answers:
    """The answers of one document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        success = document.submit.responses.get("200")
        headers = success.headers if success else {}
        order = document.submit.extensions.get("x-page", {}).get("header_order", list(headers))
        self._names = frozenset(name.lower() for name in order) | {"x-feedback-rule"}
        self._fixed: Headers = []
        self._origins = document.behaviour.origins == "checked"
        methods = document.openapi.get("components", {}).get("headers", {}).get("Access-Control-Allow-Methods", {})
        self._methods = str(methods.get("example", "")).encode("latin-1")
        for name in order:
            if name.lower() not in ("content-length", "content-type") and name in headers:
                self._fixed += _example_header(headers[name])

    def json(
        self, status: int, value: Any, rule: bytes, more: Headers | tuple[tuple[bytes, bytes], ...] = ()
    ) -> Answer:
        """An answer with a JSON body, or without any if the value is None."""
        body = b"" if value is None else orjson.dumps(value)
        headers = [(b"content-length", b"%d" % len(body)), *self._fixed, *more, (b"x-feedback-rule", rule)]
        if body:
            headers.append((b"content-type", b"application/json"))
        return Answer(status, headers, body)

    def for_origin(self, answer: Answer, outcome: Reply | Refused, origin: bytes | None) -> Answer:
        """The answer as a browser of that origin gets it, where origins are checked (docs/sentry.md, fact 72)."""
        if not self._origins or origin in NO_ORIGIN or (type(outcome) is Refused and outcome.rule == ORIGIN_RULE):
            return answer
        assert origin is not None
        headers = [each for each in answer.headers if each[0] != _ALLOW_ORIGIN]
        if self._methods and all(name != _ALLOW_METHODS for name, _ in headers):
            headers.append((_ALLOW_METHODS, self._methods))
        return answer._replace(headers=[*headers, (_ALLOW_ORIGIN, origin)])

    def refusal(self, rule_id: str, operation: Operation | None = None) -> "Refusal":
        """How this rule refuses, in the operation or, where no operation is reached, in any that declares it.

        Raises DocumentError if the catalogue has no such rule, if it refuses nothing, or if the operation does not
        declare the answer.
        """
        rule = self._document.rules.get(rule_id)
        if rule is None or rule.refusal is None:
            raise self._fail(f'x-rules: the mock refuses by the rule "{rule_id}", which has no refusal here.')
        status = str(rule.refusal.status)
        operations = [operation] if operation else list(self._document.operations.values())
        for each in operations:
            declared = each.responses.get(status)
            if declared is not None:
                if rule.refusal.example is None:
                    return Refusal(self, rule, rule.refusal.status, None, [])
                if rule.refusal.example in declared.examples:
                    value = declared.examples[rule.refusal.example].value
                    return Refusal(self, rule, rule.refusal.status, value, self.more_headers(declared))
        place = operation.id if operation else "paths"
        raise self._fail(f'{place}: declares no response {status} as the rule "{rule_id}" refuses with.')

    def message(self, rule_id: str, **words: Any) -> str:
        """The rule's message with the words filled in. Raises DocumentError if the document gives it none."""
        rule = self._document.rules.get(rule_id)
        if rule is None or rule.message is None:
            raise self._fail(f'x-rules: the rule "{rule_id}" has no message here.')
        text = rule.message
        for name, word in words.items():
            text = text.replace(f"{{{name}}}", str(word))
        return text

    def more_headers(self, response: Response) -> Headers:
        """The headers that this response has beyond those of every answer, as their examples say."""
        more: Headers = []
        for name, header in response.headers.items():
            if name.lower() not in self._names:
                more += _example_header(header)
        return more

    def _fail(self, cause: str) -> DocumentError:
        return DocumentError(f"{self._document.name}: {cause}")


def _example_header(header: Value) -> Headers:
    return [] if header.example is None else [(header.name.lower().encode(), str(header.example).encode("latin-1"))]


class Refusal:
    """The refusal by one rule; the answer without a reason is made once."""

    def __init__(self, answers: Answers, rule: Rule, status: int, value: Any, more: Headers) -> None:
        self.rule, self.status, self.value = rule.id, status, value
        self._answers, self._more, self._message = answers, more, rule.message
        self._constant = answers.json(status, value, rule_header(rule.id), more)

    def answer(self, refused: Refused) -> Answer:
        """The answer, with what this case gives for its reason, its body or the word in its text."""
        value = refused.value
        if value is None:
            value = self.value
            if refused.word is None and not refused.reason:
                return self._constant
        if refused.word is not None and self._message is not None:
            word = _UNPRINTABLE.sub("?", refused.word[:MAX_REASON]).replace('"', "'")
            text = self._message.replace("{word}", word)
            value = dict.fromkeys(self.value, text) if isinstance(self.value, dict) else text
        return self._answers.json(self.status, value, rule_header(self.rule, refused.reason), self._more)
