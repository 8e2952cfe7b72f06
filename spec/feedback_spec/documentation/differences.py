"""How two documents differ, as a Markdown table: windows, behaviour, fields, rules. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from feedback_spec.catalogue import Rule
from feedback_spec.document import Document
from feedback_spec.extensions import behaviour_keys
from feedback_spec.instants import in_words

_FIELD_KEYS = ("type", "format", "minLength", "maxLength", "pattern")
NOTHING = "none"


def render_differences(one: Document, other: Document) -> str:
    """The table, or one sentence if there are no differences."""
    rows = list(differences(one, other))
    if not rows:
        return f"{one.profile} and {other.profile} say the same.\n"
    head = [f"| what | {one.profile} | {other.profile} |", "|---|---|---|"]
    return "\n".join([*head, *(f"| {' | '.join(map(_cell, row))} |" for row in rows)]) + "\n"


def render_behaviour() -> str:
    """What each key of `x-behaviour` is about and which rule judges it, as a Markdown table."""
    rows = [
        f"| `{name}` | {key['title']} | {_judged(key)} |"
        for name, key in sorted(behaviour_keys().items(), key=lambda item: "x-only-mock" in item[1])
    ]
    return "\n".join(["| key | what it is about | judged by |", "|---|---|---|", *rows]) + "\n"


def _judged(key: Mapping[str, Any]) -> str:
    return f"`{key['x-judged-by']}`" if "x-judged-by" in key else f"no rule. {key['x-only-mock']}"


def differences(one: Document, other: Document) -> Iterator[tuple[str, str, str]]:
    """Every difference: its subject, and what each side says."""
    sides = [dict(_said(document)) for document in (one, other)]
    for what in dict.fromkeys((*sides[0], *sides[1])):
        told = [side.get(what, NOTHING) for side in sides]
        if told[0] != told[1]:
            yield what, told[0], told[1]


def _said(document: Document) -> Iterator[tuple[str, str]]:
    for window in document.mutability.windows:
        yield f"{window.rule}: {in_words(window.limit)} counted from", f"`{window.base}`"
    for name, about in behaviour_keys().items():
        yield about["title"], _shown(getattr(document.behaviour, name))
    for name, schema in document.field_schemas.items():
        for key in _FIELD_KEYS:
            yield f"`{name}`: {key}", f"`{schema[key]}`" if key in schema else NOTHING
    for rule in document.rules.values():
        yield f"rule `{rule.id}`", _rule(document, rule)


def _shown(value: Any) -> str:
    match value:
        case None | () | frozenset() if not value:
            return NOTHING
        case bool():
            return "yes" if value else "no"
        case Mapping():
            return ", ".join(f"{method}: {' or '.join(scopes)}" for method, scopes in value.items())
        case tuple() | frozenset():
            return ", ".join(sorted(value) if isinstance(value, frozenset) else value)
        case _:
            return f"`{value}`"


def _rule(document: Document, rule: Rule) -> str:
    parts = ["only the mock's: " + rule.rule if rule.only_mock else rule.rule]
    if rule.refusal is not None:
        parts.append(f"{rule.refusal.status} {_answer(document, rule)}".strip())
    if rule.also_allowed:
        parts.append(f"also {', '.join(map(str, rule.also_allowed))}")
    return " → ".join(parts)


def _answer(document: Document, rule: Rule) -> str:
    if rule.message is not None:
        return f"`{rule.message}`"
    assert rule.refusal is not None
    example = rule.refusal.example
    for operation in document.operations.values():
        response = operation.responses.get(str(rule.refusal.status))
        if example is not None and response is not None and example in response.examples:
            return f"`{response.examples[example].value}`"
    return "without a body"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
