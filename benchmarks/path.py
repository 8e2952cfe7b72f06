"""Our functions that a POST runs through, in order: `python -m benchmarks.path`."""

import asyncio
import json
import sys
from itertools import pairwise
from types import FrameType
from typing import Any

from feedback_mock import Mock, create_app
from rich.console import Console
from rich.table import Table

PACKAGES = ("feedback_mock", "feedback_spec")


def calls_of_a_post(mock: Mock) -> list[tuple[str, str]]:
    """The file and function of each call, for a submission to a warm mock."""
    project = mock.default_project
    body = {"event_id": "e" * 32, "name": "Jane", "email": "jane@example.com", "comments": "It broke!"}
    headers = [
        (b"authorization", f"Bearer {project.credentials.tokens['write']}".encode()),
        (b"content-type", b"application/json"),
    ]
    path = mock.document.submit.path.format(organization_slug=project.organization, project_slug=project.slug)
    scope: dict[str, Any] = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 1),
    }
    statuses: list[int] = []
    calls: list[tuple[str, str]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}

    async def send(message: Any) -> None:
        statuses.extend([message["status"]] if "status" in message else [])

    def watch(frame: FrameType, event: str, _: object) -> None:
        file = frame.f_code.co_filename
        name = next((each for each in PACKAGES if f"/{each}/" in file), None)
        if event == "call" and name is not None:
            calls.append((name + file.rpartition(f"/{name}")[2], frame.f_code.co_qualname))

    async def post() -> None:
        await mock(dict(scope), receive, send)
        sys.setprofile(watch)
        try:
            await mock(dict(scope), receive, send)
        finally:
            sys.setprofile(None)

    asyncio.run(post())
    assert statuses == [200, 200], statuses
    return calls


def main() -> None:
    """Print the calls, and their number."""
    calls = calls_of_a_post(create_app())
    table = Table("file", "function")
    for call in calls:
        table.add_row(*call)
    console = Console()
    console.print(table)
    changes = sum(before[0] != after[0] for before, after in pairwise(calls))
    console.print(f"{len(calls)} calls, {len({file for file, _ in calls})} files, {changes} changes of file")


if __name__ == "__main__":
    main()
