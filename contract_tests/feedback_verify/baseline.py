"""Known violations that do not fail a run: a TOML file with a reason for each. Strict: fixed ones must be removed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from feedback_spec.document import Document
from feedback_spec.spelling import meant

from feedback_verify.reading import Unreadable, read_toml
from feedback_verify.verdicts import Result, Verdict


class BaselineError(ValueError):
    """The file cannot be used; the message, one sentence, says why."""


@dataclass(frozen=True)
class Baseline:
    """Reasons by rule id; `name` is the file's."""

    accepted: Mapping[str, str] = field(default_factory=dict)
    name: str = "baseline"

    def stale(self, results: Mapping[str, Result]) -> tuple[str, ...]:
        """What must be removed, in sentences. An entry stays if nothing is known about its rule."""
        known = (rule for rule in self.accepted if rule in results)
        kept = (rule for rule in known if results[rule].verdict is Verdict.VERIFIED)
        return tuple(f'{self.name}: "{rule}" is no longer violated: remove it.' for rule in kept)


def read_baseline(path: Path, document: Document) -> Baseline:
    """The baseline in a file with one table `[accepted]`, with rules of the document. Raises BaselineError."""
    try:
        content = read_toml(path)
    except Unreadable as error:
        raise BaselineError(str(error)) from None
    accepted = content.pop("accepted", None)
    if content or not isinstance(accepted, dict):
        raise BaselineError(f"{path}: a baseline has one table, [accepted], and nothing else.")
    for rule, reason in accepted.items():
        if rule not in document.verifiable:
            raise BaselineError(f'{path}: there is no rule "{rule}"{meant(rule, document.verifiable)}')
        if not isinstance(reason, str) or not reason.strip():
            raise BaselineError(f'{path}: accepted."{rule}" must be a string that gives the reason.')
    return Baseline(accepted, path.name)
