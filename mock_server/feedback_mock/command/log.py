"""What the command says on stderr while it serves: few lines, counted, and never waited for.

Knows nothing of what is said. A library leaves logging to whoever uses it; only the command line uses this.
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

PATIENCE = 0.5  # seconds, at the end, for what is not written yet
MOMENT = 0.02  # seconds, for which lines are gathered before they are written
MOST_WAITING = 10_000  # lines


class Said(NamedTuple):
    """What is said: a line of text, and its facts for those who read JSON."""

    text: str
    facts: Mapping[str, object]


Line = Callable[[], Said]
"""What makes a line when it is written."""


def message(text: str) -> Line:
    """A line that says this."""
    return lambda: Said(text, {"message": text})


@contextlib.contextmanager
def logging_to_stderr(*, as_json: bool) -> Iterator[Callable[[Line], None]]:
    """Logs warnings until it is left; answers what says a line beside them."""
    stderr, root = Stderr(as_json=as_json), logging.getLogger()
    stderr.addFilter(Tenfold())
    stderr.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    root.addHandler(stderr)
    # It warns of every malformed body, and shows a byte of it.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    try:
        yield stderr.say
    finally:
        root.removeHandler(stderr)
        stderr.close()


class Tenfold(logging.Filter):
    """Lets a message through the first time, the 10th, the 100th and so on, and says how often it was there.

    One message is what one line of a program says, or one kind of exception there. So there are as many lines as
    programs have such places, times a few, however long the mock is misused.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seen: Counter[tuple[object, ...]] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is a first or a tenfold one, and not of a request that was given up at the end."""
        if record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError):
            return False
        kind = (record.pathname, record.lineno, record.exc_info and record.exc_info[0])
        self._seen[kind] += 1
        times = self._seen[kind]
        if times > 1:
            record.msg, record.args = f"{record.getMessage()} ({times:,} times by now)", ()
        return f"{times}".strip("0") == "1"


class Stderr(logging.Handler):
    """Writes in a thread of its own: where nobody reads, the thread waits and nobody else; too much is lost.

    Not through `sys.stderr`, whose lock the thread would hold when Python ends.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        super().__init__()
        try:
            self._file = sys.stderr.fileno()
        except (AttributeError, OSError):
            self._file = -1  # closed before the start: the next socket may have its number
        self._as_json = as_json
        self._waiting: SimpleQueue[tuple[int, Line] | None] = SimpleQueue()
        self._ending = threading.Event()
        self._lost = 0
        self._thread = threading.Thread(target=self._write, name="stderr", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Takes a record over."""
        said = Said(self.format(record), {"level": record.levelname.lower(), "message": record.getMessage()})
        self.say(lambda: said)

    def say(self, line: Line) -> None:
        """Takes a line over, unless too many wait already."""
        if self._waiting.qsize() < MOST_WAITING:
            self._waiting.put((system_time(), line))
        else:
            self._lost += 1

    def close(self) -> None:
        """Ends, once all is written or nobody has read it for a moment."""
        self._ending.set()
        self._waiting.put(None)
        self._thread.join(PATIENCE)
        super().close()

    def _write(self) -> None:
        while True:
            # A thread that woke for each line would take its time from the requests.
            found = [self._waiting.get()]
            self._ending.wait(MOMENT)
            with contextlib.suppress(Empty):
                while True:
                    found.append(self._waiting.get_nowait())
            lost, self._lost = self._lost, 0
            if lost:
                found.insert(0, (system_time(), message(f"{lost:,} lines were lost, as nobody read them in time.")))
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
