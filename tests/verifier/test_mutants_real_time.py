"""Broken time rules are also detected by real waiting, on servers that are a URL and a way to save events.

All of them wait at the same time, with windows that the document scales to 30 and 5 seconds. `make broken` tests all;
otherwise, the commit determines a sample.
"""

from pathlib import Path

from feedback_spec.document import load
from feedback_verify.verdicts import Verdict

from tests.broken.mutants import MUTANTS
from tests.broken.waiting import Told, verify_all
from tests.drawn import drawn
from tests.scaled import scaled

NARROW = "what it does otherwise lasts no longer than an answer takes"
NO_ADMINISTRATOR = "a target that is a URL has no token of an administrator"
NOT_VISIBLE = {
    "EventWindowOneSecondShort": "a second of half an hour is a sixtieth of one here: " + NARROW,
    "EventWindowOneMicrosecondLong": NARROW,
    "EventWindowExcludesItsLimit": NARROW,
    "EventWindowInWholeSeconds": NARROW,
    "OverwriteWindowOneMicrosecondLong": NARROW,
    "OverwriteWindowExcludesItsLimit": NARROW,
    "OverwriteWindowRounded": NARROW,
    "AdministratorForgivesAge": NO_ADMINISTRATOR,
    "AdministratorOverwritesAtAnyTime": NO_ADMINISTRATOR,
    "TimestampsAheadAreRefused": "events are saved as of now or earlier, so none has a time that is still to come",
    "AdditionsAreAlwaysWelcome": "what comes later replaces the comments there, it does not add to them",
    "TheIssueIsAsOldAsItsFirstEvent": "the events that are saved there belong to issues of their own",
    "OverwriteWindowForgetsDays": "feedback cannot be submitted in the past, and nobody waits for a day",
}
DOCUMENT = load()
TIMED = frozenset(rule.id for rule in DOCUMENT.rules.values() if rule.group == "windows")
TIMED |= {"any-credentials-overwrite", "known-event", "overwrite", "overwrite-same-record"}
LATE = ("LateOverwriteIsLost", "LateOverwriteChangesTheId", "IssueIsForgotten")
BREAKS = {
    each.name: frozenset({each.rule, *each.also}) & TIMED
    for each in MUTANTS
    if DOCUMENT.rules[each.rule].group == "windows"
    or (each.rule == "dsn" and "Windows" in each.name)
    or each.name in LATE
}
PART = 4
VISIBLE = drawn(sorted(set(BREAKS) - set(NOT_VISIBLE)), PART)


def told(spec: Path) -> dict[str, Told]:
    """The verdicts on every visible one and on the correct server; those without a verdict get a second, quieter
    try.
    """
    wanted = {"": TIMED, **{name: BREAKS[name] for name in VISIBLE}}
    verdicts = verify_all(wanted, spec)
    undecided = {
        name: rules
        for name, rules in wanted.items()
        if {verdict for verdict, _ in verdicts[name].values()} <= {Verdict.VERIFIED, Verdict.INCONCLUSIVE}
        and (name or Verdict.INCONCLUSIVE in {verdict for verdict, _ in verdicts[name].values()})
    }
    return {**verdicts, **(verify_all(undecided, spec) if undecided else {})}


def test_every_broken_time_rule_is_accounted_for() -> None:
    """The invisible ones are listed with reasons, and exist."""
    assert set(NOT_VISIBLE) <= set(BREAKS)


def test_broken_time_rules_are_seen_by_waiting(tmp_path: Path) -> None:
    """A rule that a server breaks is violated; on the correct server none is, however busy the machine."""
    verdicts = told(scaled(tmp_path / "openapi.yaml", 30, 5))
    violated = {
        name: {rule for rule, (verdict, _) in each.items() if verdict is Verdict.VIOLATED}
        for name, each in verdicts.items()
    }

    assert violated.pop("") == set(), verdicts[""]
    assert {name: verdicts[name] for name, rules in violated.items() if not rules} == {}
