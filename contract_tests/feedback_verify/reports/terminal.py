"""The report for people at a terminal: a table of verdicts, then every violation with a way to see it again."""

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from feedback_verify.reports.report import Report
from feedback_verify.verdicts import LEFT_OUT, Result, Verdict

STYLE = {
    Verdict.VERIFIED: "green",
    Verdict.VIOLATED: "bold red",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.NOT_VERIFIABLE: "dim",
    Verdict.NOT_RUN: "dim",
}


def print_report(report: Report, console: Console) -> None:
    """The table of verdicts, then every violation with the shortest way to see it again."""
    console.print(_table(report))
    for result in report.results.values():
        if result.verdict is Verdict.VIOLATED and report.accepted(result) is None:
            console.print(_violation(report, result))
            for line in report.reproduction(result):
                # Whole, however narrow the terminal: a line that is cut off is another command.
                console.print(Text(f"    {line}"), soft_wrap=True)
            console.print()
    if any("--control" in result.detail for result in report.results.values()):
        console.print("--control URL: the control API of the target, for targets that speak spec/control.yaml.")
    if report.stopped:
        console.print("Stopped before the end; what was not reached is not verified.")
    for sentence in report.stale:
        console.print(Text(sentence, "bold red"))
    console.print(Text(report.summary(), "bold"))


def _table(report: Report) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("rule", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("what is known")
    for result in report.results.values():
        if result.detail != LEFT_OUT:
            reason = report.accepted(result)
            verdict = Text(result.verdict, STYLE[result.verdict])
            known = report.clean(result.detail) if reason is None else f"accepted, {reason}"
            table.add_row(result.rule.id, verdict, Text(known))
    return table


def _violation(report: Report, result: Result) -> Group:
    lines = [Text(f"{result.rule.id} is violated", "bold red"), Text(f"  {result.rule.rule}")]
    if result.rule.page:
        lines.append(Text(f"  The page: {result.rule.page}", "dim"))
    lines += [Text(f"  {report.clean(result.detail)}"), Text("  To see it again (# what it answered here):")]
    return Group(*lines)
