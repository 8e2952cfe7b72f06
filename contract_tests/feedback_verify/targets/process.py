"""A target that we start under libfaketime, and whose clock we move while it runs.

Its clock runs, so intervals are measured. This does not work for programs that do not use the C library's clock.
"""

import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import httpx
from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from feedback_verify.exchange import Request
from feedback_verify.targets.network import Network, sendable
from feedback_verify.targets.sending import NotReachable
from feedback_verify.targets.url import UrlTarget

START_TIMEOUT = 30.0
_LIBRARY = "libfaketime.so.1"
_FOLDERS = (
    "/usr/lib/x86_64-linux-gnu/faketime",
    "/usr/lib/aarch64-linux-gnu/faketime",
    "/usr/lib/faketime",
    "/usr/lib64/faketime",
    "/usr/local/lib/faketime",
)


class MissingLibrary(Exception):
    """libfaketime is not installed; the message names the package."""


class ProcessTarget(UrlTarget):
    """`command` is started, serves `base_url`, and is stopped at the end of the run."""

    clock = "process"

    def __init__(
        self,
        base_url: str,
        command: str,
        organization: str,
        project: str,
        secrets: Mapping[str, str],
        network: Network | None = None,
    ) -> None:
        super().__init__(base_url, organization, project, secrets, network)
        self._command = shlex.split(command)
        self._library = find_library()
        self._folder = tempfile.TemporaryDirectory(prefix="feedback-verify-")
        self._file = Path(self._folder.name) / "offset"
        self._log = Path(self._folder.name) / "log"

    def __enter__(self) -> Self:
        self._write()
        environment = {
            **os.environ,
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        try:
            with self._log.open("wb") as log:
                self._process = subprocess.Popen(
                    self._command, env=environment, stdout=log, stderr=log, start_new_session=True
                )
        except OSError as error:
            self._folder.cleanup()
            raise NotReachable(f"--command: {shlex.join(self._command)}: {error.strerror}.") from None
        try:
            self._wait_until_it_listens()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self._end()

    def skip(self, microseconds: int) -> None:
        """Moves the process's clock forward by this much, in addition to its own running."""
        self.sender.offset += microseconds
        self._write()

    def _write(self) -> None:
        # Rewritten and moved into place, because the process may read it at any moment.
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"+{self.sender.offset // 1_000_000}.{self.sender.offset % 1_000_000:06}s\n")
        fresh.replace(self._file)

    def _wait_until_it_listens(self) -> None:
        retrying = Retrying(
            stop=stop_after_delay(START_TIMEOUT),
            wait=wait_fixed(0.05),
            retry=retry_if_exception_type(httpx.TransportError),
        )
        try:
            retrying(self._knock)
        except RetryError:
            raise NotReachable(
                f"--command: started, but {self.base_url} does not respond after {START_TIMEOUT:g} s: {self._said()}"
            ) from None

    def _knock(self) -> None:
        if self._process.poll() is not None:
            raise NotReachable(f"--command: exited (exit code {self._process.returncode}): {self._said()}")
        parts = urlsplit(self.base_url)
        self._transport.handle_request(sendable(Request("OPTIONS", f"{parts.scheme}://{parts.netloc}/"))).close()

    def _said(self) -> str:
        text = " ".join(self._log.read_text("utf-8", "replace").split())
        return text[-400:] or "it printed nothing"

    def _end(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        self._folder.cleanup()


def find_library() -> Path:
    """The path of libfaketime: from Debian's package faketime, or the Python package libfaketime. Raises
    MissingLibrary.
    """
    found = find_spec("libfaketime")
    packaged = (
        [str(Path(each) / "vendor/libfaketime/src") for each in (found.submodule_search_locations or ())]
        if found
        else []
    )
    for folder in (*_FOLDERS, *packaged):
        if (Path(folder) / _LIBRARY).is_file():
            return Path(folder) / _LIBRARY
    raise MissingLibrary(
        "--command needs libfaketime: install the package faketime on Debian and Ubuntu, or libfaketime from PyPI."
    )
