"""Credentials: derives a project's own, and reads an Authorization header. Knows no projects and stores nothing.

Derived credentials depend only on the project's name, so a configuration with them can be committed and every test run
uses the same. They are not secret; a mock that other machines can reach adds a secret.
"""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from urllib.parse import urlsplit

BEARER, DSN = "bearer", "dsn"
"""The kinds of credentials."""
# What a token of each kind may do, in terms of the document's `x-scopes`.
TOKEN_SCOPES = {
    "write": frozenset({"project:read", "project:write"}),
    "read": frozenset({"project:read"}),
    "admin": frozenset({"project:admin"}),
}
MAX_CACHED_HEADER = 500


@dataclass(frozen=True, slots=True)
class Credentials:
    """A project's public key (32 hexadecimal digits) and its tokens by kind."""

    public_key: str
    tokens: dict[str, str]


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token as sent."""

    value: str


@dataclass(frozen=True, slots=True)
class Dsn:
    """The parts of a DSN that count: its public key and its project number, empty if the DSN has none."""

    public_key: str
    project_id: str


@dataclass(frozen=True, slots=True)
class Unusable:
    """A header that identifies no one, with the rule that says so, and the reason."""

    rule: str
    reason: str = ""


def derive(organization: str, project: str, secret: str = "") -> Credentials:
    """The credentials of a project; without the `secret`, nobody can derive them."""

    def each(kind: str) -> str:
        return sha256(f"{secret}{organization}/{project}/{kind}".encode()).hexdigest()

    return Credentials(each("dsn")[:32], {kind: each(kind) for kind in TOKEN_SCOPES})


def parse(header: bytes | None) -> Token | Dsn | Unusable:
    """Who an Authorization header says the client is; schemes are case-insensitive (docs/sentry.md, facts 54 to 58)."""
    return _parse_known(header) if header is None or len(header) < MAX_CACHED_HEADER else _parse(header)


def _parse(header: bytes | None) -> Token | Dsn | Unusable:
    scheme, _, rest = (header or b"").decode("latin-1").strip().partition(" ")
    value = rest.strip()
    match scheme.lower():
        case "bearer" | "dsn" if not value:
            return Unusable("credentials-empty")
        case "bearer" | "dsn" if len(value.split()) > 1:
            return Unusable("credentials-spaces")
        case "bearer":
            return Token(value)
        case "dsn":
            return _parse_dsn(value)
        case _:
            reason = "no Authorization header" if header is None else "the Authorization header is not Bearer or DSN"
            return Unusable("credentials-required", reason)


_parse_known = lru_cache(1024)(_parse)


def _parse_dsn(value: str) -> Dsn:
    try:
        parts = urlsplit(value)
    except ValueError:
        return Dsn("", "")
    return Dsn(parts.username or "", parts.path.rpartition("/")[2])
