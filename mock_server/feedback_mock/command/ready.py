"""What the command prints when it is ready: as data, and as commands to paste.

Prints nothing itself. Tokens and DSNs appear only here.
"""

import json
import os
from typing import Any
from urllib.parse import urlsplit

from feedback_spec import shell
from feedback_spec.instants import format_duration
from feedback_spec.rules import Base

from feedback_mock.control.handlers import PREFIX, project_shown
from feedback_mock.mock import Mock

_OF_FEEDBACK = (Base.FIRST_SUBMITTED, Base.LAST_SUBMITTED)


def ready_data(mock: Mock, url: str, *, control: bool, token: str | None, elsewhere: str | None) -> dict[str, Any]:
    """Everything that a test harness needs to know.

    `url` is where this machine reaches the mock, `elsewhere` is where other machines do, if they can; `token` is the
    control token.
    """
    parts = urlsplit(url)
    project = project_shown(mock.default_project, url)
    return {
        "url": url,
        "host": parts.hostname,
        "port": parts.port,
        "pid": os.getpid(),
        "organization": project["organization"],
        "project": project["project"],
        "id": project["id"],
        "token": project["tokens"]["write"],
        "read_token": project["tokens"]["read"],
        "dsn": project["dsn"],
        "profile": mock.document.profile,
        "control": f"{url}{PREFIX.rstrip('/')}" if control else None,
        "control_token": token if control else None,
        "elsewhere": elsewhere,
        "page": page_of(url, token) if control else None,
        "windows": {window.rule: format_duration(window.limit) for window in mock.document.mutability.windows},
    }


def page_of(url: str, token: str | None) -> str:
    """The address of the page, including the control token."""
    return f"{url}/" + (f"#token={token}" if token else "")


def lines_to_paste(mock: Mock, data: dict[str, Any], certificate: str | None) -> list[tuple[str, str]]:
    """Shell commands and what they show; pasted one after the other, they give 200, 200 and, with a clock, 409.

    `certificate` is the path of the server's certificate.
    """
    submit = mock.document.submit
    url = data["url"] + submit.path.format(organization_slug=data["organization"], project_slug=data["project"])
    examples = submit.body.examples.values() if submit.body else ()
    example: dict[str, Any] = next((each.value for each in examples), {})
    window = next((each for each in mock.document.mutability.windows if each.base in _OF_FEEDBACK), None)

    def post(**fields: str) -> str:
        return _curl(url, {**example, **fields}, data["token"], certificate)

    lines = [("Submit feedback: 200", post()), ("Overwrite it: 200", post(name="Jane Doe"))]
    if data["control"] and window:
        clock = f"{data['control']}/projects/{data['organization']}/{data['project']}/clock/advance"
        past = {"duration": format_duration(window.limit + 1)}
        lines += [
            (
                f"Move the clock of the project just past the {format_duration(window.limit)} of an overwrite: 200",
                _curl(clock, past, data["control_token"], certificate),
            ),
            (f"Overwrite it again, too late: {window.status}", post(name="Jane Doe")),
        ]
    return lines


def _curl(url: str, body: dict[str, Any], token: str | None, certificate: str | None) -> str:
    trusted = ["--cacert", certificate] if certificate else []
    headers = [f"Authorization: Bearer {token}"] if token else []
    arguments = ["curl", "-s", "-w", "\\n%{http_code} %header{x-feedback-rule}\\n", *trusted, url]
    for header in (*headers, "Content-Type: application/json"):
        arguments += ["-H", header]
    return shell.join([*arguments, "-d", json.dumps(body)])
