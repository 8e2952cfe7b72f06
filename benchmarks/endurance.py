"""The memory of a mock over ten million submissions to one project: `python -m benchmarks.endurance`. Linux only.

Nearly every submission is a new record, so feedback and journal are soon full and the oldest makes room for the newest.
The bound is what the mock uses when idle, and the bytes that its limits count, as its metrics show them. Exit code 1: a
wrong response, or at some time more than 5 MiB beyond the bound.
"""

import math
import shutil
import sys

import click
import httpx
from prometheus_client.parser import text_string_to_metric_families
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
COUNTED = ("feedback_mock_feedback_bytes", "feedback_mock_journal_bytes")


def counted(url: str) -> float:
    """MiB of feedback and journals, as the mock counts them."""
    text = httpx.get(f"{url}/_control/metrics", trust_env=False).text
    return sum(each.samples[0].value for each in text_string_to_metric_families(text) if each.name in COUNTED) / 2**20


def measure(url: str, token: str, process: Process, requests: int, connections: int, table: Table) -> tuple[float, int]:
    """Adds a row per million requests; at most so many MiB beyond the bound, and wrong responses."""
    total = wrong = rows = 0
    idle, most = process.memory("VmRSS") - counted(url), -math.inf
    while total < requests:
        result = load(url, PATH, token, RECORDS, connections, SECONDS)
        total += result["requests"]
        wrong += result["wrong"] + result["errors"]
        memory, bound = process.memory("VmRSS"), idle + counted(url)
        most = max(most, memory - bound)
        if total >= min((rows + 1) * EVERY, requests):
            rows += 1
            spent = process.processor() * 1000 / total
            table.add_row(f"{total:,}", f"{memory:.1f}", f"{bound:.1f}", f"{spent:.0f}", str(wrong))
            click.echo(f"{total:,} requests, {memory:.1f} MiB", err=True)
    return most, wrong


@click.command()
@click.option("--requests", default=10 * EVERY, show_default=True, help="The number of submissions.")
@click.option("--connections", default=32, show_default=True, help="Connections at the same time.")
def main(requests: int, connections: int) -> None:
    """Load one project of a mock, and print its memory after each million requests."""
    if shutil.which("wrk") is None:
        raise click.UsageError("This needs wrk: install the package wrk.")
    table = Table("requests", "RSS MiB", "its bound", "CPU µs per request", "wrong")
    with running_mock() as ready:
        process = Process(ready["pid"])
        table.add_row("0", f"{process.memory('VmRSS'):.1f}", "", "", "0")
        beyond, wrong = measure(ready["url"], ready["token"], process, requests, connections, table)
    Console(width=None if sys.stdout.isatty() else 100).print(table)
    click.echo(f"{beyond:+.1f} MiB beyond the bound at most; {MOST_MIB:g} wanted")
    sys.exit(1 if wrong or beyond > MOST_MIB else 0)


if __name__ == "__main__":
    main()
