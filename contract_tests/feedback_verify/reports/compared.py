"""Renders a comparison: in the terminal, as Markdown and as a page. Differences come first."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from feedback_spec.files import append, write
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from feedback_verify.reports.comparison import ABSENT, Agreement, Cell, Comparison, Row
from feedback_verify.reports.markdown import MARK, escaped
from feedback_verify.reports.page import page
from feedback_verify.reports.terminal import STYLE
from feedback_verify.verdicts import Verdict, printable

HEADINGS = {
    Agreement.DIFFERS: "What differs",
    Agreement.PARTLY_KNOWN: "Judged on some targets only",
    Agreement.SAME: "The same everywhere",
}
SYMBOLS = {Verdict.VERIFIED: "✓", Verdict.AS_ANSWERED: "(✓)", Verdict.VIOLATED: "✗", Verdict.INCONCLUSIVE: "?"}


def print_comparison(comparison: Comparison, console: Console) -> None:
    """A table of everything that differs or is not known everywhere, and the number of rules that agree."""
    for column in comparison.columns:
        console.print(Text(f"{printable(column.name)}: {printable(column.facts)}"), soft_wrap=True)
    for note in comparison.notes():
        console.print(Text(printable(note), "yellow"), soft_wrap=True)
    for agreement in (Agreement.DIFFERS, Agreement.PARTLY_KNOWN):
        groups = list(comparison.grouped(agreement))
        if groups:
            console.print(_table(comparison, HEADINGS[agreement], agreement))
    console.print(Text(comparison.summary(), "bold"))


def _table(comparison: Comparison, title: str, agreement: Agreement) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("rule", no_wrap=True)
    for column in comparison.columns:
        table.add_column(Text(printable(column.name)))
    for name, rows in comparison.grouped(agreement):
        table.add_row(Text(name, "dim"))
        for row in rows:
            table.add_row(Text(f"  {printable(row.rule)}"), *(_told(cell) for cell in row.cells))
    return table


def _told(cell: Cell) -> Text:
    return Text(f"{symbol(cell)} {cell.short}", "dim" if cell.verdict == ABSENT else STYLE[Verdict(cell.verdict)])


def symbol(cell: Cell) -> str:
    """The verdict as one symbol."""
    return "–" if cell.verdict == ABSENT else SYMBOLS.get(Verdict(cell.verdict), "–")  # noqa: RUF001 (a dash is meant)


def as_markdown(comparison: Comparison, heading: str = "###") -> str:
    """The comparison as tables of GitHub's Markdown."""
    return "".join(_blocks(comparison, heading))


def _blocks(comparison: Comparison, heading: str) -> Iterator[str]:
    yield f"{heading} feedback-verify compare\n\n{escaped(comparison.summary())}\n\n"
    for column in comparison.columns:
        yield f"- **{escaped(column.name)}**: {escaped(column.facts)}\n"
    for note in comparison.notes():
        yield f"- {escaped(note)}\n"
    for agreement, title in HEADINGS.items():
        groups = list(comparison.grouped(agreement))
        count = sum(len(rows) for _, rows in groups)
        if not count:
            continue
        folded = agreement is Agreement.SAME
        yield f"\n<details><summary>{title}: {count}</summary>\n\n" if folded else f"\n{heading}# {title}: {count}\n\n"
        yield "| rule |" + "".join(f" {escaped(column.name)} |" for column in comparison.columns)
        yield "\n|---|" + "---|" * len(comparison.columns) + "\n"
        for name, rows in groups:
            yield f"| **{escaped(name)}** |" + " |" * len(comparison.columns) + "\n"
            for row in rows:
                cells = "".join(f" {_mark(cell)} {escaped(cell.short)} |" for cell in row.cells)
                yield f"| <code>{escaped(row.rule)}</code> |{cells}\n"
        yield "\n</details>\n" if folded else ""
        if agreement is Agreement.DIFFERS:
            yield from _seen(comparison, [row for _, rows in groups for row in rows])


def _seen(comparison: Comparison, rows: Sequence[Row]) -> Iterator[str]:
    yield "\n<details><summary>What was seen instead</summary>\n\n| rule | report | what is known |\n|---|---|---|\n"
    for row in rows:
        for column, cell in zip(comparison.columns, row.cells, strict=True):
            if cell.verdict == Verdict.VIOLATED:
                yield f"| <code>{escaped(row.rule)}</code> | {escaped(column.name)} | {escaped(cell.detail)} |\n"
    yield "\n</details>\n"


def _mark(cell: Cell) -> str:
    return "⬜" if cell.verdict == ABSENT else MARK[Verdict(cell.verdict)]


def as_html(comparison: Comparison) -> str:
    """The comparison as a page that loads and runs nothing."""
    parts = [(agreement, title, list(comparison.grouped(agreement))) for agreement, title in HEADINGS.items()]
    return page("comparison.html.j2", comparison=comparison, parts=parts, symbol=symbol, folded=Agreement.SAME)


def _write_html(comparison: Comparison, path: Path) -> None:
    write(path, as_html(comparison))


def _write_markdown(comparison: Comparison, path: Path) -> None:
    append(path, as_markdown(comparison))


WRITERS: Mapping[str, Callable[[Comparison, Path], None]] = {"html": _write_html, "markdown": _write_markdown}
