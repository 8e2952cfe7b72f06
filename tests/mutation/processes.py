"""Runs each task in a separate process, within a time limit, and reports its judgement. Knows nothing about changes."""

import signal
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess

LONGEST = 900.0  # seconds for one server: many times what a sound one takes on a busy machine
PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.mutation.judging", "tests.mutation.units"])


class Fate(StrEnum):
    """What happened to changed code or a changed document."""

    VIOLATED = "violated"
    UNTESTABLE = "could not be tested"
    BROKEN = "does not start"
    HANGS = "no verdict in time"
    KILLED = "failed a test"
    SURVIVED = "survived"
    OTHERWISE = "violated by another rule only"
    FAILED = "the verifier failed"

    @property
    def seen(self) -> bool:
        """Whether a user of the verifier, or whoever runs the tests, learns that something is wrong."""
        return self not in (Fate.SURVIVED, Fate.OTHERWISE, Fate.FAILED, Fate.HANGS)


@dataclass(frozen=True)
class Judgement:
    """A fate, the rules that detected it, the messages, and the depth."""

    fate: Fate
    rules: tuple[str, ...] = ()
    detail: str = ""
    depth: str = ""


@dataclass(frozen=True)
class Task:
    """What to judge in another process, by a partial of a module's function; its fate after `longest` seconds."""

    key: str
    judged: Callable[[], Judgement]
    longest: float = LONGEST
    overdue: Fate = Fate.HANGS


def judge(tasks: Iterable[Task], jobs: int) -> Iterator[tuple[Task, Judgement]]:
    """Each task with its judgement, `jobs` at a time, in the order in which they end.

    If the iteration ends early, so do the processes.
    """
    left, running = iter(tasks), dict[Connection, tuple[Task, ForkServerProcess, float]]()
    try:
        while True:
            for task in islice(left, jobs - len(running)):
                verdict, process = _started(task)
                running[verdict] = task, process, time.monotonic() + task.longest
            if not running:
                return
            ready = wait(running, max(0.0, min(each[2] for each in running.values()) - time.monotonic()))
            overdue = [each for each, (_, _, until) in running.items() if until < time.monotonic()]
            for verdict in running.keys() & {*ready, *overdue}:
                task, process, _ = running.pop(verdict)
                told = _told(verdict) if verdict in ready else Judgement(task.overdue, detail=f"{task.longest:g} s")
                _end(verdict, process)
                yield task, told
    finally:
        for verdict, (_, process, _) in running.items():
            _end(verdict, process)


def _started(task: Task) -> tuple[Connection, ForkServerProcess]:
    ours, theirs = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=_send_judgement, args=(task, theirs), daemon=True)
    process.start()
    theirs.close()
    return ours, process


def _told(verdict: Connection) -> Judgement:
    try:
        told: Judgement = verdict.recv()
    except EOFError:
        told = Judgement(Fate.FAILED, detail="the process ended without a verdict")
    return told


def _end(verdict: Connection, process: ForkServerProcess) -> None:
    process.kill()
    process.join()
    process.close()
    verdict.close()


def _send_judgement(task: Task, verdict: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # what is stopped halfway has not survived
    try:
        verdict.send(task.judged())
    except Exception as error:  # no server may make the verifier fail
        verdict.send(Judgement(Fate.FAILED, detail=f"{type(error).__name__}: {error}"))
