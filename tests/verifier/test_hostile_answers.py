"""Whatever a target sends, the result is verdicts or one sentence: never a traceback, and 1 only for an observed
violation.
"""

import io
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from feedback_spec.document import load
from feedback_verify.cli import main
from feedback_verify.exchange import as_data
from feedback_verify.flags import KINDS
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.broken.server import Implementation, Project
from tests.broken.serving import serving

EXAMPLES = 8
KEY = "a" * 32
PROJECT: dict[str, Any] = {"tokens": {"write": "w" * 20, "read": "r" * 20}, "dsn": f"http://{KEY}@127.0.0.1/1"}

texts = st.one_of(st.text(max_size=20), st.sampled_from(["", "\x1b[2J", "\u202e", "\ud800", "1" * 5_000, "NaN"]))
leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts, st.just(10**400))
values = st.recursive(leaves, lambda each: st.lists(each, max_size=3) | st.dictionaries(texts, each, max_size=3))
NAMES = ("id", "eventID", "name", "email", "comments", "dateCreated", "issue", "user", "event", "detail")
feedback = st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, values))
bodies = st.one_of(
    st.one_of(values, feedback, st.lists(feedback | values, max_size=3)).map(lambda each: json.dumps(each).encode()),
    st.binary(max_size=30),
    st.sampled_from(
        [b"[" * 100_000, b'{"a":' * 900 + b"1" + b"}" * 900, b"\xff\xfe", b"[NaN]", b"1e999", b"9" * 5_000]
    ),
)
headers = st.lists(
    st.tuples(
        st.sampled_from(
            ["Content-Type", "Content-Encoding", "Date", "Link", "Allow", "Location", "Set-Cookie", "Retry-After", "X"]
        ),
        st.one_of(
            st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30),
            st.sampled_from(
                [
                    "application/json",
                    "gzip",
                    "br, gzip",
                    "Mon, 01 Jan 0001 00:00:00 -0000",
                    "Mon, 99 Foo 99999999999 99:99:99 +9999",
                    '<x>; rel="next"; results="true"; cursor="\x7f $(x)é[1-9]"',
                    '<x>; rel="next"; results="true"; cursor="' + "0" * 70_000 + '"',
                    "text/html; charset=klingon",
                    "//[",
                ]
            ),
        ),
    ),
    max_size=4,
)


@settings(deadline=None, database=None, derandomize=True)
@given(bodies)
def test_what_is_read_can_be_written(body: bytes) -> None:
    """As UTF-8, in reports: whatever is read as JSON, and without a loss."""
    written = json.dumps(as_data(body), ensure_ascii=False, allow_nan=False).encode()

    assert json.loads(written) == as_data(body)


@dataclass(frozen=True)
class Answer:
    """What is sent back, complete."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=lambda: [("Content-Type", "application/json")])
    body: bytes = b""

    @property
    def raw(self) -> bytes:
        """The bytes on the wire."""
        lines = [f"HTTP/1.1 {self.status} X", *(f"{name}: {value}" for name, value in self.headers)]
        lines += [f"Content-Length: {len(self.body)}", "Connection: close"]
        return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + self.body


statuses = st.one_of(st.sampled_from([200, 200, 200, 201, 204, 302, 400, 401, 403, 404, 405, 409, 429, 500, 503]))
answers = st.builds(Answer, statuses | st.integers(100, 999), headers, bodies).map(lambda each: each.raw)
raws = st.one_of(st.binary(max_size=40), st.just(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"), st.just(b""))


class _Handler(socketserver.StreamRequestHandler):
    """Reads one request, and answers it with the next of the server's responses."""

    server: Any
    timeout = 5

    def handle(self) -> None:
        with suppress(OSError, ValueError):
            line = self.rfile.readline(65_536)
            length = 0
            while (header := self.rfile.readline(65_536)).strip():
                if header.lower().startswith(b"content-length:"):
                    length = int(header.partition(b":")[2])
            self.rfile.read(length)
            self.wfile.write(self.server.answer_to(line.decode("latin-1")))


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, pool: list[bytes], records: list[Any], sound: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pool, self.records, self.sound, self.number = pool, records, sound, 0

    def answer_to(self, line: str) -> bytes:
        """The control protocol works this many times; everything else gets the drawn response."""
        self.number += 1
        control = "/_control/" in line
        if control and self.sound > 0:
            self.sound -= 1
            body: Any = self.records if line.startswith("GET") and "/feedback" in line else PROJECT
            return Answer(200, body=json.dumps(body).encode()).raw
        return self.pool[self.number % len(self.pool)]


@contextmanager
def _answering(pool: list[bytes], records: list[Any], sound: int) -> Iterator[str]:
    with _Server(pool, records, sound) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


def _verify(url: str, flags: list[str]) -> int:
    """Runs it and checks everything that it wrote: all reports, or none if it ended before there was a verdict."""
    out, err = io.StringIO(), io.StringIO()
    with TemporaryDirectory() as folder, redirect_stdout(out), redirect_stderr(err):
        reports = [flag for kind in KINDS for flag in ("--report", f"{kind}={Path(folder) / kind}")]
        # If it asks for one request per minute, the verifier waits, and nothing ends.
        code = main([url, *flags, "--seed", "1", "--max-time", "10s", *reports])
        written = {each.name for each in Path(folder).iterdir()}
        verdicts = json.loads((Path(folder) / "json").read_text()) if "json" in written else {}
    said = err.getvalue()

    assert "Traceback" not in said
    assert "has a bug" not in said, said
    assert code in (0, 1, 2, 3)
    assert written == set(KINDS) or (code == 2 and not written)
    assert code != 1 or "violated" in {rule["verdict"] for rule in verdicts["rules"]}
    assert sum(line.startswith("Error: ") for line in said.splitlines()) == (code == 2)
    return code


PLACE: list[str] = ["--organization", "o", "--project", "p", "--token", "w" * 20, "--dsn", PROJECT["dsn"]]


@settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=True)
@given(
    pool=st.lists(answers, min_size=1, max_size=6) | st.lists(answers | raws, min_size=1, max_size=6),
    records=st.lists(feedback | values, max_size=2),
    sound=st.sampled_from([-1, 0, 5, 100_000, 100_000, 100_000]),
    some=st.lists(st.sampled_from(sorted(load().verifiable)), min_size=1, max_size=8, unique=True),
)
def test_any_answer_comes_to_verdicts_or_to_one_sentence(
    pool: list[bytes], records: list[Any], sound: int, some: list[str]
) -> None:
    """For some rules; the control API works always, at first, or never."""
    with _answering(pool, records, sound) as url:
        flags = PLACE if sound < 0 else ["--control", url]
        _verify(url, [*flags, "--rules", ",".join(some)])


LISTED = "list,list-known-events,list-status"
LISTS: tuple[Any, ...] = (
    {"eventID": "x"},
    "text",
    None,
    0,
    [1, None, "x", []],
    [{}],
    [{"eventID": None}],
    [{"eventID": {}}, {"eventID": []}],
    [{"eventID": 1, "id": {"a": []}}],
)


@pytest.mark.parametrize("listed", LISTS, ids=repr)
def test_list_of_another_shape_breaks_its_rules(listed: Any, tmp_path: Path) -> None:
    """Each with a sentence about the shape, although submitting works correctly."""

    class Listing(Implementation):
        def listing(self, request: Request, project: Project) -> Response:
            return JSONResponse(listed)

    report = tmp_path / "v.json"
    with serving(Listing().app()) as url:
        flags = ["--depth", "quick", "--settle", "0s", "--rules", LISTED, "--report", f"json={report}"]
        code = main([url, "--control", url, *flags])

    details = {rule["id"]: rule["detail"] for rule in json.loads(report.read_text())["rules"] if rule["observations"]}
    assert code == 1
    assert "which is not" in details["list"]


def test_every_layer_bears_garbage() -> None:
    """Including histories and Schemathesis, by URL and by a working control API."""
    pool = [Answer(200, body=b"{}"), Answer(409), Answer(200, body=b"[{}]"), Answer(500)]
    with _answering([each.raw for each in pool], [], 1_000_000) as url:
        assert _verify(url, PLACE) == 1
        assert _verify(url, ["--control", url]) == 1
