"""Changes what was drawn, at random: a hundred times as fast as drawing it, and blind to what it means.

Everything depends on the `Random` that is passed, so a case has the same variants each time.
"""

import copy
import re
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any
from urllib.parse import quote

import orjson

from tests.fuzz.changes import STRANGE_KEYS, places
from tests.fuzz.inputs import Request
from tests.fuzz.pieces import CHUNKS, FIELDS
from tests.fuzz.streams import Stream

VALUES = (
    *(b"\0", b"\n", b"\r\n", b"\xff", b"\xc0\x80", b" ", b"\\", b"\\u0000", b"\\ud800", b"%", b"%00", b"%2F", b"../"),
    *(b'"', b"{", b"}", b"[", b"]", b"[" * 2_000, b",", b":", b"=", b"&", b";", b"--b", b"--b--", b"null", b"true"),
    *(b"0", b"-1", b"1.5", b"1e400", b"9" * 20, b"9" * 5_000, b"P", b"PT", b"PT0S", b"Z", b"+00:00", b"0001-01-01"),
)
STRANGE_VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**63,
    0.5,
    "",
    "\0",
    "PT0S",
    "x" * 3_000,
    [],
    {},
    [[]],
    {"x": {}},
)
LINES = tuple(b"\r\n" + each + b"\r\n" for each in (*FIELDS, *CHUNKS) if len(each) < 1_000)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# What a parser of HTTP lets through in a path and a query.
_PATH, _QUERY = "/%:@!$&'()*+,;=~-._", "/%:@!$&'()*+,;=~-._?"


def varied(data: bytes, random: Random, pieces: Sequence[bytes] = VALUES) -> bytes:
    """The bytes with one to three changes, anywhere."""
    for _ in range(random.randint(1, 3)):
        start = random.randint(0, len(data))
        end = min(start + random.choice((1, 1, 2, 8, 64)), len(data))
        match random.randrange(6):
            case 0:
                data = data[:start] + random.randbytes(end - start) + data[end:]
            case 1 | 2:
                data = data[:start] + random.choice(pieces) + data[random.choice((start, end)) :]
            case 3:
                data = data[:start] + data[end:]
            case 4:
                data = data[:end] + data[start:]
            case _:
                place = random.randint(0, len(data))
                data = data[:place] + data[start:end] + data[place:]
    return data


def varied_json(data: bytes, random: Random) -> bytes:
    """The JSON data with one to three values or keys that are others; what is no JSON changes as any bytes."""
    try:
        root = [orjson.loads(data)]
    except orjson.JSONDecodeError:
        return varied(data, random)
    for _ in range(random.randint(1, 3)):
        container, key = random.choice(places(root))
        value = copy.deepcopy(random.choice((container[key], *STRANGE_VALUES)))
        if isinstance(container, dict) and random.randrange(2):
            container[random.choice((*STRANGE_KEYS, *container))] = value
        else:
            container[key] = value
    return orjson.dumps(root[0])


def varied_stream(stream: Stream, random: Random) -> Stream:
    """The stream with changes, in other packets; none of its requests is sound for certain."""
    content = varied(stream.content, random, random.choice((VALUES, LINES)))
    ends = sorted(random.randint(0, len(content)) for _ in range(random.randint(0, 3))) + [len(content)]
    return Stream(tuple(content[start:end] for start, end in zip([0, *ends], ends, strict=False)), 0)


def varied_request(request: Request, random: Random) -> Request:
    """The request with changes in its body, its path, its query or a header, as far as a server lets those through."""
    match random.choice((*("body",) * 4 * bool(request.body), "path", "query", *("header",) * bool(request.headers))):
        case "body":
            change = random.choice((varied, varied_json))
            return replace(request, body=change(request.body, random))
        case "path":
            return replace(request, path="/" + quote(varied(_bytes(request.path[1:]), random), safe=_PATH))
        case "query":
            return replace(request, query=quote(varied(_bytes(request.query), random), safe=_QUERY))
    headers = list(request.headers)
    place = random.randrange(len(headers))
    name, value = headers[place]
    headers[place] = name, _CONTROL.sub("", varied(_bytes(value), random).decode("latin-1")).strip()
    return replace(request, headers=tuple(headers))


def _bytes(text: str) -> bytes:
    return text.encode("latin-1", "replace")
