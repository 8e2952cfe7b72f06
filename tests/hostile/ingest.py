"""Envelopes and events designed to cost the mock a lot, uncompressed and compressed. Sends nothing."""

import base64
import gzip
import json
import zlib
from collections.abc import Callable, Iterator

import brotli
import zstandard

from tests.hostile.bombs import brotli_maps, brotli_start, deflate_tables, filled, incompressible, zstd_window
from tests.hostile.values import NESTED, json_values, texts

Bodies = Iterator[tuple[str, str, bytes]]
EVENT = b'{"type":"event"}\n'
REPEATED = {
    "line feeds": b"\n",
    "blanks": b" ",
    "line ends": b"\r\n",
    "items": b"{}\n\n",
    "items without payload": b"{}\n",
    "items with blank lines": b"{}\n\n" + b"\n" * 1_000,
    "small events": EVENT + b"{}\n",
    "reports": b'{"type":"user_report"}\n{"comments":"a"}\n',
    "items of length 0": b'{"length":0}\n\n',
}
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, 6),
    "deflate": zlib.compress,
    "br": lambda data: brotli.compress(data, quality=5),
    "zstd": zstandard.compress,
}


def envelopes(dsn: str, mib: int) -> Bodies:
    """Uncompressed envelopes, up to the size of a body: a name, no encoding, the bytes."""
    most = 20 * mib - 1_000
    header = json.dumps({"dsn": dsn, "event_id": "b" * 32}).encode() + b"\n"
    for name, value in json_values(10 * mib):
        yield f"a header of {name}", "", value
        yield f"a header with {name}", "", header[:-2] + b',"x":' + value + b"}\n"
        yield f"an item's header of {name}", "", header + value + b"\n{}\n"
    for name, value in json_values(mib - 300):
        yield f"an event of {name}", "", header + EVENT + value + b"\n"
        yield f"an exception of {name}", "", header + EVENT + b'{"exception":' + value + b"}\n"
        yield f"events with {name}", "", header + filled(EVENT + b'{"x":' + value + b"}\n", most)
        yield f"reports with {name}", "", header + filled(b'{"type":"user_report"}\n{"x":' + value + b"}\n", most)
    for name, value in json_values(16_000):
        yield f"items with headers of {name}", "", header + filled(b'{"x":' + value + b"}\n\n", most)
    for name, pattern in REPEATED.items():
        yield f"{name} after the header", "", header + filled(pattern, most)
        yield f"{name} alone", "", filled(pattern, most)
    attachment = b'{"type":"attachment","length":%d}\n'
    yield "an attachment of 20 MiB", "", header + attachment % most + bytes(most)
    yield "attachments of 1 MiB", "", header + filled(attachment % mib + bytes(mib) + b"\n", most)
    yield "no line end", "", b"a" * most
    yield "a length beyond reason", "", header + b'{"length":' + b"9" * 18 + b"}\n"
    for field in ("timestamp", "event_id", "environment", "message"):
        for name, text in texts(mib - 400):
            event = json.dumps({field: text}, ensure_ascii=False).encode()
            yield f"{field} of {name}", "", header + EVENT + event + b"\n"


def packed(dsn: str, mib: int) -> Bodies:
    """Compressed bodies: the encodings' own bombs, and many things that are small when compressed."""
    header = json.dumps({"dsn": dsn}).encode() + b"\n"
    for name, content in {
        "100 MiB of line feeds": b"\n" * (100 * mib),
        "100 MiB in a header": b'{"x":"' + b"a" * (100 * mib) + b'"}',
        "100 MiB after a header": header + bytes(100 * mib),
        "99 MiB of line feeds after a header": header + b"\n" * (99 * mib),
        "3 MiB of line feeds after a header": header + b"\n" * (3 * mib),
        "4 MiB of digits": header + b'{"type":"x"}\n' + base64.b16encode(incompressible(2 * mib - 500)) + b"\n",
        "4 MiB in base64 that unpacks to 100 MiB": base64.b64encode(zlib.compress(bytes(100 * mib))),
    }.items():
        for encoding, pack in PACKERS.items():
            yield f"{encoding}, {name}", encoding, pack(content)
    yield "gzip, packed twice", "gzip", gzip.compress(gzip.compress(bytes(100 * mib)))
    for size in (mib, 20 * mib - 1_000):
        yield from _bombs(size, f"{size / mib:.0f} MiB of")
    yield from _bombs_then_events(header, mib)
    yield "zstd, a window of 8 MiB", "zstd", zstd_window(23, 100)
    yield "zstd, a window of 128 MiB", "zstd", zstd_window(27, 2_000)
    yield "zstd, a window of 2 GiB", "zstd", zstd_window(31, 100)


def _bombs(size: int, shown: str) -> Bodies:
    tables = deflate_tables(size - 10)
    yield f"deflate, {shown} empty blocks", "deflate", filled(b"\0\0\0\xff\xff", size)
    yield f"deflate, {shown} tables", "deflate", tables
    yield f"deflate, {shown} tables after a zlib header", "deflate", b"\x78\x9c" + tables
    yield f"gzip, {shown} tables", "gzip", gzip.compress(b"")[:10] + tables
    yield f"gzip, {shown} members", "gzip", filled(gzip.compress(b"\n"), size)
    yield f"br, {shown} context maps", "br", brotli_maps(size)
    yield f"br, {shown} empty blocks", "br", brotli_start() + filled(b"\x06", size - 1)
    digits = zstandard.compress(base64.b16encode(incompressible(150)))
    for name, frame in (("empty frames", zstandard.compress(b"")), ("frames", zstandard.compress(b"\n"))):
        yield f"zstd, {shown} {name}", "zstd", filled(frame, size)
    yield f"zstd, {shown} frames with tables", "zstd", filled(digits, size)
    yield f"zstd, {shown} skipped frames", "zstd", filled(b"\x50\x2a\x4d\x18" + bytes(4), size)


def _bombs_then_events(header: bytes, mib: int) -> Bodies:
    """Almost as much to decompress as is allowed, and then the most expensive JSON."""
    nested = dict(json_values(mib - 300))[NESTED]
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    event = packer.compress(header + EVENT + b'{"x":' + nested + b"}\n") + packer.flush()
    for size in (mib // 4, mib // 3):
        yield f"deflate, {size // 1024} KiB of tables, then a nested event", "deflate", deflate_tables(size) + event


def events(mib: int) -> Bodies:
    """Single events: JSON, and base64 of zlib data."""
    for name, value in json_values(mib - 300):
        yield f"an event of {name}", "", value
        yield f"a message of {name}", "", b'{"message":' + value + b"}"
    for size in (2 * mib, 20 * mib):
        shown = f"{size // mib} MiB"
        yield f"blanks before {shown}", "", b" " * (size - 2) + b"{}"
        yield shown, "", b'{"x":"' + b"a" * (size - 8) + b'"}'
        yield f"{shown} of base64", "", base64.b64encode(bytes(size * 3 // 4 - 3))
        yield f"{shown} that are not base64", "", b"!" * size
        tables = b"\x78\x9c" + deflate_tables(size * 3 // 4 - 99)
        yield f"{shown} of base64 of tables", "", base64.b64encode(tables)
