"""The report as one HTML page: violations first, one entry per cause, each with a timeline and programs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from feedback_spec.catalogue import GROUPS
from feedback_spec.client_rules import GROUPS as CLIENT_GROUPS
from feedback_spec.files import write

from feedback_verify.reports import causes
from feedback_verify.reports.data import shown
from feedback_verify.reports.drawing import Drawing, draw_timeline
from feedback_verify.reports.page import kind, page
from feedback_verify.reports.picture import Picture, draw_window
from feedback_verify.reports.report import Report
from feedback_verify.reports.timeline import moments
from feedback_verify.verdicts import SEEN, Probe, Result, Verdict

HEADINGS = {**GROUPS, **CLIENT_GROUPS}
EXCHANGES = 12  # of one rule; the JSON report has all of them


@dataclass(frozen=True)
class Entry:
    """One rule as the page shows it; for a violation, `programs` are what to paste, by where."""

    result: Result
    detail: str
    accepted: str | None
    exchanges: list[dict[str, Any]]
    left_out: int
    programs: list[tuple[str, str]]
    pictures: list[Picture]

    @property
    def kind(self) -> str:
        """The verdict as the name of a style."""
        return "accepted" if self.accepted is not None else kind(self.result.verdict)


@dataclass(frozen=True)
class Cause:
    """Rules with one cause: `entry` represents them, with a drawing of what happened."""

    entry: Entry
    rules: tuple[str, ...]
    cause: str
    drawing: Drawing | None


def write_html(report: Report, path: Path) -> None:
    """Writes the page. Raises OSError."""
    write(path, as_html(report))


def as_html(report: Report) -> str:
    """The page as text."""
    entries = {rule: _entry(report, result) for rule, result in report.results.items()}
    found = [_cause(each, entries[each.shown.rule.id]) for each in causes.entries(report)]
    grouped = groupby(entries.values(), key=lambda entry: entry.result.rule.group)
    return page(
        "report.html.j2",
        report=report,
        facts=[(name, _whole(value, report.digest)) for name, value in report.facts.items()],
        costs=list(map(report.clean, report.costs())),
        warnings=[
            *report.stale,
            *report.lost,
            *([] if report.trouble is None else [report.clean(report.trouble)]),
            *([report.stopped_early] if report.stopped else []),
        ],
        counts=[(kind(name), name, count) for name, count in report.counts().items()],
        violated=[each for each in found if each.entry.result.verdict is Verdict.VIOLATED],
        open=[each for each in found if each.entry.result.verdict not in (Verdict.VIOLATED, *SEEN)],
        # Where the windows themselves are drawn, their pictures are not repeated.
        windows=[picture for entry in entries.values() for picture in entry.pictures if _is_own(entry, picture)],
        groups=[(group, HEADINGS.get(group, group), list(each)) for group, each in grouped],
        is_own=_is_own,
    )


def _whole(fact: str, digest: str) -> str:
    """The fact with the document's whole hash, not just its beginning."""
    return fact.replace(f"SHA-256 {digest[:12]}", f"SHA-256 {digest}")


def _entry(report: Report, result: Result) -> Entry:
    exchanges = [step.exchange for step in result.steps if step.exchange is not None]
    return Entry(
        result=result,
        detail=report.clean(result.detail),
        accepted=report.accepted(result),
        exchanges=[shown(report, each) for each in exchanges[-EXCHANGES:]],
        left_out=max(len(exchanges) - EXCHANGES, 0),
        programs=list(_programs(report, result)),
        pictures=list(_pictures(report, result)),
    )


def _programs(report: Report, result: Result) -> Iterator[tuple[str, str]]:
    if lines := report.reproduction(result):
        yield "in a shell", "\n".join(lines)
    if result.verdict is Verdict.VIOLATED and lines:
        if program := report.program(result):
            yield "in Python", program
        if plan := report.plan(result):
            yield "by hand, with waits", "\n".join(f"{number}. {sentence}" for number, sentence in enumerate(plan, 1))


def _cause(entry: causes.Entry, shown_entry: Entry) -> Cause:
    violated = entry.verdict is Verdict.VIOLATED
    happened = moments(entry.shown.steps, violated=True) if violated else []
    return Cause(
        shown_entry,
        tuple(result.rule.id for result in entry.results),
        entry.cause,
        draw_timeline(entry.shown.rule.id, happened) if happened else None,
    )


def _is_own(entry: Entry, picture: Picture) -> bool:
    return picture.id == f"{entry.result.rule.id}-{entry.result.rule.id}"


def _pictures(report: Report, result: Result) -> Iterator[Picture]:
    """The windows that the rule's probes reveal something about: not if another window was over as well."""
    if report.mutability is None:
        return
    over = {
        window.rule for window in report.mutability.windows if any(_is_over(result.probes, window.rule, window.limit))
    }
    for window in report.mutability.windows:
        probes = [probe for probe in result.probes if probe.window == window.rule]
        if probes and (window.rule == result.rule.id or not over - {window.rule}):
            yield draw_window(report.mutability, window, probes, result.rule.id)


def _is_over(probes: Iterable[Probe], window: str, limit: int) -> Iterator[bool]:
    return (probe.latest > limit for probe in probes if probe.window == window)
