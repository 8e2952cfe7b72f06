"""Requests, the credentials in them, and responses. Pure: sends nothing and renders nothing."""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import isfinite
from typing import Any

PREVIEW = 2_000
MOST_ITEMS = 500_000  # of a body read as JSON: an empty object takes twenty times its bytes in memory
_SURROGATES = (b"\\ud", b"\\uD", b"\xed", b"\0")  # how a lone one begins, as many characters do; NUL: in UTF-16


@dataclass(frozen=True)
class Credential:
    """A header value that ends in a secret. It is shown with the variable of this name in place of the secret."""

    prefix: str
    secret: str = field(repr=False)
    variable: str

    @classmethod
    def of(cls, kind: str, secret: str, variable: str) -> "Credential":
        """A token or, if the kind ends in `dsn`, a DSN. Raises ValueError if no header can carry the secret."""
        if not secret or not secret.isascii() or not secret.isprintable() or secret != secret.strip():
            raise ValueError("a token or DSN must be printable ASCII text without surrounding white space")
        return cls("DSN " if kind.endswith("dsn") else "Bearer ", secret, variable)

    @property
    def value(self) -> str:
        """The header value as sent."""
        return self.prefix + self.secret

    @property
    def parts(self) -> tuple["str | Part", ...]:
        """The parts of the value."""
        return self.prefix, Part(self)

    def spelled(self, scheme: str) -> "Credential":
        """The same secret with another scheme."""
        return replace(self, prefix=f"{scheme} ")


@dataclass(frozen=True)
class Part:
    """The characters of a secret from `start` to before `stop`.

    With upper and lower case swapped if `turned`; as the user of HTTP's Basic authentication, without a password, if
    `basic`.
    """

    credential: Credential
    start: int = 0
    stop: int | None = None
    turned: bool = False
    basic: bool = False

    @property
    def value(self) -> str:
        """The characters."""
        text = self.credential.secret[self.start : self.stop]
        if self.basic:
            return b64encode(f"{text}:".encode()).decode()
        return text.swapcase() if self.turned else text

    @property
    def shown(self) -> str:
        """The variable and which of its characters."""
        ends = (self.start or "", "" if self.stop is None else self.stop)
        cut = f"[{ends[0]}:{ends[1]}]" if self.start or self.stop is not None else ""
        shown = f"${self.credential.variable}{cut}"
        return f"base64({shown}:)" if self.basic else shown


@dataclass(frozen=True)
class Altered:
    """A header value made of texts and parts of secrets: however a secret was changed, it is never shown."""

    parts: tuple[str | Part, ...]

    @property
    def value(self) -> str:
        """The header value as sent."""
        return "".join(each.value if isinstance(each, Part) else each for each in self.parts)


Secret = Credential | Altered


@dataclass(frozen=True)
class Project:
    """A project to test, with its credentials by kind (`write`, `read`, `dsn`, …)."""

    organization: str
    slug: str
    credentials: Mapping[str, Credential] = field(repr=False)


@dataclass(frozen=True)
class Request:
    """One HTTP request: an absolute URL, headers, the body as bytes; `in_query` are secrets to add to the URL."""

    method: str
    url: str
    headers: Mapping[str, str | Secret] = field(default_factory=dict)
    content: bytes = b""
    chunked: bool = False
    in_query: Altered | None = None

    @property
    def sent_url(self) -> str:
        """The URL as sent, with the secrets in its query."""
        return self.url if self.in_query is None else f"{self.url}?{self.in_query.value}"

    @property
    def shown_url(self) -> str:
        """The URL with the name of a variable in place of each secret in its query."""
        return self.url if self.in_query is None else f"{self.url}?{_shown(self.in_query)}"

    def sent_headers(self) -> dict[str, str]:
        """The headers as sent, with their secrets."""
        return {name: each if isinstance(each, str) else each.value for name, each in self.headers.items()}

    def shown_headers(self) -> dict[str, str]:
        """The headers with the name of a variable in place of each secret."""
        return {name: each if isinstance(each, str) else _shown(each) for name, each in self.headers.items()}


def _shown(secret: Secret) -> str:
    return "".join(each.shown if isinstance(each, Part) else each for each in secret.parts)


@dataclass(frozen=True)
class Exchange:
    """A request and its response; `sent` and `received` in microseconds of a monotonic clock."""

    request: Request
    status: int
    headers: Mapping[str, str]
    content: bytes
    sent: int
    received: int

    @cached_property
    def json(self) -> Any:
        """The body as JSON; None if it is not JSON. A lone surrogate becomes a question mark."""
        return as_data(self.content)

    @property
    def object(self) -> dict[str, Any]:
        """The body as a JSON object; empty if it is not one."""
        return self.json if isinstance(self.json, dict) else {}

    @property
    def media_type(self) -> str:
        """The media type without parameters, in lower case; empty if there is none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def as_data(content: bytes) -> Any:
    """JSON as data that can be written as UTF-8; None if it is not JSON, or too much to be read."""
    if content.count(b",") > MOST_ITEMS:
        return None
    try:
        read = json.loads(content, parse_constant=finite, parse_float=finite)
        if any(each in content for each in _SURROGATES):
            read = json.loads(json.dumps(read, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return read


def finite(text: str) -> float:
    """The number that JSON writes so. Raises ValueError for NaN, Infinity and what is too large to be another."""
    number = float(text)
    if not isfinite(number):
        raise ValueError(text)
    return number
