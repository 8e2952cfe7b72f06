"""Reads files up to a size. Writes them completely or not at all, never through a link or over what is not a file.

Knows nothing about their contents.
"""

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_NOT_THROUGH_LINKS = getattr(os, "O_NOFOLLOW", 0)  # Windows has no such flag
_DESCRIPTOR = re.compile(r"/dev/(?P<name>stdout|stderr)|/(?:dev|proc/self)/fd/(?P<number>\d{1,6})")
_NUMBERS = {"stdout": 1, "stderr": 2}


class CannotWrite(OSError):
    """As text, one sentence; `filename` and `strerror` are its parts."""

    def __str__(self) -> str:
        return f"{self.filename}: cannot be written: {self.strerror}."


def read(path: Path, most: int) -> bytes:
    """The contents of a file of at most so many bytes: a device or a pipe doesn't say how many it has. Raises
    OSError.
    """
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most:,} bytes, the limit", str(path))
    return content


def check_file(path: Path) -> None:
    """Raises CannotWrite if the directory of a file doesn't exist, or something other than a file is in its place."""
    with telling(path):
        if not path.parent.is_dir():
            raise CannotWrite(errno.ENOENT, f"there is no directory {path.parent}", str(path))
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:
            return
    if stat.S_ISLNK(mode):
        raise CannotWrite(errno.ELOOP, "it is a link; use the path of the file itself", str(path))
    if stat.S_ISDIR(mode):
        raise CannotWrite(errno.EISDIR, "it is a directory", str(path))
    if not stat.S_ISREG(mode):
        raise CannotWrite(errno.EINVAL, "it is not a regular file", str(path))


def check(path: Path) -> None:
    """Raises CannotWrite for what `write` and `append` would refuse, as far as this is known beforehand."""
    if not is_stream(path):
        check_file(path)


def replace(path: Path, text: str, mode: int = 0o666) -> None:
    """Writes a regular file: readers see either the old one or all of the new one. Raises CannotWrite.

    The new one has the permissions of the old one; without one, those of `mode` that the umask leaves.
    """
    check_file(path)
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    with telling(path):
        try:
            with _opened(part, os.O_CREAT | os.O_EXCL | _NOT_THROUGH_LINKS, mode) as file:
                _pour(file, text)
                os.fsync(file)  # else a machine that loses power may have the name and not what is in it
            with suppress(FileNotFoundError):
                part.chmod(path.stat().st_mode & 0o777)
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def write(path: Path, text: str) -> None:
    """Like `replace`, but also writes to a pipe, a terminal or a descriptor, such as /dev/stdout. Raises
    CannotWrite.
    """
    if is_stream(path):
        _to_stream(path, text)
    else:
        replace(path, text)


def append(path: Path, text: str) -> None:
    """Like `write`, but at the end of the file's contents; all of it or nothing. Raises CannotWrite."""
    if is_stream(path):
        _to_stream(path, text)
        return
    check_file(path)
    with telling(path), _opened(path, os.O_CREAT | os.O_APPEND | _NOT_THROUGH_LINKS) as file:
        before = os.fstat(file).st_size
        try:
            _pour(file, text)
        except OSError:
            os.ftruncate(file, before)
            raise


def is_stream(path: Path) -> bool:
    """Whether it is a descriptor, a pipe or a character device, which anything is added to."""
    if _DESCRIPTOR.fullmatch(str(path)):
        return True
    with suppress(OSError):
        mode = path.stat().st_mode
        return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)
    return False


def _to_stream(path: Path, text: str) -> None:
    with telling(path):
        if named := _DESCRIPTOR.fullmatch(str(path)):
            # Not reopened: a file behind the descriptor would be written from its beginning.
            _pour(_NUMBERS.get(named["name"]) or int(named["number"]), text)
        else:
            with _opened(path, 0) as file:
                _pour(file, text)


@contextmanager
def telling(path: Path) -> Iterator[None]:
    """Turns every OSError into a CannotWrite that names the path."""
    try:
        yield
    except CannotWrite:
        raise
    except OSError as error:
        raise CannotWrite(error.errno, error.strerror, str(path)) from None


@contextmanager
def _opened(path: Path, how: int, mode: int = 0o666) -> Iterator[int]:
    file = os.open(path, os.O_WRONLY | how, mode)
    try:
        yield file
    finally:
        os.close(file)


def _pour(file: int, text: str) -> None:
    rest = memoryview(text.encode(errors="replace"))
    while rest:
        rest = rest[os.write(file, rest) :]
