"""Findings of single scenarios, and the one verdict on each rule that they result in. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from feedback_spec.catalogue import CAPABILITIES, Rule
from feedback_spec.instants import SECOND, in_short

from feedback_verify.exchange import Exchange
from feedback_verify.steps import Step


class Verdict(StrEnum):
    """What is known about a rule at the end. Rules are never silently skipped: not verified means not passed.

    AS_ANSWERED: every response was right, but nothing showed what the target had stored.
    """

    VERIFIED = "verified"
    AS_ANSWERED = "as answered, not read back"
    VIOLATED = "violated"
    INCONCLUSIVE = "inconclusive"
    NOT_VERIFIABLE = "not verifiable here"
    NOT_RUN = "not run"


SEEN = (Verdict.VERIFIED, Verdict.AS_ANSWERED)
"""Verdicts for which all observations were right."""
LEFT_OUT = "left out by --rules"
OF_WINDOWS = "windows"  # the group of time rules


CONTROL = "--control URL"  # supplies everything that a rule can need


@dataclass(frozen=True)
class Probe:
    """One submission near a deadline: its age, from the window's base, was in [earliest, latest] (microseconds).

    On an exact clock, both are the same. `window` is the id of the window's rule.
    """

    window: str
    earliest: int
    latest: int
    status: int


@dataclass(frozen=True)
class Finding:
    """What one scenario says about one rule: confirmed this often, broken (with the steps), or undecided (why).

    A violation is recognised on replay by a mismatch of the same `kind`, or by a response for which `fault` holds;
    without either, by the statuses that its last step expected.
    """

    rule: str
    observations: int = 0
    violation: str | None = None
    doubt: str | None = None
    remark: str | None = None
    steps: Sequence[Step] = ()
    probes: tuple[Probe, ...] = ()
    kind: tuple[str, str, str] | None = None
    fault: Callable[[Exchange], bool] | None = None


@dataclass(frozen=True)
class Result:
    """The verdict on one rule, in words: `detail` says how precise it is, why there is none, or what was seen instead.

    `steps` are those of the shortest violation, else of one scenario that the verdict is based on; `probes` are all.
    `took` is the time spent on it, in microseconds.
    """

    rule: Rule
    verdict: Verdict
    detail: str
    observations: int = 0
    steps: tuple[Step, ...] = field(default=(), repr=False)
    probes: tuple[Probe, ...] = field(default=(), repr=False)
    required: bool = True
    took: int = 0


def judge(rule: Rule, findings: Iterable[Finding], capabilities: frozenset[str], exact: bool, step: int = 1) -> Result:
    """The verdict on a rule: one violation outweighs everything else; the shortest one is shown."""
    findings = tuple(findings)
    violations = [each for each in findings if each.violation]
    probes = tuple(probe for each in findings for probe in each.probes)
    observations = sum(each.observations for each in findings)
    doubtful = [each for each in findings if each.doubt][:1]
    decisive = violations or doubtful or [each for each in findings if each.steps]
    shown = min(decisive or [Finding(rule.id)], key=lambda each: len(each.steps))
    lacked = missing(rule.needs, capabilities)
    doubts = [each.doubt for each in findings if each.doubt]
    if violations:
        otherwise = f"; the target follows another reading: {rule.otherwise}" if rule.otherwise else ""
        verdict, detail = Verdict.VIOLATED, f"{shown.violation}{otherwise}"
    elif lacked and not observations and not doubts:
        return Result(rule, Verdict.NOT_VERIFIABLE, "needs " + joined(lacked))
    elif doubts:
        more = f" (and {len(doubts) - 1} more scenario{'s' if len(doubts) > 2 else ''})" if len(doubts) > 1 else ""
        verdict, detail = Verdict.INCONCLUSIVE, f"{doubts[0]}{more}"
    elif not observations:
        verdict, detail = Verdict.NOT_RUN, "no scenario tested it"
    else:
        remarks = sorted({each.remark for each in findings if each.remark})
        precision = f", {to_the(step)}" if exact and _is_of_time(rule) else ""
        seen = f"{observations} observation{'s' if observations > 1 else ''}{precision}"
        verdict, detail = Verdict.VERIFIED, "; ".join([seen, *remarks])
    return Result(rule, verdict, printable(detail), observations, tuple(shown.steps), probes)


def printable(text: str) -> str:
    """The text on one line; anything that a terminal would not show, or would obey, is escaped."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def to_the(step: int) -> str:
    """How precisely a clock that counts in such steps (microseconds) can be judged, in words."""
    names = {1: "microsecond", SECOND // 1000: "millisecond", SECOND: "second"}
    return f"to the {names[step]}" if step in names else f"to {in_short(step)}"


def exit_code(results: Mapping[str, Result]) -> int:
    """0 if every required rule is verified, 1 if one is violated, 3 if nothing is violated but a required rule is not
    verified.
    """
    verdicts = {result.verdict for result in results.values() if result.required or result.verdict is Verdict.VIOLATED}
    if Verdict.VIOLATED in verdicts:
        return 1
    return 0 if verdicts <= {Verdict.VERIFIED} else 3


def _is_of_time(rule: Rule) -> bool:
    """Whether the rule is about when, not about the response or the effects of a refusal."""
    return "clock" in rule.needs and rule.group == OF_WINDOWS and not rule.id.startswith("conflict-")


def missing(needs: Iterable[str], capabilities: frozenset[str]) -> list[str]:
    """The needs that a target lacks; if only a control API supplies one of them, only those: no wait would help."""
    lacked = [need for need in needs if need not in capabilities]
    return [need for need in lacked if CAPABILITIES[need].how == CONTROL] or lacked


def joined(needs: Iterable[str]) -> str:
    """The needs as one list, with those supplied in the same way grouped."""
    by_way: dict[str, list[str]] = {}
    for need in needs:
        by_way.setdefault(CAPABILITIES[need].how, []).append(CAPABILITIES[need].what)
    return ", and ".join(f"{', '.join(whats)} ({how})" for how, whats in by_way.items())
