"""The requests sent to both servers, drawn by Hypothesis; most are nearly right. Pure."""

import json
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from hypothesis import strategies as st

JSON, FORM, MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=xyz"
GOOD = {"name": "Jane Smith", "email": "jane@example.com", "comments": "It broke!"}
EVENT_ID = "{event_id}"  # stands for an id of its own in every sequence; two such in one text differ


@dataclass(frozen=True)
class Call:
    """One request, with placeholders for each server's own values: credentials, slugs, the event id."""

    method: str = "POST"
    path: str = "/api/0/projects/{org}/{project}/user-feedback/"
    authorization: str | None = "Bearer {write}"
    origin: str | None = None
    media_type: str | None = JSON
    body: bytes = b""
    query: str = ""

    def label(self) -> str:
        """The call on one line, for reports and for the file of accepted differences."""
        body = self.body if len(self.body) < 300 else self.body[:300] + b"..."
        words = [self.method, self.path + (f"?{self.query}" if self.query else ""), f"auth={self.authorization}"]
        words += [f"origin={self.origin}"] if self.origin else []
        return " ".join([*words, f"type={self.media_type}", f"body={body!r}"])


@dataclass(frozen=True)
class Sequence:
    """Calls about one event, which was saved with a timestamp this many seconds ago; never, if that is None."""

    event_ago: int | None
    calls: tuple[Call, ...]


TEXTS = st.one_of(
    st.sampled_from(["x", "Ünïcödé 漢字", "😀", "<b>&amp;</b>", "two\nlines", "a\0b", "\\ \" '", "null", "1"]),
    st.sampled_from(["", " ", "\t\n", " padded ", "x" * 128, "x" * 129, " " + "x" * 128, "é" * 128, "é" * 129]),
    st.text(st.characters(codec="utf-8"), max_size=40),
)
OTHER_TYPES = st.sampled_from([None, 0, 1, -3, 1.5, 12345678901, True, False])
CONTAINERS = st.sampled_from([[], {}, ["a"], {"a": 1}])
EMAILS = st.sampled_from(
    ["a@b", "a@b.co", "a@localhost", "nope", "@example.com", "a@", "a b@example.com", "a@b@c.de", "a.@example.com"]
    + ["a..b@example.com", "a@-x.com", "a@x-.com", "a@example.c", "a@example.123", "o'neil@example.com", "A@B.COM"]
    + ["a@example.com ", " a@example.com", "a@example.com.", "a@b.xn--p1ai", "a+b@c.museum", "a@[127.0.0.1]"]
    + ["e@" + "d." * 34 + "example"[:4], "e@" + "d." * 35 + "example", "x" * 80, '"ab"@example.com', "ü@example.com"]
)
IDS = st.sampled_from(
    [
        EVENT_ID,
        EVENT_ID,
        EVENT_ID,
        "{EVENT_ID}",
        "{dashed}",
        "{event_id}0",
        "{short}",
        "x{short}",
        "{short} ",
        "é{short}",
    ]
)


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """Four fields of which one, or now and then all, is wrong."""
    body: dict[str, Any] = {"event_id": EVENT_ID, **GOOD}
    for field in draw(st.sets(st.sampled_from(sorted(body)), max_size=4 if draw(st.integers(0, 5)) == 0 else 1)):
        kind = draw(st.integers(0, 9))
        if kind == 0:
            del body[field]
        elif kind == 1:
            body[field] = draw(CONTAINERS)
        elif kind == 2:
            body[field] = draw(OTHER_TYPES)
        elif field == "email":
            body[field] = draw(EMAILS)
        elif field == "event_id":
            body[field] = draw(IDS)
        else:
            body[field] = draw(TEXTS)
    if draw(st.integers(0, 9)) == 0:
        body |= draw(st.sampled_from([{"id": "9"}, {"issue": {}}, {"tags": [1]}, {"eventID": "x"}]))
    return body


def _encoded(body: dict[str, Any], media_type: str) -> bytes:
    if media_type == FORM:
        return urlencode({name: str(value) for name, value in body.items()}, encoding="utf-8", safe="{}").encode()
    if media_type == MULTIPART:
        parts = [
            f'--xyz\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in body.items()
        ]
        return ("".join(parts) + "--xyz--\r\n").encode()
    return json.dumps(body, ensure_ascii=False).encode()


RAW = st.sampled_from(
    [b"", b"null", b"[]", b"[1]", b'"x"', b"1", b"1.5", b"true", b"{", b"nonsense", b'{"a": 1}}', b"\xff\xfe", b"{}"]
    + [b"{'a': 1}", b'{"a": 1,}', b"[{}]", b" ", b'{"event_id": ']
)
AUTHORIZATIONS = st.sampled_from(
    ["Bearer {write}", "Bearer {read}", "bearer {write}", "DSN {dsn}", "dsn {dsn}", "DSN {other_dsn}", None]
    + ["Bearer nope", "Bearer", "Bearer a b", "DSN", "DSN a b", "DSN nope", "DSN {key}", "DSN http://{key}@h/999999"]
    + [
        "DSN https://00000000000000000000000000000000@h/{id}",
        "DSN ftp://{key}:x@elsewhere/x/{id}",
        "Foo x",
        "Token {write}",
    ]
)
PATHS = st.sampled_from(
    ["/api/0/projects/{org}/{project}/user-reports/", "/api/0/projects/{org}/{project}/user-feedback"]
    + ["/api/0/projects/{org}/no-such/user-feedback/", "/api/0/projects/no-such/{project}/user-feedback/"]
    + ["/api/0/projects/{org}/{id}/user-feedback/", "/api/0/projects/{org}/{project}/user-feedback/x"]
    + ["/api/0/projects/{org}/{project}/user-feedback//"]
)
MEDIA_TYPES = st.sampled_from(
    ["text/plain", "application/xml", "application/octet-stream", "application/vnd.api+json", None, "Application/JSON"]
    + ["application/json; charset=utf-8", "application/json;"]
)
QUERIES = st.sampled_from(["", "status=", "status=unresolved", "status=x", "status=resolved", "environment=nowhere"])


@st.composite
def calls(draw: st.DrawFn) -> Call:  # noqa: PLR0911 (one line per kind)
    """A submission with one thing that may be wrong, or a listing, or another method."""
    kind = draw(st.integers(0, 19))
    media_type = draw(st.sampled_from([JSON, JSON, JSON, JSON, FORM, MULTIPART]))
    body = draw(bodies())
    if media_type == MULTIPART:
        body = {name: value if isinstance(value, str) else str(value) for name, value in body.items()}
    call = Call(media_type=media_type, body=_encoded(body, media_type))
    match kind:
        case 0 | 1:
            return replace(call, authorization=draw(AUTHORIZATIONS))
        case 2:
            return replace(call, path=draw(PATHS), authorization=draw(AUTHORIZATIONS))
        case 3:
            return replace(call, media_type=draw(MEDIA_TYPES))
        case 4:
            return replace(call, media_type=draw(st.sampled_from([JSON, FORM])), body=draw(RAW))
        case 5:
            method = draw(st.sampled_from(["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"]))
            return replace(call, method=method, authorization=draw(AUTHORIZATIONS))
        case 6:
            return Call(method="GET", query=draw(QUERIES), authorization=draw(AUTHORIZATIONS), media_type=None)
        case 7:
            origin = draw(st.sampled_from(["https://app.example", "http://localhost:3000", "null"]))
            return replace(call, origin=origin, authorization=draw(AUTHORIZATIONS))
        case _:
            return call


@st.composite
def sequences(draw: st.DrawFn) -> Sequence:
    """One to three calls; about an event of any age, or about none."""
    ago = draw(st.sampled_from([None, None, None, 0, 60, 29 * 60, 31 * 60, 86_400, 7 * 86_400]))
    return Sequence(ago, tuple(draw(st.lists(calls(), min_size=1, max_size=3))))
