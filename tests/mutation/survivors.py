"""The files that say why a change goes undetected. Only reads and matches; other modules find out which changes
survived.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from tests.mutation.changes import Change
from tests.mutation.documents import DocumentChange


class Kind(StrEnum):
    """Why a change goes undetected."""

    EQUIVALENT = "equivalent"
    """No client can tell the two servers apart, or only by what the contract leaves open; no caller the two modules."""
    OUT_OF_REACH = "out of reach"
    """A client could, but not with what a verifier may do or has time for."""
    BLIND = "blind"
    """The verifier should have seen it: work to do, which counts against the target."""


@dataclass(frozen=True)
class Reason:
    """Why the changes that match all the given keys go undetected.

    `line` and `after` are parts of the line before and after the change; the others are regular expressions: `where`
    for the function, `old` and `new` for the differences in the line.
    """

    kind: Kind
    why: str
    where: str = ".*"
    line: str = ""
    after: str = ""
    old: str = ".*"
    new: str = ".*"

    def explains(self, change: Change) -> bool:
        """Whether this reason covers the change."""
        return (
            re.fullmatch(self.where, change.where) is not None
            and self.line in change.was
            and self.after in change.now
            and re.fullmatch(self.old, change.old) is not None
            and re.fullmatch(self.new, change.new) is not None
        )


@dataclass(frozen=True)
class Reasons:
    """A file of reasons: for changed code in order, and for changed documents by name."""

    code: tuple[Reason, ...]
    documents: dict[str, Reason]

    def of(self, change: Change | DocumentChange) -> Reason | None:
        """The first reason that explains the change."""
        if isinstance(change, DocumentChange):
            return self.documents.get(change.name)
        return next((each for each in self.code if each.explains(change)), None)


def read_reasons(path: Path) -> Reasons:
    """The file as values. Raises TypeError for an unknown key in a reason, ValueError for an unknown kind."""
    content = tomllib.loads(path.read_text("utf-8"))
    named = {name: _reason(entry) for entry in content.get("document", ()) for name in entry.pop("names")}
    return Reasons(tuple(_reason(entry) for entry in content.get("code", ())), named)


def read_units(path: Path) -> defaultdict[str, Reasons]:
    """The reasons for changes of the project's own modules, by the module's last name; none for any other."""
    content = tomllib.loads(path.read_text("utf-8"))
    units = {name: Reasons(tuple(_reason(entry) for entry in entries), {}) for name, entries in content.items()}
    return defaultdict(lambda: Reasons((), {}), units)


def _reason(entry: dict[str, Any]) -> Reason:
    return Reason(**{**entry, "kind": Kind(entry["kind"])})


def unused(reasons: Iterable[Reason], changes: Iterable[Change]) -> list[Reason]:
    """The reasons that explain none of these changes: their code is gone."""
    changes = list(changes)
    return [each for each in reasons if not any(each.explains(change) for change in changes)]
