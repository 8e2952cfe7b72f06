"""What plain Schemathesis and `feedback-verify` each find in the same broken servers: `python -m benchmarks.detection`.

The correct server is the baseline of both: only what is not reported for it counts. `benchmarks.schemathesis_runs` says
what Schemathesis is given; a yes means that it reported anything at all, not that it named the rule.
"""

import sys
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import click
from feedback_spec.document import Document, load
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks.running import verify
from benchmarks.schemathesis_runs import configuration, findings
from tests.broken.mutants import MUTANTS, Mutant
from tests.broken.server import Implementation
from tests.broken.serving import serving

EXAMPLES, QUICK_EXAMPLES = 100, 20
QUICK = ("EventWindowTooLong", "OverwriteWindowSlides", "NameOneLonger", "CredentialsIgnored", "BrokenJsonIs500")


@dataclass
class Found:
    """What each tool reports about one server, and the seconds it took."""

    schemathesis: frozenset[str] = frozenset()
    ours: frozenset[str] = frozenset()
    seconds: dict[str, float] = field(default_factory=dict)


def examine(kind: type[Implementation], document: Document, examples: int) -> Found:
    """Runs both tools, each against a server of its own. Raises RuntimeError if a tool itself fails."""
    found = Found()
    with tempfile.TemporaryDirectory(prefix="feedback-benchmark-") as folder:
        began = time.perf_counter()
        found.schemathesis = findings(kind, document, examples, Path(folder))
        found.seconds["schemathesis"] = time.perf_counter() - began
    with serving(kind().app()) as url:
        ran = verify(url, "--control", url, "--seed", "1")
    if ran.code not in (0, 1, 3):
        raise RuntimeError(f"feedback-verify ended with {ran.code}: {ran.said[-800:]}")
    found.ours = frozenset(ran.rules("violated"))
    found.seconds["ours"] = ran.seconds
    return found


@click.command()
@click.option("--only", metavar="NAME", multiple=True, help="Only this broken server; may be repeated.")
@click.option("--quick", is_flag=True, help=f"{len(QUICK)} broken servers, {QUICK_EXAMPLES} examples.")
@click.option("--examples", default=EXAMPLES, show_default=True, help="Schemathesis: examples per operation.")
@click.option("--jobs", default=2, show_default=True, help="Servers examined at the same time.")
def main(only: tuple[str, ...], quick: bool, examples: int, jobs: int) -> None:
    """Compare what plain Schemathesis and feedback-verify find in the broken servers of tests/broken."""
    names = only or (QUICK if quick else tuple(each.name for each in MUTANTS))
    wanted = [each for each in MUTANTS if each.name in names]
    if unknown := sorted(set(only) - {each.name for each in wanted}):
        known = ", ".join(each.name for each in MUTANTS)
        raise click.UsageError(f'There is no broken server "{unknown[0]}"; there are {known}.')
    examples = QUICK_EXAMPLES if quick else examples
    document = load()
    console = Console(width=None if sys.stdout.isatty() else 120)
    done, baseline = _examine_all(wanted, document, examples, jobs)
    if baseline is None:
        raise click.ClickException("Stopped before the correct server was examined; nothing can be compared.")
    _print(console, document, done, baseline)
    _print_conditions(console, baseline, examples)
    sys.exit(0 if len(done) == len(wanted) else 1)


def _examine_all(
    wanted: list[Mutant], document: Document, examples: int, jobs: int
) -> tuple[dict[str, Found], Found | None]:
    """The findings for each broken server by name, and for the correct one; Ctrl-C ends it with those so far."""
    done: dict[str, Found] = {}
    columns = (TextColumn("{task.description:40}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    pool = ThreadPoolExecutor(jobs)
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Implementation (sound)", total=len(wanted) + 1)
        kinds: dict[str, type[Implementation]] = {
            "": Implementation,
            **{each.name: each.implementation for each in wanted},
        }
        futures: dict[Future[Found], str] = {
            pool.submit(examine, kind, document, examples): name for name, kind in kinds.items()
        }
        try:
            for future in as_completed(futures):
                done[futures[future]] = future.result()
                bar.update(task, advance=1, description=futures[future])
        except KeyboardInterrupt:
            click.echo("Stopped; results so far:", err=True)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return done, done.pop("", None)


def _print(console: Console, document: Document, done: dict[str, Found], baseline: Found) -> None:
    table = Table("broken server", "rules that it breaks", "time rule", "Schemathesis", "feedback-verify")
    totals = {True: [0, 0, 0], False: [0, 0, 0]}
    named = 0
    for mutant in (each for each in MUTANTS if each.name in done):
        found = done[mutant.name]
        timed = is_timed(document, mutant)
        seen = bool(found.schemathesis - baseline.schemathesis), bool(found.ours - baseline.ours)
        named += mutant.rule in found.ours - baseline.ours
        totals[timed] = [old + new for old, new in zip(totals[timed], (1, *seen), strict=True)]
        rules = ", ".join((mutant.rule, *sorted(mutant.also)))
        table.add_row(mutant.name, rules, "yes" if timed else "", *("yes" if each else "no" for each in seen))
    table.add_section()
    everything = [sum(both) for both in zip(totals[True], totals[False], strict=True)]
    for name, counts in (("of time rules", totals[True]), ("of other rules", totals[False]), ("all", everything)):
        table.add_row(f"{counts[0]} {name}", "", "", *(f"{each} found" for each in counts[1:]))
    console.print(table)
    console.print(f"feedback-verify names the rule that was broken in {named} of {everything[0]}.")
    for tool, name in (("schemathesis", "Schemathesis"), ("ours", "feedback-verify")):
        spent = [each.seconds[tool] for each in (baseline, *done.values())]
        console.print(f"{name}: {sum(spent):.0f} s in total, {sum(spent) / len(spent):.1f} s per server.")


def is_timed(document: Document, mutant: Mutant) -> bool:
    """Whether the rule that it breaks is one of the windows."""
    return document.rules[mutant.rule].group == "windows"


def _print_conditions(console: Console, baseline: Found, examples: int) -> None:
    console.print(
        f"For the correct server, Schemathesis reports {sorted(baseline.schemathesis) or 'nothing'}, ", end=""
    )
    console.print(f"feedback-verify {sorted(baseline.ours) or 'nothing'}; neither is counted.")
    packages = ("schemathesis", "hypothesis", "sentry-feedback-contract")
    console.print(", ".join(f"{name} {version(name)}" for name in packages) + f", Python {sys.version.split()[0]}")
    console.print(
        "schemathesis run DOCUMENT --url URL, by bearer token, then by DSN (--include-method POST), each with"
    )
    for kind in ("bearer", "dsn"):
        console.print(f"\n# {kind}", configuration(kind, "TOKEN", "DSN", examples), sep="", markup=False)


if __name__ == "__main__":
    main()
