"""The broken servers that each rule catches, as a Markdown table, from what the servers declare."""

import re
from collections.abc import Iterator

from feedback_spec.catalogue import GROUPS
from feedback_spec.document import load

from tests.broken.mutants import MUTANTS, Mutant


def caught_by(rule: str) -> tuple[list[Mutant], list[Mutant]]:
    """The broken servers of a rule, and those that break it along with their own."""
    return [each for each in MUTANTS if each.rule == rule], [each for each in MUTANTS if rule in each.also]


def table() -> str:
    """The rules by their groups."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    rules = load().rules.values()
    yield f"{len(MUTANTS)} broken servers, {len(rules)} rules."
    for group, heading in GROUPS.items():
        yield f"\n## {heading}\n\n| rule | broken servers that it catches |\n| --- | --- |"
        for rule in rules:
            if rule.group == group:
                own, others = caught_by(rule.id)
                told = [*map(in_words, own), *(f"*{in_words(each)}*" for each in others)]
                yield f"| `{rule.id}` | {' · '.join(told)} |"


def in_words(mutant: Mutant) -> str:
    """`EventWindowTooLong` as `event window too long`, followed by its docstring."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z])(?=[A-Z][a-z])", " ", mutant.name).lower()
    name = re.sub(r"\b(dsn|json)\b", lambda word: word[0].upper(), words)
    about = " ".join((mutant.implementation.__dict__.get("__doc__") or "").split()).rstrip(".")
    return f"{name} ({about[0].lower()}{about[1:]})" if about else name
