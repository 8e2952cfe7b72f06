"""Credentials: deriving a project's own, and reading an Authorization header. Knows no project and stores nothing.

What is derived depends on the project's name only, so that a configuration that holds it can be committed and every
run of a test uses the same. These are not secrets; a mock that others can reach adds one.
"""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from urllib.parse import urlsplit

BEARER, DSN = "bearer", "dsn"
"""The kinds of credentials."""
# What a token of each kind may do, in the words of the document's `x-scopes`.
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
    """A bearer token as it was sent."""

    value: str


@dataclass(frozen=True, slots=True)
class Dsn:
    """What counts of a DSN: its public key and its project number, empty where the text has none."""

    public_key: str
    project_id: str


@dataclass(frozen=True, slots=True)
class Unusable:
    """A header that names nobody, with the rule that says so, and why."""

    rule: str
    reason: str = ""


def derive(organization: str, project: str, secret: str = "") -> Credentials:
    """The credentials of a project; nobody who does not know the `secret` can tell them."""

    def each(kind: str) -> str:
        return sha256(f"{secret}{organization}/{project}/{kind}".encode()).hexdigest()

    return Credentials(each("dsn")[:32], {kind: each(kind) for kind in TOKEN_SCOPES})


def parse(header: bytes | None) -> Token | Dsn | Unusable:
    """Who an Authorization header says the client is; schemes in any case (docs/sentry.md, facts 54 to 58)."""
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
