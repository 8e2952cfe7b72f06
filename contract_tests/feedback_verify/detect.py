"""Finds the profile that a target fits best: tries every profile's rules on it, without waiting."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from feedback_spec.document import Document

from feedback_verify.run import Run
from feedback_verify.targets import Target
from feedback_verify.verdicts import Verdict


@dataclass(frozen=True)
class Fit:
    """How well a target fits a profile: the rules it follows and those it does not, by id, with what was seen
    instead.
    """

    profile: str
    verified: tuple[str, ...]
    violated: dict[str, str]

    @property
    def rank(self) -> tuple[int, int]:
        """The smaller, the better the fit."""
        return len(self.violated), -len(self.verified)

    def sentence(self) -> str:
        """The fit in one line."""
        misfits = ", ".join(self.violated) or "nothing"
        return f"{self.profile}: {len(self.verified)} rules fit, {len(self.violated)} do not: {misfits}"


def fits(
    documents: Iterable[Document], target: Target, seed: int, progress: Callable[[int, int, str], None]
) -> list[Fit]:
    """One fit for each document, best first; ties keep the given order.

    Without random histories and, on a running clock, without waiting. Raises NotReachable.
    """
    found = []
    for document in documents:

        def show(done: int, total: int, what: str, profile: str = document.profile) -> None:
            progress(done, total, f"{profile}: {what}" if what else "")

        rules = frozenset(document.verifiable)
        results = Run(document, target, seed, rules=rules, progress=show, depth="quick").execute().values()
        verified = tuple(each.rule.id for each in results if each.verdict is Verdict.VERIFIED)
        violated = {each.rule.id: each.detail for each in results if each.verdict is Verdict.VIOLATED}
        found.append(Fit(document.profile, verified, violated))
    return sorted(found, key=lambda fit: fit.rank)
