"""What no HTTP client shows: bytes after the head of a response to HEAD, and pipelined requests. Makes no judgements.

Clients drop such a body, or mistake it for the beginning of the next response, and none of them pipelines; hence
sockets.
"""

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from urllib.parse import urlsplit

import h11

from feedback_verify.exchange import Exchange, Request
from feedback_verify.targets.network import CONNECT_TIMEOUT, Network
from feedback_verify.targets.network import LARGEST as LARGEST_BODY
from feedback_verify.targets.network import TIMEOUT as LONGEST

END = b"\r\n\r\n"
LARGEST = 65_536  # bytes read at once, and the most read after a HEAD
LARGEST_HEAD = 100 * 1024  # bytes of a response's head, as many as httpx reads
TIMEOUT = 5.0


def behind_head(network: Network, request: Request) -> bytes | None:
    """What a kept connection carries between the head of the response to HEAD and the response to the following
    OPTIONS.

    Empty is right. None if that cannot be seen: through a proxy, or if the connection fails.
    """
    if network.proxy is not None:
        return None
    try:
        with _connected(network, request.url) as channel:
            channel.sendall(_bare("HEAD", request, "keep-alive"))
            read = _until(channel, b"", END)
            closes = b"connection: close" in read.partition(END)[0].lower()
            if not closes:
                channel.sendall(_bare("OPTIONS", request, "close"))
            return _before_next(_until(channel, read.partition(END)[2], None))
    except (OSError, ValueError, h11.LocalProtocolError):
        return None


def pipelined(network: Network, requests: Sequence[Request]) -> list[Exchange] | None:
    """The responses to requests that are all written before the first response is read, on one connection, in order.

    Fewer if the server closes the connection, as it may at any time, or a response never ends. None if it cannot be
    tried: through a proxy, or if the connection fails before a response. Raises h11.RemoteProtocolError if the
    responses are not HTTP.
    """
    if network.proxy is not None:
        return None
    protocols = [h11.Connection(h11.CLIENT, LARGEST_HEAD) for _ in requests]
    written = b"".join(_written(each, request) for each, request in zip(protocols, requests, strict=True))
    answers: list[Exchange] = []
    with suppress(OSError, ValueError), _connected(network, requests[0].url) as channel:
        sent = time.monotonic_ns() // 1000
        writing = threading.Thread(target=_write, args=(channel, written), daemon=True)
        writing.start()  # a server may respond before it has read everything, and wait until that is read
        rest = b""
        for protocol, request in zip(protocols, requests, strict=True):
            answer = _answer(channel, protocol, request, rest, sent)
            if answer is None:
                break
            answers.append(answer)
            rest = protocol.trailing_data[0]
            if answer.headers.get("connection", "").lower() == "close":
                break
        channel.shutdown(socket.SHUT_RDWR)
        writing.join(TIMEOUT)
    return answers or None


def _bare(method: str, request: Request, connection: str) -> bytes:
    """The request without its body, with another method."""
    headers = {**request.headers, "Connection": connection}
    return _written(h11.Connection(h11.CLIENT), replace(request, method=method, headers=headers, content=b""))


def _written(protocol: h11.Connection, request: Request) -> bytes:
    parts = urlsplit(request.sent_url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    length = {"Content-Length": str(len(request.content))} if request.content else {}
    headers = {"Host": parts.netloc.rpartition("@")[2], **length, **request.sent_headers()}
    head = h11.Request(method=request.method, target=target, headers=list(headers.items()))
    events = (head, *((h11.Data(data=request.content),) if request.content else ()), h11.EndOfMessage())
    return b"".join(protocol.send(each) or b"" for each in events)


def _write(channel: socket.socket, content: bytes) -> None:
    with suppress(OSError):
        channel.sendall(content)


def _answer(
    channel: socket.socket, protocol: h11.Connection, request: Request, rest: bytes, sent: int
) -> Exchange | None:
    """The response that begins with `rest`; None if the connection ends before it does, or it never ends."""
    status, headers, content, deadline = 0, dict[str, str](), b"", time.monotonic() + LONGEST
    if rest:
        protocol.receive_data(rest)
    while True:
        event = protocol.next_event()
        if event is h11.NEED_DATA:
            more = channel.recv(LARGEST)
            if (not more and not status) or len(content) > LARGEST_BODY or time.monotonic() > deadline:
                return None
            protocol.receive_data(more)
        elif isinstance(event, h11.Response):
            status = event.status_code
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in event.headers}
        elif isinstance(event, h11.Data):
            content += event.data
        elif isinstance(event, h11.EndOfMessage):
            return Exchange(request, status, headers, content, sent, time.monotonic_ns() // 1000)


@contextmanager
def _connected(network: Network, url: str) -> Iterator[socket.socket]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    with (
        closing(socket.create_connection((host, port), CONNECT_TIMEOUT)) as plain,
        # A secured connection takes over the socket, and is what must be closed.
        closing(network.secured(plain, host) if parts.scheme == "https" else plain) as channel,
    ):
        channel.settimeout(TIMEOUT)
        yield channel


def _until(channel: socket.socket, read: bytes, end: bytes | None) -> bytes:
    """Everything read until `end`, or until the connection closes; a response that keeps us waiting is an error."""
    while (end is None or end not in read) and len(read) < LARGEST:
        more = channel.recv(LARGEST)
        if not more:
            break
        read += more
    return read


def _before_next(read: bytes) -> bytes:
    """Everything before the next status line, or everything if there is none."""
    return read[: read.find(b"HTTP/1.")] if b"HTTP/1." in read else read
