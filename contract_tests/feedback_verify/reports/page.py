"""The report as one HTML page that needs nothing else: no network, no script to read it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

from feedback_spec.files import write
from jinja2 import Environment, PackageLoader, StrictUndefined

from feedback_verify.reports.data import shown
from feedback_verify.reports.picture import Picture, draw
from feedback_verify.reports.report import Report
from feedback_verify.verdicts import Probe, Result, Verdict

EXCHANGES = 12  # of one rule; the JSON report has all of them
TITLES = {0: "Conforms", 1: "Does not conform", 2: "Could not be tested", 3: "Not everything could be verified"}


@dataclass(frozen=True)
class Entry:
    """One rule as the page shows it."""

    result: Result
    detail: str
    accepted: str | None
    exchanges: list[dict[str, Any]]
    left_out: int
    reproduction: list[str]
    pictures: list[Picture]

    @property
    def kind(self) -> str:
        """The verdict as the name of a style."""
        return "accepted" if self.accepted is not None else self.result.verdict.value.replace(" ", "-")


def write_html(report: Report, path: Path) -> None:
    """Writes the page. Raises OSError."""
    write(path, as_html(report))


def as_html(report: Report) -> str:
    """The page as text."""
    environment = Environment(
        loader=PackageLoader("feedback_verify"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    entries = [_entry(report, result) for result in report.results.values()]
    # Where the pictures of the windows themselves stand, they are not shown again.
    windows = [(entry, picture) for entry in entries for picture in entry.pictures if _is_own(entry, picture)]
    page: str = environment.get_template("report.html.j2").render(
        report=report,
        target=report.clean(report.target),
        title=TITLES[report.exit_code],
        version=version("sentry-feedback-contract"),
        counts=[(name.replace(" ", "-"), name, count) for name, count in report.counts().items()],
        violated=[each for each in entries if each.result.verdict is Verdict.VIOLATED and each.accepted is None],
        windows=windows,
        groups=[(group, list(each)) for group, each in groupby(entries, key=lambda entry: entry.result.rule.group)],
        is_own=_is_own,
    )
    return page


def _entry(report: Report, result: Result) -> Entry:
    exchanges = [step.exchange for step in result.steps if step.exchange is not None]
    return Entry(
        result=result,
        detail=report.clean(result.detail),
        accepted=report.accepted(result),
        exchanges=[shown(report, each) for each in exchanges[-EXCHANGES:]],
        left_out=max(len(exchanges) - EXCHANGES, 0),
        reproduction=report.reproduction(result),
        pictures=list(_pictures(report, result)),
    )


def _is_own(entry: Entry, picture: Picture) -> bool:
    return picture.id == f"{entry.result.rule.id}-{entry.result.rule.id}"


def _pictures(report: Report, result: Result) -> Iterator[Picture]:
    """Of the windows that the rule's probes tell something of: not where another window was over as well."""
    if report.mutability is None:
        return
    over = {
        window.rule for window in report.mutability.windows if any(_is_over(result.probes, window.rule, window.limit))
    }
    for window in report.mutability.windows:
        probes = [probe for probe in result.probes if probe.window == window.rule]
        if probes and (window.rule == result.rule.id or not over - {window.rule}):
            yield draw(report.mutability, window, probes, result.rule.id)


def _is_over(probes: Iterable[Probe], window: str, limit: int) -> Iterator[bool]:
    return (probe.latest > limit for probe in probes if probe.window == window)
