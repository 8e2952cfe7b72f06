"""Random input of every kind for the given time: `python -m tests.fuzz`. Exit code 1: something was found.

Each batch has a seed, and `--seed N --kind NAME --cases C` runs it again. Memory is what /proc reports, on Linux only.
"""

import faulthandler
import sys
import time
import traceback
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from tests.fuzz.kinds import Judge, kinds
from tests.fuzz.running import batch
from tests.fuzz.schemas import DOCUMENTS, run

BATCH = 250
HANG = 120  # seconds that no batch exceeds
WARM = 0.3  # of the time; memory in use then may grow by at most MOST_MIB until the end
MOST_MIB = 48.0


@dataclass
class Tally:
    """The results of one kind: cases, seconds, findings."""

    cases: int = 0
    seconds: float = 0.0
    found: int = 0


def memory() -> float:
    """MiB in use by this process."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return int(next(each for each in lines if each.startswith("VmRSS")).split()[1]) / 1024


@click.command()
@click.option("--seconds", default=300.0, show_default=True, help="How long.")
@click.option(
    "--seed", "first", default=1, show_default=True, help="The seed of the first batch; the next has the next."
)
@click.option("--kind", default="", metavar="NAME", help="Only the kind whose name begins so.")
@click.option("--cases", default=BATCH, show_default=True, help="In each batch.")
def main(seconds: float, first: int, kind: str, cases: int) -> None:
    """Finds what breaks."""
    tallies: dict[str, Tally] = {}
    console, began, number, warm = Console(soft_wrap=True), time.monotonic(), first, 0.0
    with kinds() as all_kinds:
        chosen = {name: each for name, each in all_kinds.items() if name.startswith(kind)}
        tallies = {name: Tally() for name in chosen}
        while not number - first or time.monotonic() - began < seconds:
            name = min(tallies, key=lambda each: tallies[each].seconds)
            tally, started = tallies[name], time.monotonic()
            strategy, judge = chosen[name]
            try:
                tally.cases += batch(strategy, partial(_watched, judge), number, cases)
            except Exception as error:
                tally.found += 1
                told = "".join(traceback.format_exception_only(error))
                console.print(f"{name}, --seed {number} --kind '{name}' --cases {cases}:\n{told}", markup=False)
            tally.seconds += time.monotonic() - started
            number += 1
            if not warm and time.monotonic() - began > WARM * seconds:
                warm = memory()
    for document in DOCUMENTS if not kind else ():
        _check_schema(console, tallies, document, first, max(int(seconds / 15), 1))
    grown = memory() - (warm or memory())
    _print(console, tallies, f"seeds {first} to {number - 1}; memory grew by {grown:.0f} MiB, to {memory():.0f}")
    sys.exit(1 if any(each.found for each in tallies.values()) or grown > MOST_MIB else 0)


def _watched(judge: Judge, case: Any) -> None:
    faulthandler.dump_traceback_later(HANG, exit=True)
    try:
        judge(case)
    finally:
        faulthandler.cancel_dump_traceback_later()


def _check_schema(console: Console, tallies: dict[str, Tally], document: str, seed: int, examples: int) -> None:
    started = time.monotonic()
    cases, found = run(document, seed, examples)
    tallies[f"Schemathesis on {document}"] = Tally(cases, time.monotonic() - started, len(found))
    for each in found:
        console.print(each, markup=False)


def _print(console: Console, tallies: dict[str, Tally], caption: str) -> None:
    table = Table(caption=caption)
    for column in ("kind", "cases", "cases a minute", "found"):
        table.add_column(column, justify="left" if column == "kind" else "right")
    for name, each in tallies.items():
        rate = each.cases / each.seconds * 60 if each.seconds else 0
        table.add_row(name, f"{each.cases:,}", f"{rate:,.0f}", str(each.found))
    console.print(table)


if __name__ == "__main__":
    main()
