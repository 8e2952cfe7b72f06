"""Random input of every kind for the given time: `python -m tests.fuzz`. Exit code 1: something was found.

Each batch has a seed, and `--seed N --kind NAME` runs it again. Memory is what /proc reports, on Linux only.
"""

import faulthandler
import json
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

import click
from feedback_spec.files import replace
from rich.console import Console
from rich.table import Table

from tests.fuzz.kinds import Kind, kinds
from tests.fuzz.running import batch
from tests.fuzz.schemas import DOCUMENTS, run

BATCH = 50
VARIANTS = 100
HANG = 120  # seconds that no batch exceeds
WARM = 0.3  # of the time; memory in use then may grow by at most MOST_MIB until the end
MOST_MIB = 48.0


@dataclass
class Tally:
    """The results of one kind: cases, seconds, findings."""

    cases: int = 0
    seconds: float = 0.0
    found: int = 0


def read_tallies(file: Path | None, first: int) -> tuple[int, dict[str, Tally]]:
    """The next seed, and what earlier runs counted, by kind: what `write_tallies` wrote, if anything."""
    if file is None or not file.exists():
        return first, {}
    written = json.loads(file.read_text("utf-8"))
    return written["next_seed"], {name: Tally(**each) for name, each in written["kinds"].items()}


def write_tallies(file: Path | None, seed: int, tallies: dict[str, Tally]) -> None:
    """Writes what has been counted so far, all of it or nothing."""
    if file is not None:
        kinds = {name: asdict(each) for name, each in tallies.items()}
        replace(file, json.dumps({"next_seed": seed, "kinds": kinds}, indent=2) + "\n")


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
@click.option("--cases", default=BATCH, show_default=True, help="Drawn in each batch.")
@click.option("--variants", default=VARIANTS, show_default=True, help="Of each case that was drawn.")
@click.option("--tally", "file", type=click.Path(path_type=Path), help="Go on from the counts in this file.")
def main(seconds: float, first: int, kind: str, cases: int, variants: int, file: Path | None) -> None:
    """Finds what breaks."""
    first, tallies = read_tallies(file, first)
    console, began, number, warm = Console(soft_wrap=True), time.monotonic(), first, 0.0
    with kinds() as all_kinds:
        chosen = {name: each for name, each in all_kinds.items() if name.startswith(kind)}
        tallies = {**{name: Tally() for name in chosen}, **tallies}
        while not number - first or time.monotonic() - began < seconds:
            name = min(chosen, key=lambda each: tallies[each].seconds)
            tally, started = tallies[name], time.monotonic()
            try:
                tally.cases += batch(_watched(chosen[name]), number, cases, variants)
            except Exception as error:
                tally.found += 1
                told = "".join(traceback.format_exception_only(error))
                console.print(
                    f"{name}, --seed {number} --kind '{name}' --cases {cases} --variants {variants}:\n{told}",
                    markup=False,
                )
            tally.seconds += time.monotonic() - started
            number += 1
            write_tallies(file, number, tallies)
            if not warm and time.monotonic() - began > WARM * seconds:
                warm = memory()
    for document in DOCUMENTS if not kind else ():
        _check_schema(console, tallies, document, first, max(int(seconds / 15), 1))
    write_tallies(file, number, tallies)
    grown = memory() - (warm or memory())
    _print(console, tallies, f"seeds {first} to {number - 1}; memory grew by {grown:.0f} MiB, to {memory():.0f}")
    sys.exit(1 if any(each.found for each in tallies.values()) or grown > MOST_MIB else 0)


def _watched(kind: Kind) -> Kind:
    """The kind, with a limit to the time of each case and of its variants."""

    def judging(case: Any) -> None:
        with _in_time():
            kind.judge(case)

    def varying(case: Any, random: Random, most: int) -> int:
        with _in_time():
            return kind.vary(case, random, most)

    return Kind(kind.strategy, judging, varying)


@contextmanager
def _in_time() -> Iterator[None]:
    faulthandler.dump_traceback_later(HANG, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def _check_schema(console: Console, tallies: dict[str, Tally], document: str, seed: int, examples: int) -> None:
    started = time.monotonic()
    cases, found = run(document, seed, examples)
    tally = tallies.setdefault(f"Schemathesis on {document}", Tally())
    tally.cases += cases
    tally.seconds += time.monotonic() - started
    tally.found += len(found)
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
