"""Lives of projects, many at a time, on a mock of their own: `python -m tests.soak --minutes 30`.

Exit code 1: something was lost or logged as an error, or the mock's memory grew. Linux only.
"""

import asyncio
import statistics
import sys
import time
from dataclasses import dataclass, field

import click
import httpx
from rich.console import Console

from benchmarks.hostile import Process
from benchmarks.running import running_mock
from tests.soak.life import Figures, Life

WARM = 0.2  # of the time, after which memory may grow by at most MOST_MIB
MOST_MIB = 24.0


@dataclass
class Soak:
    """Workers that live one life after the other until time is up, and the mock's memory every second."""

    url: str
    process: Process
    ends: float
    figures: Figures = field(default_factory=Figures)
    held: list[float] = field(default_factory=list)

    async def run(self, workers: int) -> None:
        """All workers at once. Raises Lost."""
        async with asyncio.TaskGroup() as group:
            for number in range(workers):
                group.create_task(self._work(number))
            group.create_task(self._watch())

    async def _work(self, number: int) -> None:
        lives = 0
        async with httpx.AsyncClient(base_url=self.url, timeout=30, trust_env=False) as client:
            while time.monotonic() < self.ends:
                await Life(client, f"{number}-{lives % 7}", number * 1_000_000 + lives, self.figures).live()
                lives += 1

    async def _watch(self) -> None:
        while time.monotonic() < self.ends:
            self.held.append(self.process.memory("VmRSS"))
            await asyncio.sleep(1)


@click.command()
@click.option("--minutes", default=30.0, show_default=True)
@click.option("--workers", default=12, show_default=True, help="How many projects live at a time.")
def main(minutes: float, workers: int) -> None:
    """Loads a mock and holds it to its answers."""
    with running_mock() as ready:
        soak = Soak(ready["url"], Process(ready["pid"]), time.monotonic() + minutes * 60)
        asyncio.run(soak.run(workers))
    warm = soak.held[int(len(soak.held) * WARM)]
    grown, seconds = max(soak.held[-10:]) - warm, sorted(soak.figures.seconds)
    Console(soft_wrap=True).print(
        f"{len(seconds):,} requests in {minutes:g} min, {len(seconds) / minutes / 60:,.0f} a second; "
        f"{soak.figures.lives:,} projects lived and lost nothing; median {statistics.median(seconds) * 1e3:.1f} ms, "
        f"p99 {seconds[int(len(seconds) * 0.99)] * 1e3:.1f} ms; {soak.figures.statuses}; "
        f"memory {warm:.0f} MiB when warm, {grown:+.1f} at the end, {max(soak.held):.0f} at most"
    )
    sys.exit(1 if grown > MOST_MIB else 0)


if __name__ == "__main__":
    main()
