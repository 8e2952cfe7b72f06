"""A violation as a small Python program: the same requests, waits and clock moves as the curl lines. Pure."""

import re
from collections.abc import Iterable

from feedback_verify.exchange import PREVIEW, Request, Step

_HEAD = """\
# Shows the violation again: python3 FILE (needs httpx).
import os
import time

import httpx

client = httpx.Client(timeout=30, trust_env=False)


def send(method, url, headers=None, content=b"", note=""):
    answer = client.request(method, url, headers=headers, content=content)
    print(method, url, "<-", answer.status_code, answer.text[:200], note)
    return answer

"""


def as_python(steps: Iterable[Step]) -> str:
    """The program. Secrets come from the environment, or from the control API where it made the project."""
    lines = []
    for step in steps:
        pause = re.fullmatch(r"sleep ([0-9.]+)", step.line)
        assigned = re.match(r"([A-Z][A-Z0-9_]*)=\$\(echo \"\$(\w+)\".*json\.load\(sys\.stdin\)(\S+)\)'\)", step.line)
        made = re.match(r"([A-Z][A-Z0-9_]*)=\$\(curl", step.line)
        if pause:
            lines.append(f"time.sleep({pause[1]})")
        elif assigned:
            lines.append(f'os.environ["{assigned[1]}"] = {assigned[2]}.json(){assigned[3]}')
        elif step.exchange is not None:
            request = step.exchange.request
            variable = f"{made[1]} = " if made else ""
            lines.append(f"{variable}{_send(request, step.exchange.status)}")
        else:
            lines.append(f"# {step.line}")
    return _HEAD + "\n".join(lines) + "\n"


def _send(request: Request, status: int) -> str:
    shown = request.shown_headers()
    headers = "{" + ", ".join(f"{name!r}: {_header(value)}" for name, value in shown.items()) + "}"
    content = repr(request.content) if len(request.content) <= PREVIEW else f"b'x' * {len(request.content)}"
    return f"send({request.method!r}, {request.url!r}, {headers}, {content}, 'here {status}')"


def _header(value: str) -> str:
    """A header's value, its secret read from the environment."""
    scheme, _, variable = value.partition(" $")
    return f'{scheme + " "!r} + os.environ["{variable}"]' if variable else repr(value)
