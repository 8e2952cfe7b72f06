"""The reports of a run: a table for people, JSON and JUnit for machines. No secret is in any of them."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from junitparser import Failure, JUnitXml, Skipped, TestCase, TestSuite
from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from contract_tests.scenario import reproduction
from contract_tests.verdicts import Result, Verdict, exit_code

STYLE = {
    Verdict.VERIFIED: "green",
    Verdict.VIOLATED: "bold red",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.NOT_VERIFIABLE: "dim",
    Verdict.NOT_RUN: "dim",
}


@dataclass(frozen=True)
class Report:
    """What a run came to: results by rule id, and what it was run on. `secrets` are cut out of every text."""

    target: str
    document: str
    seed: int
    results: Mapping[str, Result]
    secrets: frozenset[str]
    stopped: bool = False

    @property
    def exit_code(self) -> int:
        """As the verdicts say; a run that was stopped conforms to nothing."""
        return exit_code(self.results)

    def clean(self, text: str) -> str:
        """The text without secrets."""
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, "[secret]")
        return text

    def reproduction(self, result: Result) -> list[str]:
        """The shell lines that show a violation."""
        return [self.clean(line) for line in reproduction(list(result.steps))]

    def summary(self) -> str:
        """`60 verified, 0 violated, …`."""
        counts = Counter(result.verdict for result in self.results.values())
        return ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict)


def print_report(report: Report, console: Console) -> None:
    """The table of verdicts, then every violation with the shortest way to see it again."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("rule", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("what is known")
    for result in report.results.values():
        if not result.required:
            continue
        detail = Text(report.clean(result.detail))
        table.add_row(result.rule.id, Text(result.verdict, STYLE[result.verdict]), detail)
    console.print(table)
    for result in report.results.values():
        if result.verdict is Verdict.VIOLATED:
            console.print(_violation(report, result))
    if any("--control" in result.detail for result in report.results.values()):
        console.print("--control URL: the control API of the target, for targets that speak spec/control.yaml.")
    if report.stopped:
        console.print("Stopped before the end; what was not reached is not verified.")
    console.print(Text(report.summary(), "bold"))


def _violation(report: Report, result: Result) -> Group:
    lines = [Text(f"{result.rule.id} is violated", "bold red"), Text(f"  {result.rule.rule}")]
    if result.rule.page:
        lines.append(Text(f"  The page: {result.rule.page}", "dim"))
    lines += [Text(f"  {report.clean(result.detail)}"), Text("  To see it again (# what it answered here):")]
    # No wrapping: these lines are there to be pasted.
    lines += [Text(f"    {line}", no_wrap=True, overflow="ignore") for line in report.reproduction(result)]
    return Group(*lines, Text(""))


def as_json(report: Report) -> dict[str, Any]:
    """The report as JSON data."""
    return {
        "target": report.target,
        "document": report.document,
        "seed": report.seed,
        "stopped": report.stopped,
        "exit_code": report.exit_code,
        "summary": {verdict.value: _count(report.results.values(), verdict) for verdict in Verdict},
        "rules": [
            {
                "id": result.rule.id,
                "group": result.rule.group,
                "level": result.rule.level,
                "rule": result.rule.rule,
                "page": result.rule.page,
                "verdict": result.verdict.value,
                "detail": report.clean(result.detail),
                "observations": result.observations,
                "reproduction": report.reproduction(result),
            }
            for result in report.results.values()
        ],
    }


def _count(results: Iterable[Result], verdict: Verdict) -> int:
    return sum(result.verdict is verdict for result in results)


def write_json(report: Report, path: Path) -> None:
    """Writes the JSON report. Raises OSError."""
    path.write_text(json.dumps(as_json(report), indent=2, ensure_ascii=False) + "\n", "utf-8")


def write_junit(report: Report, path: Path) -> None:
    """Writes the JUnit report, one testcase per rule; what is not verified is skipped, with the reason."""
    suite = TestSuite("feedback-verify")
    for result in report.results.values():
        case = TestCase(result.rule.id, f"feedback-verify.{result.rule.group}")
        detail = report.clean(result.detail)
        if result.verdict is Verdict.VIOLATED:
            failure = Failure(detail, "violated")
            failure.text = "\n".join([result.rule.rule, detail, *report.reproduction(result)])
            case.result = [failure]
        elif result.verdict is not Verdict.VERIFIED:
            case.result = [Skipped(f"{result.verdict}: {detail}")]
        suite.add_testcase(case)
    xml = JUnitXml("feedback-verify")
    xml.add_testsuite(suite)
    xml.write(str(path), pretty=True)


WRITERS: Mapping[str, Callable[[Report, Path], None]] = {"json": write_json, "junit": write_junit}
