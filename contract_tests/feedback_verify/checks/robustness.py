"""Requests that have brought down servers, one scenario each. Schemathesis finds them by luck; here they are listed."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from feedback_verify.bodies import MULTIPART, multipart
from feedback_verify.checks.base import Check
from feedback_verify.scenario import Scenario, answer

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
EVENT_ID = b"f" * 32  # stands for an unused id
FIELDS = {"event_id": EVENT_ID.decode(), "name": "Jane", "email": "jane@example.com", "comments": "It broke!"}
VALID = json.dumps(FIELDS).encode()


@dataclass(frozen=True)
class OddRequest:
    """One request that no server may answer with a 5xx or leave unanswered."""

    what: str
    content: bytes = VALID
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)
    by: str | None = None
    segment: str | None = None
    query: str = ""
    method: str = "POST"
    chunked: bool = False

    def __call__(self, scenario: Scenario) -> None:
        """Sends the request and checks only the status."""
        path = scenario.path()
        if self.segment is not None:
            path = path.replace(f"/{scenario.project.slug}/", f"/{self.segment}/")
        reply = scenario.send(
            self.method,
            by=self.by,
            path=path,
            query=self.query,
            headers=self.headers,
            content=self.content.replace(EVENT_ID, scenario.new_event_id().encode()),
            chunked=self.chunked,
        )
        scenario.expect(reply.status < 500, f"{self.what}: {answer(reply)}")


def checks() -> Iterator[Check]:
    """Every probe as a check of its own, so that a violation is one request long."""
    for probe in (*_bodies(), *_media_types(), *_envelopes()):
        yield Check("no-server-error", probe)


def _bodies() -> Iterator[OddRequest]:
    comments = b'"It broke!"'
    yield OddRequest("bytes that are not UTF-8", b"\xff\xfe\x00" + VALID)
    yield OddRequest("a value that is not UTF-8", VALID.replace(b"It broke!", b"\xc3\x28"))
    yield OddRequest("100,000 nested arrays", b"[" * 100_000)
    yield OddRequest("100,000 nested arrays, closed", b"[" * 100_000 + b"]" * 100_000)
    yield OddRequest("50,000 nested objects", b'{"a":' * 50_000)
    yield OddRequest("a deep value in a field", VALID.replace(comments, b"[" * 5_000 + b"]" * 5_000))
    yield OddRequest("a 5,000-digit integer", VALID.replace(comments, b"9" * 5_000))
    yield OddRequest("a number beyond any float", VALID.replace(comments, b"1e999"))
    yield OddRequest("NaN", VALID.replace(comments, b"NaN"))
    yield OddRequest("a key that is a number", b"{1: 2}")
    yield OddRequest("a NUL character", VALID.replace(b"broke", b"\\u0000"))
    yield OddRequest("a lone surrogate", VALID.replace(b"broke", b"\\ud800"))
    yield OddRequest("a surrogate in the event id", VALID.replace(EVENT_ID, b"\\udfff" + EVENT_ID[4:]))
    yield OddRequest("a surrogate in a key", VALID.replace(b'"name"', b'"\\ud83d"'))
    yield OddRequest("a byte order mark", b"\xef\xbb\xbf" + VALID)
    yield OddRequest("null", b"null")
    yield OddRequest("nothing", b"")
    yield OddRequest("white space", b"   ")
    yield OddRequest("8 MiB", VALID.replace(b"broke", b"b" * 8 * 1_048_576))
    yield OddRequest("a chunked body", chunked=True)


def _media_types() -> Iterator[OddRequest]:
    yield OddRequest("UTF-16", VALID.decode().encode("utf-16"), {"Content-Type": "application/json; charset=utf-16"})
    for media_type in (
        "application/json; charset=klingon",
        "application/json; charset=",
        "Application/JSON",
        ";;;/,",
        "/",
        "application/j\u00f6son",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=x; boundary=y",
    ):
        yield OddRequest(f"the media type {media_type!r}", headers={"Content-Type": media_type})
    broken = b'--x\r\nContent-Disposition: form-data; name="name'
    yield OddRequest("multipart that ends too early", broken, {"Content-Type": "multipart/form-data; boundary=x"})
    for what, value in (
        ("bytes that are not UTF-8", b"\xc3\x28\xff"),
        ("a NUL", b"\0"),
        ("half an emoji", b"\xf0\x9f"),
    ):
        yield OddRequest(f"a part with {what}", multipart(FIELDS).replace(b"broke", value), {"Content-Type": MULTIPART})
        yield OddRequest(f"a form with {what}", urlencode(FIELDS).encode().replace(b"broke", value), FORM)
    yield OddRequest("a form with broken escapes", b"event_id=%zz&name=%ff&email=%00&comments", FORM)
    yield OddRequest("a form with 10,000 keys", b"a=1&" * 10_000, FORM)
    yield OddRequest("a body without a Content-Type", headers={})
    yield OddRequest("a chunked body without a Content-Type", headers={}, chunked=True)
    yield OddRequest("a body that claims to be compressed, but is not", headers={**JSON, "Content-Encoding": "gzip"})


def _envelopes() -> Iterator[OddRequest]:
    for authorization in ("", "\u00e9", "Bearer", "Bearer \u00ff", "DSN http://[", "DSN ://@/", "Basic =", "x" * 4_000):
        what = f"Authorization: {authorization[:20]!r}"
        yield OddRequest(what, by="none", headers={**JSON, "Authorization": authorization})
    for segment in ("%2F", "%0A", "%0D%0AX-Injected:%201", "%00", "%FF", "..", "a%20b", "%F0%9F%98%80", "x" * 2_000):
        yield OddRequest(f"the path segment {segment[:24]!r}", segment=segment)
    for query in (
        "cursor=%00",
        "cursor=9:99999999999999999999:0",
        "per_page=-1",
        "per_page=%D9%A1",
        "status=%FF",
        "=&&&=",
    ):
        yield OddRequest(f"GET ?{query}", b"", {}, query=query, method="GET")
    yield OddRequest("GET ?per_page= with 5,000 digits", b"", {}, query="per_page=" + "9" * 5_000, method="GET")
