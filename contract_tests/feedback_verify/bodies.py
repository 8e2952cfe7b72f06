"""The four fields as the body of a request, in every form that the document accepts. Pure."""

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
BOUNDARY = "feedback-boundary"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
# What some languages count as white space: JavaScript U+FEFF, Python U+001C, Java and PHP other control characters.
TRIMMED = ("Cc", "Cf", "Zs", "Zl", "Zp")
TYPED = "Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\n"  # as Apache's client does


@dataclass(frozen=True)
class Body:
    """A body with its media type; `chunked` if its length is not announced."""

    media_type: str
    content: bytes
    chunked: bool = False


def encode(values: Mapping[str, Any], form: str = "json") -> Body:  # noqa: PLR0911 (one line per form)
    """The values in a form: `json`, `escaped`, `indented`, `charset`, `capitals`, `chunked`, `form` or `multipart`.

    `sparing` is a form that escapes only what it must, in small letters, and names its charset; `typed` is a multipart
    body whose parts have types of their own and whose boundary is in quotes.
    """
    match form:
        case "form":
            return Body(FORM, urlencode(values).encode())
        case "sparing":
            text = urlencode(values, safe="!$'()*,/:;?@~")
            return Body(f"{FORM}; charset=UTF-8", re.sub("%..", lambda found: found[0].lower(), text).encode())
        case "multipart":
            return Body(MULTIPART, multipart(values))
        case "typed":
            return Body(f'multipart/form-data; boundary="{BOUNDARY}"', multipart(values, TYPED))
        case "escaped":
            return Body(JSON, escaped(values))
        case "indented":
            text = json.dumps(dict(reversed(list(values.items()))), ensure_ascii=False, indent=2)
            return Body(JSON, f"\r\n\t {text}\n".encode())
        case "charset":
            return Body(f"{JSON}; charset=utf-8", _plain(values))
        case "capitals":
            return Body("Application/JSON", _plain(values))
        case _:
            return Body(JSON, _plain(values), chunked=form == "chunked")


def is_padded(text: str) -> bool:
    """Whether a server may find white space around it, and trim it: the languages do not agree on what that is."""
    return any(unicodedata.category(each) in TRIMMED for each in text[:1] + text[-1:])


def multipart(values: Mapping[str, Any], headers: str = "") -> bytes:
    """The values as parts of a form, as a browser sends them, with further headers on each part."""
    parts = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n{headers}\r\n{value}\r\n'
        for name, value in values.items()
    )
    return ("".join(parts) + f"--{BOUNDARY}--\r\n").encode()


def escaped(values: Mapping[str, Any]) -> bytes:
    """JSON in which everything is escaped that may be: what is not ASCII, slashes as in PHP, and letters of keys."""
    text = json.dumps(values).replace("/", "\\/")
    return re.sub('"([a-z])a([a-z]+)":', r'"\1\\u0061\2":', text).encode()


def _plain(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False).encode()
