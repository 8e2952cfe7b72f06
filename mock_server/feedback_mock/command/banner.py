"""Formats the text that people see when the mock is ready; plain text if there is no terminal. Prints nothing."""

import sys
from io import StringIO
from typing import Any

from rich.console import Console
from rich.text import Text

from feedback_mock.command.ready import lines_to_paste
from feedback_mock.mock import Mock


def banner(mock: Mock, data: dict[str, Any], certificate: str | None) -> str:
    """The address, the credentials, and the commands to paste; no line is wrapped."""
    text = StringIO()
    console = Console(file=text, force_terminal=sys.stdout is not None and sys.stdout.isatty(), highlight=False)
    console.print("The Submit User Feedback mock is listening on", Text(data["url"], "bold"), soft_wrap=True)
    rows = {
        "elsewhere": data["elsewhere"],
        "project": f"{data['organization']}/{data['project']} (number {data['id']})",
        "token": data["token"],
        "read token": data["read_token"],
        "DSN": data["dsn"],
        "profile": data["profile"],
        "windows": ", ".join(f"{rule} {limit}" for rule, limit in data["windows"].items()),
        "control": data["control"] or "off",
        "its token": data["control_token"],
        "page": data["page"],
    }
    for name, value in rows.items():
        if value is not None:
            console.print(f"  {name:<10}  {value}", soft_wrap=True, markup=False)
    for what, line in lines_to_paste(mock, data, certificate):
        console.print(f"\n# {what}", style="dim", soft_wrap=True, markup=False)
        console.print(line, soft_wrap=True, markup=False)
    console.print("\nPress Ctrl-C to stop.", style="dim", soft_wrap=True)
    return text.getvalue()
