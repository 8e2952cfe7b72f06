"""What one hostile request costs the mock: `python -m benchmarks.hostile`.

Each request is sent alone to a mock in its own process, whose CPU time and memory are read from /proc, so this runs
only on Linux. Exit code 1: a request exceeded the limits, or was answered with a server error.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import httpx
from feedback_spec.profiles import PROFILES
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.running import running_mock
from tests.hostile.requests import Hostile, hostile_requests

MIB = 1024 * 1024
MOST_MILLISECONDS, MOST_MIB = 50.0, 64.0
SERVER_ERROR = 500
RESET_PEAK = "5"  # proc(5), /proc/pid/clear_refs


@dataclass(frozen=True)
class Cost:
    """What a request cost the server: milliseconds of CPU time, MiB more than when idle, the status."""

    request: Hostile
    milliseconds: float
    mib: float
    status: int

    @property
    def too_much(self) -> bool:
        """Whether it cost more than one request may, or found a bug."""
        return self.milliseconds > MOST_MILLISECONDS or self.mib > MOST_MIB or self.status >= SERVER_ERROR


class Process:
    """A process as /proc shows it."""

    def __init__(self, pid: int) -> None:
        self._path = Path("/proc") / str(pid)

    def processor(self) -> float:
        """Milliseconds of CPU time of all its threads."""
        return sum(int(each.read_text("ascii").split()[0]) for each in self._path.glob("task/*/schedstat")) / 1e6

    def forget_peak(self) -> None:
        """Resets the peak memory to the current usage."""
        (self._path / "clear_refs").write_text(RESET_PEAK, "ascii")

    def memory(self, field: str) -> float:
        """A field of its status in MiB: VmRSS is the current usage, VmHWM the peak."""
        lines = (self._path / "status").read_text("ascii").splitlines()
        return int(next(each for each in lines if each.startswith(field)).split()[1]) / 1024


class Target:
    """A mock in its own process, and its memory usage when idle."""

    def __init__(self, ready: dict[str, Any], client: httpx.Client) -> None:
        self.ready, self._client, self._process = ready, client, Process(ready["pid"])
        client.get("/_control/health")
        self._idle = self._process.memory("VmRSS")

    def cost(self, request: Hostile) -> Cost:
        """Sends the request, and returns its cost, including memory left by earlier ones."""
        self._process.forget_peak()
        began = self._process.processor()
        status = _status(self._client, request)
        return Cost(request, self._process.processor() - began, self._process.memory("VmHWM") - self._idle, status)


@contextmanager
def target(profile: str) -> Iterator[Target]:
    """A freshly started mock with the profile."""
    with (
        running_mock(profile=profile) as ready,
        httpx.Client(base_url=ready["url"], trust_env=False, timeout=120) as client,
    ):
        yield Target(ready, client)


def costs(profile: str, repeats: int) -> Iterator[Cost]:
    """What each hostile request costs a mock with the profile.

    One that seems too expensive is tried again, each time alone with a fresh mock; the minimum counts, because other
    activity can only add to the cost.
    """
    with target(profile) as shared:
        requests = hostile_requests(shared.ready, MIB)
        for request in track(requests, profile, console=Console(stderr=True), transient=True):
            found = shared.cost(request)
            for _ in range(repeats):
                if found.too_much:
                    with target(profile) as alone:
                        again = alone.cost(request)
                    least = min(found.milliseconds, again.milliseconds), min(found.mib, again.mib)
                    found = Cost(request, *least, again.status)
            yield found


def _status(client: httpx.Client, request: Hostile) -> int:
    """The status of the response; 0 if the server refused to read on and closed the connection."""
    try:
        return client.request(
            request.method, request.path, headers=list(request.headers), content=request.body
        ).status_code
    except (httpx.WriteError, httpx.ReadError):
        return 0


@click.command()
@click.option("--profile", "profiles", multiple=True, type=click.Choice(PROFILES), help="By default each of them.")
@click.option("--repeats", default=3, show_default=True, help="Tries of a request that costs too much.")
@click.option("--all", "everything", is_flag=True, help="Show every request, not only the most expensive ones.")
def main(profiles: tuple[str, ...], repeats: int, everything: bool) -> None:
    """Measure what hostile requests cost the mock; no single one may cost more than 50 ms or 64 MiB."""
    if not Path("/proc/self/clear_refs").exists():
        raise click.UsageError("This needs Linux: processor time and memory are read from /proc.")
    failed = False
    for profile in profiles or PROFILES:
        found = sorted(costs(profile, repeats), key=lambda cost: cost.milliseconds, reverse=True)
        failed |= any(each.too_much for each in found)
        _print(profile, found, len(found) if everything else 10)
    sys.exit(1 if failed else 0)


def _print(profile: str, found: list[Cost], most: int) -> None:
    largest = max(found, key=lambda cost: cost.mib)
    table = Table("request", "bytes", "status", "ms", "MiB", "", title=f"{profile}: {len(found)} requests")
    for number, each in enumerate(found):
        if number < most or each.too_much or each is largest:
            cost = (f"{each.milliseconds:.1f}", f"{each.mib:.1f}", "too much" if each.too_much else "")
            table.add_row(each.request.name, f"{len(each.request.body):,}", str(each.status or "closed"), *cost)
    Console(width=None if sys.stdout.isatty() else 120).print(table)


if __name__ == "__main__":
    main()
