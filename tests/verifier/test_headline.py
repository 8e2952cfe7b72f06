"""What a report says about itself in a few words, and what exit code 0 requires."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from feedback_spec.document import load
from feedback_spec.instants import SECOND
from feedback_verify.cli import main
from feedback_verify.reports import Report
from feedback_verify.verdicts import LEFT_OUT, Result, Verdict

DOCUMENT = load()
LATER = {name for name, rule in DOCUMENT.verifiable.items() if rule.group == "windows"}


def report(verdicts: dict[str, Verdict], *, detail: str = "seen", clock: str = "real") -> Report:
    """A report of all rules, verified except for these."""
    results = {
        name: Result(rule, verdicts.get(name, Verdict.VERIFIED), detail if name in verdicts else "seen")
        for name, rule in DOCUMENT.verifiable.items()
    }
    return Report(
        "http://127.0.0.1", "openapi.yaml", 1, results, frozenset(), mutability=DOCUMENT.mutability, clock=clock
    )


def test_conforms_where_every_rule_was_verified() -> None:
    """Not with one less, and not if the run was stopped."""
    whole = report({})
    less = report({"head": Verdict.INCONCLUSIVE})

    assert (whole.headline(), whole.exit_code) == ("Conforms", 0)
    assert less.headline() == f"{len(DOCUMENT.verifiable) - 1} of {len(DOCUMENT.verifiable)} verified, none violated"
    assert less.exit_code == 3
    assert "stopped early" in replace(whole, stopped=True).headline()


@pytest.mark.parametrize(("step", "words"), [(1, "to the microsecond"), (SECOND, "to the second")])
def test_clock_is_said_to_be_as_exact_as_it_was_seen(step: int, words: str) -> None:
    exact = replace(report({}, clock="exact"), step=step)

    assert exact.facts["The target"].endswith(f"; its clock can be set {words}")


def test_missing_time_is_named_with_the_wait_that_buys_it() -> None:
    """If waiting helps; a clock that is moved needs none."""
    lacking = dict.fromkeys(LATER, Verdict.NOT_VERIFIABLE)

    assert report(lacking).headline().endswith("none violated; no time rule was judged: add --wait 6m")
    assert "time" not in report(lacking, clock="exact").headline()
    assert "time" not in report({**lacking, "overwrite-window": Verdict.VERIFIED}).headline()


def test_no_wait_is_offered_that_would_not_help() -> None:
    """For windows of events that cannot be saved, or already waited for, no longer wait is suggested."""
    unseen = report(dict.fromkeys(("event-window", "overwrite-window"), Verdict.NOT_VERIFIABLE))
    slow = report({"overwrite-window": Verdict.INCONCLUSIVE})
    able = replace(unseen, capabilities=frozenset({"event"}))

    assert [each for each in unseen.costs() if "--wait 31m" in each] == []
    assert len([each for each in able.costs() if "--wait 31m" in each]) == 1
    assert [each for each in slow.costs() if "--wait" in each] == []


def test_rules_that_were_left_out_are_not_missing() -> None:
    """The target is not blamed for what the user left out; but that is not a reason to say that it conforms."""
    asked = {"submission", "overwrite-window"}
    some = report(dict.fromkeys(DOCUMENT.verifiable.keys() - asked, Verdict.NOT_RUN), detail=LEFT_OUT)

    assert some.headline() == "2 of the 2 rules asked for verified"


@pytest.mark.parametrize("rule", ["list", "project-isolation"])
def test_no_wait_is_said_to_buy_what_needs_no_time(rule: str) -> None:
    """What is missing is something else."""
    [cost] = list(report({rule: Verdict.NOT_VERIFIABLE}).costs())[:1]

    assert "--wait" not in cost


def test_coverage_that_shrank_is_named_and_fails(
    mock_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By an earlier report of the same target with one rule more."""
    earlier, later = tmp_path / "earlier.json", tmp_path / "later.json"
    command = [mock_url, "--control", mock_url, "--rules"]
    first = main([*command, "head,route", "--report", f"json={earlier}"])
    same = main([*command, "head,route", "--require", str(earlier)])
    capsys.readouterr()
    less = main([*command, "route", "--require", str(earlier), "--report", f"json={later}"])
    sentence = f"head was verified in {earlier}, and is not run now."

    assert (first, same, less) == (0, 0, 3)
    assert sentence in " ".join(capsys.readouterr().out.split())
    assert json.loads(later.read_text())["lost"] == [sentence]


@pytest.mark.parametrize(("text", "sentence"), [(None, "cannot be read"), ("{}", "is not a report")])
def test_earlier_report_that_is_none_is_exit_2(
    text: str | None, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence, before anything is asked."""
    path = tmp_path / "earlier.json"
    if text is not None:
        path.write_text(text)

    assert main(["http://127.0.0.1:1", "--control", "http://127.0.0.1:1", "--require", str(path)]) == 2
    assert sentence in capsys.readouterr().err
