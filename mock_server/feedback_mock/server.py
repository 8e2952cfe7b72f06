"""Serves the application with uvicorn: in a thread for tests, in the main thread for the command line.

Knows sockets and signals, but nothing about feedback.
"""

import errno
import secrets
import socket
import threading
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvicorn

from feedback_mock.app import create_app
from feedback_mock.asgi import ASGIApp
from feedback_mock.mock import Mock
from feedback_mock.protocol import Http

WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}
BACKLOG = 2048
TICKS = 10  # of uvicorn, per second


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 means a free one. Raises OSError if that fails."""
    family, kind, protocol, _, address = _resolve(host, port)
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there. Raises OSError if there is no such host."""
    address = _resolve(host, 0)[4][0]
    return ip_address(str(address).partition("%")[0]).is_loopback


def _resolve(host: str, port: int) -> tuple[Any, ...]:
    """The first result of `getaddrinfo`. Raises OSError if there is no such host, or there can be none."""
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except UnicodeError:  # of Python's codec for host names
        raise OSError(errno.EINVAL, "it is not the name or address of a host") from None


def address_of(listener: socket.socket, host: str) -> str:
    """The `host:port` at which a client on this machine reaches the socket bound to `host`."""
    name = WILDCARDS.get(host, host)
    return f"[{name}]:{listener.getsockname()[1]}" if ":" in name else f"{name}:{listener.getsockname()[1]}"


class Uvicorn(uvicorn.Server):
    """A uvicorn server of a mock that reports when it is ready.

    It serves `around`, if the mock is inside another application; over HTTPS with a `certificate` and its `key`, which
    may be in the same file. `patience` is how many seconds it waits at the end for requests in progress.
    """

    def __init__(
        self,
        app: Mock,
        on_ready: Callable[[], None],
        around: ASGIApp | None = None,
        certificate: Path | None = None,
        key: Path | None = None,
        patience: int = 1,
        each_second: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                around or app,
                http=Http,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=patience,
                ssl_certfile=certificate,
                ssl_keyfile=key,
            )
        )
        self._app, self._on_ready, self._each_second = app, on_ready, each_second

    def end(self) -> None:
        """Starts a clean shutdown. From any thread."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts serving, then reports it."""
        await super().startup(sockets=sockets)
        self._on_ready()

    async def on_tick(self, counter: int) -> bool:
        """Notifies each connection every second."""
        if counter % TICKS == 0:
            for each in tuple(self.server_state.connections):
                each.tick()  # type: ignore[union-attr]  # all are of our protocol
            if self._each_second is not None:
                self._each_second()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends streams first; otherwise it would wait for them."""
        self._app.end()
        await super().shutdown(sockets=sockets)
        await self._app.close()


class Server:
    """The mock on a real socket, in a thread of its own: `with Server() as server: … server.url …`.

    `app` defaults to the mock of the packaged document; `options` are those of `create_app`. If other machines can
    reach the `host`, control requests need a token, which is generated unless given, and credentials are random. Raises
    OSError if the address is not available, DocumentError for a document that cannot be served.
    """

    def __init__(self, app: Mock | None = None, *, host: str = "127.0.0.1", port: int = 0, **options: Any) -> None:
        self._host = host
        self._port = port
        if not is_loopback(host):
            options = {"control_token": secrets.token_urlsafe(24), "secret": secrets.token_hex(), **options}
        self.app = app or create_app(**options)
        self.address = ""
        self._ready = threading.Event()
        self._server: Uvicorn | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Its address, such as `http://127.0.0.1:8080`; only inside the context."""
        return f"http://{self.address}"

    def __enter__(self) -> Self:
        listener = bind(self._host, self._port)
        self.address = address_of(listener, self._host)
        self._server = Uvicorn(self.app, self._ready.set)
        self._thread = threading.Thread(target=self._server.run, args=([listener],), name="feedback-mock", daemon=True)
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        assert self._thread is not None
        self._server.should_exit = True
        self._thread.join()
        self._ready.clear()
