"""What ends a run early: Ctrl-C, SIGTERM, --max-time. The target is released, and everything seen so far is
reported.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from feedback_spec.instants import SECOND

from feedback_verify.targets import Stopped, Target


@contextmanager
def stoppable(target: Target, max_time: int | None = None) -> Iterator[None]:
    """Within this context, Ctrl-C, SIGTERM and the end of `max_time` (microseconds) interrupt everything that waits for
    the target.

    All threads then get Stopped. A second signal ends the program.
    """
    timer = threading.Timer((max_time or 0) / SECOND, target.sender.stop)
    timer.daemon = True
    if max_time is not None:
        timer.start()
    try:
        with _signals(target):
            yield
    finally:
        timer.cancel()


@contextmanager
def _signals(target: Target) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread handles signals
        return
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for each, handler in before.items():
            signal.signal(each, handler)

    def stop(_number: int, _frame: object) -> None:
        restore()
        target.sender.stop()
        raise Stopped

    for each in before:
        signal.signal(each, stop)
    try:
        yield
    finally:
        restore()
