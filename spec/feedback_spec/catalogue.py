"""The rule catalogue `x-rules`: the rules, their groups, and what a verifier needs to judge them. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from feedback_spec.operations import Operation
from feedback_spec.source import Fail
from feedback_spec.spelling import meant


@dataclass(frozen=True, slots=True)
class Capability:
    """Something a rule may need: `can` follows "a target that", `what` is what to supply, and `how` is the option for
    it.
    """

    can: str
    what: str
    how: str


CAPABILITIES: Mapping[str, Capability] = {
    "token": Capability("has a bearer token", "a bearer token", "--token"),
    "dsn": Capability("has the project's DSN", "the project's DSN", "--dsn"),
    "event": Capability(
        "can save an event now", "saved events", "--seed-command, --provider-state-url, --ingest or --control URL"
    ),
    "aged-event": Capability(
        "can save an event in the past",
        "events saved in the past",
        "--seed-command, --provider-state-url or --control URL",
    ),
    "event-details": Capability(
        "can save an event with an environment and an issue status",
        "events with an environment and an issue status",
        "--control URL",
    ),
    "clock": Capability(
        "can move the clock", "a clock that moves", "or a wait: --wait DURATION, --command or --control URL"
    ),
    "records": Capability("can read the stored records", "access to the stored records", "--control URL"),
    "foreign-dsn": Capability("has the DSN of another project", "the DSN of another project", "--other-dsn"),
    "second-project": Capability("has a second project", "a second project", "--control URL"),
    "read-token": Capability("has a token that may only read", "a token that may only read", "--read-token"),
    "parallel": Capability("handles concurrent requests", "concurrent requests", "a target with a URL"),
}
"""Every capability by its name in `needs`, in the order in which they are listed."""
GROUPS: Mapping[str, str] = {
    "submission": "Submission",
    "windows": "Time windows",
    "overwrite": "Overwriting",
    "credentials": "Credentials",
    "http": "HTTP",
    "fields": "Fields",
    "list": "Listing",
}
"""The headings of the groups of rules."""
# Groups whose rules are about what is stored, or that nothing is; a right response alone doesn't prove that.
_STORING = frozenset({"submission", "windows", "overwrite", "credentials", "fields"})
_ALSO_STORING = frozenset({"form-bodies", "media-type", "body-size", "check-order", "project-exists"})
_ANSWERS_ALONE = frozenset({"response-schema", "conflict-body"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """The response when a rule refuses: a status and, unless the body is empty, the name of the response's example."""

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
    source: str | None = None

    @property
    def refusals(self) -> tuple[int, ...]:
        """The statuses for breaking the rule: its own first, then those also allowed."""
        return (*((self.refusal.status,) if self.refusal else ()), *self.also_allowed)

    @property
    def is_about_storing(self) -> bool:
        """Whether it says something about what the target stores, beyond what it responds."""
        return self.id in _ALSO_STORING or (self.group in _STORING and self.id not in _ANSWERS_ALONE)


def read_rules(openapi: dict[str, Any], fail: Fail) -> dict[str, Rule]:
    """The rules of a document by id, with those of one group together.

    Raises DocumentError for a duplicate id, and for an unknown group or capability.
    """
    rules: dict[str, Rule] = {}
    for index, entry in enumerate(openapi["x-rules"]):
        if entry["id"] in rules:
            raise fail(f"x-rules[{index}]", f'the rule "{entry["id"]}" is defined twice.')
        for need in entry["needs"]:
            _check_known("capability", need, CAPABILITIES, f"x-rules[{index}].needs", fail)
        _check_known("group", entry["group"], GROUPS, f"x-rules[{index}].group", fail)
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


def _check_known(kind: str, name: str, known: Collection[str], place: str, fail: Fail) -> None:
    if name not in known:
        raise fail(place, f'there is no {kind} "{name}"{meant(name, known)}')


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
        examples = {name for response in declared for name in response.examples}
        if rule.refusal.example is not None and rule.refusal.example not in examples:
            cause = f'no response {rule.refusal.status} has an example "{rule.refusal.example}"'
            raise fail(place, cause + meant(rule.refusal.example, examples))
