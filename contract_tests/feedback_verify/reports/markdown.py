"""The report as Markdown, made to be appended to the step summary of a CI job ($GITHUB_STEP_SUMMARY)."""

import html
import re
from collections.abc import Iterable
from pathlib import Path

from feedback_spec.files import append

from feedback_verify.reports.report import Report
from feedback_verify.verdicts import Result, Verdict

LARGEST = 1_048_576  # what GitHub takes for one step, in bytes
LINES = 40
ORDER = (Verdict.VIOLATED, Verdict.INCONCLUSIVE, Verdict.NOT_RUN, Verdict.NOT_VERIFIABLE, Verdict.VERIFIED)
MARK = {
    Verdict.VERIFIED: "✅",
    Verdict.VIOLATED: "❌",
    Verdict.INCONCLUSIVE: "❔",
    Verdict.NOT_VERIFIABLE: "⚪",
    Verdict.NOT_RUN: "⚪",
}


def write_markdown(report: Report, path: Path) -> None:
    """Appends the report to the file, and keeps the file under what GitHub takes. Raises OSError."""
    before = path.stat().st_size if path.is_file() else 0
    append(path, as_markdown(report, LARGEST - before))


def as_markdown(report: Report, largest: int = LARGEST) -> str:
    """The report in so many bytes: what does not fit any more is left out, and that is said."""
    blocks = list(_blocks(report))
    left_out = "\nThe rest is left out: a step summary ends at 1 MiB.\n"
    room = largest - len(left_out.encode())
    kept: list[str] = []
    for block in blocks:
        room -= len(block.encode())
        if room < 0:
            return "".join(kept) + left_out if largest > len(left_out.encode()) else ""
        kept.append(block)
    return "".join(kept)


def _blocks(report: Report) -> Iterable[str]:
    results = sorted(
        report.results.values(), key=lambda each: (report.accepted(each) is not None, ORDER.index(each.verdict))
    )
    target = f"{_code(report.clean(report.target))} by {_code(report.document)}"
    yield f"### feedback-verify: {_headline(report)}\n\n{report.summary()}, {target}, seed {report.seed}\n\n"
    trouble = () if report.trouble is None else (report.clean(report.trouble),)
    for sentence in (*trouble, *report.stale, *(("Stopped before the end.",) if report.stopped else ())):
        yield f"- **{_text(sentence)}**\n"
    violated = [each for each in results if each.verdict is Verdict.VIOLATED]
    open_ones = [each for each in results if each.verdict not in (Verdict.VIOLATED, Verdict.VERIFIED)]
    yield from _table(report, violated, "violated rules", opened=True)
    for result in violated:
        if report.accepted(result) is None:
            yield _reproduction(report, result)
    yield from _table(report, open_ones, "rules without a verdict")
    yield from _table(report, [each for each in results if each.verdict is Verdict.VERIFIED], "verified rules")


def _headline(report: Report) -> str:
    return {0: "conforms", 1: "violated", 2: "could not be tested"}.get(
        report.exit_code, "not everything could be verified"
    )


def _table(report: Report, results: list[Result], title: str, *, opened: bool = False) -> Iterable[str]:
    if not results:
        return
    head = "| rule | verdict | what is known |\n|---|---|---|\n"
    yield "\n" + head if opened else f"\n<details><summary>{len(results)} {title}</summary>\n\n{head}"
    for result in results:
        reason = report.accepted(result)
        known = report.clean(result.detail) if reason is None else f"accepted: {reason}"
        yield f"| {_code(result.rule.id)} | {MARK[result.verdict]} {result.verdict} | {_text(known)} |\n"
    yield "\n" if opened else "\n</details>\n"


def _reproduction(report: Report, result: Result) -> str:
    lines = report.reproduction(result)
    left_out = [f"# … {len(lines) - LINES} lines more"] if len(lines) > LINES else []
    shown = html.escape("\n".join([*lines[:LINES], *left_out]), quote=False)
    # Blank lines would end the HTML block, and what is behind them be read as Markdown.
    shown = re.sub(r"\n\s*\n", "\n", shown)
    page = f"<br>The page: <i>{html.escape(result.rule.page)}</i>" if result.rule.page else ""
    return (
        f"<details><summary>{html.escape(result.rule.id)}, to see it again</summary>\n"
        f'<p>{html.escape(result.rule.rule)}{page}</p>\n<pre lang="sh">{shown}</pre>\n</details>\n'
    )


def _text(text: str) -> str:
    """Any text as one table cell that means nothing in Markdown."""
    line = " ".join(html.escape(text, quote=False).split())
    return re.sub(r"([\\`*_{}\[\]()#+!|~$:@-])", lambda match: f"&#{ord(match[1])};", line)


def _code(text: str) -> str:
    return f"<code>{_text(text)}</code>"
