"""Reads what SDKs send: decompresses bodies within a limit, and parses envelopes. Pure; knows no projects and no
statuses.

The format is that of Sentry's developer documentation, "Envelopes". Never echoes a body.
"""

import base64
import binascii
import itertools
import re
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import orjson
from feedback_spec.bodies import Unreadable
from feedback_spec.instants import format_duration, parse_duration

from feedback_mock.body import TooLarge

STEP, CHUNK = 4_096, 65_536
TAKEN = frozenset({"event", "feedback", "user_report"})
"""The types of items whose payload is read."""
ZSTD_WINDOW = 2**23  # as RFC 8878, 3.1.1.1.2 recommends
ZSTD_STEP = 64  # bytes per step: a block of 4 is up to 128 KiB decompressed (RFC 8878, 3.1.1.2.4), so 2 MiB at most
_BLANK = re.compile(rb"\s*")


@dataclass(frozen=True, slots=True)
class Unpacking:
    """Limits of decompression: the size in bytes, and the CPU time in microseconds."""

    size: int
    time: int

    @classmethod
    def of(cls, limits: Mapping[str, Any]) -> Self:
        """The limits in an operation of the ingest document."""
        return cls(limits["x-max-decompressed-bytes"], parse_duration(limits["x-max-unpacking"]))


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of an envelope: bytes read as JSON, bytes of one header, items, and bytes of white space."""

    json: int
    header: int
    items: int
    blank: int

    @classmethod
    def of(cls, limits: Mapping[str, Any]) -> Self:
        """The limits in an operation of the ingest document."""
        return cls(*(limits[f"x-max-{name}"] for name in ("json-bytes", "header-bytes", "items", "blank-bytes")))


@dataclass(frozen=True, slots=True)
class Item:
    """One item of an envelope: its type, empty if it names none, and its payload as sent."""

    type: str
    payload: memoryview


def processor_time() -> int:
    """Microseconds of CPU time used by this thread."""
    return time.thread_time_ns() // 1_000


def unpack(body: bytes, encoding: str, bounds: Unpacking, spent: Callable[[], int] = processor_time) -> Iterator[bytes]:
    """The body without its Content-Encoding, piece by piece; only what is requested is decompressed.

    Raises TooLarge as soon as it exceeds a limit in size or time, Unreadable if the data does not follow the encoding,
    and LookupError for an unknown encoding. A body without an encoding has no limits here.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        yield body
        return
    size = 0
    for piece in _UNPACKERS[name](_slices(body, bounds.time, spent)):
        size += len(piece)
        if size > bounds.size:
            raise TooLarge(f"it decompresses to more than {bounds.size} bytes")
        yield piece


def _slices(body: bytes, most: int, spent: Callable[[], int]) -> Iterator[bytes]:
    """The body in small slices, while there is time: an encoding can make a lot of work out of a few bytes.

    A Brotli block of 80 bytes takes 40 microseconds, so no limit in bytes would do.
    """
    end = spent() + most
    for start in range(0, len(body), STEP):
        yield body[start : start + STEP]
        if spent() > end:
            raise TooLarge(f"it takes more than {format_duration(most)} to decompress")


def unpack_text(body: bytes, bounds: Unpacking) -> bytes:
    """What old SDKs sent to `/store/`: base64 of zlib data, or base64 of the JSON. Raises Unreadable or TooLarge."""
    try:
        data = base64.b64decode(body, validate=False)
    except (binascii.Error, ValueError):
        raise Unreadable("the body is neither JSON nor base64") from None
    return b"".join(unpack(data, "deflate" if _is_zlib(data) else "", bounds))


def _is_zlib(data: bytes) -> bool:
    """Whether it begins with the header of RFC 1950; neither JSON nor deflate data, as commonly written, does."""
    return len(data) > 1 and data[0] & 15 == zlib.DEFLATED and int.from_bytes(data[:2]) % 31 == 0


def _inflate(slices: Iterator[bytes], bits: int) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(bits)
    try:
        for each in slices:
            data = each
            while data and not unpacker.eof:
                yield unpacker.decompress(data, CHUNK)
                data = unpacker.unconsumed_tail
        yield unpacker.flush()
    except zlib.error:
        raise Unreadable("the compressed data is damaged") from None
    if not unpacker.eof:
        raise Unreadable("the compressed data ends too early")


def _deflate(slices: Iterator[bytes]) -> Iterator[bytes]:
    """With the zlib header, as the standard says, or without, as some clients send it."""
    first = next(slices, b"")
    return _inflate(itertools.chain([first], slices), zlib.MAX_WBITS if _is_zlib(first) else -zlib.MAX_WBITS)


def _brotli(slices: Iterator[bytes]) -> Iterator[bytes]:
    import brotli  # noqa: PLC0415 (only for those who send it)

    unpacker = brotli.Decompressor()
    try:
        for each in slices:
            data = each
            while piece := unpacker.process(data, output_buffer_limit=CHUNK):
                yield piece
                data = b""
    except brotli.error:
        raise Unreadable("the compressed data is damaged") from None
    if not unpacker.is_finished():
        raise Unreadable("the compressed data ends too early")


def _zstd(slices: Iterator[bytes]) -> Iterator[bytes]:
    """Any number of frames, each complete; an object of zstandard reads one, and says whether it ended."""
    import zstandard  # noqa: PLC0415 (only for those who send it)

    unpacker = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW)
    frame = None
    try:
        for each in slices:
            for start in range(0, len(each), ZSTD_STEP):
                data = each[start : start + ZSTD_STEP]
                while data:
                    frame = frame or unpacker.decompressobj()
                    yield frame.decompress(data)
                    data = frame.unused_data
                    if frame.eof:
                        frame = None
    except zstandard.ZstdError:
        raise Unreadable("the compressed data is damaged") from None
    if frame:
        raise Unreadable("the compressed data ends too early")


_UNPACKERS: dict[str, Callable[[Iterator[bytes]], Iterator[bytes]]] = {
    "gzip": lambda slices: _inflate(slices, zlib.MAX_WBITS | 16),
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}


def parse_header(body: bytes, bounds: Bounds) -> dict[str, Any]:
    """The header of an envelope, given the body or only its beginning. Raises Unreadable."""
    return _header(_line(body, 0, bounds), "invalid envelope header")


def parse_items(body: bytes, bounds: Bounds) -> list[Item]:
    """The items of an envelope. Raises Unreadable, and TooLarge if more would have to be read than is allowed."""
    return list(_items(body, bounds))


def _items(body: bytes, bounds: Bounds) -> Iterator[Item]:
    view = memoryview(body)
    at = read = len(_line(body, 0, bounds)) + 1
    for count in itertools.count(1):
        at = _after_blank(body, at, bounds)  # empty lines at the end, which many SDKs send
        if at >= len(body):
            return
        if count > bounds.items:
            raise Unreadable(f"more than {bounds.items} items")
        line = _line(body, at, bounds)
        header = _header(line, "invalid item header")
        at += len(line) + 1
        stop = _end_of_payload(body, at, header.get("length"))
        item = Item(_type(header), view[at:stop])
        read += len(line) + (len(item.payload) if item.type in TAKEN else 0)
        if read > bounds.json:
            raise TooLarge(f"its headers, events and reports are more than {bounds.json} bytes")
        yield item
        at = stop + 1


def _after_blank(body: bytes, at: int, bounds: Bounds) -> int:
    match = _BLANK.match(body, at, at + bounds.blank + 1)
    end = match.end() if match else at
    if end - at > bounds.blank:
        raise Unreadable(f"more than {bounds.blank} bytes of white space between items")
    return end


def _end_of_payload(body: bytes, at: int, length: Any) -> int:
    """Where the payload that begins at `at` ends: after its length, or else at the end of its line."""
    if length is None:
        end = body.find(b"\n", at)
        return len(body) if end < 0 else end
    if not isinstance(length, int) or isinstance(length, bool) or length < 0:
        raise Unreadable("invalid item header")
    if at + length > len(body):
        raise Unreadable("unexpected end of file")
    if body[at + length : at + length + 1] not in (b"", b"\n"):
        raise Unreadable("missing newline after header or payload")
    return at + length


def _line(body: bytes, at: int, bounds: Bounds) -> bytes:
    """The line that begins there, without its end."""
    end = body.find(b"\n", at, at + bounds.header + 1)
    if end < 0 and len(body) - at > bounds.header:
        raise Unreadable(f"a header of more than {bounds.header} bytes")
    return body[at:] if end < 0 else body[at:end]


def _type(header: dict[str, Any]) -> str:
    value = header.get("type")
    return value if isinstance(value, str) else ""


def _header(line: bytes, problem: str) -> dict[str, Any]:
    try:
        header = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise Unreadable(problem) from None
    if not isinstance(header, dict):
        raise Unreadable(problem)
    return header
