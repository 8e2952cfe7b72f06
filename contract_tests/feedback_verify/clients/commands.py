"""A client's command as a process: started with its environment, its output read within limits, ended with all its
children.
"""

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from feedback_verify.settings import SettingsError

MOST_OUTPUT = 64 * 1024  # bytes of a command's output that are kept


class CannotPlay(SettingsError):
    """The client's command cannot be run; the message says why, in one sentence."""


class Command:
    """A running command. `variables` are added to the environment; its output is read to the end and kept in part."""

    def __init__(self, words: Sequence[str], variables: Mapping[str, str]) -> None:
        try:
            self._process = subprocess.Popen(
                words,
                env={**os.environ, **variables},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            said = getattr(error, "strerror", None) or str(error)
            raise CannotPlay(f"{words[0]}: cannot be started: {said}.") from None
        self._output, self._errors = _Reader(self._process.stdout), _Reader(self._process.stderr)

    def wait(self, seconds: float) -> bool:
        """Whether it exited within this time."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
            return True
        return False

    @property
    def exit_code(self) -> int:
        """As in subprocess: negative if a signal ended it. Only for a command that has ended."""
        return int(self._process.returncode)

    @property
    def output(self) -> str:
        """What it wrote to stdout, or the beginning of that."""
        return self._output.text()

    @property
    def errors(self) -> str:
        """What it wrote to stderr, or the beginning of that."""
        return self._errors.text()

    @property
    def cut(self) -> bool:
        """Whether it wrote more than was kept."""
        return self._output.cut or self._errors.cut

    @property
    def waited(self) -> int:
        """How long one of its threads has waited for a processor so far, in microseconds; 0 where the system does not
        say.
        """
        waits = [0]
        for each in Path(f"/proc/{self._process.pid}/task").glob("*/schedstat"):
            with suppress(OSError, ValueError, IndexError):
                waits.append(int(each.read_text("ascii").split()[1]) // 1000)
        return max(waits)

    def end(self) -> None:
        """Ends it with everything that it started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


class _Reader:
    """Reads a pipe to its end, in a thread of its own, so that nobody waits for us."""

    def __init__(self, pipe: IO[bytes] | None) -> None:
        assert pipe is not None
        self._pipe, self._kept, self.cut = pipe, bytearray(), False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def text(self) -> str:
        """What was read."""
        self._thread.join(1)
        return self._kept.decode(errors="replace")

    def _read(self) -> None:
        with self._pipe:
            while part := os.read(self._pipe.fileno(), MOST_OUTPUT):
                self.cut |= len(part) > MOST_OUTPUT - len(self._kept)
                self._kept += part[: MOST_OUTPUT - len(self._kept)]


class Clock:
    """The wall clock of commands that run under libfaketime, moved through a file."""

    def __init__(self, library: Path, file: Path) -> None:
        self._library, self._file = library, file
        self.move(0)

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables that give a command this clock."""
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # sleeps of many runtimes would take the whole jump
        }

    def move(self, microseconds: int) -> None:
        """Moves it this far ahead of the machine's."""
        fresh = self._file.with_suffix(
            ".new"
        )  # rewritten and moved into place, because a process may read it at any moment
        fresh.write_text(f"+{microseconds // 1_000_000}.{microseconds % 1_000_000:06}s\n")
        fresh.replace(self._file)
