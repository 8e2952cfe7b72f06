"""Requests, answers and the shell lines that repeat them. Pure: nothing is sent here."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

PREVIEW = 2_000
SHOW_STATUS = " -w '  <- %{http_code}\\n'"


@dataclass(frozen=True)
class Request:
    """One HTTP request: an absolute URL, headers as they are sent, the body as bytes.

    `secrets` maps header values to the shell text that stands for them, so that no secret is ever shown.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    chunked: bool = False
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def shown_headers(self) -> dict[str, str]:
        """The headers with secrets replaced by the shell variable that holds them."""
        return {name: self.secrets.get(value, value) for name, value in self.headers.items()}


@dataclass(frozen=True)
class Exchange:
    """A request and its answer; `sent` and `received` in microseconds of a monotonic clock."""

    request: Request
    status: int
    headers: Mapping[str, str]
    content: bytes
    sent: int
    received: int

    @cached_property
    def json(self) -> Any:
        """The body as JSON; None where it is none. A lone surrogate in it becomes a question mark."""
        return as_data(self.content)

    @property
    def object(self) -> dict[str, Any]:
        """The body as a JSON object; empty where it is none."""
        return self.json if isinstance(self.json, dict) else {}

    @property
    def media_type(self) -> str:
        """The media type without parameters, in lower case; empty where there is none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def as_data(content: bytes) -> Any:
    """JSON as data that UTF-8 can write; None where it is no JSON."""
    try:
        text = json.dumps(json.loads(content), ensure_ascii=False)
        return json.loads(text.encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


@dataclass(frozen=True)
class Step:
    """One line of a reproduction: what to type, and the exchange it stands for if there was one."""

    line: str
    exchange: Exchange | None = None


def curl(request: Request) -> str:
    """The request as a curl command for a POSIX shell that prints the status and the body."""
    words = [f"curl -sS{SHOW_STATUS}"]
    if request.method != "GET":
        words += ["-I"] if request.method == "HEAD" else ["-X", request.method]
    words.append(shlex.quote(request.url))
    for name, value in request.shown_headers().items():
        quoted = f'"{name}: {value}"' if value.startswith(("Bearer $", "DSN $")) else shlex.quote(f"{name}: {value}")
        words += ["-H", quoted]
    if request.content and not any(name.lower() == "content-type" for name in request.headers):
        words += ["-H", "'Content-Type:'"]
    if request.chunked:
        words += ["-H", "'Transfer-Encoding: chunked'"]
    if len(request.content) > PREVIEW:
        filler = f"<{len(request.content)} bytes, beginning with {request.content[:40]!r}>"
        return " ".join([*words, "--data-binary", shlex.quote(filler)])
    if request.content:
        words += ["--data-binary", _quote_body(request.content)]
    return " ".join(words)


def _quote_body(content: bytes) -> str:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if text.isprintable() and text and not text.startswith("@"):
        return shlex.quote(text)
    return "$'" + "".join(f"\\x{byte:02x}" for byte in content) + "'"
