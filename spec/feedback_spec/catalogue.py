"""The rule catalogue `x-rules`: what it says of each rule. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from feedback_spec.operations import Operation
from feedback_spec.source import Fail


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a rule answers with: a status and, unless the body is empty, the name of the response's example."""

    status: int
    example: str | None


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of the rule catalogue `x-rules`; the keys are those of the document."""

    id: str
    group: str
    level: str
    rule: str
    needs: tuple[str, ...]
    page: str | None
    also_allowed: tuple[int, ...]
    refusal: Refusal | None
    message: str | None
    otherwise: str | None = None
    only_mock: bool = False


def read_rules(openapi: dict[str, Any], fail: Fail) -> dict[str, Rule]:
    """The rules of a document by id, those of one group together. Raises DocumentError for an id that stands twice."""
    rules: dict[str, Rule] = {}
    for index, entry in enumerate(openapi["x-rules"]):
        if entry["id"] in rules:
            raise fail(f"x-rules[{index}]", f'the rule "{entry["id"]}" stands here twice.')
        refusal = entry.get("refusal")
        rules[entry["id"]] = Rule(
            id=entry["id"],
            group=entry["group"],
            level=entry["level"],
            rule=entry["rule"],
            needs=tuple(entry["needs"]),
            page=entry.get("page"),
            also_allowed=tuple(entry.get("also_allowed", ())),
            refusal=refusal and Refusal(refusal["status"], refusal.get("example")),
            message=entry.get("message"),
            otherwise=entry.get("otherwise"),
            only_mock=entry.get("only") == "mock",
        )
    # A profile adds its rules at the end; readers find them in their group.
    groups = list(dict.fromkeys(rule.group for rule in rules.values()))
    return dict(sorted(rules.items(), key=lambda item: groups.index(item[1].group)))


def check_refusals(operations: Sequence[Operation], rules: Mapping[str, Rule], fail: Fail) -> None:
    """Raises DocumentError for a refusal whose status or example no operation declares."""
    for rule in rules.values():
        if rule.refusal is None:
            continue
        place = f'x-rules "{rule.id}".refusal'
        declared = [
            each.responses[str(rule.refusal.status)]
            for each in operations
            if str(rule.refusal.status) in each.responses
        ]
        if not declared:
            raise fail(place, f"no operation declares a response {rule.refusal.status}.")
        if rule.refusal.example is not None and not any(
            rule.refusal.example in response.examples for response in declared
        ):
            raise fail(place, f'no response {rule.refusal.status} has an example "{rule.refusal.example}".')
