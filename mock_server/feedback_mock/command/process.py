"""The command's process: standard files, the signals that end it, limits. Knows nothing about what is served."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator

from feedback_spec.streams import discard_stdout

MOST_FILES = 20_000
_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def open_standard_files() -> None:
    """Opens stdin, stdout and stderr if they are closed; otherwise the next socket would get their number."""
    for file in (0, 1, 2):
        try:
            os.fstat(file)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number


def allow_many_files() -> None:
    """Allows as many connections as the system permits, up to a limit; the default is often a thousand."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 (not available on all platforms)

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
        if soft < wanted:
            with contextlib.suppress(OSError, ValueError):  # macOS has a limit that it doesn't report
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@contextlib.contextmanager
def ending(end: Callable[[], None]) -> Iterator[None]:
    """Makes SIGINT, SIGTERM and SIGHUP end the mock cleanly, unless they are ignored, as with nohup.

    uvicorn raises the first two again when it is done; that has no effect.
    """
    mine = [each for each in _SIGNALS if signal.getsignal(each) != signal.SIG_IGN]
    before = {each: signal.signal(each, lambda *_: end()) for each in mine}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def end_with_stdin(end: Callable[[], None]) -> None:
    """Ends when stdin closes, which is at once if it is empty."""

    def wait() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        end()

    threading.Thread(target=wait, name="stdin", daemon=True).start()


def print_whole(text: str) -> str | None:
    """Prints to stdout; returns the reason if that fails, else None."""
    if sys.stdout is None:
        return "stdout is closed"
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        return not_written(error)
    return None


def not_written(error: OSError) -> str:
    """The reason why stdout failed, in words; discards what is left for it."""
    discard_stdout()
    return f"stdout cannot be written: {error.strerror}"
