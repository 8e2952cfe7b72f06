"""Recognises responses that came not from the endpoint but from something in between: a proxy, a gateway, a load
balancer.

Such a response contains what common proxies write into their own pages, or has none of the headers that the server puts
on every response and is a gateway's, or answers a message that proxies refuse without passing it on. Any other page is
the server's own. Pure.
"""

import re
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes, urlsplit

from feedback_verify.exchange import Exchange

# What proxies answer themselves: a request that they do not pass on, or a server that they cannot reach.
_OWN = frozenset({400, 403, 405, 406, 408, 411, 413, 414, 417, 421, 431, 494, 495, 496, 497, 501, 502, 503, 504, 505})
_PAGES = {
    "nginx": re.compile(rb"<hr><center>(?:nginx|openresty|tengine)(?:/[\d.]+)?(?: \([^)]*\))?</center>", re.I),
    "Cloudflare": re.compile(rb"<center>cloudflare</center>|cf-error-details|Ray ID: ", re.I),
    "AWS's load balancer": re.compile(rb"<hr><center>awselb/[\d.]+</center>", re.I),
    "Google's load balancer": re.compile(rb"<title>\d{3} Server Error</title>|<title>Error 4\d\d .*?</title>", re.I),
    "Apache": re.compile(rb"<address>Apache(?:/[\d.]+)? .*?Server at .*?</address>", re.I | re.S),
    "HAProxy": re.compile(rb"^\s*<html><body><h1>\d{3} [\w\s-]+</h1>\s[^<]+\s</body></html>\s*$", re.I),
    "Varnish": re.compile(rb"<p>Varnish cache server</p>", re.I),
    "Envoy": re.compile(rb"^(?:upstream connect error|upstream request timeout|no healthy upstream)", re.I),
    "Traefik": re.compile(rb"^(?:Bad Gateway|Gateway Timeout|Service Unavailable)$"),
}
_GATEWAY = (502, 504)  # it got no response, or none in time (RFC 9110, 15.6.3 and 15.6.5)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_ANYBODYS = frozenset(
    {
        "alt-svc",
        "cache-control",
        "connection",
        "content-length",
        "content-type",
        "date",
        "expires",
        "keep-alive",
        "location",
        "pragma",
        "server",
        "strict-transport-security",
        "transfer-encoding",
        "via",
        "x-cache",
        "x-request-id",
    }
)
_ENOUGH = 2  # headers that identify a server's own responses
_MARKUP = re.compile(rb"<|%3c|\\u003c", re.I)  # what firewalls refuse, in any of the encodings that we send
_LONG = 1_900  # length of a target, or of headers, from which common servers may refuse them
_LARGE = 65_536  # bytes; a server may refuse to read the rest of a larger body, and close


def headers_of_all(answers: Iterable[Exchange]) -> frozenset[str]:
    """The headers that all these responses have, in lower case, except those that proxies set, too."""
    names = [frozenset(each.headers) for each in answers]
    return frozenset.intersection(*names) - _ANYBODYS if names else frozenset()


def between(exchange: Exchange, usual: frozenset[str] = frozenset()) -> str | None:
    """The name of what answered instead of the server; None if, as far as one can tell, the server did.

    `usual` are the headers that the server puts on all its responses, as returned by `headers_of_all`.
    """
    if exchange.status not in _OWN or exchange.media_type == "application/json":
        return None
    named = next((name for name, page in _PAGES.items() if page.search(exchange.content[:4_096])), None)
    strange = len(usual) >= _ENOUGH and usual.isdisjoint(exchange.headers)
    expected = exchange.status in _GATEWAY or _is_refused_unread(exchange)
    return named or ("a proxy" if strange and expected else None)


def _is_refused_unread(exchange: Exchange) -> bool:
    """Whether the status is about the message itself, and the message gives cause for it."""
    request = exchange.request
    headers, path = request.sent_headers().values(), unquote_to_bytes(urlsplit(request.url).path)
    reasons = {
        403: _MARKUP.search(request.content) is not None,
        406: _MARKUP.search(request.content) is not None,
        400: not all(map(str.isascii, headers)) or not path.isascii() or any(byte < 32 for byte in path),
        405: request.method not in _METHODS,
        411: request.chunked,
        413: len(request.content) > _LARGE,
        414: len(request.url) > _LONG,
        431: sum(map(len, headers)) > _LONG,
    }
    return reasons.get(exchange.status, False)


def told_of(proxy: str, exchange: Exchange) -> str:
    """What something in between did, in words."""
    return f"{proxy}, in between, answered {exchange.request.method} with {exchange.status} itself"


def is_unknown_method(exchange: Exchange) -> bool:
    """Whether this is a 501 for a method that a server need not know (RFC 9110, 9.1 and 15.6.2)."""
    return exchange.status == 501 and exchange.request.method not in _METHODS


def lost_behind(exchange: Exchange, usual: frozenset[str] = frozenset()) -> bool:
    """Whether a gateway says that it got no response from the server, or not the whole request, although that was
    sent; `usual` as above.
    """
    gone = exchange.status in (408, *_GATEWAY) and between(exchange, usual) is not None
    return gone and len(exchange.request.content) <= _LARGE
