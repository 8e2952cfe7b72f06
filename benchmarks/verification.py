"""How long a verification takes, compared with its limits: `python -m benchmarks.verification`.

Each is run as users run it, including program startup. On a machine that does other work as well, compare wall clock
and CPU time.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import click
from feedback_spec.document import load
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.running import Verification, provider_states, real_time_flags, running_mock, timed_rules, verify
from tests.scaled import scaled
from tests.targets import example

EXACT, IN_PROCESS, BEYOND = 20.0, 10.0, 3.0
SEED = ("--seed", "1")


@dataclass
class Measured:
    """One way to verify, its limit in seconds (None: printed only), and its runs."""

    name: str
    run: Callable[[], Verification]
    limit: float | None
    runs: list[Verification] = field(default_factory=list)

    @property
    def best(self) -> Verification:
        """The fastest run: the others were slowed down by other work."""
        return min(self.runs, key=lambda run: run.seconds)

    @property
    def met(self) -> bool:
        """Whether the limit is met; True if there is none."""
        return self.limit is None or self.best.seconds <= self.limit


def measurements(event: int, overwrite: int, folder: Path) -> Iterator[Measured]:
    """Every way to verify that has a limit; the windows of the real-time run in seconds."""
    spec = scaled(folder / "scaled.yaml", event, overwrite)
    limit = event + BEYOND
    yield Measured("exact clock over HTTP, its own mock", partial(verify, *SEED), EXACT)
    yield Measured("exact clock over HTTP, --control", _controlled, EXACT)
    yield Measured("in process, --app", _in_process, IN_PROCESS)
    yield Measured(f"real time, windows {overwrite} s and {event} s", partial(_waiting, spec, True), limit)
    yield Measured("the same, with all that needs no waiting", partial(_waiting, spec, False), None)


def _controlled() -> Verification:
    with running_mock() as ready:
        return verify(ready["url"], "--control", ready["url"], *SEED)


def _in_process() -> Verification:
    place = ["--organization", example.ORGANIZATION, "--project", example.PROJECT]
    credentials = ["--token", example.TOKEN, "--read-token", example.READ_TOKEN]
    credentials += ["--dsn", example.DSN, "--other-dsn", example.OTHER_DSN]
    application = ["--app", "tests.targets.example:app", "--seed-callable", "tests.targets.example:seed"]
    return verify(*application, *place, *credentials, *SEED)


def _waiting(spec: Path, timed_only: bool) -> Verification:
    rules = ["--rules", timed_rules(spec)] if timed_only else []
    with running_mock(spec) as ready, provider_states(ready) as states:
        return verify(*real_time_flags(ready, states, spec), *rules, *SEED)


@click.command()
@click.option("--rounds", default=1, show_default=True, help="Runs of each; the fastest counts.")
@click.option("--quick", is_flag=True, help="Real time with windows of 1 and 3 seconds.")
def main(rounds: int, quick: bool) -> None:
    """Measure verifications on the exact clock, in process and in real time; exit code 1 if a limit is missed."""
    event, overwrite = (3, 1) if quick else (30, 5)
    done: list[Measured] = []
    with tempfile.TemporaryDirectory(prefix="feedback-benchmark-") as folder:
        ways = list(measurements(event, overwrite, Path(folder)))
        try:
            for way in track(ways, "verifications", console=Console(stderr=True), transient=True):
                for _ in range(rounds):
                    way.runs.append(way.run())
                    if way.runs[-1].code not in (0, 3):
                        raise click.ClickException(f"{way.name}: the run failed.\n{way.runs[-1].said}")
                done.append(way)
        except KeyboardInterrupt:
            click.echo("Stopped; results so far:", err=True)
    _print(done)
    sys.exit(0 if all(each.met for each in done) and len(done) == len(ways) else 1)


def _print(done: list[Measured]) -> None:
    table = Table("verification", "seconds", "processor s", "limit s", "", "verdicts")
    for each in done:
        verdicts = ", ".join(f"{count} {verdict}" for verdict, count in each.best.counts().items())
        limit = ("", "") if each.limit is None else (f"{each.limit:g}", "met" if each.met else "missed")
        table.add_row(each.name, f"{each.best.seconds:.2f}", f"{each.best.processor:.2f}", *limit, verdicts)
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(table)
    console.print(f"{len(load().rules)} rules; a real-time run may take {BEYOND:g} s longer than its long window")


if __name__ == "__main__":
    main()
