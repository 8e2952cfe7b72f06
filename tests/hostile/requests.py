"""Requests designed to cost the mock a lot: large, deep, many, or aimed at backtracking. Sends nothing."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.hostile.bombs import filled
from tests.hostile.ingest import envelopes, events, packed
from tests.hostile.values import json_values, texts

JSON, FORM, MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary="
GOOD = {"event_id": "a" * 32, "name": "Jane", "email": "jane@example.com", "comments": "It broke!"}
HEAD = 60_000  # of the 64 KiB that the mock takes for a head
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Hostile:
    """One request."""

    name: str
    method: str
    path: str
    headers: Headers
    body: bytes = b""


def hostile_requests(ready: dict[str, Any], mib: int) -> Iterator[Hostile]:
    """All of them, for the mock with this ready line; `mib` is how many bytes count as a mebibyte."""
    feedback = f"/api/0/projects/{ready['organization']}/{ready['project']}/user-feedback/"
    bearer = ("Authorization", f"Bearer {ready['token']}")
    for name, media_type, body in itertools.chain(json_bodies(mib), forms(mib), multiparts(mib)):
        yield Hostile(f"feedback: {name}", "POST", feedback, (bearer, ("Content-Type", media_type)), body)
    yield from queries(feedback, ready)
    yield from heads(feedback, ready)
    yield from paths()
    yield from _ingest(ready, mib)
    project = f"/_control/projects/{ready['organization']}/hostile"
    for what, path in (("project", project), ("event", f"{project}/events/{'a' * 32}"), ("clock", f"{project}/clock")):
        for name, body in control_bodies(mib // 16):
            yield Hostile(f"control, {what}: {name}", "PUT", path, (("Content-Type", JSON),), body)


def _ingest(ready: dict[str, Any], mib: int) -> Iterator[Hostile]:
    auth = ("X-Sentry-Auth", f"Sentry sentry_key={ready['dsn'].split('//')[1].split('@')[0]}")
    compressed = list(packed(ready["dsn"], mib))
    for name, encoding, body in itertools.chain(envelopes(ready["dsn"], mib), compressed):
        encoded = (("Content-Encoding", encoding),) if encoding else ()
        path = f"/api/{ready['id']}/envelope/"
        yield Hostile(f"envelope, no key: {name}", "POST", path, encoded, body)
        yield Hostile(f"envelope: {name}", "POST", path, (auth, *encoded), body)
    for name, encoding, body in itertools.chain(events(mib), compressed):
        encoded = (("Content-Encoding", encoding),) if encoding else ()
        yield Hostile(f"store: {name}", "POST", f"/api/{ready['id']}/store/", (auth, *encoded), body)


def json_bodies(mib: int) -> Iterator[tuple[str, str, bytes]]:
    """Submissions as JSON: hostile values as the whole body, under an ignored key, and in each field."""
    size = mib - 300
    for name, value in json_values(size):
        yield f"JSON, {name}", JSON, value
        yield f"JSON, {name} in an unknown key", JSON, b'{"x":' + value + b"," + json.dumps(GOOD).encode()[1:]
    for field in GOOD:
        begun = json.dumps({name: value for name, value in GOOD.items() if name != field}).encode()[:-1]
        for name, value in json_values(size):
            yield f"JSON, {name} for {field}", JSON, begun + b',"' + field.encode() + b'":' + value + b"}"
        for name, text in texts(size):
            yield f"JSON, {name} for {field}", JSON, json.dumps({**GOOD, field: text}, ensure_ascii=False).encode()


def forms(mib: int) -> Iterator[tuple[str, str, bytes]]:
    """Submissions as forms."""
    for name, pattern in {
        "fields": b"a=1&",
        "fields without values": b"a&",
        "separators": b"&",
        "equals signs": b"=",
        "percent signs": b"%",
        "escapes": b"%41",
        "escapes beside letters": b"%41a",
        "wide escapes": b"%E3%81%82",
        "escapes that are not UTF-8": b"%ff",
        "plus signs": b"+",
    }.items():
        yield f"form, {name}", FORM, filled(pattern, mib)
        yield f"form, {name} in a field", FORM, b"comments=" + filled(pattern, mib - 9)
        yield (
            f"form, as many {name} as are taken",
            FORM,
            b"comments=" + filled(pattern, min(mib - 9, 149_000 * len(pattern))),
        )
    yield "form, 1,000 long fields", FORM, b"&".join(b"%d=" % each + b"%41" * (mib // 6_400) for each in range(1_000))
    yield "form, a media type of many parameters", FORM + ";a" * (HEAD // 2), b"a=1"


def multiparts(mib: int) -> Iterator[tuple[str, str, bytes]]:
    """Submissions as multipart forms."""
    head, end = b'--x\r\nContent-Disposition: form-data; name="a"', b"\r\n--x--\r\n"
    most = mib - 80
    headers = (
        b"--x\r\n" + (b'Content-Disposition: form-data; name="a"; a="' + b"b" * 3_900 + b'"\r\n') * 8 + b"\r\n\r\n"
    )
    for name, body in {
        "parts": filled(head + b"\r\n\r\n\r\n", most) + b"--x--\r\n",
        "parts without headers": filled(b"--x\r\n\r\n\r\n", most) + b"--x--\r\n",
        "parts with much in their headers": filled(headers, most) + b"--x--\r\n",
        "an endless header name": b"--x\r\n" + b"a" * most,
        "an endless header": b"--x\r\na:" + b"a" * most,
        "blanks before a header's value": b"--x\r\na:" + b" " * most,
        "headers": b"--x\r\n" + filled(b"a:b\r\n", most),
        "line ends before it begins": filled(b"\r\n", most),
        "text after its end": head + b"\r\n\r\n" + end + filled(b"\r\n", most - 20),
    }.items():
        yield f"multipart, {name}", f"{MULTIPART}x", body
    for name, pattern in {
        "boundaries that are none": b"\r\n--y",
        "carriage returns": b"\r",
        "line ends": b"\r\n",
        "hyphens": b"\r\n-",
        "letters of the boundary": b"x",
        "letters": b"a",
    }.items():
        yield f"multipart, {name}", f"{MULTIPART}x", head + b"\r\n\r\n" + filled(pattern, most) + end
    for name, text in (("quotes", '"' * HEAD), ("backslashes", '"' + "\\" * HEAD), ("signs", ";=" * (HEAD // 2))):
        yield f"multipart, media type of {name}", f"{MULTIPART}{text}", b"--x--"
    boundary = b"a" * 69
    almost = filled(b"\r\n--" + boundary + b"b", most - 100)
    begun = b"--" + boundary + b"a" + head[3:] + b"\r\n\r\n"
    yield "multipart, boundaries that are almost one", f"{MULTIPART}{boundary.decode()}a", begun + almost


def queries(feedback: str, ready: dict[str, Any]) -> Iterator[Hostile]:
    """Hostile queries."""
    read = ("Authorization", f"Bearer {ready['read_token']}")
    for name, pattern in {
        "names": "a&",
        "pairs": "a=b&",
        "escapes": "%41",
        "escapes that are not UTF-8": "%ff",
        "separators": "&",
        "digits": "1",
    }.items():
        query = pattern * (HEAD // len(pattern))
        yield Hostile(f"list: query of {name}", "GET", f"{feedback}?{query}", (read,))
        for parameter in ("cursor", "environment", "status", "per_page"):
            yield Hostile(f"list: {parameter} of {name}", "GET", f"{feedback}?{parameter}={query}", (read,))
        yield Hostile(f"list: cursor with {name}", "GET", f"{feedback}?cursor=0:{query}:0", (read,))
        for kind in ("envelope", "store"):
            path = f"/api/{ready['id']}/{kind}/"
            yield Hostile(f"{kind}: query of {name}", "POST", f"{path}?{query}", (), b"{}")
            yield Hostile(f"{kind}: key of {name}", "POST", f"{path}?sentry_key={query}", (), b"{}")


def heads(feedback: str, ready: dict[str, Any]) -> Iterator[Hostile]:
    """Hostile headers."""
    read = ("Authorization", f"Bearer {ready['read_token']}")
    for name, text in {
        "blanks": "a" + " " * HEAD + "a",
        "letters": "a" * HEAD,
        "slashes": "/" * HEAD,
        "colons": "http://" + ":" * HEAD,
        "at signs": "http://" + "@" * HEAD,
        "brackets": "http://" + "[" * HEAD,
        "points": "." * HEAD,
        "commas": "," * HEAD,
        "equals signs": "a=" * (HEAD // 2),
    }.items():
        for scheme in ("Bearer", "DSN", "Sentry"):
            yield Hostile(f"feedback: {scheme} of {name}", "POST", feedback, (("Authorization", f"{scheme} {text}"),))
        for header in ("Origin", "Host"):
            yield Hostile(f"list: {header} of {name}", "GET", feedback, (read, (header, text)))
            yield Hostile(f"control: {header} of {name}", "GET", "/_control/health", ((header, text),))
        path = f"/api/{ready['id']}/envelope/"
        yield Hostile(f"envelope: X-Sentry-Auth of {name}", "POST", path, (("X-Sentry-Auth", f"Sentry {text}"),))
        yield Hostile(f"envelope: Content-Encoding of {name}", "POST", path, (("Content-Encoding", text),))


def paths() -> Iterator[Hostile]:
    """Hostile paths."""
    for name, pattern in {"letters": "a", "slashes": "/", "escaped slashes": "%2F", "line ends": "%0A"}.items():
        text = pattern * (HEAD // len(pattern))
        yield Hostile(f"feedback: path of {name}", "POST", f"/api/0/projects/{text}", ())
        yield Hostile(f"feedback: slug of {name}", "POST", f"/api/0/projects/a/{text}/user-feedback/", ())
        yield Hostile(f"control: path of {name}", "PUT", f"/_control/projects/a/{text}", ())
    yield Hostile("store: project number of digits", "POST", f"/api/{'1' * HEAD}/store/", ())


def control_bodies(size: int) -> Iterator[tuple[str, bytes]]:
    """Bodies for the control protocol, of at most this many bytes: hostile values for everything that its schemas
    name.
    """
    size -= 100
    for name, value in json_values(size):
        yield name, value
        for key in ("x", "clock", "now", "saved_ago", "title", "running", "issue_status"):
            yield f"{name} in {key}", b'{"' + key.encode() + b'":' + value + b"}"
    for key in ("now", "saved_ago", "saved_at", "timestamp", "title", "environment"):
        for name, text in texts(size):
            yield f"{name} in {key}", json.dumps({key: text}, ensure_ascii=False).encode()
