"""Checks the fields of a submission against the document's schema and words the failures. Stores nothing.

One message per field, the first in the order of `_ORDER`, unless the document reports several together; all failing
fields are reported together (docs/sentry.md, facts 31 to 47).
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import orjson
from feedback_spec.bodies import Unreadable
from feedback_spec.document import Document
from feedback_spec.openapi.schemas import validator_of
from feedback_spec.operations import Value
from feedback_spec.source import DocumentError

from feedback_mock.description import Description
from feedback_mock.feedback.rendering import Rendering
from feedback_mock.feedback.submission import texts_of
from feedback_mock.result import Refused, Values

# A keyword of the schema -> the rule about it, in the order in which a field's failures are checked.
_ORDER = {
    "Required": "field-required",
    "Null": "field-null",
    "Type": "field-type",
    "MinLength": "field-blank",
    "MaxLength": "field-length",
    "Format": "email-format",
    "Pattern": "field-blank",
    "Nul": "field-nul",
}
# Keywords that mean a different rule in one field than in the others.
_OF_FIELD = {("event_id", "MaxLength"): "event-id-length", ("event_id", "Pattern"): "event-id-format"}
_EVENT_ID_RULE = "event-id-format"
_JSON_TYPES = {bool: "boolean", int: "number", float: "number", list: "array", dict: "object"}
MAX_SHOWN = 250_000
KNOWN_FAILURES = 256
_OBJECT_KEYWORDS = frozenset(
    {"type", "title", "description", "required", "properties", "additionalProperties", "example", "examples"}
)
_KEYWORDS = frozenset(
    {"type", "format", "pattern", "minLength", "maxLength", "title", "description", "examples", "deprecated"}
)
Failures = dict[str, list[str]]  # by field, its kinds of failure
Look = Callable[[Values, Failures], None]


class Fields:
    """The fields of one request body."""

    def __init__(self, document: Document, description: Description, rendering: Rendering) -> None:
        self._validator, self._rendering, behaviour = description.body_validator, rendering, document.behaviour
        self._texts = texts_of(document)
        _check_body(document.name, description.body or {})
        body = description.operation.body
        patterns = set()
        for field in body.fields if body else ():
            _check_field(document.name, field)
            patterns |= {field.name} if "pattern" in field.schema else set()
        self._rules = lru_cache(KNOWN_FAILURES)(self._rules_of)
        self._coerced = behaviour.coerce
        self._together = behaviour.failures
        nul_refused, pattern = behaviour.nul == "refused", behaviour.email_pattern
        self._beyond_schema: tuple[Look, ...] = (
            *((_look_for_nul,) if nul_refused else ()),
            *((_email_looker(pattern),) if pattern is not None else ()),
        )
        self._event_id_last = behaviour.event_id_form != "field"
        never = set() if nul_refused else {"field-nul"}
        never |= set() if "event_id" in patterns else {_EVENT_ID_RULE}
        never |= {"field-type"} if set(_JSON_TYPES.values()) <= behaviour.coerce else set()
        self.rules = frozenset({"body-object", "body-null", *_ORDER.values(), *_OF_FIELD.values()} - never)
        """The rules with which it may refuse."""
        for rule in self.rules:
            rendering.message(rule)

    def check(self, value: Any) -> Values | Refused:
        """The fields, trimmed, without other keys; or the rule that refuses them, with the response body.

        Raises Unreadable for a list or object that is too deep or too large to convert to text, if such values are
        accepted.
        """
        if type(value) is not dict:
            rule = "body-null" if value is None else "body-object"
            message = self._rendering.message(rule, type=type(value).__name__)
            return Refused(rule, f"the body is {type(value).__name__}", {"non_field_errors": [message]})
        fields: Values = {}
        for name, text in self._texts.items():
            if name in value:
                each = value[name]
                if type(each) is not str:
                    each = _text(each) if _JSON_TYPES.get(type(each)) in self._coerced else _alike(each)
                fields[name] = each.strip() if text.trimmed and type(each) is str else each
        failures: Failures = {}
        for look in self._beyond_schema:
            look(fields, failures)
        return fields if not failures and self._validator.is_valid(fields) else self._refuse(fields, failures)

    def _refuse(self, fields: Values, failures: Failures) -> Refused:
        for error in self._validator.iter_errors(fields):
            kind = error.kind.name[:1].upper() + error.kind.name[1:]
            missing = getattr(error.kind, "property", None)
            name = str(missing or error.instance_path[0])
            failures.setdefault(name, []).append("Null" if kind == "Type" and fields[name] is None else kind)
        by_field = {name: self._rules(name, tuple(failures[name])) for name in self._texts if name in failures}
        if self._event_id_last and by_field.get("event_id") == [_EVENT_ID_RULE]:
            del by_field["event_id"]
            if not by_field:
                return Refused(_EVENT_ID_RULE)
        body = {
            name: [self._message(rule, name, fields.get(name)) for rule in rules] for name, rules in by_field.items()
        }
        reason = ", ".join(f"{name}: {rules[0]}" for name, rules in by_field.items())
        return Refused(next(iter(by_field.values()))[0], reason, body)

    def _rules_of(self, name: str, kinds: tuple[str, ...]) -> list[str]:
        """The rules that a field breaks, as many as are reported."""
        ordered = sorted(set(kinds), key=list(_ORDER).index)
        rules = list(dict.fromkeys(_OF_FIELD.get((name, kind), _ORDER[kind]) for kind in ordered))
        if self._event_id_last and len(rules) > 1:
            rules = [rule for rule in rules if rule != _EVENT_ID_RULE]
        if rules[0] not in self._together:
            return rules[:1]
        return [rule for rule in self._together if rule in rules]

    def _message(self, rule: str, name: str, value: Any) -> str:
        length = len(value) if isinstance(value, str) else 0
        return self._rendering.message(rule, limit=self._texts[name].longest, length=length)


def _check_body(name: str, schema: Mapping[str, Any]) -> None:
    """Checks that the body's schema requires nothing that the mock ignores. Raises DocumentError."""
    unknown = {each for each in schema if not each.startswith("x-")} - _OBJECT_KEYWORDS
    if schema.get("additionalProperties", True) is not True:
        unknown.add("additionalProperties other than true, because it ignores other keys")
    if unknown:
        raise DocumentError(f"{name}: the request body: the mock does not implement {', '.join(sorted(unknown))}.")


def _check_field(name: str, field: Value) -> None:
    """The same for a field."""
    schema, types = field.schema, field.schema.get("type")
    what = ", ".join(sorted(set(schema) - _KEYWORDS))
    what += " of" if what else ""
    if not what and types != "string":
        what = "null for" if isinstance(types, list) and "null" in types and "string" in types else "this type of"
    if not what and schema.get("format", "email") != "email":
        what = "this format of"
    if what:
        raise DocumentError(f"{name}: the field {field.name}: the mock does not implement {what} a field.")


def _look_for_nul(fields: Values, failures: Failures) -> None:
    failures |= {name: ["Nul"] for name, each in fields.items() if type(each) is str and "\0" in each}


def _email_looker(pattern: str) -> Look:
    matching = validator_of({"pattern": f"^(?:{pattern})$"}, {})

    def look(fields: Values, failures: Failures) -> None:
        email = fields.get("email")
        if type(email) is str and email and not matching.is_valid(email):
            failures.setdefault("email", []).append("Format")

    return look


def _text(value: Any) -> str:
    """The value as Python prints it, as Django accepts it. Raises Unreadable if it is too deep or too large."""
    if isinstance(value, (list, dict)):
        try:
            size = len(orjson.dumps(value))
        except orjson.JSONEncodeError:
            raise Unreadable("a list or object is nested too deeply to convert to text") from None
        if size > MAX_SHOWN:
            raise Unreadable(f"a list or object of more than {MAX_SHOWN} bytes is too large to convert to text")
    return str(value)


def _alike(value: Any) -> Any:
    """An empty list or object to stand for one: no field's schema looks inside it, and a validator would copy all of
    it.
    """
    return value.__class__() if isinstance(value, (list, dict)) else value
