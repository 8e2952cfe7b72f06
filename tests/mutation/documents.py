"""Every document that differs from ours in one fact, with the rules of which one must detect it. Runs nothing."""

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from feedback_spec.document import SUBMIT

from tests.mutation.facts import ALL, DROPPED, Edits, Path, get, place_of

FAR = "P365D"


@dataclass(frozen=True)
class DocumentChange:
    """A document with one changed fact; any of `rules` may detect it."""

    name: str
    rules: frozenset[str]
    openapi: dict[str, Any] = field(repr=False, compare=False)

    @property
    def key(self) -> str:
        """The same for the same document."""
        return sha256(json.dumps(self.openapi).encode()).hexdigest()[:16]

    def __str__(self) -> str:
        return f"{self.name}, for {', '.join(sorted(self.rules))} to see"


def document_changes(openapi: dict[str, Any]) -> Iterator[DocumentChange]:
    """All of them, by the parts of the document."""
    for facts in ALL:
        for name, rules, edits in facts(openapi):
            changed = edited(openapi, edits)
            if changed != openapi:
                _give_rows(changed)
                yield DocumentChange(name, frozenset(rules), changed)


def edited(openapi: dict[str, Any], edits: Edits) -> dict[str, Any]:
    """A copy with the edits made."""
    changed = deepcopy(openapi)
    for path, value in edits.items():
        _edit(changed, path, value)
    return changed


def _edit(openapi: dict[str, Any], path: Path, value: Any) -> None:
    *around, last = path
    holder = get(openapi, tuple(around))
    if value is DROPPED:
        del holder[last]
    else:
        holder[last] = value


def _give_rows(openapi: dict[str, Any]) -> None:
    """Reduces a document's rows to the minimum: its windows may contradict the ones that it had."""
    mutability = get(openapi, (*place_of(openapi, SUBMIT), "x-mutability"))
    outcomes = mutability["outcomes"]

    def rows(window: dict[str, Any]) -> Iterator[dict[str, Any]]:
        on_event = window["from"].startswith("event")
        accepted = "stored" if on_event else "overwritten"
        for ago, outcome in (("PT0S", accepted), (FAR, "refused")):
            facts = {"event_saved_ago": "PT0S"} if on_event else {"first_submitted_ago": ago}
            facts[window["from"].removeprefix("feedback.").replace(".", "_") + "_ago"] = ago
            status = window["status"] if outcome == "refused" else outcomes[accepted]["status"]
            yield {"case": outcome, **facts, "outcome": outcome, "status": status, "rule": window["rule"]}

    mutability["examples"] = [row for window in mutability["windows"] for row in rows(window)]
