"""Serves with several processes on one socket: starts them, replaces one that exits, ends them all.

Knows nothing about what they serve: their projects are in Redis.
"""

import contextlib
import multiprocessing
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from feedback_spec.document import load

from feedback_mock.command.listening import Listening
from feedback_mock.command.log import Line, logging_to_stderr, message
from feedback_mock.command.options import CannotStart, Options
from feedback_mock.command.process import allow_many_files, end_with_stdin, ending
from feedback_mock.command.serving import PATIENCE, make_app, make_server, settle

START = 60  # seconds that the workers may take to start
BREATH = 1  # seconds before a replacement starts


def serve_by_workers(
    options: Options, listening: Listening, tell: Callable[[], None], say: Callable[[Line], None]
) -> None:
    """Serves until it is ended; calls `tell` when all workers serve. Raises CannotStart, or what `tell` raises."""
    context = multiprocessing.get_context("spawn")
    ready, (over, end) = context.Semaphore(0), context.Pipe(duplex=False)
    alive, lives = context.Pipe(duplex=False)  # which ends when this process does

    def start() -> BaseProcess:
        facts = listening.socket, listening.token, listening.secret
        worker = context.Process(target=_work, args=(options, *facts, ready, alive))
        worker.start()
        return worker

    def stop() -> None:
        with contextlib.suppress(OSError):
            end.send_bytes(b".")

    with ending(stop), over, end, alive, lives:
        workers = [start() for _ in range(options.workers)]
        try:
            if not all(ready.acquire(timeout=START) for _ in workers):
                raise CannotStart(f"the workers did not start serving within {START} seconds.")
            tell()
            if options.until_stdin_closes:
                end_with_stdin(stop)
            _watch(workers, over, start, say)
        finally:
            _end(workers)


def _watch(workers: list[BaseProcess], over: Connection, start: Callable[[], BaseProcess], say: Any) -> None:
    while over not in wait([over, *(each.sentinel for each in workers)]):
        for place, each in enumerate(workers):
            if not each.is_alive():
                said = f"feedback-mock: worker {each.pid} ended ({each.exitcode}); another one replaces it."
                say(message(said))
                if over.poll(BREATH):
                    return
                workers[place] = start()


def _end(workers: list[BaseProcess]) -> None:
    for each in workers:
        each.terminate()
    for each in workers:
        each.join(PATIENCE + 1)
        if each.is_alive():
            each.kill()
            each.join()


def _work(options: Options, listener: Any, token: str | None, secret: str, ready: Any, alive: Connection) -> None:
    """What one worker does: serves until it is ended, or until its parent has ended."""
    allow_many_files()
    with logging_to_stderr(as_json=options.as_json) as say:
        app = make_app(options, load(options.spec, options.profile), token, secret)

        def serves() -> None:
            settle()
            ready.release()

        def end_with_parent() -> None:
            with contextlib.suppress(EOFError, OSError):
                alive.recv_bytes()
            server.end()

        server = make_server(options, app, serves, say)
        with ending(server.end):
            threading.Thread(target=end_with_parent, name="parent", daemon=True).start()
            server.run([listener])
