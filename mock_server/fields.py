"""Checks the fields of a submission against the document's schema and words what fails. Stores nothing.

One message per field, the first in the order of `_ORDER`; all failing fields together (sentry-behaviour rows 31 to 47).
"""

from collections.abc import Callable
from typing import Any

from mock_server.answers import Answers, Refused
from spec.document import DocumentError

# A keyword of the schema -> the rule that speaks of it, in the order in which a field's failures are looked at.
_ORDER = {
    "Required": "field-required",
    "Null": "field-null",
    "Type": "field-type",
    "MinLength": "field-blank",
    "MaxLength": "field-length",
    "Format": "email-format",
    "Pattern": "field-blank",
}
_OF_EVENT_ID = {"MaxLength": "event-id-length", "Pattern": "event-id-format"}
_KEYWORDS = frozenset(
    {"type", "format", "pattern", "minLength", "maxLength", "title", "description", "examples", "deprecated"}
)


class Fields:
    """The fields of one request schema (JSON Schema, `$ref`s resolved at its top and at its properties)."""

    def __init__(
        self, schema: dict[str, Any], resolve: Callable[[Any], Any], validator: Any, answers: Answers, name: str
    ) -> None:
        self._validator = validator
        self._answers = answers
        self._limits: dict[str, Any] = {}
        for field, node in schema.get("properties", {}).items():
            resolved = resolve(node)
            unknown = set(resolved) - _KEYWORDS
            if unknown or resolved.get("format", "email") != "email" or "string" not in resolved.get("type", ()):
                what = ", ".join(sorted(unknown)) or "this type or format"
                raise DocumentError(f"{name}: the field {field}: the mock does not implement {what} for a field.")
            self._limits[field] = resolved.get("maxLength")
        self._names = tuple(self._limits)
        for rule in {*_ORDER.values(), *_OF_EVENT_ID.values()}:
            answers.message(rule)

    def check(self, value: Any) -> dict[str, Any] | Refused:
        """The fields, trimmed, without other keys; or which rule refuses them, with the body of the answer."""
        if type(value) is not dict:
            message = self._answers.message("body-object", type=type(value).__name__)
            return Refused("body-object", f"the body is {type(value).__name__}", {"non_field_errors": [message]})
        fields = {}
        for name in self._names:
            if name in value:
                each = value[name]
                fields[name] = each.strip() if type(each) is str else each
        return fields if self._validator.is_valid(fields) else self._refuse(fields)

    def _refuse(self, fields: dict[str, Any]) -> Refused:
        failures: dict[str, list[str]] = {}
        for error in self._validator.iter_errors(fields):
            kind = error.kind.name[:1].upper() + error.kind.name[1:]
            name = error.kind.property if kind == "Required" else error.instance_path[0]
            failures.setdefault(name, []).append("Null" if kind == "Type" and fields[name] is None else kind)
        body, rules = {}, []
        for name in (each for each in self._names if each in failures):
            kind = min(failures[name], key=list(_ORDER).index)
            rules.append(_OF_EVENT_ID.get(kind, _ORDER[kind]) if name == "event_id" else _ORDER[kind])
            body[name] = [self._answers.message(rules[-1], limit=self._limits[name])]
        reason = ", ".join(f"{name}: {rule}" for name, rule in zip(body, rules, strict=True))
        return Refused(rules[0], reason, body)
