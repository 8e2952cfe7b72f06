"""What ends a run early: Ctrl-C, SIGTERM, SIGHUP, --max-time. The target is released, and everything seen so far is
reported.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from feedback_spec.instants import SECOND

from feedback_verify.targets import Stopped


@contextmanager
def stoppable(stop: Callable[[], None], max_time: int | None = None) -> Iterator[None]:
    """Within this context, Ctrl-C, SIGTERM, SIGHUP and the end of `max_time` (microseconds) call `stop`, which
    interrupts everything that waits. With nohup, SIGHUP stays ignored.

    All threads then get Stopped. A second signal ends the program.
    """
    timer = threading.Timer((max_time or 0) / SECOND, stop)
    timer.daemon = True
    if max_time is not None:
        timer.start()
    try:
        with _signals(stop):
            yield
    finally:
        timer.cancel()


@contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread handles signals
        return
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        before[signal.SIGHUP] = signal.getsignal(signal.SIGHUP)

    def restore() -> None:
        for each, handler in before.items():
            signal.signal(each, handler)

    def end(_number: int, _frame: object) -> None:
        restore()
        stop()
        raise Stopped

    for each in before:
        signal.signal(each, end)
    try:
        yield
    finally:
        restore()
