"""What a crowd of slow clients costs a normal one: `python -m benchmarks.crowd`.

The crowd keeps its connections open: most are idle, some never finish a head or a body, some read nothing of a large
response, some sleep on a clock or listen to a stream. Rounds with and without it are interleaved. Exit code 1: the
normal client's p99 is more than twice its own without the crowd, or a request was refused.
"""

import json
import resource
import socket
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import click
import httpx
from rich.console import Console
from rich.table import Table

from benchmarks.hostile import Process
from benchmarks.running import running_mock

SPARE = 200  # file descriptors
STREAMS, SLEEPS = 50, 200
SETTLED = 200.0  # milliseconds of processor time in a second
MOST = 2.0
EVENTS = [f"{number:032x}" for number in range(50)]


@dataclass(frozen=True)
class Mock:
    """A running mock with one project, whose list is long."""

    ready: dict[str, Any]
    client: httpx.Client
    process: Process

    @property
    def feedback(self) -> str:
        """The path of the project's feedback."""
        return f"/api/0/projects/{self.ready['organization']}/{self.ready['project']}/user-feedback/"

    def submit(self, event_id: str, comments: str = "It broke!") -> float:
        """Seconds that a submission takes."""
        body = {"event_id": event_id, "name": "Jane", "email": "jane@example.com", "comments": comments}
        began = time.perf_counter()
        answer = self.client.post(self.feedback, json=body, headers={"Authorization": f"Bearer {self.ready['token']}"})
        if answer.status_code != 200:
            raise click.ClickException(f"a submission was answered {answer.status_code}: {answer.text[:200]}")
        return time.perf_counter() - began

    def round(self, requests: int) -> list[float]:
        """Milliseconds of this many submissions, one after the other."""
        return sorted(self.submit(EVENTS[number % len(EVENTS)]) * 1e3 for number in range(requests))


def openings(mock: Mock, connections: int) -> Iterator[bytes]:
    """What each connection of the crowd sends."""
    project = f"/_control/projects/{mock.ready['organization']}/{mock.ready['project']}"
    large = (
        f"GET {mock.feedback} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {mock.ready['read_token']}\r\n\r\n"
    )
    sleep = '{"duration":"P1D"}'
    for number in range(connections):
        if number < STREAMS:
            yield f"GET {project}/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
        elif number < STREAMS + SLEEPS:
            head = f"POST {project}/clock/sleep HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(sleep)}\r\n\r\n"
            yield (head + sleep).encode()
        elif number % 10 == 0:
            yield large.encode() * 4
        elif number % 10 == 1:
            yield b"GET /_control/health HTTP/1.1\r\nX-Half: "
        elif number % 10 == 2:
            yield b"POST /none HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n1"
        else:
            yield b"GET /_control/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@contextmanager
def crowd(mock: Mock, connections: int) -> Iterator[None]:
    """This many connections, open until the end; nobody reads. Starts when the mock has done what it can for them."""
    address, before = (mock.ready["host"], mock.ready["port"]), 0.0
    with ExitStack() as stack:
        for opening in openings(mock, connections):
            each = stack.enter_context(socket.socket())
            each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            each.connect(address)
            each.sendall(opening)
        while mock.process.processor() - before > SETTLED:
            before = mock.process.processor()
            time.sleep(1)
        yield


@click.command()
@click.option("--connections", default=10_000, show_default=True)
@click.option("--requests", default=2_000, show_default=True, help="Of the normal client, in each round.")
@click.option("--rounds", default=3, show_default=True)
def main(connections: int, requests: int, rounds: int) -> None:
    """Measure the cost of a crowd."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most[1], most[1]))
    if connections + SPARE > most[1]:
        raise click.UsageError(f"This needs {connections + SPARE} file descriptors; ulimit -Hn says {most[1]}.")
    alone, crowded, held = [], [], []
    with running_mock() as ready, httpx.Client(base_url=ready["url"], trust_env=False, timeout=60) as client:
        mock = Mock(ready, client, Process(ready["pid"]))
        for event_id in EVENTS:
            mock.submit(event_id, "x" * 10_000)
        mock.round(requests)
        for _ in range(rounds):
            alone.append(mock.round(requests))
            with crowd(mock, connections):
                crowded.append(mock.round(requests))
                held.append(mock.process.memory("VmRSS"))
    _print(alone, crowded, f"{connections:,} connections, the mock holding {max(held):.0f} MiB")
    ratio = statistics.median(map(p99, crowded)) / statistics.median(map(p99, alone))
    sys.exit(1 if ratio > MOST else 0)


def p99(milliseconds: list[float]) -> float:
    """The 99th percentile of sorted values."""
    return milliseconds[int(len(milliseconds) * 0.99)]


def _print(alone: list[list[float]], crowded: list[list[float]], caption: str) -> None:
    table = Table("a normal client", "p50 ms", "p99 ms", "rounds", caption=caption)
    for name, rounds in (("alone", alone), ("beside the crowd", crowded)):
        p50 = statistics.median(statistics.median(each) for each in rounds)
        told = json.dumps([round(p99(each), 1) for each in rounds])
        table.add_row(name, f"{p50:.2f}", f"{statistics.median(map(p99, rounds)):.2f}", told)
    Console(width=None if sys.stdout.isatty() else 100).print(table)


if __name__ == "__main__":
    main()
