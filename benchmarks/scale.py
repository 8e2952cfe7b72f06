"""The benefit and cost of several workers and Redis, in one run: `python -m benchmarks.scale`. Linux only.

Requests per second depend on how many cores mock, Redis and load have together; CPU time per request does not, and
shows what more cores would bring.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import httpx
from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.mock.redis_server import RedisServer, redis_server

HERE = Path(__file__).parent
MOCK = [str(Path(sys.executable).parent / "feedback-mock"), "--port", "0", "--log-format", "json", "--quiet"]
CONNECTIONS = 32
LOADS = {"5,000 records": (1, 5_000), "one record": (1, 1), "4 projects": (4, 5_000)}
"""By name: over how many projects, and how many records of each, submissions are spread."""
SETUPS = (("memory", 1), ("redis", 1), ("redis", 2), ("redis", 4))
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Measured:
    """One load on one set-up, by round: requests per second, milliseconds, and microseconds of CPU time."""

    rates: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    mock: list[float] = field(default_factory=list)
    redis: list[float] = field(default_factory=list)
    wrong: int = 0


@contextmanager
def serving(store: str, workers: int) -> Iterator[tuple[dict[str, Any], list[int]]]:
    """A mock that is ready, and its processes."""
    arguments = [*MOCK, "--store", store, "--workers", str(workers)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            ready = json.loads(process.stdout.readline() if process.stdout else "{}")
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("utf-8").split()
            yield ready, [process.pid, *map(int, children)]
        finally:
            process.terminate()


def spent(processes: list[int]) -> float:
    """Seconds of CPU time used by these processes."""
    found = 0.0
    for pid in processes:
        values = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        found += (int(values[11]) + int(values[12])) / _TICKS
    return found


def projects(ready: dict[str, Any], count: int) -> list[tuple[str, str]]:
    """This many new projects: path of the endpoint, and token."""
    found = []
    for number in range(count):
        made = httpx.put(f"{ready['control']}/projects/scale/project-{number}", trust_env=False).json()
        found.append((f"/api/0/projects/scale/project-{number}/user-feedback/", made["tokens"]["write"]))
    return found


def load(url: str, path: str, token: str, events: int, connections: int, seconds: int) -> dict[str, Any]:
    """One round of wrk: requests, seconds, wrong statuses, errors, latencies in milliseconds."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(HERE / "load.lua")]
    ran = subprocess.run([*command, url, "--", path, token, str(events)], capture_output=True, text=True, check=True)
    line = next(each for each in ran.stdout.splitlines() if each.startswith("RESULT "))
    result: dict[str, Any] = json.loads(line.removeprefix("RESULT "))
    return result


def measure(found: Measured, store: str, workers: int, name: str, seconds: int, redis: RedisServer) -> None:
    """One round."""
    count, events = LOADS[name]
    with redis.client as client:
        client.flushall()
    with serving(store, workers) as (ready, processes), ThreadPoolExecutor() as pool:
        targets = projects(ready, count)
        for path, token in targets:  # a warm-up
            load(ready["url"], path, token, events, CONNECTIONS // count, 1)
        before = spent(processes), spent([redis.pid])
        each = [
            pool.submit(load, ready["url"], path, token, events, CONNECTIONS // count, seconds)
            for path, token in targets
        ]
        results = [future.result() for future in each]
        after = spent(processes), spent([redis.pid])
    requests = sum(result["requests"] for result in results)
    found.rates.append(sum(result["requests"] / result["seconds"] for result in results))
    found.p50.append(statistics.mean(result["p50"] for result in results))
    found.p99.append(max(result["p99"] for result in results))
    found.mock.append((after[0] - before[0]) / requests * 1e6)
    found.redis.append((after[1] - before[1]) / requests * 1e6)
    found.wrong += sum(result["wrong"] + result["errors"] for result in results)


@click.command()
@click.option("--rounds", default=3, show_default=True, help="Rounds of each load on each set-up, interleaved.")
@click.option("--seconds", default=3, show_default=True, help="Length of a round.")
def main(rounds: int, seconds: int) -> None:
    """Measure one process with its memory against 1, 2 and 4 workers with one Redis."""
    for needed in ("wrk", "redis-server"):
        if shutil.which(needed) is None:
            raise click.UsageError(f"This needs {needed}: install the package of that name.")
    found = {(name, setup): Measured() for name in LOADS for setup in SETUPS}
    with redis_server() as redis:
        for _ in track(range(rounds), "rounds", console=Console(stderr=True), transient=True):
            for (name, (store, workers)), each in found.items():
                measure(each, redis.url if store == "redis" else store, workers, name, seconds, redis)
    table = Table("load", "store", "workers", "requests/s", "p50 ms", "p99 ms", "mock µs", "Redis µs", "wrong")
    for (name, (store, workers)), each in found.items():
        middle = [statistics.median(values) for values in (each.rates, each.p50, each.p99, each.mock, each.redis)]
        table.add_row(name, store, str(workers), *(f"{value:,.0f}" for value in middle), str(each.wrong))
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    sys.exit(1 if any(each.wrong for each in found.values()) else 0)


if __name__ == "__main__":
    main()
