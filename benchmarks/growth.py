"""What the size of a mock's state costs: `python -m benchmarks.growth`.

Requests go to the application in this process, without sockets: microseconds of CPU time, the lowest of several
batches. Bytes are what the process grew by. A table for the number of projects, one for the records of a project, and
one for a server whose bounds are reached.
"""

import gc
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import count
from os import getpid
from typing import Any

import click
from feedback_mock import Mock, create_app
from feedback_mock.store import Event, Limits, Project
from feedback_spec.document import load
from rich.console import Console
from rich.table import Table

from benchmarks.hostile import MIB, Process

BATCHES, EACH = 20, 25
MANY = 1_000  # with fewer, the bytes of each are lost in the noise
SUCCESS = range(200, 300)
VERY_MANY = 1 << 50
FILLING = 10_000
"""More submissions than have room."""
ROOMY = Limits(
    projects=VERY_MANY,
    feedback=VERY_MANY,
    feedback_characters=VERY_MANY,
    all_feedback=VERY_MANY,
    all_request_bytes=VERY_MANY,
    events=VERY_MANY,
    all_events=VERY_MANY,
)


def ask(mock: Mock, method: str, path: str, token: str, body: object = None, status: int | None = None) -> None:
    """Sends a request, whose response must have this status; nothing that the mock does for it awaits."""
    answer: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"" if body is None else json.dumps(body).encode()}

    async def send(message: Any) -> None:
        answer.append(message)

    headers = [(b"host", b"localhost"), (b"content-type", b"application/json"), (b"authorization", token.encode())]
    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b""}
    with suppress(StopIteration):
        mock({**scope, "http_version": "1.1", "headers": headers, "client": None}, receive, send).send(None)
    assert answer[0]["status"] in ({status} if status else SUCCESS), (answer[0]["status"], answer[1]["body"])


def spent(act: Callable[[], object], batches: int = BATCHES, each: int = EACH) -> float:
    """Microseconds of CPU time of one act: the lowest mean of a batch."""
    found = []
    for _ in range(batches):
        began = time.process_time()
        for _ in range(each):
            act()
        found.append((time.process_time() - began) / each * 1e6)
    return min(found)


class Grown:
    """A mock with as many projects, or as many records in its default project, as asked for."""

    def __init__(self, profile: str, limits: Limits = ROOMY) -> None:
        self.mock = create_app(load(profile=profile), limits=limits)
        self.project = self.mock.default_project
        self.next = count()

    def make_projects(self, total: int) -> None:
        """Makes projects up to this number."""
        store = self.mock.store
        while len(store.projects) < total:
            store.put_project(f"organization-{len(store.projects) % 100}", f"made-{next(self.next)}", store.new_clock())

    def submit(self, project: Project, event_id: str, by_ids: bool = False) -> None:
        """POSTs feedback, to a path with slugs or with numbers."""
        organization, slug = project.organization, project.slug
        if by_ids:
            organization, slug = self.mock.store.organizations[organization], project.id
        body = {"event_id": event_id, "name": "Jane Smith", "email": "jane@example.com", "comments": "It broke!"}
        path = f"/api/0/projects/{organization}/{slug}/user-feedback/"
        ask(self.mock, "POST", path, f"Bearer {project.credentials.tokens['write']}", body)

    def list(self, mock: Mock) -> None:
        """GETs the first page from a mock with this state."""
        path = f"/api/0/projects/{self.project.organization}/{self.project.slug}/user-feedback/"
        ask(mock, "GET", path, f"Bearer {self.project.credentials.tokens['read']}")

    def new_id(self) -> str:
        """The id of an event that has no feedback yet."""
        return f"{next(self.next):032x}"


def by_projects(sizes: list[int]) -> Iterator[tuple[str | float, ...]]:
    """A row for each number of projects."""
    for size in sizes:
        gc.collect()
        process = Process(getpid())
        grown, before = Grown("sentry-latest"), process.memory("VmRSS")
        grown.make_projects(size)
        bytes_each = (process.memory("VmRSS") - before) * MIB / size
        projects = list(grown.mock.store)
        middle, names, gone = projects[len(projects) // 2], count(), count()

        def make(grown: Grown = grown, names: Iterator[int] = names) -> None:
            ask(grown.mock, "PUT", f"/_control/projects/new/new-{next(names)}", "", {})

        def delete(grown: Grown = grown, gone: Iterator[int] = gone) -> None:
            ask(grown.mock, "DELETE", f"/_control/projects/new/new-{next(gone)}", "")

        yield (
            f"{size:,}",
            spent(lambda: grown.submit(middle, "e" * 32)),  # noqa: B023 (called at once)
            spent(lambda: grown.submit(middle, "e" * 32, by_ids=True)),  # noqa: B023 (called at once)
            spent(make),
            spent(delete),
            f"{bytes_each:,.0f}" if size >= MANY else "",
        )


def by_records(sizes: list[int]) -> Iterator[tuple[str | float, ...]]:
    """A row for each number of records."""
    for size in sizes:
        gc.collect()
        process = Process(getpid())
        grown, before = Grown("documented"), process.memory("VmRSS")
        project, now = grown.project, grown.project.clock.now()
        for _ in range(size):
            project.store(grown.new_id(), "Jane Smith", "jane@example.com", "It broke!", now)
        bytes_each = (process.memory("VmRSS") - before) * MIB / size
        for event_id in tuple(project.feedback):
            project.save_event(Event(event_id, now, now, "It broke!", None, "unresolved", 1))
        moving = create_app(load(profile="sentry-9.1"), state=grown.mock)
        yield (
            f"{size:,}",
            spent(lambda: grown.submit(project, grown.new_id())),  # noqa: B023 (called at once)
            spent(lambda: grown.submit(project, "0" * 32)),  # noqa: B023 (called at once)
            spent(lambda: grown.list(grown.mock), batches=3, each=1),  # noqa: B023 (called at once)
            spent(lambda: grown.list(moving), batches=3, each=1),  # noqa: B023 (called at once)
            f"{bytes_each:,.0f}" if size >= MANY else "",
        )


def at_the_bounds(sizes: list[int]) -> Iterator[tuple[str | float, ...]]:
    """A row for each number of projects on a server whose journals and feedback are full."""
    for size in sizes:
        grown = Grown("documented", replace(ROOMY, all_request_bytes=8 * MIB, all_feedback=4 * MIB))
        grown.make_projects(size)
        projects = list(grown.mock.store)
        turn = count()

        def submit(grown: Grown = grown, projects: list[Project] = projects, turn: Iterator[int] = turn) -> None:
            grown.submit(projects[next(turn) % len(projects)], grown.new_id())

        for _ in range(FILLING):
            submit()
        process = Process(getpid())
        before = process.memory("VmRSS")
        cost = spent(submit, each=1_000, batches=5)
        yield f"{size:,}", cost, f"{process.memory('VmRSS') - before:+.1f}"


TABLES: tuple[tuple[str, tuple[str, ...], Callable[[list[int]], Iterator[tuple[str | float, ...]]], list[int]], ...] = (
    (
        "CPU µs by the number of projects",
        ("projects", "POST", "POST with ids in the path", "make", "delete", "bytes per project"),
        by_projects,
        [10, 1_000, 100_000],
    ),
    (
        "CPU µs by the records of a project",
        ("records", "POST new", "POST overwrite", "GET first page", "of sentry-9.1", "bytes per record"),
        by_records,
        [1, 1_000, 100_000, 1_000_000],
    ),
    (
        "CPU µs when the 8 MiB for requests and the 4 MiB for feedback are full",
        ("projects", "POST new", "MiB more after 5,000"),
        at_the_bounds,
        [10, 1_000, 10_000],
    ),
)


@click.command()
@click.option("--most", default=1_000_000, show_default=True, help="Leave out larger numbers.")
def main(most: int) -> None:
    """Measure requests and memory as the state of a mock grows."""
    console = Console(width=None if sys.stdout.isatty() else 120)
    for title, columns, rows, sizes in TABLES:
        table = Table(*columns, title=title)
        for row in rows([size for size in sizes if size <= most]):
            table.add_row(*(each if isinstance(each, str) else f"{each:,.0f}" for each in row))
        console.print(table)


if __name__ == "__main__":
    main()
