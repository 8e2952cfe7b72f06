"""What a client may send to a socket, valid and broken, and what it means according to h11, which shares no code with
the mock.

Sends nothing.
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import h11
from hypothesis import strategies as st

from tests.fuzz.pieces import CHUNKS, FIELDS, FIRST

HEAD = 64 * 1024
# The state after the offer of an upgrade, which the mock ignores; h11 has it but does not list it.
_UPGRADE: Any = h11._state.MIGHT_SWITCH_PROTOCOL
MARK = "7167980ca1db42cdba8d5284e7f81c66"


@dataclass
class Seen:
    """A request as one reader understood it. `body` is complete if `whole`."""

    method: str
    target: str
    body: bytes = b""
    whole: bool = False


@dataclass(frozen=True)
class Stream:
    """Bytes that arrive in these packets. The first `sound` requests follow RFC 9112."""

    packets: tuple[bytes, ...]
    sound: int

    @property
    def content(self) -> bytes:
        """All bytes."""
        return b"".join(self.packets)


def read(content: bytes) -> list[Seen]:
    """The requests of a stream after which the client sends nothing more, up to the first that cannot be read."""
    requests: list[Seen] = []
    while rest := content.lstrip(b"\r\n"):
        line, end, more = rest.partition(b"\n")
        # RFC 9112, 3: a server may accept any white space for the single space between the words of the first line.
        rest = b" ".join(line.split()) + b"\r" * line.endswith(b"\r") + end + more
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=64 * HEAD)
        connection.receive_data(rest)
        connection.receive_data(b"")
        with suppress(h11.RemoteProtocolError):
            for event in iter(connection.next_event, h11.ConnectionClosed()):
                if isinstance(event, h11.Request):
                    requests.append(Seen(event.method.decode(), event.target.decode()))
                elif isinstance(event, h11.Data):
                    requests[-1].body += event.data
                elif isinstance(event, h11.EndOfMessage):
                    requests[-1].whole = True
                    break
        if connection.their_state not in (h11.DONE, _UPGRADE):
            break
        content = connection.trailing_data[0]
    return requests


def statuses(content: bytes, methods: list[str]) -> list[int]:
    """The final statuses of a stream of responses to these methods, and perhaps of one more refusal.

    Raises h11.RemoteProtocolError for anything but HTTP. The method of a refused request is unknown.
    """
    try:
        return _statuses(content, [*methods, "GET"])
    except h11.RemoteProtocolError:
        return _statuses(content, [*methods, "HEAD"])


def _statuses(content: bytes, methods: list[str]) -> list[int]:
    found: list[int] = []
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=64 * HEAD)
    connection.receive_data(content)
    connection.receive_data(b"")
    for method in methods:
        if not connection.trailing_data[0]:
            break
        connection.send(h11.Request(method="HEAD" if method == "HEAD" else "GET", target="/", headers=[("Host", "x")]))
        connection.send(h11.EndOfMessage())
        while not isinstance(event := connection.next_event(), h11.EndOfMessage):
            if isinstance(event, h11.Response):
                found.append(event.status_code)
        if connection.their_state not in (h11.DONE, _UPGRADE):
            break
        connection.start_next_cycle()
    if connection.trailing_data[0]:
        raise h11.RemoteProtocolError("something follows the last answer")
    return found


def streams(path: str, token: str) -> st.SearchStrategy[Stream]:
    """Streams of requests to this mock: some valid, then perhaps a broken one, then more."""
    sound = st.lists(_sound(path, token), max_size=3)
    return st.builds(_cut, sound, st.none() | _broken(path, token), sound, st.lists(st.integers(0, 2**20), max_size=4))


def _cut(before: list[bytes], broken: bytes | None, after: list[bytes], places: list[int]) -> Stream:
    content = b"".join([*before, broken or b"", *after])
    cuts = sorted({0, len(content), *(each % (len(content) + 1) for each in places)})
    packets = tuple(content[start:end] for start, end in pairwise(cuts))
    return Stream(packets, len(before) + (len(after) if broken is None else 0))


def _submission(comments: str) -> bytes:
    return json.dumps({"event_id": MARK, "name": "J", "email": "j@example.com", "comments": comments}).encode()


# In a body, text that looks like a request of its own, which must not be mistaken for one.
_TEXTS = st.sampled_from(["a", "lost\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n", "0\r\n\r\n", "x" * 70_000, "é"])

_LINES = (
    b"GET /none HTTP/1.1",
    b"HEAD /none?a=%zz HTTP/1.1",
    b"OPTIONS * HTTP/1.1",
    b"GET http://x/none HTTP/1.1",
    b"DELETE /%00/%ff HTTP/1.1",
)
_MORE = st.sampled_from(
    (
        [],
        [b"X: \xe9\xff"],
        [b"X:"],
        [b"Connection: keep-alive"],
        [b"Expect: 100-continue"],
        [b"Upgrade: h2c", b"Connection: upgrade"],
        [b"Accept: */*"] * 50,
    )
)


def _lines(path: str, token: str) -> st.SearchStrategy[tuple[bytes, list[bytes], bytes]]:
    """A request in three parts: its first line, its fields and its body."""
    bearer = f"Authorization: Bearer {token}".encode()
    json_type = b"Content-Type: application/json"

    def post(text: str, chunks: list[int], trailer: bool, known: bool) -> tuple[bytes, list[bytes], bytes]:
        body, framing = _submission(text), b"Content-Length: %d"
        if chunks:
            ends = sorted({each % len(body) for each in chunks} - {0}) + [len(body)]
            parts = [body[start:end] for start, end in zip([0, *ends], ends, strict=False)]
            body = b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in parts) + b"0\r\n"
            body, framing = body + (b"X-T: t\r\n" if trailer else b"") + b"\r\n", b"Transfer-Encoding: chunked"
        else:
            framing %= len(body)
        fields = [b"Host: x", *([bearer] if known else []), json_type, framing]
        return f"POST {path} HTTP/1.1".encode(), fields, body

    posts = st.builds(post, _TEXTS, st.lists(st.integers(0, 2**17), max_size=3), st.booleans(), st.booleans())
    others = st.builds(lambda line, fields: (line, [b"Host: x", *fields], b""), st.sampled_from(_LINES), _MORE)
    return posts | others


def _joined(parts: tuple[bytes, list[bytes], bytes]) -> bytes:
    line, fields, body = parts
    return b"\r\n".join([line, *fields, b"", b""]) + body


def _sound(path: str, token: str) -> st.SearchStrategy[bytes]:
    return _lines(path, token).map(_joined)


def _broken(path: str, token: str) -> st.SearchStrategy[bytes]:
    """A request with one to three changes of the kinds that the RFC mentions, and of any kind."""

    lines = _lines(path, token)

    @st.composite
    def changed(draw: st.DrawFn) -> bytes:
        line, fields, body = draw(lines)
        fields = list(fields)
        for _ in range(draw(st.integers(1, 2))):
            match draw(st.sampled_from(("first", "field", "field", "without", "twice", "chunks", "many"))):
                case "first":
                    line = draw(st.sampled_from(FIRST))
                case "field":
                    fields.insert(draw(st.integers(0, len(fields))), draw(st.sampled_from(FIELDS)))
                case "without" if fields:
                    fields.pop(draw(st.integers(0, len(fields) - 1)))
                case "twice" if fields:
                    fields.append(draw(st.sampled_from(fields)))
                case "chunks":
                    fields = [*(each for each in fields if b"Length" not in each), b"Transfer-Encoding: chunked"]
                    body = draw(st.sampled_from(CHUNKS))
                case "many":
                    fields += [b"X: %d" % each for each in range(draw(st.sampled_from((100, 195, 250, 10_000))))]
        content = _joined((line, fields, body))
        match draw(st.sampled_from(("all", "all", "cut", "flip", "insert", "delete", "feeds"))):
            case "cut":
                return content[: draw(st.integers(0, len(content)))]
            case "flip" | "insert" | "delete" as how:
                place, skipped = draw(st.integers(0, min(len(content), 600))), how != "insert"
                put = b"" if how == "delete" else draw(st.binary(min_size=1, max_size=3))
                return content[:place] + put + content[place + skipped :]
            case "feeds":
                return content.replace(b"\r\n", b"\n", draw(st.sampled_from((1, 3, -1))))
        return content

    return changed()
