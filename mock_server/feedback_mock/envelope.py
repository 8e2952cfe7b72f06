"""Reads what SDKs send: unpacks bodies within a limit, and takes envelopes apart. Pure; knows no project and no status.

The format is that of Sentry's developer documentation, "Envelopes". Nothing of a body is echoed.
"""

import base64
import binascii
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from feedback_mock.body import TooLarge, Unreadable

CHUNK = 65_536
MAX_ITEMS = 1_000


@dataclass(frozen=True, slots=True)
class Item:
    """One item of an envelope: its header and its payload as it stood there."""

    header: dict[str, Any]
    payload: bytes

    @property
    def type(self) -> str:
        """The type that the header names; empty where it names none."""
        value = self.header.get("type")
        return value if isinstance(value, str) else ""


def unpack(body: bytes, encoding: str, limit: int) -> bytes:
    """The body without its Content-Encoding, at most `limit` bytes of it.

    Raises TooLarge as soon as there is more, Unreadable where the data is not what the encoding says, and LookupError
    for an encoding that is not known.
    """
    name = encoding.strip().lower()
    unpacked = body if name in ("", "identity") else _UNPACKERS[name](body, limit)
    if len(unpacked) > limit:
        raise TooLarge
    return unpacked


def unpack_text(body: bytes, limit: int) -> bytes:
    """What old SDKs sent to `/store/`: base64 of zlib data, or base64 of the JSON. Raises Unreadable or TooLarge."""
    try:
        data = base64.b64decode(body, validate=False)
    except (binascii.Error, ValueError):
        raise Unreadable("the body is neither JSON nor base64") from None
    try:
        return _inflate(data, limit, zlib.MAX_WBITS)
    except Unreadable:
        return data


def _inflate(body: bytes, limit: int, bits: int) -> bytes:
    unpacker = zlib.decompressobj(bits)
    try:
        unpacked = unpacker.decompress(body, limit + 1)
    except zlib.error:
        raise Unreadable("the compressed data is damaged") from None
    if len(unpacked) <= limit and not unpacker.eof:
        raise Unreadable("the compressed data ends too early")
    return unpacked


def _deflate(body: bytes, limit: int) -> bytes:
    """With the zlib header, as the standard says, or without, as some clients send it."""
    try:
        return _inflate(body, limit, zlib.MAX_WBITS)
    except Unreadable:
        return _inflate(body, limit, -zlib.MAX_WBITS)


def _brotli(body: bytes, limit: int) -> bytes:
    import brotli  # noqa: PLC0415 (only for those who send it)

    unpacker, parts, size = brotli.Decompressor(), [], 0
    try:
        part = unpacker.process(body, output_buffer_limit=CHUNK)
        while part and size <= limit:
            parts.append(part)
            size += len(part)
            part = unpacker.process(b"", output_buffer_limit=CHUNK)
    except brotli.error:
        raise Unreadable("the compressed data is damaged") from None
    if size <= limit and not unpacker.is_finished():
        raise Unreadable("the compressed data ends too early")
    return b"".join(parts)


def _zstd(body: bytes, limit: int) -> bytes:
    import zstandard  # noqa: PLC0415 (only for those who send it)

    parts, size = [], 0
    try:
        with zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(body, read_across_frames=True) as reader:
            while size <= limit and (part := reader.read(CHUNK)):
                parts.append(part)
                size += len(part)
    except zstandard.ZstdError:
        raise Unreadable("the compressed data is damaged") from None
    return b"".join(parts)


_UNPACKERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": lambda body, limit: _inflate(body, limit, zlib.MAX_WBITS | 16),
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}


def parse_envelope(body: bytes) -> tuple[dict[str, Any], list[Item]]:
    """The header and the items of an envelope. Raises Unreadable."""
    end = body.find(b"\n")
    header = _header(body if end < 0 else body[:end], "invalid envelope header")
    return header, list(_items(body, len(body) if end < 0 else end + 1))


def _items(body: bytes, at: int) -> Iterator[Item]:
    count = 0
    while at < len(body):
        end = body.find(b"\n", at)
        line, at = (body[at:], len(body)) if end < 0 else (body[at:end], end + 1)
        if not line.strip():
            continue  # empty lines at the end, as many SDKs send them
        count += 1
        if count > MAX_ITEMS:
            raise Unreadable(f"more than {MAX_ITEMS} items")
        header = _header(line, "invalid item header")
        length = header.get("length")
        if length is None:
            end = body.find(b"\n", at)
            stop = len(body) if end < 0 else end
        elif isinstance(length, int) and not isinstance(length, bool) and length >= 0:
            stop = at + length
            if stop > len(body):
                raise Unreadable("unexpected end of file")
            if body[stop : stop + 1] not in (b"", b"\n"):
                raise Unreadable("missing newline after header or payload")
        else:
            raise Unreadable("invalid item header")
        yield Item(header, body[at:stop])
        at = stop + 1


def _header(line: bytes, problem: str) -> dict[str, Any]:
    try:
        header = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise Unreadable(problem) from None
    if not isinstance(header, dict):
        raise Unreadable(problem)
    return header
