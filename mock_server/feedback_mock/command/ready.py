"""What the command line tells when it is ready: as data, as a file, and as text with lines to paste.

Prints nothing itself; tokens and DSNs appear here and nowhere else.
"""

import contextlib
import errno
import json
import os
import shlex
from pathlib import Path
from typing import Any

from feedback_spec.files import CannotWrite, check_file, telling
from feedback_spec.instants import format_duration
from feedback_spec.rules import Base

from feedback_mock.control.handlers import PREFIX, project_shown
from feedback_mock.mock import Mock

MOST = 64 * 1024  # bytes of a ready file
_OF_FEEDBACK = (Base.FIRST_SUBMITTED, Base.LAST_SUBMITTED)


def ready_data(mock: Mock, address: str, *, control: bool) -> dict[str, Any]:
    """All that a test harness needs to know; `address` is the `host:port`."""
    host, _, port = address.rpartition(":")
    project = project_shown(mock.default_project, address)
    return {
        "url": f"http://{address}",
        "host": host.strip("[]"),
        "port": int(port),
        "pid": os.getpid(),
        "organization": project["organization"],
        "project": project["project"],
        "id": project["id"],
        "token": project["tokens"]["write"],
        "read_token": project["tokens"]["read"],
        "dsn": project["dsn"],
        "profile": mock.document.profile,
        "control": f"http://{address}{PREFIX.rstrip('/')}" if control else None,
        "windows": {window.rule: format_duration(window.limit) for window in mock.document.mutability.windows},
    }


def claim(path: Path) -> None:
    """Makes room for a ready file: one that an earlier run left, which would lie, is removed, and so is an empty file.

    Raises CannotWrite for anything else that is there.
    """
    check_file(path)
    with telling(path), contextlib.suppress(FileNotFoundError):
        content = _content(path, MOST)
        if content and not _is_ready_file(content):
            raise CannotWrite(errno.EEXIST, "the file there is not one that feedback-mock wrote", str(path))
        path.unlink()


def release(path: Path, text: str) -> None:
    """Removes the ready file, if it is still the one with this text. Raises OSError."""
    if _content(path, len(text) + 1) == text.encode():
        path.unlink()


def _content(path: Path, most: int) -> bytes:
    file = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(file, "rb") as stream:
        return stream.read(most)


def _is_ready_file(content: bytes) -> bool:
    try:
        data = json.loads(content)
    except ValueError:
        return False
    return isinstance(data, dict) and {"url", "pid", "dsn"} <= data.keys()


def lines_to_paste(mock: Mock, data: dict[str, Any]) -> list[tuple[str, str]]:
    """Shell lines with what they show; pasted one after the other they give 200, 200 and, with a clock, 409."""
    submit = mock.document.submit
    path = submit.path.format(organization_slug=data["organization"], project_slug=data["project"])
    examples = submit.body.examples.values() if submit.body else ()
    example: dict[str, Any] = next((each.value for each in examples), {})
    window = next((each for each in mock.document.mutability.windows if each.base in _OF_FEEDBACK), None)
    post = _curl(data["url"] + path, example, f"Authorization: Bearer {data['token']}")
    again = _curl(data["url"] + path, {**example, "name": "Jane Doe"}, f"Authorization: Bearer {data['token']}")
    lines = [("Submit feedback: 200", post), ("Overwrite it: 200", again)]
    if data["control"] and window:
        project = f"{data['control']}/projects/{data['organization']}/{data['project']}"
        lines += [
            (
                f"Move the project's clock just past the {format_duration(window.limit)} of an overwrite: 200",
                _curl(f"{project}/clock/advance", {"duration": format_duration(window.limit + 1)}),
            ),
            (f"Overwrite it again, too late: {window.status}", again),
        ]
    return lines


def _curl(url: str, body: dict[str, Any], *headers: str) -> str:
    arguments = ["curl", "-s", "-w", "\\n%{http_code} %header{x-feedback-rule}\\n", url]
    for header in (*headers, "Content-Type: application/json"):
        arguments += ["-H", header]
    return shlex.join([*arguments, "-d", json.dumps(body)])
