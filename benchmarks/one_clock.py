"""How much real time a 31-minute story on one clock takes, alone and in 64 projects at once.

`python -m benchmarks.one_clock`; exits with 1 if client and server ever disagree on when a request was.
"""

import asyncio
import sys
import time
from datetime import UTC, datetime, timedelta

import httpx
from feedback_mock import Sandbox, Server
from rich.console import Console
from rich.table import Table

from tests.mock.shared_story import differences, expected, play

START = datetime(2026, 1, 1, tzinfo=UTC)


async def stories(sandboxes: list[Sandbox]) -> tuple[float, set[timedelta]]:
    """Plays one in each; returns how many seconds it took, and by how much clients and server disagree."""
    # A sleep keeps its connection, and who waits for one is awake, which ends with its lease.
    async with httpx.AsyncClient(timeout=120, limits=httpx.Limits(max_connections=None)) as http:
        began = time.perf_counter()
        told = await asyncio.gather(*(play(each, http) for each in sandboxes))
        real = time.perf_counter() - began
    assert all(each == expected(START) for each in told)
    return real, {found for sandbox, each in zip(sandboxes, told, strict=True) for found in differences(sandbox, each)}


def main() -> int:
    """Prints a table; 1 for a difference."""
    table = Table("projects", "of their time", "requests", "real time", "greatest difference")
    found: set[timedelta] = set()
    with Server() as server:
        for projects in (1, 64):
            sandboxes = [Sandbox(server, "acme", f"clock-{number}", now=START) for number in range(projects)]
            real, differ = asyncio.run(stories(sandboxes))
            requests = sum(len(each.requests) for each in sandboxes)
            table.add_row(str(projects), "31 min", str(requests), f"{real:.2f} s", f"{max(differ).microseconds} µs")
            found |= differ
    Console().print(table)
    return int(found != {timedelta(0)})


if __name__ == "__main__":
    sys.exit(main())
