"""A real redis-server on a socket of its own, for the tests of shared projects."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

PROGRAM = shutil.which("redis-server")


class RedisServer:
    """One server that can be stopped and started again; if `durable`, it keeps what it acknowledged."""

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self._folder, self._durable, self._socket = folder, durable, folder / "redis.sock"
        self.url = f"unix://{self._socket}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def client(self) -> "redis.Redis":
        return redis.Redis(unix_socket_path=str(self._socket))

    def start(self) -> None:
        """Returns when it responds."""
        assert PROGRAM is not None
        options = ["--port", "0", "--unixsocket", str(self._socket), "--save", ""]
        options += ["--dir", str(self._folder), "--appendonly", "yes" if self._durable else "no"]
        options += ["--appendfsync", "always"]
        self._process = subprocess.Popen([PROGRAM, *options, "--loglevel", "warning"], stdout=subprocess.DEVNULL)
        retrying = Retrying(
            stop=stop_after_delay(20), wait=wait_fixed(0.02), retry=retry_if_exception_type(redis.RedisError)
        )
        with self.client as client:
            retrying(client.ping)

    def stop(self) -> None:
        """Ends it immediately, with SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def redis_server(*, durable: bool = False) -> Iterator[RedisServer]:
    """A running server."""
    with tempfile.TemporaryDirectory(prefix="feedback-redis-") as folder:
        server = RedisServer(Path(folder), durable=durable)
        server.start()
        try:
            yield server
        finally:
            server.stop()
