"""Compares JSON reports, rule by rule. Reads files; renders nothing."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from feedback_spec.catalogue import GROUPS

from feedback_verify.reading import MOST_SHOWN, Unreadable, read_json, wrong_in
from feedback_verify.reports.data import FORMAT
from feedback_verify.verdicts import Verdict, printable

ABSENT = "no such rule"


class NotComparable(ValueError):
    """A file is not a readable report, or there are too few; the message, one sentence, says which and why."""


class Agreement(IntEnum):
    """How the cells of a row agree; differences come first."""

    DIFFERS = 0
    PARTLY_KNOWN = 1
    SAME = 2


@dataclass(frozen=True)
class Column:
    """One report, named after its file."""

    name: str
    report: Mapping[str, Any]

    @cached_property
    def rules(self) -> Mapping[str, Mapping[str, Any]]:
        """Its rules by id."""
        return {rule["id"]: rule for rule in self.report["rules"]}

    @property
    def facts(self) -> str:
        """What it was run against, and when."""
        made = self.report
        return (
            f"{made['target']}, {made['document']}, profile {made['profile']}, SHA-256 {made['digest'][:12]}, "
            f"{made['began'][:10]}"
        )


@dataclass(frozen=True)
class Cell:
    """What one report says about one rule; `detail` is empty if it does not know the rule."""

    verdict: str
    detail: str
    accepted: str | None

    @property
    def short(self) -> str:
        """The verdict, and whether a violation is accepted."""
        return f"{self.verdict}, accepted" if self.accepted is not None else self.verdict


@dataclass(frozen=True)
class Row:
    """One rule, with a cell for each report in their order."""

    rule: str
    group: str
    wording: str
    cells: tuple[Cell, ...]

    @property
    def agreement(self) -> Agreement:
        """`different` if the same target cannot have both verdicts; `unknown` if either is not a verdict."""
        verdicts = {cell.verdict for cell in self.cells}
        if len(verdicts) == 1:
            return Agreement.SAME
        violated = Verdict.VIOLATED in verdicts
        known = verdicts & {Verdict.VERIFIED}
        return Agreement.DIFFERS if violated and known else Agreement.PARTLY_KNOWN


@dataclass(frozen=True)
class Comparison:
    """Several reports; `notes` say, in sentences, how their subjects differ."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    @classmethod
    def of(cls, columns: Sequence[Column]) -> Self:
        """The comparison of at least two reports. Raises NotComparable."""
        if len(columns) < 2:
            raise NotComparable("A comparison needs the JSON reports of at least two runs.")
        known: dict[str, Mapping[str, Any]] = {}
        for column in columns:
            known |= {rule: about for rule, about in column.rules.items() if rule not in known}
        rows = (_row(rule, about, columns) for rule, about in known.items())
        return cls(tuple(columns), tuple(rows))

    def notes(self) -> Iterator[str]:
        """How the reports differ, apart from their targets."""
        for key, what, why in (
            ("digest", "documents", "a rule may mean something different in each"),
            ("profile", "profiles", "the targets were verified against different readings"),
            ("version", "versions of feedback-verify", "one may detect what another does not"),
        ):
            values = dict.fromkeys(str(column.report[key]) for column in self.columns)
            if len(values) > 1:
                named = (each[:12] for each in values)
                yield f"The reports are from different {what} ({', '.join(named)}): {why}."
        unfinished = [column.name for column in self.columns if column.report["stopped"] or column.report["trouble"]]
        if unfinished:
            yield f"Incomplete runs: {', '.join(unfinished)}."

    def grouped(self, agreement: Agreement) -> Iterator[tuple[str, list[Row]]]:
        """The rows with this agreement, by the headings of their groups."""
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            if row.agreement is agreement:
                found.setdefault(GROUPS.get(row.group, row.group), []).append(row)
        yield from found.items()

    def summary(self) -> str:
        """How many rules differ, in one sentence."""
        counts = Counter(row.agreement for row in self.rows)
        return (
            f"{len(self.rows)} rules: {counts[Agreement.DIFFERS]} with different verdicts, "
            f"{counts[Agreement.PARTLY_KNOWN]} judged on some targets only, "
            f"{counts[Agreement.SAME]} with the same verdict everywhere."
        )


def read_column(path: Path) -> Column:
    """The report in a file. Raises NotComparable."""
    try:
        report = read_json(path)
    except Unreadable as error:
        raise NotComparable(f"{error} Use a file written with --report json=FILE.") from None
    if not isinstance(report, dict) or "format" not in report:
        raise NotComparable(f"{path}: is not a report; use a file written with --report json=FILE.")
    if report["format"] != FORMAT:
        said = printable(str(report["format"]))[:MOST_SHOWN]
        raise NotComparable(f"{path}: is a report in format {said}; this feedback-verify reads format {FORMAT}.")
    if (wrong := wrong_in(report, "report.schema.json")) is not None:
        raise NotComparable(f"{path}: is not a complete report: {wrong}.")
    return Column(path.stem, report)


def _row(rule: str, about: Mapping[str, Any], columns: Sequence[Column]) -> Row:
    cells = (_cell(column.rules.get(rule)) for column in columns)
    return Row(rule, about["group"], about["rule"], tuple(cells))


def _cell(rule: Mapping[str, Any] | None) -> Cell:
    if rule is None:
        return Cell(ABSENT, "", None)
    return Cell(rule["verdict"], rule["detail"], rule["accepted"])
