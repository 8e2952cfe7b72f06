"""HTTP as the mock reads it: wherever packets are cut, whatever is offered, and how much a head may be."""

import asyncio
import json
import socket
from collections.abc import Coroutine, Iterable
from typing import TypeVar

import httptools
import pytest
import uvloop
from feedback_mock.app import create_app
from feedback_mock.mock import Mock
from feedback_mock.protocol import DISCARDED, HEAD_BYTES, HEAD_FIELDS, Http
from feedback_mock.server import Uvicorn
from uvicorn.server import ServerState

OFFER = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n"
LAST = "Connection: close\r\n"
LIKE_A_HEAD = "lost?\r\nUpgrade: h2c\r\nupgrade: x\r\n\r\nUpgrade: y\r\n\r\n"
PACKET = 64 * 1024
T = TypeVar("T")


class Answers:
    """What came back: of each answer its status and its body."""

    def __init__(self, content: bytes) -> None:
        self.seen: list[tuple[int, bytes]] = []
        self._parser = httptools.HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._parser.feed_data(content)

    def on_message_begin(self) -> None:
        self._body = b""

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self.seen.append((self._parser.get_status_code(), self._body))


@pytest.fixture(scope="module")
def mock() -> Mock:
    return create_app()


def request(mock: Mock, comments: str, *more: str, known: bool = True, chunked: bool = False) -> bytes:
    """A submission that is answered with its comments, or with 401 where nobody is known."""
    project = mock.default_project
    path = mock.document.submit.path.format(organization_slug=project.organization, project_slug=project.slug)
    event = "7167980ca1db42cdba8d5284e7f81c66"
    body = json.dumps({"event_id": event, "name": "Jane", "email": "jane@example.com", "comments": comments}).encode()
    body = body.replace(rb"\r\n", b"\r\n") if not known else body
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
    credentials = f"Authorization: Bearer {project.credentials.tokens['write']}\r\n" if known else ""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\n{credentials}{''.join(more)}Content-Type: application/json\r\n{framing}"
    if chunked:
        body = b"%x\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (9, body[:9], len(body) - 9, body[9:])
    return head.encode() + b"\r\n\r\n" + body


async def sent(mock: Mock, packets: Iterable[bytes]) -> list[tuple[int, bytes]]:
    """The answers on one connection on which these packets arrive, each read by itself, until it is closed."""
    config = Uvicorn(mock, lambda: None).config
    config.load()
    loop, (client, server) = asyncio.get_running_loop(), socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=client)
    transport, protocol = await loop.connect_accepted_socket(lambda: Http(config, ServerState(), {}, loop), server)
    for packet in packets:
        protocol.data_received(packet)
        await asyncio.sleep(0)
        if transport.is_closing():
            break
    try:
        return Answers(await asyncio.wait_for(reader.read(), 10)).seen
    finally:
        writer.close()
        transport.abort()


def run(connections: Coroutine[None, None, T]) -> T:
    """On the loop that the mock has, which is stricter than Python's with what is closed."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(connections)


def said(answers: list[tuple[int, bytes]]) -> list[object]:
    """Of each answer its status, of what was stored the comments."""
    return [json.loads(body)["comments"] if status == 200 else status for status, body in answers]


def test_an_offer_of_an_upgrade_loses_nothing_wherever_packets_are_cut(mock: Mock) -> None:
    """As Java's HttpClient offers h2c; RFC 9110, 7.8 lets a server ignore it."""
    whole = request(mock, "one", OFFER) + request(mock, "two", OFFER) + request(mock, "three", LAST)

    async def everywhere() -> None:
        for cut in range(1, len(whole)):
            assert said(await sent(mock, [whole[:cut], whole[cut:]])) == ["one", "two", "three"], whole[:cut]

    run(everywhere())


def test_an_offer_in_single_bytes_loses_nothing(mock: Mock) -> None:
    whole = request(mock, "one", OFFER) + request(mock, "two", LAST)

    assert said(run(sent(mock, [bytes([each]) for each in whole]))) == ["one", "two"]


@pytest.mark.parametrize("offer", ["Upgrade: websocket\r\nConnection: upgrade, close\r\n", OFFER + LAST])
def test_an_offer_may_end_the_connection(mock: Mock, offer: str) -> None:
    assert said(run(sent(mock, [request(mock, "one", offer)]))) == ["one"]


def test_an_offer_with_a_body_in_chunks_loses_nothing(mock: Mock) -> None:
    packets = [request(mock, "one", OFFER, chunked=True) + request(mock, "two", OFFER + LAST, chunked=True)]

    assert said(run(sent(mock, packets))) == ["one", "two"]


def test_a_body_is_not_a_head_however_it_looks(mock: Mock) -> None:
    """The 401 is there before the body is; what the body says is passed over, and the next request is read."""
    early, late = request(mock, LIKE_A_HEAD, known=False), request(mock, LIKE_A_HEAD, LAST)
    body = early.index(b"\r\n\r\n") + 4

    async def everywhere() -> None:
        for cut in range(body, len(early)):
            answers = await sent(mock, [early[:body], early[body:cut], early[cut:] + late])
            assert said(answers) == [401, LIKE_A_HEAD.strip()], early[body:cut]

    run(everywhere())


def test_a_tunnel_is_refused(mock: Mock) -> None:
    assert said(run(sent(mock, [b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n"]))) == [400]


def test_a_head_of_the_largest_size_is_taken(mock: Mock) -> None:
    few = request(mock, "few", *(f"X-{each}: x\r\n" for each in range(HEAD_FIELDS - 4)))
    rest = len(few.partition(b"\r\n\r\n")[0])
    long = request(mock, "long", f"X-Long: {'x' * (HEAD_BYTES - rest)}\r\n", LAST)

    assert said(run(sent(mock, [few, long]))) == ["few", "long"]


def heads(mock: Mock) -> dict[str, bytes]:
    one = b"X-Long: " + b"x" * HEAD_BYTES + b"\r\n"
    return {
        "a field too many": request(mock, "x", *(f"X-{each}: x\r\n" for each in range(HEAD_FIELDS - 3))),
        "a field too long": request(mock, "x", one.decode()),
        "many long fields": request(mock, "x", *(f"X: {'x' * 1000}\r\n" for _ in range(66))),
    }


@pytest.mark.parametrize("case", list(heads(create_app())))
@pytest.mark.parametrize("size", [1000, 1_000_000])
def test_a_larger_head_is_431_and_the_end(mock: Mock, case: str, size: int) -> None:
    content = heads(mock)[case]
    packets = [content[at : at + size] for at in range(0, len(content), size)]

    assert said(run(sent(mock, [*packets, request(mock, "never", LAST)])))[:1] == [431]


def test_trailers_are_not_fields_of_the_head(mock: Mock) -> None:
    """What a trailer says of credentials comes too late, whether or not the head was looked at before it came."""
    project = mock.default_project
    trailer = f"Authorization: Bearer {project.credentials.tokens['write']}\r\n".encode()
    whole = request(mock, "x", LAST, known=False, chunked=True).replace(b"0\r\n\r\n", b"0\r\n" + trailer + b"\r\n")

    assert said(run(sent(mock, [whole]))) == [401]


def test_a_target_that_is_too_long_is_414(mock: Mock) -> None:
    assert said(run(sent(mock, [b"GET /" + b"x" * HEAD_BYTES + b" HTTP/1.1\r\nHost: x\r\n\r\n"]))) == [414]


@pytest.mark.parametrize(
    "begin",
    [
        b"GET / HTTP/1.1\r\nX: ",
        b"GET / HTTP/1.1\r\nX: x\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: x\r\n",
        b"GET /",
        b"\r\n",
    ],
)
def test_what_does_not_end_is_ended(mock: Mock, begin: bytes) -> None:
    """132 MB of it once cost 25 seconds, and as much memory twice."""
    taken = 0

    def too_much() -> Iterable[bytes]:
        nonlocal taken
        yield begin
        while taken < 132_000_000:
            taken += PACKET
            yield b"X:x\r\n" * (PACKET // 5) if begin.endswith(b"\r\n") else b"x" * PACKET

    run(sent(mock, too_much()))

    assert taken <= HEAD_BYTES + DISCARDED + 3 * PACKET


def test_what_follows_a_refused_head_is_passed_over(mock: Mock) -> None:
    """A connection that is closed while something is unread is reset, and its last answer may be lost."""
    taken = []

    def too_much() -> Iterable[bytes]:
        yield b"nonsense\r\n\r\n"
        for _ in range(DISCARDED // PACKET):
            taken.append(PACKET)
            yield b"x" * PACKET

    assert said(run(sent(mock, too_much()))) == [400]
    assert sum(taken) == DISCARDED


@pytest.mark.parametrize("broken", [b"GET / HTTP/9\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"X: x\r\n" * (HEAD_FIELDS + 2)])
def test_a_refusal_comes_after_the_answers_to_what_was_asked_before(mock: Mock, broken: bytes) -> None:
    answers = said(run(sent(mock, [request(mock, "one") + request(mock, "two") + broken])))

    assert answers[:2] == ["one", "two"]
    assert answers[2:] in ([400], [431])


def test_nothing_follows_an_answer_that_was_asked_to_be_the_last(mock: Mock) -> None:
    packets = [request(mock, "one", LAST) + b"nonsense"]

    assert said(run(sent(mock, packets))) == ["one"]


def test_a_body_that_breaks_is_refused_in_its_turn(mock: Mock) -> None:
    broken = request(mock, "x", chunked=True).replace(b"\r\n0\r\n", b"nonsense")

    assert said(run(sent(mock, [request(mock, "one") + request(mock, "two") + broken]))) == ["one", "two", 400]
    assert said(run(sent(mock, [broken]))) == [400]


def test_a_body_that_breaks_after_its_answer_only_ends_the_connection(mock: Mock) -> None:
    head, blank, body = request(mock, "x", known=False, chunked=True).partition(b"\r\n\r\n")

    assert said(run(sent(mock, [head + blank, b"nonsense" + body]))) == [401]
