"""How findings become one verdict, and verdicts an exit code."""

from feedback_spec.document import Document
from feedback_verify.steps import Wait
from feedback_verify.verdicts import Finding, Result, Verdict, exit_code, judge

ALL = frozenset({"token", "dsn", "event", "aged-event", "clock", "records", "second-project", "read-token"})


def verdict(document: Document, *findings: Finding, capabilities: frozenset[str] = ALL) -> Result:
    """The verdict on the event window."""
    return judge(document.rules["event-window"], findings, capabilities, exact=True)


def test_one_violation_outweighs_everything(document: Document) -> None:
    """And the shortest is the one that is shown."""
    long = Finding("event-window", violation="long", steps=(Wait(1), Wait(2)))
    short = Finding("event-window", violation="short", steps=(Wait(1),))
    result = verdict(document, Finding("event-window", observations=9), long, short, Finding("event-window", doubt="x"))

    assert (result.verdict, result.detail, len(result.steps)) == (Verdict.VIOLATED, "short", 1)


def test_a_doubt_is_never_a_pass(document: Document) -> None:
    """However many observations agree."""
    result = verdict(document, Finding("event-window", observations=9), Finding("event-window", doubt="why"))

    assert (result.verdict, result.detail) == (Verdict.INCONCLUSIVE, "why")


def test_a_missing_capability_is_named_with_its_supply(document: Document) -> None:
    """Not verifiable here, and how it would be."""
    result = verdict(document, capabilities=frozenset({"token"}))

    assert result.verdict is Verdict.NOT_VERIFIABLE
    assert "events saved in the past (--seed-command, --provider-state-url or --control URL)" in result.detail
    assert "a clock that moves (or a wait: --wait DURATION" in result.detail


def test_a_rule_without_findings_is_not_run(document: Document) -> None:
    """Silence is no verdict."""
    assert verdict(document).verdict is Verdict.NOT_RUN


def test_exit_codes(document: Document) -> None:
    """What is not verifiable here doesn't count; what could be verified but was not is 3."""
    rule = document.rules["event-window"]

    def code(*verdicts: Verdict) -> int:
        results = [Result(rule, each, "", required=each is not Verdict.NOT_VERIFIABLE) for each in verdicts]
        return exit_code({str(number): result for number, result in enumerate(results)})

    assert code(Verdict.VERIFIED, Verdict.NOT_VERIFIABLE) == 0
    assert code(Verdict.VERIFIED, Verdict.INCONCLUSIVE, Verdict.VIOLATED) == 1
    assert code(Verdict.VERIFIED, Verdict.INCONCLUSIVE) == 3
    assert code(Verdict.VERIFIED, Verdict.NOT_RUN) == 3
