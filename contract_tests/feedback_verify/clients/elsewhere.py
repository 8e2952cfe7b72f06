"""Another origin: records the requests that it gets, and refuses them."""

import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

MOST = 1_000
LARGEST = 64 * 1024


class Elsewhere:
    """A server on a free port of this machine."""

    def __enter__(self) -> Self:
        self._requests: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Its origin."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def requests(self) -> tuple[str, ...]:
        """The first requests of all clients, each as one text of request line, headers and body."""
        return tuple(self._requests)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        kept = self._requests

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                length = self.headers.get("Content-Length", "0")
                body = self.rfile.read(min(int(length), LARGEST)) if length.isascii() and length.isdigit() else b""
                if len(kept) < MOST:
                    kept.append(f"{self.requestline}\n{self.headers}{body.decode(errors='replace')}")
                self.send_response(HTTPStatus.FORBIDDEN)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_POST = do_GET = do_PUT = do_HEAD = do_OPTIONS = answer  # noqa: N815 (http.server's names)

            def log_message(self, *_: Any) -> None:
                """Logs nothing."""

        return Handler
