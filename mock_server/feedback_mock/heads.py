"""The requirements of RFC 9112 for the head of a request that the parser does not check. Pure."""

import re
from functools import lru_cache
from http import HTTPStatus

from feedback_mock.asgi import Header, is_host

MAX_CACHED_HOST = 500
_ABSOLUTE = re.compile(rb"(?i:https?)://(?P<host>[^/?#@]+)(?P<path>/[^?#]*)?(?P<query>[?][^#]*)?")


def refusal_of(method: bytes, version: str, url: bytes, headers: list[Header]) -> HTTPStatus | None:
    """The status that refuses this head, None if nothing is wrong.

    HTTP/1 (2.3); a target that is a path, an http URL without user, or `*` for OPTIONS, all without fragment (3.2, and
    RFC 9110, 4.2.4); exactly one valid Host, or none in HTTP/1.0 (3.2); no coding of the body but `chunked`, and that
    not in HTTP/1.0 (6.1).
    """
    if version[:2] != "1.":
        return HTTPStatus.HTTP_VERSION_NOT_SUPPORTED
    hosts, wrong = 0, not _is_target(method, url)
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


def _is_target(method: bytes, url: bytes) -> bool:
    if url[:1] == b"/":
        return b"#" not in url
    if url == b"*":
        return method == b"OPTIONS"
    absolute = _ABSOLUTE.fullmatch(url)
    return absolute is not None and _is_host(absolute["host"])


def with_target(method: bytes, url: bytes, headers: list[Header]) -> bytes:
    """The path and query of a target in absolute form, whose host replaces the one in Host (3.2.2)."""
    absolute = _ABSOLUTE.fullmatch(url)
    if absolute is None:
        return url
    headers[:] = [(name, absolute["host"] if name == b"host" else value) for name, value in headers]
    if method == b"OPTIONS" and not absolute["path"] and not absolute["query"]:
        return b"*"
    return (absolute["path"] or b"/") + (absolute["query"] or b"")
