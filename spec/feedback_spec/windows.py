"""Reads `x-mutability`, its windows and literal rows, and makes the document's texts state the limits. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from feedback_spec.catalogue import Rule
from feedback_spec.instants import in_words, parse_duration
from feedback_spec.operations import Operation
from feedback_spec.rules import Accepted, Base, Facts, Mutability, Outcome, Window, decide
from feedback_spec.source import Fail
from feedback_spec.spelling import meant

_PROSE = frozenset({"description", "summary", "rule", "page"})


@dataclass(frozen=True, slots=True)
class Example:
    """A literal row of `x-mutability`; ages in microseconds at the submission, None for anything that does not
    exist.
    """

    case: str
    event_saved_ago: int | None
    event_timestamp_ago: int | None
    first_submitted_ago: int | None
    last_submitted_ago: int | None
    outcome: Outcome
    status: int
    rule: str


def read_mutability(operation: Operation, rules: Mapping[str, Rule], fail: Fail) -> Mutability:
    """The windows of the operation, in order. Raises DocumentError for anything that it does not declare."""
    extension = operation.extensions["x-mutability"]
    windows: dict[str, Window] = {}
    for index, entry in enumerate(extension["windows"]):
        place = f"x-mutability.windows[{index}]"
        _check_rule_and_status(entry, operation, rules, place, fail)
        refusal = rules[entry["rule"]].refusal
        if refusal is None or refusal.status != entry["status"]:
            raise fail(f"{place}.status", f'the rule "{entry["rule"]}" must refuse with {entry["status"]} as well.')
        limit = _duration(entry["limit"], f"{place}.limit", fail)
        windows[entry["rule"]] = Window(
            entry["rule"], Base(entry["from"]), limit, entry["at_limit"] == "accepted", entry["status"]
        )
    if sorted(extension["order"]) != sorted(windows) or len(windows) != len(extension["windows"]):
        raise fail("x-mutability.order", f"must name each window once: {', '.join(windows)}.")
    outcomes = {}
    for name, entry in extension["outcomes"].items():
        _check_rule_and_status(entry, operation, rules, f"x-mutability.outcomes.{name}", fail)
        outcomes[name] = Accepted(entry["rule"], entry["status"])
    return Mutability(tuple(windows[rule] for rule in extension["order"]), outcomes["stored"], outcomes["overwritten"])


def _check_rule_and_status(
    entry: Mapping[str, Any], operation: Operation, rules: Mapping[str, Rule], place: str, fail: Fail
) -> None:
    if entry["rule"] not in rules:
        raise fail(f"{place}.rule", f'the catalogue x-rules has no rule "{entry["rule"]}"{meant(entry["rule"], rules)}')
    if str(entry["status"]) not in operation.responses:
        raise fail(f"{place}.status", f"the operation {operation.id} declares no response {entry['status']}.")


def _duration(text: str, place: str, fail: Fail) -> int:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise fail(place, str(error)) from None


def read_examples(
    operation: Operation, mutability: Mutability, rules: Mapping[str, Rule], fail: Fail
) -> tuple[Example, ...]:
    """The literal rows. Raises DocumentError for a row that contradicts the windows, and for a window without a row."""
    examples = []
    for index, entry in enumerate(operation.extensions["x-mutability"]["examples"]):
        place = f"x-mutability.examples[{index}]"
        _check_rule_and_status(entry, operation, rules, place, fail)
        example = _read_example(entry, place, fail)
        decision = decide(mutability, facts_of(example), 0)
        if (decision.outcome, decision.status) != (example.outcome, example.status):
            raise fail(
                place,
                f"says {example.outcome} with {example.status}, but the windows make it {decision.outcome} "
                f"with {decision.status}; one of the two is wrong.",
            )
        examples.append(example)
    for window in mutability.windows:
        for refused in (False, True):
            shown = any(each.rule == window.rule and (each.outcome == "refused") == refused for each in examples)
            if not shown:
                kind = "is refused" if refused else "is accepted"
                raise fail("x-mutability.examples", f'no row shows the rule "{window.rule}" where a submission {kind}.')
    return tuple(examples)


def _read_example(entry: Mapping[str, Any], place: str, fail: Fail) -> Example:
    def ago(key: str, default: int | None = None) -> int | None:
        return _duration(entry[key], f"{place}.{key}", fail) if key in entry else default

    saved, first = ago("event_saved_ago"), ago("first_submitted_ago")
    return Example(
        case=entry["case"],
        event_saved_ago=saved,
        event_timestamp_ago=ago("event_timestamp_ago", saved),
        first_submitted_ago=first,
        last_submitted_ago=ago("last_submitted_ago", first),
        outcome=Outcome(entry["outcome"]),
        status=entry["status"],
        rule=entry["rule"],
    )


def facts_of(example: Example) -> Facts:
    """The row as facts for a submission at the instant 0."""

    def before(ago: int | None) -> int | None:
        return None if ago is None else -ago

    return Facts(
        event_saved=before(example.event_saved_ago),
        event_timestamp=before(example.event_timestamp_ago),
        first_submitted=before(example.first_submitted_ago),
        last_submitted=before(example.last_submitted_ago),
    )


def speak_of_windows(
    openapi: dict[str, Any], operation: Operation, mutability: Mutability, fail: Fail
) -> dict[str, Any]:
    """The document with every text stating the limits as the windows have them.

    `spoken` is how the texts state a limit; if the limit was changed and the texts were not, this adapts them.
    """
    words: dict[str, str] = {}
    for entry in operation.extensions["x-mutability"]["windows"]:
        limit = next(window.limit for window in mutability.windows if window.rule == entry["rule"])
        if words.setdefault(entry["spoken"], in_words(limit)) != in_words(limit):
            raise fail(
                "x-mutability.windows", f'two windows of different lengths are both spoken of as "{entry["spoken"]}".'
            )
    if all(spoken == said for spoken, said in words.items()):
        return openapi
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(spoken)}(?!\w)" for spoken in words))

    def say(text: str) -> str:
        return pattern.sub(lambda match: words[match.group()], text)

    spoken: dict[str, Any] = _map_prose(openapi, say)
    for entry in spoken["paths"][operation.path][operation.method]["x-mutability"]["windows"]:
        entry["spoken"] = words[entry["spoken"]]
    return spoken


def _map_prose(node: Any, say: Callable[[str], str]) -> Any:
    if isinstance(node, dict):
        return {
            key: say(value) if key in _PROSE and isinstance(value, str) else _map_prose(value, say)
            for key, value in node.items()
        }
    return [_map_prose(each, say) for each in node] if isinstance(node, list) else node
