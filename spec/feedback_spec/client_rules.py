"""The client's half of the contract, `x-client-rules`: what a client must do and must not do. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from feedback_spec.catalogue import Rule
from feedback_spec.instants import in_words, parse_duration
from feedback_spec.source import Fail
from feedback_spec.spelling import meant

GROUPS: Mapping[str, str] = {
    "sent": "What is sent",
    "secrets": "Secrets",
    "answers": "Answers",
    "retries": "Retries",
    "told": "What the client reports",
}
"""The headings of the groups of rules for clients."""
_PLACEHOLDER = re.compile(r"\{(\w*)\}")


@dataclass(frozen=True, slots=True)
class ClientRule:
    """One rule for clients, with its limits: `within` in microseconds, `at_most` a number of requests."""

    rule: Rule
    within: int | None
    at_most: int | None


def read_client_rules(openapi: dict[str, Any], fail: Fail) -> dict[str, ClientRule]:
    """The rules for clients by id, in the document's order; none if the document has none.

    Raises DocumentError for a duplicate id, here or among the rules for servers, for an unknown group, for a string
    that is not a duration, and for a wording that does not state the rule's limits.
    """
    taken = {entry["id"] for entry in openapi["x-rules"]}
    rules: dict[str, ClientRule] = {}
    for index, entry in enumerate(openapi.get("x-client-rules", ())):
        place = f"x-client-rules[{index}]"
        if entry["id"] in taken:
            raise fail(place, f'the id "{entry["id"]}" is already used by another rule.')
        if entry["group"] not in GROUPS:
            raise fail(f"{place}.group", f'there is no group "{entry["group"]}"{meant(entry["group"], GROUPS)}')
        taken.add(entry["id"])
        within, at_most = _within(entry, place, fail), entry.get("at_most")
        limits = {"within": in_words(within)} if within is not None else {}
        limits |= {"at_most": str(at_most)} if at_most is not None else {}
        rule = Rule(
            id=entry["id"],
            group=entry["group"],
            level=entry["level"],
            rule=_wording(entry["rule"], limits, f"{place}.rule", fail),
            needs=(),
            page=entry.get("page"),
            also_allowed=(),
            refusal=None,
            message=None,
            source=entry.get("source"),
        )
        rules[entry["id"]] = ClientRule(rule, within, at_most)
    return rules


def _wording(text: str, limits: Mapping[str, str], place: str, fail: Fail) -> str:
    """The wording with each limit in the place of its name in braces, so that a limit is written only once."""
    named = set(_PLACEHOLDER.findall(text))
    for name in sorted(named - set(limits)):
        raise fail(place, f'"{name}" in braces is not a limit of the rule{meant(name, limits)}')
    for name in limits:
        if name not in named:
            raise fail(place, f'must state the limit "{name}", by its name in braces.')
    return _PLACEHOLDER.sub(lambda match: limits[match[1]], text)


def _within(entry: Mapping[str, Any], place: str, fail: Fail) -> int | None:
    try:
        return parse_duration(entry["within"]) if "within" in entry else None
    except ValueError as error:
        raise fail(f"{place}.within", str(error)) from None
