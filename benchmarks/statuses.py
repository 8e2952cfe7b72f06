"""What each response to a submission costs, compared with a 200: `python -m benchmarks.statuses`.

Requests go to the application in this process, without sockets: microseconds of CPU time, the lowest of several
batches, in turns. Exit code 1: a response costs much more than a 200.
"""

import sys
from itertools import count
from typing import Any

import click
from feedback_mock import create_app
from feedback_mock.store import Project
from rich.console import Console
from rich.table import Table

from benchmarks.growth import ask, spent

MOST = 1.3
BATCHES = 100
VALID = {"event_id": "a" * 32, "name": "Jane Smith", "email": "jane@example.com", "comments": "It broke!"}
LATE = "b" * 32
WINDOW = 86_400_000_000
"""Microseconds, longer than any window."""


def requests_by_status(project: Project) -> dict[str, tuple[int, str, object]]:
    """By what a request is: the status, the Authorization header, and the body."""
    tokens = project.credentials.tokens
    write, dsn = f"Bearer {tokens['write']}", f"DSN http://{project.credentials.public_key}@localhost/{project.id}"
    return {
        "overwrite": (200, write, VALID),
        "overwrite with the DSN": (200, dsn, VALID),
        "after the window": (409, write, {**VALID, "event_id": LATE}),
        "blank name": (400, write, {**VALID, "name": " "}),
        "no fields": (400, write, {}),
        "not an object": (400, write, []),
        "unknown token": (401, f"Bearer {'f' * 64}", VALID),
        "no credentials": (401, "", VALID),
        "token without the scope": (403, f"Bearer {tokens['read']}", VALID),
    }


@click.command()
def main() -> None:
    """Measure the CPU time of each kind of response."""
    mock = create_app(running=False)
    project, fresh = mock.default_project, count(1)
    path = f"/api/0/projects/{project.organization}/{project.slug}/user-feedback/"
    project.store(LATE, "Jane Smith", "jane@example.com", "It broke!", project.clock.now())
    project.clock.move(by=WINDOW)
    found: dict[str, list[float]] = {}
    requests: dict[str, tuple[int, str, Any]] = {"new": (200, "", {}), **requests_by_status(project)}
    write = requests["overwrite"][1]
    for _ in range(BATCHES):
        for name, (status, token, body) in requests.items():

            def send(name: str = name, status: int = status, token: str = token, body: object = body) -> None:
                if name == "new":
                    token, body = write, {**VALID, "event_id": f"{next(fresh):032x}"}
                ask(mock, "POST", path, token, body, status)

            found.setdefault(name, []).append(spent(send, batches=1))
    least = {name: min(each) for name, each in found.items()}
    table = Table("request", "status", "CPU µs", "compared with an overwrite")
    for name, cost in least.items():
        table.add_row(name, str(requests[name][0]), f"{cost:.1f}", f"{cost / least['overwrite']:.2f}")
    Console(width=None if sys.stdout.isatty() else 100).print(table)
    sys.exit(1 if max(least.values()) > MOST * least["overwrite"] else 0)


if __name__ == "__main__":
    main()
