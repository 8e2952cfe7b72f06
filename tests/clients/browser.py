"""A page in headless Chromium, from a different origin than the mock, that submits what it is told to. Asserts
nothing.
"""

import json
import os
import queue
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
)
PATIENCE = 90


class Page:
    """A page, while the browser is open: `with Page(…) as page: … page.told() … page.ask(…)`.

    `task` is what its script reads, `script` the script itself, `folder` is the browser's own.
    """

    def __init__(self, chromium: str, task: dict[str, Any], script: Path, folder: Path) -> None:
        self._told: queue.Queue[dict[str, Any]] = queue.Queue()
        self._asked: queue.Queue[dict[str, Any] | None] = queue.Queue()
        data = json.dumps(task).replace('"', "&quot;")
        html = f'<!doctype html><body data-task="{data}"><script type="module" src="page.js"></script>'
        self._files = {"/": ("text/html", html.encode()), "/page.js": ("text/javascript", script.read_bytes())}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._command = [chromium, *OPTIONS, f"--user-data-dir={folder / 'profile'}", "--remote-debugging-port=0"]
        self._folder = folder
        self._log = folder / "browser.log"

    def __enter__(self) -> "Page":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        command = [*self._command, f"http://127.0.0.1:{self._server.server_port}/"]
        environment = {**os.environ, "HOME": str(self._folder)}
        with self._log.open("wb") as log:
            self._browser = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        return self

    def __exit__(self, *_: object) -> None:
        self._asked.put(None)
        self._browser.kill()
        self._browser.wait()
        self._server.shutdown()
        self._server.server_close()

    def told(self) -> dict[str, Any]:
        """The page's next message. Raises RuntimeError, with the browser's own words, if there is none."""
        for _ in range(PATIENCE):
            try:
                return self._told.get(timeout=1)
            except queue.Empty:
                if self._browser.poll() is not None:
                    break
        raise RuntimeError(f"The browser told nothing. {self._log.read_text('utf-8', 'replace')[-2000:]}")

    def ask(self, body: dict[str, Any]) -> dict[str, Any]:
        """The response that the page got when it submitted that."""
        self._asked.put(body)
        return self.told()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        page = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(*page._files.get(self.path, ("text/plain", b"")))

            def do_POST(self) -> None:
                page._told.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self._answer("application/json", json.dumps(page._asked.get()).encode())

            def _answer(self, kind: str, content: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler
