"""The report for people at a terminal: what was done, a table of verdicts, then every violation with a way to reproduce
it.
"""

from importlib.metadata import version

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from feedback_verify.reports.causes import ORDER, Entry, entries, of_verdict
from feedback_verify.reports.report import Report
from feedback_verify.reports.timeline import moments
from feedback_verify.verdicts import LEFT_OUT, Verdict

STYLE = {
    Verdict.VERIFIED: "green",
    Verdict.AS_ANSWERED: "cyan",
    Verdict.VIOLATED: "bold red",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.NOT_VERIFIABLE: "dim",
    Verdict.NOT_RUN: "dim",
}


def print_report(report: Report, console: Console) -> None:
    """When and against what, the table of verdicts, every violation with the shortest way to reproduce it."""
    console.print(_head(report))
    found = entries(report)
    console.print(_table(report, found))
    for entry in of_verdict(found, Verdict.VIOLATED):
        if entry.accepted is None:
            console.print(_violation(report, entry))
            _print_lines(report, entry, console)
    if any("--control" in entry.cause for entry in found):
        console.print("--control URL: the control API of the target, for targets that speak spec/control.yaml.")
    if report.stopped:
        console.print(report.stopped_early)
    for sentence in (*report.stale, *report.lost):
        console.print(Text(sentence, "bold red"))
    console.print(Text(report.summary(), "bold"))


def _head(report: Report) -> Group:
    facts = Table.grid(padding=(0, 2))
    for name, value in report.facts.items():
        facts.add_row(Text(name, "dim"), Text(value))
    for sentence in report.costs():
        facts.add_row(Text("To know more", "dim"), Text(report.clean(sentence)))
    return Group(Text(f"feedback-verify {version('sentry-feedback-contract')}: {report.headline()}", "bold"), facts)


def _table(report: Report, found: list[Entry]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(report.judged, no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("what is known")
    for entry in sorted(found, key=lambda each: ORDER.index(each.verdict), reverse=True):
        if entry.cause != LEFT_OUT:
            ids = [result.rule.id for result in entry.results]
            known = entry.cause if entry.accepted is None else f"accepted, {entry.accepted}"
            known += f": {', '.join(ids)}" if len(ids) > 1 else ""
            table.add_row(entry.named(report), Text(entry.verdict, STYLE[entry.verdict]), Text(known))
    return table


def _violation(report: Report, entry: Entry) -> Group:
    rule = entry.shown.rule
    several = len(entry.results) > 1
    verb, cause = ("are", f": {entry.cause}") if several else ("is", "")
    lines = [Text(f"{entry.named(report)} {verb} violated{cause}", "bold red")]
    lines += [Text(f"  One of them, {rule.id}:")] if several else []
    lines.append(Text(f"  {rule.rule}"))
    if rule.page:
        lines.append(Text(f"  Sentry's page: {rule.page}", "dim"))
    if rule.source:
        lines.append(Text(f"  {rule.source}", "dim"))
    return Group(*lines, Text(f"  {report.clean(entry.shown.detail)}"))


def _print_lines(report: Report, entry: Entry, console: Console) -> None:
    """What happened when, then the lines, uncut however narrow the terminal: a truncated line is a different
    command.
    """
    shown = moments(entry.shown.steps, violated=True)
    width = max((len(each.when) for each in shown), default=0)
    for each in shown:
        told = report.clean(f"{each.what} {each.told}".strip())
        console.print(Text(f"    {each.when:{width}}  {told}", "red" if each.wrong else ""), soft_wrap=True)
    plan = report.plan(entry.shown)
    lines = [f"{number}. {sentence}" for number, sentence in enumerate(plan, 1)] or report.reproduction(entry.shown)
    if lines:
        console.print(Text(f"  Reproduce it {'by hand' if plan else 'in bash or zsh'}:"))
    for line in lines:
        console.print(Text(f"    {line}"), soft_wrap=True)
    console.print()
