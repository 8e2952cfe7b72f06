"""What the command has of its process: standard files, signals that end it, limits. Knows nothing of what is served."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator

MOST_FILES = 20_000
_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def open_standard_files() -> None:
    """Opens those of stdin, stdout and stderr that are closed: the next socket would get its number."""
    for file in (0, 1, 2):
        try:
            os.fstat(file)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free


def allow_many_files() -> None:
    """As many connections as the system allows us, up to a bound: by default it is a thousand at most."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 (which not all platforms have)

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
        if soft < wanted:
            with contextlib.suppress(OSError, ValueError):  # macOS has a bound that it does not tell
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@contextlib.contextmanager
def ending(end: Callable[[], None]) -> Iterator[None]:
    """Makes SIGINT, SIGTERM and SIGHUP a clean end; what is ignored, as nohup asks for, stays so.

    uvicorn raises the first two once more when it is done, and nothing comes of it.
    """
    mine = [each for each in _SIGNALS if signal.getsignal(each) != signal.SIG_IGN]
    before = {each: signal.signal(each, lambda *_: end()) for each in mine}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def end_with_stdin(end: Callable[[], None]) -> None:
    """Ends when stdin does, which is at once where it has nothing to give."""

    def wait() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        end()

    threading.Thread(target=wait, name="stdin", daemon=True).start()


def print_whole(text: str) -> str | None:
    """Prints on stdout; answers why that cannot be, None if it could."""
    if sys.stdout is None:
        return "stdout is closed"
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        return not_written(error)
    return None


def not_written(error: OSError) -> str:
    """That stdout failed; what is left in Python's buffer would be tried again at the end, and is thrown away."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return f"stdout cannot be written: {error.strerror}"
