"""JSON and texts that are expensive to read, store or match. Knows no requests."""

from collections.abc import Iterator

from tests.hostile.bombs import filled

NESTED = "1,000 nested objects, side by side"
REPEATED = {
    "empty arrays": b"[],",
    "empty objects": b"{},",
    "small objects": b'{"":0},',
    "numbers": b"1e9,",
    "long numbers": b"1.2345678901234567e-300,",
    NESTED: b'{"a":' * 1_000 + b"1" + b"}" * 1_000 + b",",
}
QUOTED = {
    "escapes": rb"\u00e9",
    "pairs of surrogates": rb"\ud83d\udca5",
    "wide characters": "\U0001f4a5".encode(),
}


def json_values(size: int) -> Iterator[tuple[str, bytes]]:
    """JSON of at most this many bytes, and data that only starts like JSON, each with its name."""
    for name, pattern in REPEATED.items():
        yield name, b"[" + filled(pattern, size - 3) + b"1]"
    for name, pattern in QUOTED.items():
        yield name, b'["' + filled(pattern, size - 4) + b'"]'
    yield "nested arrays", b"[" * (size // 2) + b"]" * (size // 2)
    yield "an endless number", b"1" * size
    yield "an endless fraction", b"[0." + b"1" * (size - 4) + b"]"
    yield "an endless exponent", b"[1e" + b"1" * (size - 4) + b"]"
    yield "keys", b"{" + b",".join(b'"%d":1' % each for each in range(size // 11)) + b"}"
    yield "the same key", b"{" + filled(b'"a":1,', size - 7) + b'"a":1}'
    yield "white space", b" " * size
    yield "a text that does not end", b'"' + b"a" * (size - 1)


def texts(size: int) -> Iterator[tuple[str, str]]:
    """Texts of at most this many bytes of JSON, for patterns and for trimming, each with its name."""
    yield "blanks", " " * size
    yield "blanks around a letter", " " * (size // 2 - 1) + "a" + " " * (size // 2 - 1)
    yield "wide blanks", "\u3000" * (size // 3)
    yield "NUL", "\0" * (size // 6)
    yield "line feeds", "\n" * (size // 2)
    yield "letters", "a" * size
    yield "digits", "1" * size
    yield "a long duration", "PT" + "1" * (size - 3) + "S"
    yield "at signs", "@" * size
    yield "points in a name", "a." * (size // 2 - 9) + "@example.com"
    yield "points in a domain", "a@" + "a." * (size // 2 - 2)
    yield "long labels in a domain", "a@" + ("a" * 61 + ".") * (size // 62 - 1) + "!"
    yield "hyphens in a domain", "a@" + "a-" * (size // 2 - 2)
    yield "a quoted name", '"' + "a" * (size - 20) + "@example.com"
    yield "brackets", "a@[" + "1." * (size // 2 - 3)
