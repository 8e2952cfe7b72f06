"""HTTP as the mock reads it: wherever packets are split, whatever is offered, and how large a head may be."""

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
from feedback_mock.protocol import (
    BODY_SECONDS,
    DISCARDED,
    HEAD_BYTES,
    HEAD_FIELDS,
    HEAD_SECONDS,
    IDLE_SECONDS,
    PART_SECONDS,
    READING_SECONDS,
    Http,
    most_connections,
)
from feedback_mock.server import Uvicorn
from uvicorn.server import ServerState

OFFER = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n"
LAST = "Connection: close\r\n"
LIKE_A_HEAD = "lost?\r\nUpgrade: h2c\r\nupgrade: x\r\n\r\nUpgrade: y\r\n\r\n"
PACKET = 64 * 1024
T = TypeVar("T")


class Answers:
    """What came back: the status and body of each response."""

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
    """A submission that is answered with its comments, or with 401 without credentials."""
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
    """The responses on one connection on which these packets arrive, each read separately, until it is closed."""
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
    """On the mock's event loop, which is stricter than Python's about closed connections."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(connections)


def said(answers: list[tuple[int, bytes]]) -> list[object]:
    """The status of each response, and the comments of everything stored."""
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
    """The 401 is sent before the body arrives; the body is skipped, and the next request is read."""
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
    """Credentials in a trailer come too late, whether or not the head was checked before it came."""
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
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: x\r\n",
        b"GET /",
        b"\r\n",
    ],
)
def test_what_does_not_end_is_ended(mock: Mock, begin: bytes) -> None:
    """132 MB of it once took 25 seconds, and twice that much memory."""
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
    """A connection that is closed with unread data is reset, and its last response may be lost."""
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


# RFC 9112: the requested host, and the coding of a body.


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("GET /none HTTP/1.1", 400),
        ("GET /none HTTP/1.1\r\nHost: a\r\nHost: a", 400),
        ("GET /none HTTP/1.1\r\nHost: a b", 400),
        ("GET /none HTTP/1.1\r\nHost: user@a", 400),
        ("GET /none HTTP/1.1\r\nHost:", 404),
        ("GET /none HTTP/1.1\r\nHost: [::1]:80", 404),
        ("GET /none HTTP/1.0", 404),
        ("GET /none", 505),
        ("GET /none#a HTTP/1.1\r\nHost: a", 400),
        ("GET http://a/none#a HTTP/1.1\r\nHost: a", 400),
        ("GET * HTTP/1.1\r\nHost: a", 400),
        ("OPTIONS * HTTP/1.1\r\nHost: a", 404),
        ("OPTIONS */none HTTP/1.1\r\nHost: a", 400),
        ("GET *http://a/none HTTP/1.1\r\nHost: a", 400),
        ("GET http:/none HTTP/1.1\r\nHost: a", 400),
        ("GET http:///none HTTP/1.1\r\nHost: a", 400),
        ("GET xhttp://a/none HTTP/1.1\r\nHost: a", 400),
        ("GET ftp://a/none HTTP/1.1\r\nHost: a", 400),
        ("GET http://user@a/none HTTP/1.1\r\nHost: a", 400),
        ("GET http://a:99999/none HTTP/1.1\r\nHost: a", 400),
        ("GET http://[::1/none HTTP/1.1\r\nHost: a", 400),
        ("GET HTTPS://[::1]:80/none HTTP/1.1\r\nHost: a", 404),
        ("OPTIONS http://a HTTP/1.1\r\nHost: a", 404),
        ("GET /none HTTP/1.0\r\nHost: a\r\nHost: a", 400),
        ("GET /none HTTP/1.0\r\nTransfer-Encoding: chunked", 400),
        ("GET /none HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked", 501),
        ("GET /none HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked", 501),
        ("GET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: CHUNKED", 404),
    ],
)
def test_a_head_is_what_rfc_9112_asks_for(mock: Mock, head: str, status: int) -> None:
    """Sections 2.3, 3.2 and 6.1; a refusal closes the connection, because nobody knows where the next request
    begins.
    """
    body = "0\r\n\r\n" if "chunked" in head.lower() else ""
    again = b"nonsense\r\n\r\n" if status == 404 else b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n"
    answers = run(sent(mock, [f"{head}\r\n\r\n{body}".encode(), again]))

    assert answers[0][0] == status
    assert [each for each, _ in answers[1:]] in ([], [400] if status == 404 else [])


@pytest.mark.parametrize(
    "broken", [b"Host: a\r\nHost: a\r\n\r\n", b"Host: a\r\nTransfer-Encoding: chunked\r\n\r\n5\nx"]
)
def test_a_refusal_has_no_body_where_the_method_is_head(mock: Mock, broken: bytes) -> None:
    """RFC 9110, 9.3.2; its length is that of the body for other methods."""
    raw = run(received(mock, b"HEAD /none HTTP/1.1\r\nHost: a\r\n" + broken))

    assert raw.startswith(b"HTTP/1.1 400 ")
    assert raw.endswith(b"\r\n\r\n")


def test_the_host_of_an_absolute_target_counts(mock: Mock) -> None:
    """RFC 9112, 3.2.2: not the one in the Host header, which a proxy may have left unchanged."""
    head = "GET http://{0}/_control/projects/acme/web HTTP/1.1\r\nHost: {1}\r\nConnection: close\r\n\r\n"
    local = run(sent(mock, [head.format("localhost:99", "elsewhere.example").encode()]))
    elsewhere = run(sent(mock, [head.format("elsewhere.example", "localhost:99").encode()]))

    assert [local[0][0], elsewhere[0][0]] == [404, 403]


def test_an_absolute_target_without_a_path_asks_for_the_root(mock: Mock) -> None:
    """RFC 9110, 4.2.3."""
    head = "GET {0} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    targets = ("/", "http://localhost", "http://localhost/", "http://localhost?x")

    assert len({run(sent(mock, [head.format(each).encode()]))[0] for each in targets}) == 1


@pytest.mark.parametrize(("files", "most"), [(64, 32), (200, 136), (20, 10)])
def test_of_few_files_half_are_for_connections(files: int, most: int) -> None:
    """A limit of 64 once left a single connection, and feedback-verify found violations in its own mock."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, before[1]))
    try:
        assert most_connections.__wrapped__() == most
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


# A client that has closed its sending side, and one that has disconnected.


async def half_closed(mock: Mock, content: bytes, leave: bool = False) -> list[tuple[int, bytes]]:
    """The responses to what a client sent before it closed its half of the connection, or all of it."""
    return Answers(await received(mock, content, leave)).seen


async def received(mock: Mock, content: bytes, leave: bool = False) -> bytes:
    """The same, as it arrived."""
    config = Uvicorn(mock, lambda: None).config
    config.load()
    loop, (client, server) = asyncio.get_running_loop(), socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=client)
    state = ServerState()
    await loop.connect_accepted_socket(lambda: Http(config, state, {}, loop), server)
    writer.write(content)
    if leave:
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    else:
        writer.write_eof()
    answers = b"" if leave else await asyncio.wait_for(reader.read(), 10)
    writer.close()
    async with asyncio.timeout(10):
        while state.connections or state.tasks:
            await asyncio.sleep(0)
    return answers


def test_a_head_that_is_cut_before_a_large_packet_is_no_larger_for_it(mock: Mock) -> None:
    """A socket delivers 256 KiB at once, most of it part of a body."""
    whole = request(mock, "x" * 300_000, LAST)

    assert said(run(sent(mock, [whole[:100], whole[100:]]))) == ["x" * 300_000]


def test_the_journal_keeps_once_what_is_the_same_in_many_requests(mock: Mock) -> None:
    """Otherwise a thousand requests fill the processor's cache, which makes each of them a tenth slower."""
    run(sent(mock, [request(mock, "one"), request(mock, "two"), request(mock, "six", LAST)]))
    *_, before, after = mock.default_project.journal.entries

    assert {id(each) for each in before.headers} < {id(each) for each in after.headers}
    assert before.answer is not None
    assert after.answer is not None
    assert before.answer.headers is after.answer.headers


@pytest.mark.parametrize("size", [7, 1_000_000])
def test_the_bytes_of_each_head_are_counted_wherever_packets_are_cut(mock: Mock, size: int) -> None:
    """The journal is bounded by them, in all processes alike. Trailers are not among them, a head with an offer is read
    twice, and the host of an absolute target replaces the one in Host.
    """
    trailer = request(mock, "trailer", chunked=True).replace(b"0\r\n\r\n", b"0\r\nX-Trailer: x\r\n\r\n")
    absolute = request(mock, "absolute").replace(b"POST /", b"POST http://elsewhere.example:8080/")
    content = b"".join(
        [request(mock, "offer", OFFER), trailer, absolute, request(mock, "last", "X-Long: " + "x" * 600 + "\r\n", LAST)]
    )
    run(sent(mock, [content[at : at + size] for at in range(0, len(content), size)]))
    entries = list(mock.default_project.journal.entries)[-4:]

    assert [each.sent[-1] for each in entries] == [
        len(each.target) + sum(len(name) + len(value) for name, value in each.headers) for each in entries
    ]


@pytest.mark.parametrize(
    ("rest", "last"),
    [
        (b"", []),
        (b"GET /none HTT", []),
        (b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n1", []),
        (b"?!", [400]),
    ],
)
def test_a_thousand_pipelined_requests_are_answered_after_a_half_close(
    mock: Mock, rest: bytes, last: list[int]
) -> None:
    """As sent by `printf … | nc -N`; an incomplete request is not answered."""
    few = b"".join(request(mock, str(each)) for each in range(10))
    answers = said(run(half_closed(mock, few * 100 + rest)))

    assert answers == [str(each) for each in range(10)] * 100 + last


def test_a_body_that_ends_with_the_connection_is_not_stored(mock: Mock) -> None:
    assert run(half_closed(mock, request(mock, "never")[:-1])) == []


@pytest.mark.parametrize("leave", [True, False])
@pytest.mark.parametrize("before", [0, 1])
@pytest.mark.parametrize("after", [0, 1])
def test_who_leaves_while_it_sleeps_is_awake_whatever_it_has_pipelined(
    mock: Mock, leave: bool, before: int, after: int
) -> None:
    """Only its half of the connection distinguishes a waiting client from one that has disconnected."""
    project = mock.default_project
    body = b'{"duration":"P1D","participant":"a"}'
    path = f"/_control/projects/{project.organization}/{project.slug}/clock/sleep"
    project.sleepers.join("b")
    asleep = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    answers = run(half_closed(mock, request(mock, "one") * before + asleep + request(mock, "two") * after, leave))

    assert said(answers) == ["one"] * (before if not leave else 0)
    assert project.sleepers.shown() == {"a": None, "b": None}


# A client that keeps the server waiting, second after second.


async def waited(mock: Mock, packets: Iterable[bytes], seconds: int, each: bytes = b"") -> list[int]:
    """The statuses received while the client sent these packets and then, each second, at most `each`."""
    config = Uvicorn(mock, lambda: None).config
    config.load()
    loop, (client, server) = asyncio.get_running_loop(), socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=client)
    transport, protocol = await loop.connect_accepted_socket(lambda: Http(config, ServerState(), {}, loop), server)
    try:
        for packet in packets:
            protocol.data_received(packet)
            await asyncio.sleep(0)
        for _ in range(seconds):
            protocol.tick()
            if each and not transport.is_closing():
                protocol.data_received(each)
            await asyncio.sleep(0)
        if not transport.is_closing() and protocol._status is None:
            return [0]
        return [status for status, _ in Answers(await asyncio.wait_for(reader.read(), 10)).seen]
    finally:
        writer.close()
        transport.abort()


@pytest.mark.parametrize(
    ("begin", "each", "seconds", "ends"),
    [
        (b"GET /none HTTP/1.1\r\nX: ", b"x", HEAD_SECONDS, [408]),
        (b"G", b"", HEAD_SECONDS, [408]),
        (b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n1", b"", PART_SECONDS, [404]),
        (b"", b"", IDLE_SECONDS, []),
        (b"", b"\r\n", IDLE_SECONDS, []),
    ],
)
def test_a_client_that_goes_on_too_slowly_is_left(
    mock: Mock, begin: bytes, each: bytes, seconds: int, ends: list[int]
) -> None:
    assert run(waited(mock, [begin], seconds, each)) == [0]
    assert run(waited(mock, [begin], seconds + 1, each)) == ends


def test_a_body_has_its_time_and_each_part_of_it_too(mock: Mock) -> None:
    """A body for which the mock waits, because its credentials are valid."""
    whole = request(mock, "x" * 900)
    begin = [whole[:-900]]

    assert run(waited(mock, begin, PART_SECONDS)) == [0]
    assert run(waited(mock, begin, PART_SECONDS + 1)) == [408]
    assert run(waited(mock, begin, BODY_SECONDS, b"x")) == [0]
    assert run(waited(mock, begin, BODY_SECONDS + 1, b"x")) == [408]


def test_the_next_request_on_a_connection_has_all_its_time(mock: Mock) -> None:
    begin = [request(mock, "one"), b"GET /none"]

    assert run(waited(mock, begin, HEAD_SECONDS)) == [0]
    assert run(waited(mock, begin, HEAD_SECONDS + 1)) == [200, 408]


def test_a_connection_on_which_no_other_request_begins_is_closed(mock: Mock) -> None:
    seconds = Uvicorn(mock, lambda: None).config.timeout_keep_alive

    assert run(waited(mock, [request(mock, "one")], seconds)) == [0]
    assert run(waited(mock, [request(mock, "one")], seconds + 1)) == [200]


def test_a_client_that_reads_no_answer_is_left(mock: Mock) -> None:
    async def ask() -> list[bool]:
        config = Uvicorn(mock, lambda: None).config
        config.load()
        loop, (client, server) = asyncio.get_running_loop(), socket.socketpair()
        transport, protocol = await loop.connect_accepted_socket(lambda: Http(config, ServerState(), {}, loop), server)
        protocol.pause_writing()
        seen = []
        for _ in range(READING_SECONDS + 1):
            protocol.tick()
            seen.append(transport.is_closing())
        client.close()
        return seen

    assert run(ask()) == [False] * READING_SECONDS + [True]
