"""Combines results that have the same cause, so a report says each thing once. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

from feedback_verify.reports.report import Report
from feedback_verify.steps import Send
from feedback_verify.verdicts import SEEN, Result, Verdict

ORDER = (
    Verdict.VIOLATED,
    Verdict.INCONCLUSIVE,
    Verdict.NOT_RUN,
    Verdict.NOT_VERIFIABLE,
    Verdict.AS_ANSWERED,
    Verdict.VERIFIED,
)
# Parts of responses that differ without meaning anything: ids, dates, numbers.
_VARYING = re.compile(r"[0-9a-fA-F]{8,}|\d+")


@dataclass(frozen=True)
class Entry:
    """Results with one verdict and one cause; the first one, with the shortest steps, represents them all."""

    results: tuple[Result, ...]
    cause: str
    accepted: str | None

    @property
    def shown(self) -> Result:
        """The one that represents them all."""
        return min(self.results, key=lambda result: len(result.steps))

    @property
    def verdict(self) -> Verdict:
        """The verdict of all."""
        return self.shown.verdict

    def named(self, report: Report) -> str:
        """`submission` or `42 rules`."""
        return self.results[0].rule.id if len(self.results) == 1 else report.counted(len(self.results))


def entries(report: Report) -> list[Entry]:
    """All results, violations first; each verified rule has its own entry."""
    found: dict[tuple[object, ...], list[Result]] = {}
    for result in sorted(report.results.values(), key=lambda each: ORDER.index(each.verdict)):
        alone = result.rule.id if result.verdict in SEEN else ""
        found.setdefault((result.verdict, report.accepted(result), _key(report, result), alone), []).append(result)
    return [_entry(report, results) for results in found.values()]


def _entry(report: Report, results: list[Result]) -> Entry:
    unrelated = _unrelated(report, results[0])
    cause = unrelated if unrelated is not None and len(results) > 1 else report.clean(results[0].detail)
    return Entry(tuple(results), cause, report.accepted(results[0]))


def _key(report: Report, result: Result) -> str:
    return _VARYING.sub("#", _unrelated(report, result) or report.clean(result.detail))


def _unrelated(report: Report, result: Result) -> str | None:
    """The response that ends a violation that is not about a window: whatever was tested, the target said the same."""
    if not report.is_about_target:
        return None  # the responses that a client gets are no fault of its own
    sent = [step.exchange for step in result.steps if isinstance(step, Send) and step.exchange]
    windows = {window.status for window in report.mutability.windows} if report.mutability else set()
    if result.verdict is not Verdict.VIOLATED or not sent or sent[-1].status < 300 or sent[-1].status in windows:
        return None
    body = " ".join(sent[-1].content[:160].decode(errors="replace").split())
    return report.clean(f"the target answered {sent[-1].status} {phrase(sent[-1].status)} {body}".strip())


def phrase(status: int) -> str:
    """The phrase for a status; empty if it has none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def of_verdict(found: Iterable[Entry], *verdicts: Verdict) -> list[Entry]:
    """The entries with one of these verdicts."""
    return [entry for entry in found if entry.verdict in verdicts]
