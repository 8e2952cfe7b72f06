"""The ready file, which is never wrong for anyone who waits for it. Knows nothing about its contents."""

import contextlib
import errno
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from feedback_spec.files import CannotWrite, check_file, replace, telling

MOST = 64 * 1024  # bytes of a ready file
OWNER_ONLY = 0o600  # it contains tokens


@contextlib.contextmanager
def ready_file(path: Path | None) -> Iterator[Callable[[str], None]]:
    """Removes the file of an earlier run, yields the function that writes the file, and removes it at the end if it is
    still ours.

    The function raises CannotWrite; so does this context manager if anything else is at that path.
    """
    written = []

    def write(text: str) -> None:
        if path is not None:
            replace(path, text, OWNER_ONLY)
            written.append(text)

    if path is not None:
        _claim(path)
    try:
        yield write
    finally:
        if path is not None and written:
            with contextlib.suppress(OSError):
                _release(path, written[0])


def _claim(path: Path) -> None:
    """Makes room: removes an empty file, or one that an earlier run left behind and that is now wrong."""
    check_file(path)
    with telling(path), contextlib.suppress(FileNotFoundError):
        content = _content(path, MOST)
        if content and not _is_ready_file(content):
            raise CannotWrite(errno.EEXIST, "the file there was not written by feedback-mock", str(path))
        path.unlink()


def _release(path: Path, text: str) -> None:
    if _content(path, len(text) + 1) == text.encode():
        path.unlink()


def _content(path: Path, most: int) -> bytes:
    file = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(file, "rb") as stream:
        return stream.read(most)


def _is_ready_file(content: bytes) -> bool:
    try:
        data = json.loads(content)
    except ValueError:
        return False
    return isinstance(data, dict) and {"url", "pid", "dsn"} <= data.keys()
