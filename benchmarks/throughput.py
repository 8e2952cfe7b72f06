"""Requests per second and the time to the first response, as ratios of one run: `python -m benchmarks.throughput`.

The server has one core and the load (wrk) another, rounds are interleaved, every status is checked. CPU time is that of
the server, in the round in which it was lowest.
"""

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import truediv
from pathlib import Path
from typing import Any

import click
import httpx
from rich.console import Console
from rich.progress import track
from rich.table import Table
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from benchmarks import peers
from benchmarks.hostile import Process
from benchmarks.logic import PATH, TOKEN

HERE = Path(__file__).parent
PROGRAMS = Path(sys.executable).parent
UVICORN = [sys.executable, "-m", "uvicorn", "--loop", "uvloop", "--http", "httptools", "--log-level", "error"]
TARGETS = {"journal": 0.9, "bare": 0.75, "stock": 8.0, "start": 0.4}


@dataclass
class Contender:
    """A server: its command except for the port, and its measurements."""

    name: str
    command: list[str]
    token: str = TOKEN
    folder: Path = HERE.parent
    environment: dict[str, str] = field(default_factory=dict)
    rates: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    wrong: int = 0
    absent: str | None = None


def contenders(before: Path | None) -> list[Contender]:
    """The mock as it ships, and the servers with which it is compared; one of them may be an earlier mock."""
    mock = [str(PROGRAMS / "feedback-mock"), "--log-format", "json", "--quiet"]
    found = [
        Contender("mock", mock, token=_mock_token(mock)),
        Contender(
            "mock without journal", [sys.executable, "-m", "benchmarks.unjournaled", *mock[1:]], token=_mock_token(mock)
        ),
        Contender("stock Connexion", [*UVICORN, "benchmarks.stock:app"]),
        Contender("bare ASGI function", [*UVICORN, "benchmarks.bare:app"]),
    ]
    if before is not None:
        earlier = [str(before / ".venv" / "bin" / "feedback-mock"), "--log-format", "json"]
        found.append(Contender("mock before", earlier, token=_mock_token(earlier), folder=before))
    others = [
        Contender(each.name, each.command, environment=each.environment, absent=each.absent) for each in peers.peers()
    ]
    return [*found, *others]


def _mock_token(command: list[str]) -> str:
    with subprocess.Popen([*command, "--port", "0"], stdout=subprocess.PIPE, text=True) as process:
        ready: dict[str, Any] = json.loads(process.stdout.readline() if process.stdout else "{}")
        process.terminate()
    return str(ready["token"])


@contextmanager
def running(contender: Contender, core: int) -> Iterator[tuple[str, Process]]:
    """Starts the server on a core; records the time to its first response."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    began = time.perf_counter()
    process = subprocess.Popen(
        ["taskset", "-c", str(core), *contender.command, "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=contender.folder,
        env={**os.environ, **contender.environment},
    )
    url = f"http://127.0.0.1:{port}"
    body = {"event_id": "e" * 32, "name": "Jane", "email": "jane@example.com", "comments": "It broke!"}
    headers = {"Authorization": f"Bearer {contender.token}"}
    retrying = Retrying(
        stop=stop_after_delay(60), wait=wait_fixed(0.005), retry=retry_if_exception_type(httpx.TransportError)
    )
    try:
        with httpx.Client(trust_env=False) as client:
            answer = retrying(client.post, url + PATH, json=body, headers=headers)
        contender.starts.append(time.perf_counter() - began)
        if answer.status_code != 200:
            raise click.ClickException(f"{contender.name} answered {answer.status_code}: {answer.text[:200]}")
        yield url, Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def load(contender: Contender, url: str, connections: int, seconds: int, core: int) -> dict[str, Any]:
    """One round of wrk: requests, seconds, wrong statuses, errors, latencies in milliseconds."""
    command = [
        "taskset",
        "-c",
        str(core),
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "--latency",
        "-s",
        str(HERE / "load.lua"),
    ]
    ran = subprocess.run(
        [*command, url, "--", PATH, contender.token, "5000"], capture_output=True, text=True, check=True
    )
    line = next(each for each in ran.stdout.splitlines() if each.startswith("RESULT "))
    result: dict[str, Any] = json.loads(line.removeprefix("RESULT "))
    return result


@click.command()
@click.option("--rounds", default=5, show_default=True, help="Rounds of each server; the first is a warm-up.")
@click.option("--seconds", default=3, show_default=True, help="Length of a round.")
@click.option("--quick", is_flag=True, help="Two rounds of a second each.")
@click.option("--connections", default=16, show_default=True, help="Connections at the same time.")
@click.option(
    "--before",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A checkout of an earlier commit with its .venv, whose mock is measured too.",
)
@click.option("--peers", "others", is_flag=True, help="Install Prism, openapi-backend, WireMock and FastAPI first.")
def main(rounds: int, seconds: int, quick: bool, connections: int, before: Path | None, others: bool) -> None:
    """Measure the mock against a bare ASGI function, stock Connexion and other servers, in one interleaved run."""
    for needed, package in (("wrk", "wrk"), ("taskset", "util-linux")):
        if shutil.which(needed) is None:
            raise click.UsageError(f"This needs {needed}: install the package {package}.")
    if (os.cpu_count() or 1) < 2:
        raise click.UsageError("This needs two cores: one for the server and one for the load.")
    rounds, seconds = (2, 1) if quick else (rounds, seconds)
    if others:
        peers.install()
    found = contenders(before)
    present = [each for each in found if each.absent is None]
    try:
        for number in track(range(rounds), "rounds", console=Console(stderr=True), transient=True):
            for each in present:
                with running(each, core=0) as (url, process):
                    used = process.processor()
                    result = load(each, url, connections, seconds, core=1)
                    used = (process.processor() - used) * 1000 / result["requests"]
                each.wrong += result["wrong"] + result["errors"]
                if number:
                    each.rates.append(result["requests"] / result["seconds"])
                    each.processor.append(used)
                    each.p50.append(result["p50"])
                    each.p99.append(result["p99"])
    except KeyboardInterrupt:
        click.echo("Stopped; results so far:", err=True)
    _print(found)
    sys.exit(1 if any(each.wrong for each in present) else 0)


def _print(found: list[Contender]) -> None:
    mock = found[0]
    columns = ("requests/s", "the mock is", "CPU µs per request", "p50 ms", "p99 ms", "first answer s", "wrong")
    table = Table("server", *columns)
    for each in found:
        if not each.rates:
            table.add_row(each.name, each.absent or "not measured")
            continue
        table.add_row(
            each.name,
            f"{statistics.median(each.rates):,.0f}",
            f"{_ratio(mock, each):.2f} times as fast",
            f"{min(each.processor):.1f}",
            f"{statistics.median(each.p50):.2f}",
            f"{statistics.median(each.p99):.2f}",
            f"{statistics.median(each.starts):.3f}",
            str(each.wrong),
        )
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(table)
    if all(each.rates for each in found[:4]):
        _print_targets(console, *found[:4])


def _ratio(mock: Contender, other: Contender) -> float:
    """How many times as fast the mock is, compared within each round, as the machine changes between rounds."""
    ratios: list[float] = list(map(truediv, mock.rates, other.rates))
    return statistics.median(ratios)


def _print_targets(
    console: Console, mock: Contender, unjournaled: Contender, stock: Contender, bare: Contender
) -> None:
    of_unjournaled, of_bare, of_stock = (_ratio(mock, each) for each in (unjournaled, bare, stock))
    of_bare_by_processor = min(bare.processor) / min(mock.processor)
    start = statistics.median(mock.starts)
    for said, met in (
        (
            f"{of_unjournaled:.2f} of itself without journal, wanted {TARGETS['journal']}",
            of_unjournaled >= TARGETS["journal"],
        ),
        (f"{of_bare:.2f} of the bare function, wanted {TARGETS['bare']}", of_bare >= TARGETS["bare"]),
        (
            f"{of_bare_by_processor:.2f} of it by CPU time, which other work on this machine disturbs less",
            of_bare_by_processor >= TARGETS["bare"],
        ),
        (f"{of_stock:.1f} times stock Connexion, wanted {TARGETS['stock']:g}", of_stock >= TARGETS["stock"]),
        (f"first response after {start:.3f} s, wanted {TARGETS['start']} s", start <= TARGETS["start"]),
    ):
        console.print(f"{'met   ' if met else 'missed'} {said}")


if __name__ == "__main__":
    main()
