"""Answers that no implementation of the endpoint gave, but something between it and us: a proxy, a gateway, a front.

Told by what proxies in use write into their own pages; any other page is the application's own. Pure.
"""

import re

from feedback_verify.exchange import Exchange

# What they answer by themselves: a request that they do not pass on, or a server that they do not reach.
_OWN = frozenset({400, 405, 408, 411, 413, 414, 417, 421, 431, 494, 495, 496, 497, 501, 502, 503, 504, 505})
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
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_LARGE = 65_536  # bytes; of a body that is larger a server may refuse to read the rest, and close


def between(exchange: Exchange) -> str | None:
    """The name of what answered instead of the server; None where the server did, as far as one can see."""
    if exchange.status not in _OWN or exchange.media_type == "application/json":
        return None
    return next((name for name, page in _PAGES.items() if page.search(exchange.content[:4_096])), None)


def is_unknown_method(exchange: Exchange) -> bool:
    """Whether this is 501 to a method that a server need not know (RFC 9110, 9.1 and 15.6.2)."""
    return exchange.status == 501 and exchange.request.method not in _METHODS


def lost_behind(exchange: Exchange) -> bool:
    """Whether a gateway says that the server closed the connection, though it had been sent all there was to read."""
    gone = exchange.status in (502, 504) and between(exchange) is not None
    return gone and len(exchange.request.content) <= _LARGE
