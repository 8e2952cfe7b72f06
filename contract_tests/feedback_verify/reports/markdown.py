"""The report as Markdown, to be appended to the step summary of a CI job ($GITHUB_STEP_SUMMARY)."""

import html
import re
from collections.abc import Iterable
from pathlib import Path

from feedback_spec.files import append

from feedback_verify.reports.causes import Entry, entries
from feedback_verify.reports.report import Report
from feedback_verify.reports.timeline import moments
from feedback_verify.verdicts import SEEN, Verdict

LARGEST = 1_048_576  # GitHub's limit for one step, in bytes
LINES = 40
CODE = ("Target", "Options")
MARK = {
    Verdict.VERIFIED: "✅",
    Verdict.AS_ANSWERED: "☑️",
    Verdict.VIOLATED: "❌",
    Verdict.INCONCLUSIVE: "❔",
    Verdict.NOT_VERIFIABLE: "⚪",
    Verdict.NOT_RUN: "⚪",
}


def write_markdown(report: Report, path: Path) -> None:
    """Appends the report to the file, and keeps the file under GitHub's limit. Raises OSError."""
    before = path.stat().st_size if path.is_file() else 0
    append(path, as_markdown(report, LARGEST - before))


def as_markdown(report: Report, largest: int = LARGEST) -> str:
    """The report in at most this many bytes; if something is left out, the report says so."""
    blocks = list(_blocks(report))
    left_out = "\nThe rest is left out: GitHub accepts 1 MiB of summary for each step.\n"
    room = largest - len(left_out.encode())
    kept: list[str] = []
    for block in blocks:
        room -= len(block.encode())
        if room < 0:
            return "".join(kept) + left_out if largest > len(left_out.encode()) else ""
        kept.append(block)
    return "".join(kept)


def _blocks(report: Report) -> Iterable[str]:
    found = entries(report)
    yield f"### feedback-verify: {report.headline()}\n\n{report.summary()}\n\n"
    for name, value in report.facts.items():
        yield f"- {name}: {_code(value) if name in CODE else escaped(value)}\n"
    for sentence in report.costs():
        yield f"- To know more: {escaped(report.clean(sentence))}\n"
    trouble = () if report.trouble is None else (report.clean(report.trouble),)
    for sentence in (*trouble, *report.stale, *report.lost, *((report.stopped_early,) if report.stopped else ())):
        yield f"- **{escaped(sentence)}**\n"
    violated = [each for each in found if each.verdict is Verdict.VIOLATED]
    open_ones = [each for each in found if each.verdict not in (Verdict.VIOLATED, *SEEN)]
    yield from _table(report, violated, "violated", opened=True)
    for entry in violated:
        if entry.accepted is None:
            yield _reproduction(report, entry)
    yield from _table(report, open_ones, "without a verdict")
    for verdict in SEEN:
        yield from _table(report, [each for each in found if each.verdict is verdict], verdict)


def _table(report: Report, found: list[Entry], title: str, *, opened: bool = False) -> Iterable[str]:
    if not found:
        return
    count = sum(len(entry.results) for entry in found)
    head = f"| {report.judged} | verdict | what is known |\n|---|---|---|\n"
    summary = f"{report.counted(count)} {title}"
    yield "\n" + head if opened else f"\n<details><summary>{summary}</summary>\n\n{head}"
    for entry in found:
        known = entry.cause if entry.accepted is None else f"accepted: {entry.accepted}"
        ids = ", ".join(_code(result.rule.id) for result in entry.results)
        yield f"| {ids} | {MARK[entry.verdict]} {entry.verdict} | {escaped(known)} |\n"
    yield "\n" if opened else "\n</details>\n"


def _reproduction(report: Report, entry: Entry) -> str:
    result = entry.shown
    happened = [f"{each.when}  {each.what} {each.told}".rstrip() for each in moments(result.steps, violated=True)]
    lines = report.plan(result) or report.reproduction(result)
    left_out = [f"# … {len(lines) - LINES} lines more"] if len(lines) > LINES else []
    reproduced = f'<pre lang="sh">{_pre([*lines[:LINES], *left_out])}</pre>\n' if lines else ""
    page = f"<br>Sentry's page: <i>{html.escape(result.rule.page)}</i>" if result.rule.page else ""
    return (
        f"<details><summary>{html.escape(result.rule.id)}: {'reproduce it' if lines else 'what happened'}</summary>\n"
        f"<p>{html.escape(result.rule.rule)}{page}</p>\n<pre>{_pre(map(report.clean, happened))}</pre>\n"
        f"{reproduced}</details>\n"
    )


def _pre(lines: Iterable[str]) -> str:
    """Lines as they are. Blank lines would end the HTML block, and what follows would be read as Markdown."""
    return re.sub(r"\n\s*\n", "\n", html.escape("\n".join(lines), quote=False))


def escaped(text: str) -> str:
    """Any text as one table cell, with no special meaning in Markdown."""
    line = " ".join(html.escape(text, quote=False).split())
    return re.sub(r"([\\`*_{}\[\]()#+!|~$:@])", lambda match: f"&#{ord(match[1])};", line)


def _code(text: str) -> str:
    return f"<code>{escaped(text)}</code>"
