"""An observation counts only if the check could have failed."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from feedback_mock.server import Server
from feedback_spec.document import Document
from feedback_verify.answers import Answers
from feedback_verify.exchange import Exchange, Request
from feedback_verify.run import Run
from feedback_verify.targets.network import Network
from feedback_verify.targets.url import UrlTarget
from feedback_verify.targets.wire import behind_head
from feedback_verify.verdicts import Finding, Verdict, judge

PATH = "/api/0/projects/acme/shop/user-feedback/"
BODY = b'[{"comments": "HTTP is not said here"}]'


class Plain(BaseHTTPRequestHandler):
    """Answers HEAD correctly, on a connection that it keeps."""

    protocol_version = "HTTP/1.1"
    body = b""

    def do_HEAD(self) -> None:
        """With the length of the body that GET would have, as RFC 9110 allows, followed by `body`."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(self.body)

    def do_OPTIONS(self) -> None:
        """Nothing."""
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class WithBody(Plain):
    """Writes the body of GET after the head of HEAD's response."""

    body = BODY


class ClosesAfterBody(WithBody):
    """The same, and closes the connection, so nothing follows."""

    def do_HEAD(self) -> None:
        """As above."""
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(self.body)


class Closes(ClosesAfterBody):
    """Closes the connection after a correct response."""

    body = b""


@pytest.fixture
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The endpoint of a server with this handler."""
    with ThreadingHTTPServer(("127.0.0.1", 0), request.param) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{PATH}"
        server.shutdown()


@pytest.mark.parametrize(
    ("url", "behind"), [(Plain, b""), (Closes, b""), (WithBody, BODY), (ClosesAfterBody, BODY)], indirect=["url"]
)
def test_body_of_head_is_seen_on_the_wire(url: str, behind: bytes) -> None:
    """An HTTP client drops it, or mistakes it for the next response."""
    assert behind_head(Network(), Request("HEAD", url)) == behind


def test_unseen_wire_is_not_an_empty_one() -> None:
    """Through a proxy, and if nobody responds."""
    request = Request("HEAD", f"http://127.0.0.1:1{PATH}")

    assert behind_head(Network(), request) is None
    assert behind_head(Network(proxy="http://127.0.0.1:1"), request) is None


def test_answers_behind_a_path_prefix_are_judged(document: Document) -> None:
    """The prefix is that of the URL; what the document does not describe is not counted."""
    answers = Answers(document, "https://example.com/sentry/")
    behind, elsewhere = (
        Exchange(Request("POST", f"https://example.com{path}", {}, b"{}"), 418, {}, b"", 0, 1)
        for path in (f"/sentry{PATH}", "/elsewhere/")
    )

    assert "does not declare" in str(answers.problem(behind))
    assert [answers.speaks_of(each) for each in (behind, elsewhere)] == [True, False]


@pytest.mark.parametrize(("rule", "told"), [("event-window", True), ("conflict-body", False), ("list", False)])
def test_precision_stands_beside_rules_of_time_only(rule: str, told: bool, document: Document) -> None:
    found = judge(document.rules[rule], [Finding(rule, observations=1)], frozenset(), exact=True)

    assert ("to the microsecond" in found.detail) is told


def test_part_of_a_rule_that_cannot_be_asked_is_named(document: Document) -> None:
    """The other part is judged all the same."""
    with Server(document=document) as server:
        project = server.app.default_project
        credentials = {"write": project.credentials.tokens["write"]}
        with UrlTarget(server.url, project.organization, project.slug, credentials) as target:
            rules = frozenset({"event-id-case", "overwrite-window-unknown-event"})
            results = Run(document, target, 1, rules, depth="quick").execute()

    told = results["event-id-case"]
    assert '"an event is found by either case" could not be tested: it needs saved events' in told.detail
    assert told.observations > 0
    assert results["overwrite-window-unknown-event"].verdict is Verdict.NOT_VERIFIABLE


def test_no_wait_is_said_to_buy_what_takes_a_second_project(document: Document) -> None:
    found = judge(document.rules["project-isolation"], [], frozenset({"token"}), exact=False)

    assert found.detail == "needs a second project (--control URL)"
