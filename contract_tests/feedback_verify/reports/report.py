"""What all reports are based on. Pure: writes nothing."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from feedback_spec.catalogue import CAPABILITIES
from feedback_spec.instants import SECOND, format_instant, in_words
from feedback_spec.profiles import DOCUMENTED
from feedback_spec.rules import Mutability, Window

from feedback_verify.baseline import Baseline
from feedback_verify.redaction import Redaction
from feedback_verify.steps import Advance, SaveEvent, Send, as_plan, as_python, as_shell
from feedback_verify.verdicts import LEFT_OUT, OF_WINDOWS, Result, Verdict, exit_code, missing, to_the

if TYPE_CHECKING:
    from feedback_verify.run import Run

CLOCKS = {
    "exact": "its clock can be set",
    "process": "its clock runs and can be moved forward",
    "real": "its clock cannot be moved",
}
TITLES = {1: "Does not conform", 2: "Could not be tested"}
MINUTE = 60 * SECOND
UNJUDGED = (Verdict.NOT_RUN, Verdict.NOT_VERIFIABLE)


@dataclass(frozen=True)
class Began:
    """The instant at which a run started: microseconds since 1970 UTC, and of the monotonic clock of its exchanges.

    Taken before a target is opened: an in-process target freezes the wall clock.
    """

    wall: int
    monotonic: int

    @classmethod
    def now(cls) -> Self:
        """This instant."""
        return cls(time.time_ns() // 1000, time.monotonic_ns() // 1000)

    def instant(self, monotonic: int) -> str:
        """An instant of the monotonic clock in RFC 3339."""
        return format_instant(self.wall + monotonic - self.monotonic)


@dataclass(frozen=True)
class Report:
    """The results of a run by rule id, and what it was run on. `secrets` are removed from every text.

    `trouble` says what ended the run early, apart from Ctrl-C and --max-time. `mutability` has the windows to draw,
    `sent` every exchange; `openapi` is the document. `took` is in microseconds; `flags` are the given options, as
    words; `before` has the file of an earlier report by each rule verified in it. `step` is the measured step of the
    target's clock, in microseconds. `judged` is the noun for what has a verdict.
    """

    target: str
    document: str
    seed: int
    results: Mapping[str, Result]
    secrets: frozenset[str] = field(repr=False)
    stopped: bool = False
    sent: Sequence[Send] = field(default=(), repr=False)
    mutability: Mutability | None = field(default=None, repr=False)
    baseline: Baseline = field(default_factory=Baseline)
    profile: str = DOCUMENTED
    trouble: str | None = None
    began: Began = field(default_factory=Began.now)
    took: int = 0
    digest: str = ""
    clock: str = "real"
    step: int = 1
    capabilities: frozenset[str] = frozenset()
    flags: Sequence[str] = ()
    before: Mapping[str, str] = field(default_factory=dict)
    judged: str = "rule"
    openapi: Mapping[str, Any] = field(default_factory=lambda: {"paths": {}}, repr=False)

    @property
    def is_about_target(self) -> bool:
        """Whether the last response may explain a violation: the one judged has sent it."""
        return True

    @classmethod
    def of(
        cls, run: "Run", began: Began, baseline: Baseline, *, trouble: str | None = None, flags: Iterable[str] = ()
    ) -> Self:
        """The report of a finished run, with everything known so far."""
        return cls(
            run.target.base_url,
            run.document.name,
            run.seed,
            run.results(),
            run.target.secrets,
            run.stopped,
            run.sent,
            run.document.mutability,
            baseline,
            run.document.profile,
            trouble,
            began,
            Began.now().monotonic - began.monotonic,
            run.document.digest,
            run.target.clock,
            run.target.step,
            run.target.capabilities,
            tuple(flags),
            run.before,
            openapi=run.document.openapi,
        )

    @property
    def facts(self) -> dict[str, str]:
        """What every report begins with: when, how long, against what."""
        precision = f" {to_the(self.step)}" if self.clock == "exact" else ""
        return {
            "Began": f"{format_instant(self.began.wall)[:19].replace('T', ' ')} UTC; took {spent(self.took)}",
            "Target": self.clean(self.target),
            "Document": f"{self.clean(self.document)}, profile {self.profile}, SHA-256 {self.digest[:12]}",
            "The target": f"{self._can()}; {CLOCKS[self.clock]}{precision}",
            "Options": self.clean(" ".join(self.flags)) or "none",
            "Seed": f"{self.seed}; repeat this run with --seed {self.seed}",
        }

    def _can(self) -> str:
        """What the target can do or, if that is shorter, what it cannot."""
        kinds = {name: each for name, each in CAPABILITIES.items() if name != "clock"}
        lacking = [each.what for name, each in kinds.items() if name not in self.capabilities]
        if len(lacking) < len(kinds) / 2:
            return "can do everything that a rule needs" + (f", except {', '.join(lacking)}" if lacking else "")
        return ", ".join(each.can for name, each in kinds.items() if name in self.capabilities) or "is only a URL"

    def costs(self) -> Iterator[str]:
        """What is needed to find out more, in sentences."""
        answered = sum(result.verdict is Verdict.AS_ANSWERED for result in self.results.values())
        if answered:
            shows = "its records (--control URL), or its list of saved events (--seed-command or --ingest, and --token)"
            yield f"{self.counted(answered)} {'needs' if answered == 1 else 'need'} access to what is stored: {shows}."
        unjudged = [each.rule for each in self.results.values() if each.verdict is Verdict.NOT_VERIFIABLE]
        lacking = Counter(need for rule in unjudged for need in missing(rule.needs, self.capabilities))
        for name, capability in CAPABILITIES.items():
            if count := lacking[name]:
                needs = f"{self.counted(count)} {'needs' if count == 1 else 'need'}"
                yield f"{needs} {capability.what} ({capability.how})."
        for window in self._waited_for():
            wait = _wait(window.limit)
            yield f"{window.rule} needs a wait of a little over {in_words(window.limit)}: --wait {wait}."

    def _waited_for(self) -> list[Window]:
        """The windows that a longer wait would show: the clock cannot be moved, and their events can be saved."""
        windows = self.mutability.windows if self.mutability is not None and self.clock == "real" else ()
        return [
            each
            for each in windows
            if (each.base.startswith("feedback") or "event" in self.capabilities)
            and (result := self.results.get(each.rule)) is not None
            and result.verdict in UNJUDGED
            and result.detail != LEFT_OUT
        ]

    @property
    def lost(self) -> tuple[str, ...]:
        """What an earlier report has as verified and this one has not, in sentences."""
        return tuple(
            f"{rule} was verified in {path}, and is {result.verdict if result else 'not a rule of this document'} now."
            for rule, path in self.before.items()
            if (result := self.results.get(rule)) is None or result.verdict is not Verdict.VERIFIED
        )

    @property
    def exit_code(self) -> int:
        """By the verdicts, except for violations that the baseline accepts; a stale baseline entry counts as a
        violation.

        2 if there was trouble: an incomplete run says neither yes nor no. If it was stopped, it never says yes.
        """
        if self.trouble is not None:
            return 2
        left = {rule: result for rule, result in self.results.items() if self.accepted(result) is None}
        code = 1 if self.stale else exit_code(left)
        return code or (3 if self.stopped or self.lost else 0)

    @property
    def stale(self) -> tuple[str, ...]:
        """What must be removed from the baseline, and why, in sentences."""
        return self.baseline.stale(self.results)

    def accepted(self, result: Result) -> str | None:
        """Why the violation is accepted; None if it is not a violation, or is not accepted."""
        return self.baseline.accepted.get(result.rule.id) if result.verdict is Verdict.VIOLATED else None

    def clean(self, text: str) -> str:
        """The text without secrets, and without anything that UTF-8 cannot represent: headers may contain any byte."""
        text = self._redaction(text)
        return text if text.isascii() else text.encode("utf-8", "replace").decode()

    @cached_property
    def _redaction(self) -> Redaction:
        return Redaction(self.secrets)

    def reproduction(self, result: Result) -> list[str]:
        """The shell lines that show a violation. Secrets are removed before quoting, which their removal would
        break.
        """
        return as_shell(result.steps, self._redaction)

    def program(self, result: Result) -> str | None:
        """The same as a Python program; None if there is none."""
        return as_python(result.steps, self._redaction)

    def plan(self, result: Result) -> list[str]:
        """The same as sentences with waits, if the target has its own ways of saving events and moving clocks."""
        inside = any(isinstance(step, (Advance, SaveEvent)) and not _is_sent(step) for step in result.steps)
        return as_plan(result.steps, self._redaction) if inside else []

    @property
    def has_verdicts(self) -> bool:
        """Whether anything was judged at all."""
        return any(result.verdict not in UNJUDGED for result in self.results.values())

    def headline(self) -> str:
        """The result in a few words: it says "conforms" only if every rule was verified."""
        if self.exit_code in TITLES:
            return TITLES[self.exit_code]
        asked = [each for each in self.results.values() if each.detail != LEFT_OUT]
        verified = sum(each.verdict is Verdict.VERIFIED for each in asked)
        if verified == len(self.results) and not self.stopped:
            return "Conforms"
        accepted = sum(self.accepted(each) is not None for each in asked)
        of = f"{len(asked)}" if len(asked) == len(self.results) else f"the {self.counted(len(asked))} asked for"
        against = f"{accepted} violated and accepted" if accepted else "none violated"
        answered = sum(each.verdict is Verdict.AS_ANSWERED for each in asked)
        told = [f"{verified} of {of} verified" + (f", {against}" if verified < len(asked) else "")]
        told += [f"{answered} {Verdict.AS_ANSWERED}"] if answered else []
        told += ["stopped early"] if self.stopped else []
        return "; ".join(told) + self._gap()

    def counted(self, count: int) -> str:
        """`1 rule`, `42 rules`."""
        return f"{count} {self.judged}{'' if count == 1 else 's'}"

    @property
    def stopped_early(self) -> str:
        """What a report of a stopped run says first."""
        return f"Stopped early: {self.judged}s that were not reached are not verified."

    def _gap(self) -> str:
        """States that no time rule was judged, if so, and the wait that would be enough."""
        rules = [each for each in self.results.values() if each.rule.group == OF_WINDOWS and each.detail != LEFT_OUT]
        if self.clock != "real" or not rules or any(each.verdict not in UNJUDGED for each in rules):
            return ""
        waited = [each.limit for each in self._waited_for()]
        return "; no time rule was judged" + (f": add --wait {_wait(min(waited))}" if waited else "")

    def counts(self) -> dict[str, int]:
        """How many rules have which verdict, with every verdict listed."""
        counts = Counter(result.verdict for result in self.results.values())
        return {verdict.value: counts[verdict] for verdict in Verdict}

    def summary(self) -> str:
        """`60 verified, 0 violated, …`, and how many violations are accepted."""
        accepted = sum(self.accepted(result) is not None for result in self.results.values())
        words = {Verdict.VIOLATED.value: f" ({accepted} accepted)"} if accepted else {}
        counts = {name: count for name, count in self.counts().items() if count or name != Verdict.AS_ANSWERED}
        return ", ".join(f"{count} {verdict}{words.get(verdict, '')}" for verdict, count in counts.items())


def spent(microseconds: int) -> str:
    """How long something took, as people write it: `0.3 seconds`, `35 seconds`, `6 minutes 2 seconds`."""
    if microseconds < 10 * SECOND:
        return f"{microseconds / SECOND:.1f} seconds"
    return in_words(round(microseconds / SECOND) * SECOND)


def _wait(limit: int) -> str:
    """A wait that extends beyond the limit, in the format of --wait: `6m`, `8s`."""
    return f"{limit // MINUTE + 1}m" if limit >= MINUTE else f"{limit // SECOND + 2}s"


def _is_sent(step: Advance | SaveEvent) -> bool:
    return step.exchange is not None or (isinstance(step, SaveEvent) and bool(step.words))
