"""Requests to the three protocols of the mock, valid and broken, as values. Sends nothing."""

import gzip
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import brotli
import zstandard
from feedback_spec.document import load_control
from feedback_spec.operations import Operation, operations_of
from hypothesis import strategies as st

from tests.fuzz.bodies import bodies
from tests.fuzz.changes import LEAVES, VALUES, changed

EVENT = "7167980ca1db42cdba8d5284e7f81c66"
SUBMISSION = {"event_id": EVENT, "name": "Jane", "email": "jane@example.com", "comments": "It broke!"}
SDK_EVENT = {
    "event_id": EVENT,
    "timestamp": "2026-01-01T00:00:00Z",
    "environment": "production",
    "message": "a",
    "logentry": {"formatted": "b"},
    "exception": {"values": [{"type": "ValueError", "value": "c"}]},
    "contexts": {"feedback": {"message": "d", "contact_email": "jane@example.com", "associated_event_id": EVENT}},
}
CONTROL = {each.id: each for each in operations_of(load_control())}
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda data: brotli.compress(data, quality=1),
    "zstd": zstandard.compress,
}


@dataclass(frozen=True)
class Request:
    """One request. `where` names the operation of the control document, or its other purpose."""

    where: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    query: str = ""


@dataclass(frozen=True)
class Known:
    """What a client knows about the project that it uses."""

    feedback: str
    token: str
    number: str
    key: str


def dumps(value: Any) -> bytes:
    """JSON as bytes; anything that UTF-8 cannot represent is escaped."""
    return json.dumps(value).encode()


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """The bytes, or with one piece cut off, removed, inserted or repeated."""
    how = draw(st.sampled_from(("not", "not", "cut", "flip", "insert", "repeat")))
    place = draw(st.integers(0, len(content)))
    if how == "cut":
        return content[:place]
    if how in ("flip", "insert"):
        return content[:place] + draw(st.binary(max_size=4)) + content[place + (how == "flip") :]
    return content + content[place:] if how == "repeat" else content


@st.composite
def submissions(draw: st.DrawFn, known: Known) -> Request:
    """Feedback as JSON or as a form, each with or without an error."""
    value = draw(changed(SUBMISSION, most=2))
    kind = draw(st.sampled_from(("json", "json", "form", "multipart", "other")))
    media_type = "application/json"
    body = dumps(value)
    if kind == "form" and isinstance(value, dict):
        media_type = "application/x-www-form-urlencoded"
        body = urlencode({name: str(each) for name, each in value.items()}, errors="replace").encode()
    elif kind == "multipart" and isinstance(value, dict):
        media_type = "multipart/form-data; boundary=b"
        parts = (
            f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{each}\r\n' for name, each in value.items()
        )
        body = "".join((*parts, "--b--\r\n")).encode(errors="replace")
    elif kind == "other":
        media_type = draw(
            st.sampled_from(("", "text/plain", "multipart/form-data", "application/json; charset=utf-16"))
        )
    bearer = draw(
        st.sampled_from((f"Bearer {known.token}",) * 4 + ("Bearer x", f"DSN http://{known.key}@x/1", "DSN", "\xff"))
    )
    headers = (("Authorization", bearer), ("Content-Type", media_type))
    return Request("feedback", "POST", known.feedback, headers, draw(damaged(body)))


def listings(known: Known) -> st.SearchStrategy[Request]:
    """Requests for the list, with any cursor and environment."""
    names = st.sampled_from(("cursor", "per_page", "environment", "x"))
    texts = LEAVES.map(str) | st.sampled_from(
        ("0:0:0", "0:9999999999999999999:1", "1:-1:0", "0:0:", "a:b:c", "0:1e3:0")
    )
    query = st.lists(st.tuples(names, texts), max_size=3).map(lambda pairs: urlencode(pairs, errors="replace"))
    headers = (("Authorization", f"Bearer {known.token}"),)
    return query.map(lambda each: Request("feedback", "GET", known.feedback, headers, query=each))


@st.composite
def ingested(draw: st.DrawFn, known: Known) -> Request:
    """Envelopes and events, valid, broken and compressed."""
    store = draw(st.booleans()) and draw(st.booleans())
    body = dumps(draw(changed(SDK_EVENT))) if store else draw(_envelopes(known))
    headers = []
    if draw(st.booleans()):
        names = draw(st.sampled_from((("gzip",), ("deflate",), ("br",), ("zstd",), ("gzip", "gzip"), ("zstd", "br"))))
        for each in names:
            body = draw(damaged(PACKERS[each](body)))
        said = draw(st.sampled_from((", ".join(names),) * 4 + ("gzip", "deflate", "zstd", "", "identity", "x", "GZIP")))
        headers.append(("Content-Encoding", said))
    if draw(st.integers(0, 3)):
        headers.append(
            ("X-Sentry-Auth", draw(st.sampled_from((f"Sentry sentry_key={known.key}",) * 5 + ("Sentry", "Sentry a"))))
        )
    path = f"/api/{known.number}/{'store' if store else 'envelope'}/"
    return Request("ingest", "POST", path, tuple(headers), draw(damaged(body)))


@st.composite
def _envelopes(draw: st.DrawFn, known: Known) -> bytes:
    header = {
        "event_id": EVENT,
        "dsn": f"http://{known.key}@127.0.0.1/{known.number}",
        "sent_at": "2026-01-01T00:00:00Z",
    }
    lines = [dumps(draw(changed(header, most=1)))]
    for _ in range(draw(st.integers(0, 3))):
        kind = draw(st.sampled_from(("event", "user_report", "feedback", "attachment", "transaction", "x")))
        payload = dumps(draw(changed(SUBMISSION if kind == "user_report" else SDK_EVENT, most=2)))
        length = draw(st.sampled_from((None, None, len(payload), len(payload) - 1, 0, -1, 10**30, "1", 1.5)))
        item = {"type": kind, **({} if length is None else {"length": length})}
        lines += [dumps(draw(changed(item, most=1))), payload]
    return b"\n".join([*lines, *draw(st.lists(st.sampled_from((b"", b" ", b"\r", b"{}")), max_size=2))])


@st.composite
def controlled(draw: st.DrawFn) -> Request:
    """Any operation of the control protocol, with its examples and values near them."""
    operation = draw(st.sampled_from(sorted(CONTROL)).map(CONTROL.__getitem__))
    return draw(control(operation))


@st.composite
def control(draw: st.DrawFn, operation: Operation) -> Request:
    """A request for this operation."""
    path, query = operation.path, []
    for each in operation.parameters:
        strange = draw(st.integers(0, 7)) == 0
        if each.place == "path":
            value = draw(LEAVES.map(str)) if strange else each.example
            path = path.replace(f"{{{each.name}}}", quote(str(value), safe="", errors="replace"))
        elif draw(st.integers(0, 3)) == 0:
            query.append((each.name, str(draw(LEAVES if strange else st.sampled_from(("POST", "409", EVENT, "true"))))))
    body = b""
    if operation.body is not None:
        body = dumps(draw(changed(draw(st.sampled_from(bodies(operation)))) | VALUES))
        body = draw(damaged(body)) if draw(st.integers(0, 7)) == 0 else body
    headers = (("Host", "127.0.0.1"), ("Content-Type", "application/json"))
    return Request(operation.id, operation.method.upper(), path, headers, body, urlencode(query, errors="replace"))
