"""What the command says on stderr while it serves: few lines, counted, and never waited for.

Knows nothing of what is said. A library leaves logging to whoever uses it; only the command line uses this.
"""

import contextlib
import logging
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from queue import SimpleQueue

PATIENCE = 0.5  # seconds, at the end, for what is not written yet


@contextlib.contextmanager
def logging_to_stderr() -> Iterator[Callable[[str], None]]:
    """Logs warnings until it is left; answers what says a line beside them."""
    stderr, root = Stderr(), logging.getLogger()
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
        """Whether the record is a first or a tenfold one."""
        kind = (record.pathname, record.lineno, record.exc_info and record.exc_info[0])
        self._seen[kind] += 1
        times = self._seen[kind]
        if times > 1:
            record.msg, record.args = f"{record.getMessage()} ({times:,} times by now)", ()
        return f"{times}".strip("0") == "1"


class Stderr(logging.Handler):
    """Writes in a thread of its own: where nobody reads, the thread waits and nobody else.

    Not through `sys.stderr`, whose lock the thread would hold when Python ends.
    """

    def __init__(self) -> None:
        super().__init__()
        try:
            self._file = sys.stderr.fileno()
        except (AttributeError, OSError):
            self._file = -1  # closed before the start: the next socket may have its number
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="stderr", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Takes a record over."""
        self.say(self.format(record))

    def say(self, line: str) -> None:
        """Takes a line over."""
        self._lines.put(line)

    def close(self) -> None:
        """Ends, once all is written or nobody has read it for a moment."""
        self._lines.put(None)
        self._thread.join(PATIENCE)
        super().close()

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            with contextlib.suppress(OSError):
                os.write(self._file, f"{line}\n".encode(errors="backslashreplace"))
