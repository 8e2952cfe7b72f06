"""Sentry's own SDKs work with the mock's DSN as it is, and feedback for what they captured keeps to the windows.

`make clients` installs them; what is not installed is skipped.
"""

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from mock_server.sandbox import Sandbox
from mock_server.server import Server
from spec.document import DOCUMENTED, load
from tests.clients.toolchains import need, run

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
# What each says that its events were answered; 7 does not say.
NODE = {"sentry-node-latest": [200], "sentry-node-8": [200], "sentry-node-7": []}
TOO_LATE = {"detail": "Feedback for this event cannot be modified."}
CHROMIUM = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
)


@pytest.fixture(params=[DOCUMENTED, "sentry-latest"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A project whose clock stands still, on a mock of either profile."""
    with Server(document=load(None, request.param)) as server:
        yield Sandbox.on(server, "acme", "sdk")


def captured(ran: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """What a driver says that it captured."""
    assert ran.returncode == 0, ran.stdout
    told: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return told


def tell(sandbox: Sandbox, event_id: str, title: str) -> None:
    """Feedback for a captured event by REST: stored, overwritten to the limit, refused past each."""

    def submit(comments: str, event: str = event_id) -> httpx.Response:
        body = {"event_id": event, "name": "Jane Smith", "email": "jane@example.com", "comments": comments}
        return httpx.post(sandbox.feedback_url, json=body, headers={"Authorization": f"Bearer {sandbox.token}"})

    first = submit("It broke!")
    assert first.status_code == 200
    assert first.json()["issue"]["title"] == title
    sandbox.advance("PT5M")
    assert submit("It still is.").json()["id"] == first.json()["id"]
    sandbox.advance("PT0.000001S")
    assert (submit("Too late.").status_code, submit("Too late.").json()) == (409, TOO_LATE)
    assert [record.comments for record in sandbox.feedback] == ["It still is."]


def event_ages(sandbox: Sandbox, event_id: str) -> None:
    """The 30 minutes of a captured event, for which there is no feedback yet, are over."""
    sandbox.advance("PT30M0.000001S")
    body = {"event_id": event_id, "name": "Jane Smith", "email": "jane@example.com", "comments": "It broke!"}
    answer = httpx.post(sandbox.feedback_url, json=body, headers={"Authorization": f"Bearer {sandbox.token}"})

    assert (answer.status_code, answer.json()) == (409, TOO_LATE)


@pytest.mark.parametrize("major", ["2", "1"])
def test_sentry_sdk_for_python(sandbox: Sandbox, major: str) -> None:
    installed = HERE / f".sentry-sdk-{major}"
    if not (installed / "installed").is_file():
        pytest.skip("Sentry's SDKs for Python are not installed: make clients")
    driver = [sys.executable, str(HERE / "sentry" / "capture.py"), sandbox.dsn]
    first = captured(run(driver, HERE, {"PYTHONPATH": str(installed)}))
    second = captured(run(driver, HERE, {"PYTHONPATH": str(installed)}))

    assert first["version"].startswith(f"{major}.")
    tell(sandbox, first["event_id"], "ValueError: It broke in Python")
    event_ages(sandbox, second["event_id"])


@pytest.mark.parametrize("package", NODE)
def test_sentry_sdk_for_node(sandbox: Sandbox, package: str) -> None:
    need("node")
    if not (MODULES / package).is_dir():
        pytest.skip("Sentry's SDKs for Node are not installed: make clients, with npm")
    driver = ["node", str(HERE / "sentry" / "capture.cjs"), str(MODULES / package), sandbox.dsn]
    first, second = (captured(run(driver, HERE)) for _ in range(2))

    assert first["flushed"] is True
    assert first["statuses"] == NODE[package]
    tell(sandbox, first["event_id"], "TypeError: It broke in Node")
    event_ages(sandbox, second["event_id"])


def test_sentry_sdk_for_browsers(sandbox: Sandbox, tmp_path: Path) -> None:
    """In a real one, from a page of another origin."""
    need("node")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("chromium is not here")
    if not (MODULES / ".bin" / "esbuild").exists():
        pytest.skip("Sentry's SDK for browsers is not installed: make clients, with npm")
    script = tmp_path / "page.bundle.js"
    bundled = [str(MODULES / ".bin" / "esbuild"), "sentry/page.js", "--bundle", f"--outfile={script}"]
    ran = run(bundled, HERE)
    assert ran.returncode == 0, ran.stdout
    with Pages(sandbox, script) as pages:
        seen = pages.open(chromium, tmp_path / "profile")

    assert seen["statuses"] == [200], seen
    silent = sandbox.server.app.document.behaviour.dsn_success == "empty"
    for name in ("submitted", "overwritten"):
        assert seen[name]["status"] == 200
        assert (seen[name]["body"] == "") == silent
    assert seen["late"] == {"status": 409, "body": TOO_LATE}
    assert [record.comments for record in sandbox.feedback] == ["It still is."]
    saved = sandbox.project.events[seen["event_id"]]
    assert saved.title == "RangeError: It broke in a browser"


class Pages:
    """A web site of one page, on a port of its own: another origin than the mock's. It moves the sandbox's clock."""

    def __init__(self, sandbox: Sandbox, script: Path) -> None:
        place = json.dumps({"dsn": sandbox.dsn, "feedback": sandbox.feedback_url}).replace('"', "&quot;")
        self._page = f'<!doctype html><body data-place="{place}"><script src="page.js"></script>'.encode()
        seen: queue.Queue[dict[str, Any]] = queue.Queue()
        files = {"/": (b"text/html", self._page), "/page.js": (b"text/javascript", script.read_bytes())}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                kind, content = files.get(self.path, (b"text/plain", b""))
                self._answer(kind, content)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                parts = urlsplit(self.path)
                if parts.path == "/advance":
                    sandbox.advance(parse_qs(parts.query)["duration"][0])
                else:
                    seen.put(json.loads(body))
                self._answer(b"text/plain", b"")

            def _answer(self, kind: bytes, content: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind.decode())
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self._seen = seen
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> "Pages":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def open(self, chromium: str, profile: Path) -> dict[str, Any]:
        """What the page saw, in a browser of its own."""
        address = f"http://127.0.0.1:{self._server.server_port}/"
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        command = [chromium, *CHROMIUM, f"--user-data-dir={profile}", "--remote-debugging-port=0", address]
        with subprocess.Popen(command, env={**os.environ, "HOME": str(profile)}, **quiet) as browser:  # type: ignore[call-overload]
            try:
                seen: dict[str, Any] = self._seen.get(timeout=120)
                return seen
            finally:
                browser.kill()
