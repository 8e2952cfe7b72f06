"""The memory of a mock over ten million submissions to one project: `python -m benchmarks.endurance`. Linux only.

Nearly every submission is a new record, so feedback and journal are soon full and the oldest makes room for the newest.
Exit code 1: a wrong response, or more than 5 MiB more at the end than once everything was full.
"""

import shutil
import sys

import click
from rich.console import Console
from rich.table import Table

from benchmarks.hostile import Process
from benchmarks.logic import PATH
from benchmarks.running import running_mock
from benchmarks.scale import load

MOST_MIB = 5.0
EVERY = 1_000_000
RECORDS = 10**12  # far more than requests, so that none occurs twice
SECONDS = 5


def measure(url: str, token: str, process: Process, requests: int, connections: int, table: Table) -> tuple[float, int]:
    """Adds a row per million requests; MiB more at the end than after the first million, and wrong responses."""
    total = wrong = 0
    memory: list[float] = []
    while total < requests:
        result = load(url, PATH, token, RECORDS, connections, SECONDS)
        total += result["requests"]
        wrong += result["wrong"] + result["errors"]
        if total >= min((len(memory) + 1) * EVERY, requests):
            memory.append(process.memory("VmRSS"))
            spent = process.processor() * 1000 / total
            table.add_row(f"{total:,}", f"{memory[-1]:.1f}", f"{spent:.0f}", str(wrong))
            click.echo(f"{total:,} requests, {memory[-1]:.1f} MiB", err=True)
    return memory[-1] - memory[0], wrong


@click.command()
@click.option("--requests", default=10 * EVERY, show_default=True, help="The number of submissions.")
@click.option("--connections", default=32, show_default=True, help="Connections at the same time.")
def main(requests: int, connections: int) -> None:
    """Load one project of a mock, and print its memory after each million requests."""
    if shutil.which("wrk") is None:
        raise click.UsageError("This needs wrk: install the package wrk.")
    table = Table("requests", "RSS MiB", "CPU µs per request", "wrong")
    with running_mock() as ready:
        process = Process(ready["pid"])
        table.add_row("0", f"{process.memory('VmRSS'):.1f}", "", "0")
        more, wrong = measure(ready["url"], ready["token"], process, requests, connections, table)
    Console(width=None if sys.stdout.isatty() else 100).print(table)
    click.echo(f"{more:+.1f} MiB since the first {EVERY:,} requests, at most {MOST_MIB:g} wanted")
    sys.exit(1 if wrong or more > MOST_MIB else 0)


if __name__ == "__main__":
    main()
