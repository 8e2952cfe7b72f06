"""ASGI as the mock uses it: its types, a complete response, X-Feedback-Rule, and the host named in a request.

Knows no protocol.
"""

import re
from ipaddress import IPv6Address
from typing import NamedTuple
from urllib.parse import quote

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["ASGIApp", "Message", "Receive", "Scope", "Send"]  # so that other modules import them from here

Header = tuple[bytes, bytes]
Headers = list[Header] | tuple[Header, ...]
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,255}|\[(?P<six>[0-9A-Fa-f:.]{2,45})\])(?::(?P<port>[0-9]{1,5}))?")
_LAST_PORT = 65_535
MAX_REASON = 300
HEAD_SIZE = "feedback_mock.head_size"
"""In a scope: the bytes in its target and in its headers' names and values, counted by our server as it reads them."""
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")
_ESCAPED = re.compile(r"\\(.)")


class Answer(NamedTuple):
    """A complete response, ready to be sent."""

    status: int
    headers: Headers
    body: bytes


def json_answer(status: int, value: object, *headers: Header) -> Answer:
    """A response with JSON data, None for no body."""
    body = b"" if value is None else orjson.dumps(value)
    kind = [(b"content-type", b"application/json")] if body else []
    length = [] if status == 204 else [(b"content-length", b"%d" % len(body))]
    return Answer(status, [*length, *kind, *headers], body)


def printable(text: str, most: int = MAX_REASON) -> str:
    """The text in printable ASCII, truncated: safe in a header, in a log line and on a terminal."""
    return _UNPRINTABLE.sub("?", text[:most])


def rule_header(rule: str, reason: str = "") -> bytes:
    """The value of X-Feedback-Rule: `rule` or `rule; reason="…"`, in printable ASCII, truncated."""
    if not reason:
        return rule.encode()
    shown = printable(reason).replace("\\", "\\\\").replace('"', '\\"')
    return f'{rule}; reason="{shown}"'.encode()


def rule_and_reason(header: str) -> tuple[str, str]:
    """The rule and reason from which `rule_header` made this value."""
    rule, _, rest = header.partition('; reason="')
    return rule, _ESCAPED.sub(r"\1", rest.removesuffix('"'))


def origin_of(scope: Scope, headers: dict[bytes, bytes], host: str = "localhost") -> str:
    """Our origin according to the client, such as `https://localhost:8080`; `host` if it names no valid one.

    A proxy in front of us that terminates TLS says so in X-Forwarded-Proto.
    """
    forwarded = headers.get(b"x-forwarded-proto", b"").partition(b",")[0].strip().lower()
    scheme = forwarded.decode() if forwarded in (b"http", b"https") else scope.get("scheme", "http")
    named = headers.get(b"host", b"").decode("latin-1")
    return f"{scheme}://{named if is_host(named) else host}"


def base_url(scope: Scope, headers: dict[bytes, bytes]) -> str:
    """The requested address, without its query and safe in a header."""
    return f"{origin_of(scope, headers)}{quote(scope['path'])}"


def is_host(text: str) -> bool:
    """Whether this `host` or `host:port` can be in a DSN: a name or an IPv4 address, or an IPv6 address in brackets."""
    match = _HOST.fullmatch(text)
    if match is None or int(match["port"] or 0) > _LAST_PORT:
        return False
    try:
        return match["six"] is None or IPv6Address(match["six"]) is not None
    except ValueError:
        return False


async def disconnected(receive: Receive) -> None:
    """Returns when the client has disconnected; for a request whose body has been read."""
    while (await receive())["type"] != "http.disconnect":
        pass
