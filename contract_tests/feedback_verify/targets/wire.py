"""What a server writes behind the head of an answer to HEAD, as it stands on the wire. It judges nothing.

Every HTTP client drops such a body, or takes it for the beginning of the next answer; hence a socket.
"""

import socket
from contextlib import closing
from urllib.parse import urlsplit

from feedback_verify.exchange import Request
from feedback_verify.targets.network import CONNECT_TIMEOUT, Network

END = b"\r\n\r\n"
LARGEST = 65_536  # bytes that are read
TIMEOUT = 5.0


def behind_head(network: Network, request: Request) -> bytes | None:
    """What a kept connection carries between the head of the answer to HEAD and the answer to the OPTIONS behind it.

    Empty is right. None where that cannot be seen: through a proxy, or where the connection fails.
    """
    parts = urlsplit(request.url)
    if network.proxy is not None or parts.hostname is None:
        return None
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with closing(socket.create_connection((parts.hostname, port), CONNECT_TIMEOUT)) as plain:
            channel = network.secured(plain, parts.hostname) if parts.scheme == "https" else plain
            channel.settimeout(TIMEOUT)
            channel.sendall(_lines("HEAD", request, "keep-alive"))
            read = _until(channel, b"", END)
            closes = b"connection: close" in read.partition(END)[0].lower()
            if not closes:
                channel.sendall(_lines("OPTIONS", request, "close"))
            return _before_next(_until(channel, read.partition(END)[2], None))
    except (OSError, ValueError):
        return None


def _lines(method: str, request: Request, connection: str) -> bytes:
    parts = urlsplit(request.url)
    headers = {**request.sent_headers(), "Host": parts.netloc.rpartition("@")[2], "Connection": connection}
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    head = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(head).encode("ascii") + END


def _until(channel: socket.socket, read: bytes, end: bytes | None) -> bytes:
    """All that is read until `end`, or to the close of the connection; an answer that keeps us waiting is an error."""
    while (end is None or end not in read) and len(read) < LARGEST:
        more = channel.recv(LARGEST)
        if not more:
            break
        read += more
    return read


def _before_next(read: bytes) -> bytes:
    """What stands before the next status line; everything, where there is none."""
    return read[: read.find(b"HTTP/1.")] if b"HTTP/1." in read else read
