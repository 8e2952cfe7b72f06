"""Who may use the control protocol: whoever addresses a known host, or sends the token. Knows no operation.

A page from another site can neither write nor read. Its Origin or the browser's fetch metadata gives it away; and if
its name resolves to our address (DNS rebinding), the host in its requests is not one of ours.
"""

import re
import secrets
from collections.abc import Collection
from urllib.parse import urlsplit

from feedback_mock.asgi import Scope, is_host
from feedback_mock.exchange import Exchange
from feedback_mock.result import Refused

_LOOPBACK = re.compile(r"localhost|.*\.localhost|127(\.[0-9]{1,3}){3}|::1")


class Guard:
    """Admits or refuses requests: with a `token`, those that send it are admitted, otherwise those addressed to a known
    host.
    """

    def __init__(self, token: str | None = None, hosts: Collection[str] = ()) -> None:
        self._token = None if token is None else f"Bearer {token}".encode()
        self._hosts = frozenset(each.lower() for each in hosts)

    def refuse(self, exchange: Exchange) -> Refused | None:
        """The reason why this request may not control us; None if it may."""
        scope, headers = exchange.scope, exchange.headers
        host = headers.get(b"host", b"").decode("latin-1")
        if not self._is_ours(exchange, host):
            return Refused("origin", "Pages of other sites may not control this server.")
        if self._token is not None:
            if secrets.compare_digest(headers.get(b"authorization", b""), self._token):
                return None
            return Refused(
                "token", "Authorization: Bearer, with the control token that the mock printed at startup, is missing."
            )
        if host and not self._is_known(host, scope):
            name = _name(host)
            return Refused(
                "host-known", f'"{name[:100]}" is not a host of this server; add it with --allow-host {name[:100]}.'
            )
        return None

    def _is_ours(self, exchange: Exchange, host: str) -> bool:
        """Whether the request comes from no page, or from one of this machine or our own."""
        headers, origin = exchange.headers, exchange.origin
        if origin is None:
            crossing = headers.get(b"sec-fetch-site") == b"cross-site"
            return not crossing or headers.get(b"sec-fetch-mode") == b"navigate"
        try:
            parts = urlsplit(origin.decode("latin-1"))
            return _LOOPBACK.fullmatch(parts.hostname or "") is not None or (host != "" and parts.netloc == host)
        except ValueError:
            return False

    def _is_known(self, host: str, scope: Scope) -> bool:
        name, address = _name(host), (scope.get("server") or ("",))[0]
        return _LOOPBACK.fullmatch(name) is not None or name == address.lower() or name in self._hosts


def wrong_host(exchange: Exchange) -> Refused | None:
    """The refusal if the Host header is invalid."""
    host = exchange.headers.get(b"host", b"").decode("latin-1")
    if not host or is_host(host):
        return None
    return Refused(
        "host", f'The Host header "{host[:100]}" is not a host with or without a port, such as localhost:8080.'
    )


def _name(host: str) -> str:
    """The host without its port and brackets, in lower case."""
    return (urlsplit(f"//{host}").hostname or "").lower()
