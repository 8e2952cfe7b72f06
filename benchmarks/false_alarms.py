"""Whether a conforming server is ever said to violate a rule: `python -m benchmarks.false_alarms`.

The mock, on the exact clock with one seed after the other, then by real waiting while every core is kept busy.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.running import Verification, provider_states, real_time_flags, running_mock, verify
from tests.scaled import scaled

EVENT, OVERWRITE = 30, 5
VERDICTS = ("verified", "violated", "inconclusive", "not verifiable here", "not run")


@contextmanager
def busy(cores: int) -> Iterator[None]:
    """Keeps this many cores busy with processes that do nothing else."""
    spinning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(cores)]
    try:
        yield
    finally:
        for each in spinning:
            each.kill()
            each.wait()


def exact(seeds: int, jobs: int) -> Iterator[tuple[str, Verification]]:
    """Whole verifications on the exact clock of one mock, `jobs` at the same time."""
    with running_mock() as ready, ThreadPoolExecutor(jobs) as pool:
        url = ready["url"]
        runs = pool.map(lambda seed: verify(url, "--control", url, "--seed", str(seed)), range(seeds))
        for seed, run in enumerate(runs):
            yield f"exact clock, seed {seed}", run


def waiting(runs: int, cores: int, folder: Path) -> Iterator[tuple[str, Verification]]:
    """Whole verifications by real waiting, each of its own mock, while the cores are busy."""
    spec = scaled(folder / "scaled.yaml", EVENT, OVERWRITE)
    for seed in range(runs):
        with busy(cores), running_mock(spec) as ready, provider_states(ready) as states:
            yield f"real time, seed {seed}", verify(*real_time_flags(ready, states, spec), "--seed", str(seed))


@click.command()
@click.option("--seeds", default=50, show_default=True, help="Runs on the exact clock.")
@click.option("--real-time", default=5, show_default=True, help="Runs by waiting, on a busy machine.")
@click.option("--busy", "cores", default=os.cpu_count() or 1, show_default="one a core", help="Busy processes.")
@click.option("--jobs", default=2, show_default=True, help="Runs on the exact clock at the same time.")
def main(seeds: int, real_time: int, cores: int, jobs: int) -> None:
    """Verify the mock again and again; exit code 1 if any run says that a rule is violated, or fails."""
    done: list[tuple[str, Verification]] = []
    progress = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="feedback-benchmark-") as folder:
        try:
            for each in track(exact(seeds, jobs), "exact clock", seeds, console=progress, transient=True):
                done.append(each)  # noqa: PERF402 (Ctrl-C keeps what is there)
            runs = waiting(real_time, cores, Path(folder))
            for each in track(runs, "real time", real_time, console=progress, transient=True):
                done.append(each)  # noqa: PERF402 (an interrupt keeps what is done)
        except KeyboardInterrupt:
            click.echo("Stopped; results so far:", err=True)
    _print(done)
    wrong = [name for name, run in done if run.code not in (0, 3)]
    click.echo(f"{len(done)} runs, {len(wrong)} with a violation or without a result{': ' if wrong else '.'}", nl=False)
    click.echo(", ".join(wrong))
    sys.exit(1 if wrong or len(done) < seeds + real_time else 0)


def _print(done: list[tuple[str, Verification]]) -> None:
    table = Table("run", *VERDICTS, "exit code", "seconds", "not decided")
    for name, run in done:
        counts = run.counts()
        told = {**run.rules("violated"), **run.rules("inconclusive")}
        said = "; ".join(f"{rule}: {detail}" for rule, detail in told.items()) or run.said[-300:] * (not counts)
        numbers = (str(counts.get(verdict, 0)) for verdict in VERDICTS)
        table.add_row(name, *numbers, str(run.code), f"{run.seconds:.1f}", said)
    Console(width=None if sys.stdout.isatty() else 160).print(table)


if __name__ == "__main__":
    main()
