"""The command's log on stderr while it serves: few lines, counted, and never waited for.

Knows nothing about what is logged. Libraries leave logging to their users, so only the command line uses this.
"""

import asyncio
import contextlib
import logging
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from queue import Empty, SimpleQueue
from typing import NamedTuple

import orjson
from feedback_spec.instants import format_instant

from feedback_mock.clock import system_time

PATIENCE = 0.5  # seconds, at the end, to write the remaining lines
MOMENT = 0.02  # seconds for which lines are collected before they are written
MOST_WAITING = 10_000  # lines


class Said(NamedTuple):
    """An entry: a line of text, and its facts for readers of JSON."""

    text: str
    facts: Mapping[str, object]


Line = Callable[[], Said]
"""Produces the line when it is written."""


def message(text: str) -> Line:
    """An entry with this text."""
    return lambda: Said(text, {"message": text})


@contextlib.contextmanager
def logging_to_stderr(*, as_json: bool) -> Iterator[Callable[[Line], None]]:
    """Logs warnings inside the context; returns the function that logs further lines."""
    stderr, root = Stderr(as_json=as_json), logging.getLogger()
    stderr.addFilter(Tenfold())
    stderr.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    root.addHandler(stderr)
    # It warns about every malformed body, and shows a byte of it.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    try:
        yield stderr.say
    finally:
        root.removeHandler(stderr)
        stderr.close()


class Tenfold(logging.Filter):
    """Passes a message on the 1st, 10th, 100th time and so on, and adds how often it has occurred.

    Messages are the same if one line of the program logs them, or one kind of exception there. So the number of log
    lines is limited to a few per such place, however long the mock is misused.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seen: Counter[tuple[object, ...]] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this is the first or a tenfold occurrence, and not from a request abandoned at shutdown."""
        if record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError):
            return False
        kind = (record.pathname, record.lineno, record.exc_info and record.exc_info[0])
        self._seen[kind] += 1
        times = self._seen[kind]
        if times > 1:
            record.msg, record.args = f"{record.getMessage()} ({times:,} times so far)", ()
        return f"{times}".strip("0") == "1"


class Stderr(logging.Handler):
    """Writes in a thread of its own. If nobody reads, only that thread waits, and excess lines are lost.

    It doesn't use `sys.stderr`, whose lock the thread would hold when Python exits.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        super().__init__()
        try:
            self._file = sys.stderr.fileno()
        except (AttributeError, OSError):
            self._file = -1  # closed before startup: the next socket may get its number
        self._as_json = as_json
        self._waiting: SimpleQueue[tuple[int, Line] | None] = SimpleQueue()
        self._ending = threading.Event()
        self._lost = 0
        self._thread = threading.Thread(target=self._write, name="stderr", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queues a record."""
        said = Said(self.format(record), {"level": record.levelname.lower(), "message": record.getMessage()})
        self.say(lambda: said)

    def say(self, line: Line) -> None:
        """Queues a line, unless too many are waiting already."""
        if self._waiting.qsize() < MOST_WAITING:
            self._waiting.put((system_time(), line))
        else:
            self._lost += 1

    def close(self) -> None:
        """Ends once everything is written, or nobody has read it for a moment."""
        self._ending.set()
        self._waiting.put(None)
        self._thread.join(PATIENCE)
        super().close()

    def _write(self) -> None:
        while True:
            # A thread that woke up for each line would take its time from the requests.
            found = [self._waiting.get()]
            self._ending.wait(MOMENT)
            with contextlib.suppress(Empty):
                while True:
                    found.append(self._waiting.get_nowait())
            lost, self._lost = self._lost, 0
            if lost:
                found.insert(0, (system_time(), message(f"{lost:,} lines were lost because nobody read them in time.")))
            with contextlib.suppress(OSError):
                _write_all(self._file, b"".join(self._shown(*each) for each in found if each is not None))
            if None in found:
                return

    def _shown(self, at: int, line: Line) -> bytes:
        said = line()
        if self._as_json:
            return orjson.dumps({"time": format_instant(at), **said.facts}, option=orjson.OPT_APPEND_NEWLINE)
        return f"{said.text}\n".encode(errors="backslashreplace")


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
