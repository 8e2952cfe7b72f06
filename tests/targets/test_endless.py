"""Responses without end, and small ones that are large once unpacked: each request ends, in bounded memory."""

import gzip
import itertools
import socket
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

import pytest
from feedback_verify.exchange import MOST_ITEMS, Exchange, Request, as_data
from feedback_verify.targets import network, sending
from feedback_verify.targets.network import Network
from feedback_verify.targets.sending import NotReachable, Sender, Trouble

PAUSE = 0.01  # seconds between two parts of an endless response
HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"


@contextmanager
def answering(parts: Iterable[bytes]) -> Iterator[str]:
    """A server that sends these bytes on every connection, whatever it is asked, until the client leaves."""
    ended = threading.Event()

    def answer(channel: socket.socket) -> None:
        with channel, suppress(OSError):
            channel.recv(65_536)
            for part in parts:
                channel.sendall(part)
                if ended.wait(PAUSE):
                    return

    def accept(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            ended.set()
            listener.shutdown(socket.SHUT_RDWR)


def posted(url: str, sender: Sender | None = None) -> Exchange:
    """What the verifier makes of the response to a POST, on a connection of its own."""
    sender = sender or Sender(Network())
    with sender.network.transport(kept_for=0) as transport:
        return sender.exchange(transport, Request("POST", url))


def _packed_nothing() -> Iterator[bytes]:
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS + 16)
    yield HEAD + b"Content-Encoding: gzip\r\n\r\n" + packer.compress(b"") + packer.flush(zlib.Z_SYNC_FLUSH)
    yield from itertools.repeat(b"\0\0\0\xff\xff")


ENDLESS: dict[str, Callable[[], Iterator[bytes]]] = {
    "interim responses": lambda: itertools.repeat(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
    "a head": lambda: itertools.chain([HEAD + b"X: "], itertools.repeat(b"x")),
    "a body": lambda: itertools.chain([HEAD + b"\r\n"], itertools.repeat(b"1")),
    "a chunk's size": lambda: itertools.chain([HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;"], itertools.repeat(b"x")),
    "packed data of nothing": _packed_nothing,
}


@pytest.mark.parametrize("endless", ENDLESS.values(), ids=list(ENDLESS))
def test_a_response_that_does_not_end_is_given_up(
    endless: Callable[[], Iterator[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although there is always something new to read."""
    monkeypatch.setattr(network, "TIMEOUT", 0.2)

    with answering(endless()) as url, pytest.raises(NotReachable, match=r"is not complete after 0\.2 s|timed out"):
        posted(url)


def test_no_more_is_unpacked_than_a_response_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "LARGEST", 1_000)
    bomb = gzip.compress(bytes(1_000_000))

    with answering([HEAD + b"Content-Encoding: gzip\r\n\r\n" + bomb]) as url:
        assert posted(url).content == bytes(1_000)


@pytest.mark.parametrize("coding", ["gzip, gzip", "br", "zstd"])
def test_a_coding_that_nobody_asked_for_stays_as_it_is(coding: str) -> None:
    """A few bytes packed twice, or by Brotli, can become any number of bytes."""
    twice = gzip.compress(gzip.compress(bytes(1_000_000)))

    with answering([HEAD + f"Content-Encoding: {coding}\r\n\r\n".encode() + twice]) as url:
        assert posted(url).content == twice


def deflated(data: bytes, bits: int) -> bytes:
    packer = zlib.compressobj(wbits=bits)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("coding", "bits"),
    [
        ("gzip", zlib.MAX_WBITS + 16),
        ("X-GZIP", zlib.MAX_WBITS + 16),
        ("deflate", zlib.MAX_WBITS),
        ("deflate", -zlib.MAX_WBITS),
    ],
)
def test_what_was_asked_for_is_unpacked(coding: str, bits: int) -> None:
    """Also the bare format, which some servers mean by deflate (RFC 9110, 8.4.1.2)."""
    with answering([HEAD + f"Content-Encoding: {coding}\r\n\r\n".encode() + deflated(b"as it was", bits)]) as url:
        assert posted(url).content == b"as it was"


def test_what_is_packed_wrongly_is_no_response() -> None:
    with (
        answering([HEAD + b"Content-Encoding: gzip\r\n\r\nplain"]) as url,
        pytest.raises(NotReachable, match="the body is not compressed as Content-Encoding says"),
    ):
        posted(url)


def test_large_responses_are_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them may be in a report; those that are not large are not counted."""
    monkeypatch.setattr(sending, "LARGE", 10)
    monkeypatch.setattr(sending, "MOST_LARGE", 30)
    sender = Sender(Network())

    with answering([HEAD + b"\r\n" + b"x" * 15]) as url, answering([HEAD + b"\r\n" + b"x" * 10]) as other:
        for _ in range(3):
            posted(other, sender)
        for _ in range(2):
            posted(url, sender)
        with pytest.raises(Trouble, match="answered with 15 bytes, and large responses had 3 MiB before"):
            posted(url, sender)
        assert posted(other, sender).status == 200


def test_json_of_too_many_items_is_not_read() -> None:
    assert as_data(b"[" + b"1," * MOST_ITEMS + b"1]") is not None
    assert as_data(b"[" + b"1," * (MOST_ITEMS + 1) + b"1]") is None
