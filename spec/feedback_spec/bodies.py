"""Parses the bodies of requests: JSON and forms. Knows no rules or statuses.

Never echoes anything from a body: a reason says what is wrong and where, not what was there.
"""

import logging
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import orjson
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

# The parser would write to the log what a client sent, byte by byte; its exceptions say enough.
_UNHEARD = logging.Logger("unheard", logging.CRITICAL + 1)
MAX_FORM_FIELDS = 1_000
MAX_FORM_ESCAPES = 150_000
MAX_CACHED_HEADER = 500
MOST_LINES = 1_000
Parse = Callable[[bytes, bytes | None], Any]


class Unreadable(Exception):
    """The body is not what its media type says; the message is a short clause."""


def split_media_type(header: bytes | None) -> tuple[str, str, str | None]:
    """A Content-Type as written, its media type in lower case, and its charset in lower case if it names one."""
    return _split_known(header) if header is None or len(header) < MAX_CACHED_HEADER else _split(header)


def _split(header: bytes | None) -> tuple[str, str, str | None]:
    text = (header or b"").decode("latin-1")
    media_type, _, parameters = text.partition(";")
    charset = None
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = value.strip().strip('"').lower()
    return text, media_type.strip().lower(), charset


_split_known = lru_cache(256)(_split)


def parse_json(body: bytes, _content_type: bytes | None = None) -> Any:
    """JSON as orjson reads it: strict UTF-8, no NaN, no lone surrogates, nesting to 1,024. Raises Unreadable."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Unreadable(str(error)) from None


def parse_form(body: bytes, _content_type: bytes | None = None) -> dict[str, Any]:
    """A form-encoded body; if a field occurs twice, the last one counts. Raises Unreadable."""
    if body.count(b"%") > MAX_FORM_ESCAPES:
        raise Unreadable(f"the form has more than {MAX_FORM_ESCAPES} escapes")
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FORM_FIELDS)
    except UnicodeDecodeError:
        raise Unreadable("the form is not UTF-8 text") from None
    except ValueError:
        raise Unreadable(f"the form has more than {MAX_FORM_FIELDS} fields") from None
    return dict(pairs)


def parse_multipart(body: bytes, content_type: bytes | None) -> dict[str, Any]:
    """A multipart form; a file is represented by an object, which is not a string. Raises Unreadable."""
    _, options = parse_options_header(content_type or b"")
    if b"boundary" not in options:
        raise Unreadable("the multipart media type names no boundary")
    parts = _Parts()
    try:
        parser = MultipartParser(options[b"boundary"], parts.callbacks())
        parser.logger = _UNHEARD
        parser.write(body)
        parser.finalize()
    except FormParserError:
        raise Unreadable("the multipart body is malformed") from None
    if not parts.ended:
        raise Unreadable("the multipart body ends too early")
    return parts.fields


FORMS: Mapping[str, Parse] = {
    "application/x-www-form-urlencoded": parse_form,
    "multipart/form-data": parse_multipart,
}
PARSERS: Mapping[str, Parse] = {"application/json": parse_json, **FORMS}
"""By media type; each takes a body and its Content-Type, and raises Unreadable."""


def event_ids(body: bytes, content_type: str) -> set[str]:
    """The event ids in a body of JSON, a form, or the first MOST_LINES lines of an envelope."""
    media_type = split_media_type(content_type.encode("latin-1", "replace"))[1]
    try:
        if media_type == "application/x-www-form-urlencoded" and not body.startswith(b"{"):
            found = [parse_form(body)]
        elif media_type == "multipart/form-data":
            found = [parse_multipart(body, content_type.encode("latin-1", "replace"))]
        else:
            found = [
                value
                for line in (body, *body.split(b"\n", MOST_LINES)[:MOST_LINES])
                if (value := _object(line)) is not None
            ]
    except Unreadable:
        return set()
    ids = (value.get("event_id") for value in found)
    return {each.lower().replace("-", "") for each in ids if isinstance(each, str)}


def _object(data: bytes) -> dict[str, Any] | None:
    if not data.lstrip().startswith(b"{"):
        return None
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


class _Parts:
    """Collects what the multipart parser reports."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        self.ended = False
        self._headers: dict[bytes, bytes] = {}
        self._header: list[bytes] = [b"", b""]
        self._data = bytearray()
        self._count = 0

    def callbacks(self) -> Any:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._extend(0, data[start:end]),
            "on_header_value": lambda data, start, end: self._extend(1, data[start:end]),
            "on_header_end": self._end_header,
            "on_part_data": lambda data, start, end: self._data.extend(data[start:end]),
            "on_part_end": self._end_part,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        self._headers, self._data = {}, bytearray()
        self._count += 1
        if self._count > MAX_FORM_FIELDS:
            raise Unreadable(f"the multipart body has more than {MAX_FORM_FIELDS} parts")

    def _extend(self, which: int, data: bytes) -> None:
        self._header[which] += data

    def _end_header(self) -> None:
        name, value = self._header
        self._headers[name.lower()] = value
        self._header = [b"", b""]

    def _end_part(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        if b"name" not in options:
            raise Unreadable("a part of the multipart body has no name")
        try:
            name = options[b"name"].decode()
            self.fields[name] = {} if b"filename" in options else self._data.decode()
        except UnicodeDecodeError:
            raise Unreadable("a part of the multipart body is not UTF-8 text") from None

    def _end(self) -> None:
        self.ended = True
