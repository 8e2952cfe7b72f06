"""`make mutation-units`: runs the tests of some modules on every change of them, and reports what went undetected
without a reason.

Exit code 1 if anything did, if an excused change was detected after all, or if too few were detected in a module; 2 if
it was stopped: the next run continues from there.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from random import Random

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.mutation.campaign import Campaign, Memory, judge_all
from tests.mutation.changes import Candidate, Change, candidates, changes
from tests.mutation.processes import Fate, judge
from tests.mutation.report import units_as_markdown
from tests.mutation.survivors import Reasons, read_units, unused
from tests.mutation.units import ROOT, UNITS, Unit

TARGET = 0.95
REASONS = Path(__file__).parent / "units.toml"
PAGE = ROOT / "docs" / "units.md"
MEMORY = ROOT / "build" / "units.jsonl"


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(UNITS)))
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="How many changes at the same time.")
@click.option("--write", is_flag=True, help="Write docs/units.md anew, if every change of all modules was tested.")
def main(names: tuple[str, ...], jobs: int, write: bool) -> None:
    """Run the tests of these modules, by default of all, on every change of them; changes recorded in
    build/units.jsonl are not tested again.
    """
    console, reasons, campaigns = Console(), read_units(REASONS), dict[str, Campaign]()
    MEMORY.parent.mkdir(exist_ok=True)
    found, whole = list[str](), False
    try:
        for name in names or UNITS:
            campaigns[name] = Campaign()
            found += tried(UNITS[name], campaigns[name], reasons[name], jobs, console)
        whole = True
    except KeyboardInterrupt:
        console.print(f"Stopped. The next run goes on from there: {MEMORY.relative_to(ROOT)} has what was judged.")
    if write and whole and not names:
        PAGE.write_text(units_as_markdown({UNITS[name]: each for name, each in campaigns.items()}), "utf-8")
    problems = [f"{name}: {problem}" for name, each in campaigns.items() for problem in each.problems]
    for sentence in (*problems, *found):
        click.echo(sentence)
    console.print(table(campaigns))
    if not whole:
        sys.exit(2)
    sys.exit(1 if found or problems else 0)


def tried(unit: Unit, campaign: Campaign, reasons: Reasons, jobs: int, console: Console) -> list[str]:
    """Tries every change of the unit, and returns the problems that only all of them together can show."""
    check_unchanged([unit])
    offered = track(offered_changes(unit), unit.module, console=console)
    judge_all(campaign, changes(offered), unit.task, reasons, jobs, Memory(MEMORY, unit.version))
    made = [each.change for each in campaign.judged if isinstance(each.change, Change)]
    few = campaign.share < TARGET
    return [
        *(f"{unit.module}: no change fits the reason any more: {each}" for each in unused(reasons.code, made)),
        *([f"{unit.module}: only {campaign.share:.1%} were detected; the target is {TARGET:.0%}."] if few else []),
    ]


def check_unchanged(units: Iterable[Unit]) -> None:
    """Raises ClickException if the tests of a unit detect something in its unchanged source."""
    for unit in units:
        unchanged = Change("", "", "", "", unit.source, unit.source)
        ((_, told),) = judge([unit.task(unchanged)], 1)
        if told.fate is not Fate.SURVIVED:
            raise click.ClickException(f"{unit.module} fails its tests as it is: {told.detail}")


def offered_changes(unit: Unit) -> list[Candidate]:
    """Every change of the unit, in arbitrary order, so that the first ones are of all kinds."""
    offered = candidates(unit.source)
    Random(unit.module).shuffle(offered)
    return offered


def table(campaigns: dict[str, Campaign]) -> Table:
    """How many changes of each module ended in which way, and the share of those detected that count."""
    ends = list(dict.fromkeys(end for each in campaigns.values() for end in each.fates))
    shown = Table("module", *ends, "detected")
    for name, each in campaigns.items():
        shown.add_row(UNITS[name].module, *(str(each.fates[end]) for end in ends), f"{each.share:.1%}")
    return shown


if __name__ == "__main__":
    main()
