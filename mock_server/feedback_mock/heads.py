"""The requirements of RFC 9112 for the head of a request that the parser does not check. Pure."""

from functools import lru_cache
from http import HTTPStatus

import httptools

from feedback_mock.asgi import Header, is_host

MAX_CACHED_HOST = 500


def refusal_of(version: str, url: bytes, headers: list[Header]) -> HTTPStatus | None:
    """The status that refuses this head, None if nothing is wrong.

    HTTP/1 (2.3); a target without fragment (3.2); exactly one valid Host, or none in HTTP/1.0 (3.2); no coding of the
    body but `chunked`, and that not in HTTP/1.0 (6.1).
    """
    if version[:2] != "1.":
        return HTTPStatus.HTTP_VERSION_NOT_SUPPORTED
    hosts, wrong = 0, b"#" in url
    for name, value in headers:
        if name == b"host":
            hosts += 1
            wrong = wrong or not _is_host(value)
        elif name == b"transfer-encoding":
            if version != "1.0" and value.lower() != b"chunked":
                return HTTPStatus.NOT_IMPLEMENTED
            wrong = wrong or version == "1.0"
    if wrong or hosts > 1 or (not hosts and version != "1.0"):
        return HTTPStatus.BAD_REQUEST
    return None


def _is_host(value: bytes) -> bool:
    return _is_known_host(value) if len(value) < MAX_CACHED_HOST else is_host(value.decode("latin-1"))


@lru_cache(256)
def _is_known_host(value: bytes) -> bool:
    return not value or is_host(value.decode("latin-1"))


def with_target(url: bytes, headers: list[Header]) -> None:
    """Replaces Host by the host of a target in absolute form (3.2.2)."""
    parsed = httptools.parse_url(url)
    if parsed.host:
        host = b"[%b]" % parsed.host if b":" in parsed.host else parsed.host
        named = host if parsed.port is None else b"%b:%d" % (host, parsed.port)
        headers[:] = [(name, named if name == b"host" else value) for name, value in headers]
