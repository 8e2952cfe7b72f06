"""What every report is made of. Pure: nothing is written here."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from feedback_spec.profiles import DOCUMENTED
from feedback_spec.rules import Mutability

from feedback_verify.baseline import Baseline
from feedback_verify.exchange import Exchange
from feedback_verify.redaction import Redaction
from feedback_verify.steps import as_python, as_shell
from feedback_verify.verdicts import Result, Verdict, exit_code


def _wall_offset() -> int:
    return time.time_ns() // 1000 - time.monotonic_ns() // 1000


@dataclass(frozen=True)
class Report:
    """What a run came to: results by rule id, and what it was run on. `secrets` are cut out of every text.

    `trouble` says what kept the run from its end, where it was neither Ctrl-C nor --max-time. `mutability` has the
    windows that pictures are drawn of. `wall_offset` is what makes microseconds since 1970 of the monotonic
    microseconds of an exchange.
    """

    target: str
    document: str
    seed: int
    results: Mapping[str, Result]
    secrets: frozenset[str] = field(repr=False)
    stopped: bool = False
    exchanges: Sequence[Exchange] = field(default=(), repr=False)
    mutability: Mutability | None = field(default=None, repr=False)
    baseline: Baseline = field(default_factory=Baseline)
    profile: str = DOCUMENTED
    trouble: str | None = None
    wall_offset: int = field(default_factory=_wall_offset)

    @property
    def exit_code(self) -> int:
        """As the verdicts say, but for violations that the baseline accepts; what it accepts in vain is a violation.

        2 where there was trouble: a run that did not come to its end says neither yes nor no.
        """
        if self.trouble is not None:
            return 2
        left = {rule: result for rule, result in self.results.items() if self.accepted(result) is None}
        return 1 if self.stale else exit_code(left)

    @property
    def stale(self) -> tuple[str, ...]:
        """What has to be removed from the baseline, and why, in sentences."""
        return self.baseline.stale(self.results)

    def accepted(self, result: Result) -> str | None:
        """Why the violation is accepted; None where it is none, or is not accepted."""
        return self.baseline.accepted.get(result.rule.id) if result.verdict is Verdict.VIOLATED else None

    def clean(self, text: str) -> str:
        """The text without secrets, and without what UTF-8 cannot write: headers may hold any byte."""
        text = self._redaction(text)
        return text if text.isascii() else text.encode("utf-8", "replace").decode()

    @cached_property
    def _redaction(self) -> Redaction:
        return Redaction(self.secrets)

    def reproduction(self, result: Result) -> list[str]:
        """The shell lines that show a violation. Secrets are cut out before the quoting, which cutting would break."""
        return as_shell(result.steps, self._redaction)

    def program(self, result: Result) -> str:
        """The same as a program in Python."""
        return as_python(result.steps, self._redaction)

    @property
    def has_verdicts(self) -> bool:
        """Whether anything was judged at all."""
        unjudged = (Verdict.NOT_RUN, Verdict.NOT_VERIFIABLE)
        return any(result.verdict not in unjudged for result in self.results.values())

    def counts(self) -> dict[str, int]:
        """How many rules have which verdict, every verdict among them."""
        counts = Counter(result.verdict for result in self.results.values())
        return {verdict.value: counts[verdict] for verdict in Verdict}

    def summary(self) -> str:
        """`60 verified, 0 violated, …`, and how many of the violated are accepted."""
        accepted = sum(self.accepted(result) is not None for result in self.results.values())
        words = {Verdict.VIOLATED.value: f" ({accepted} accepted)"} if accepted else {}
        return ", ".join(f"{count} {verdict}{words.get(verdict, '')}" for verdict, count in self.counts().items())
