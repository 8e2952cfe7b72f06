"""Runs the verifier on a changed server, in a separate process. Nothing else is the test."""

import logging
import pickle
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml
from feedback_mock.app import create_app
from feedback_spec.document import load
from feedback_verify.answers import Answers
from feedback_verify.checks import Check
from feedback_verify.run import Run
from feedback_verify.targets import ControlTarget, NotReachable, ProtocolError
from feedback_verify.verdicts import Verdict

from tests.broken.serving import serving
from tests.mutation.story import Recorder, Told, first_difference

LONGEST = 900.0  # seconds for one server: many times what a sound one takes on a busy machine
MODULE = "tests.broken.changed_server"
DEPTHS = ("quick", "default")
SEED = 1
DOCUMENT = load()
PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload(["feedback_verify.run", "tests.mutation.judging"])


class Fate(StrEnum):
    """What happened to a changed server."""

    VIOLATED = "violated"
    UNTESTABLE = "could not be tested"
    BROKEN = "does not start"
    HANGS = "no verdict in time"
    SURVIVED = "survived"
    OTHERWISE = "violated by another rule only"
    FAILED = "the verifier failed"

    @property
    def seen(self) -> bool:
        """Whether a user of the verifier learns what is wrong with the server."""
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
    """A server to build, and the rules of which one must detect it, if not any will do.

    `make` is a function of this module, because it is called in another process, with `given`. `stories` has a file
    for each depth, if it is known what the correct server answers.
    """

    key: str
    make: Callable[[Any], Any]
    given: Any
    rules: frozenset[str] | None = None
    depths: tuple[str, ...] = DEPTHS
    stories: Path | None = None


@dataclass
class Rest(Run):
    """A run that begins with its part `first`: the target answers everything before like the correct server."""

    first: int = 0
    _number: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.progress = self._begins

    def _begins(self, number: int, *_: object) -> None:
        self._number = number

    def _run_check(self, check: Check, number: int, answers: Answers, lost_at: tuple[int, ...] = ()) -> None:
        if number >= self.first:
            super()._run_check(check, number, answers, lost_at)

    def _arrays(self, answers: Answers) -> None:
        if self._number >= self.first:
            super()._arrays(answers)

    def _crowded(self, answers: Answers) -> None:
        if self._number >= self.first:
            super()._crowded(answers)

    def _histories(self, answers: Answers) -> None:
        if self._number >= self.first:
            super()._histories(answers)


def server_of(source: str) -> Any:
    """The application of a changed text of tests/broken/server.py; raises whatever the text raises."""
    module = sys.modules[MODULE] = ModuleType(MODULE)
    exec(compile(source, "server.py", "exec"), module.__dict__)
    return module.Implementation().app()


def mock_of(openapi: dict[str, Any]) -> Any:
    """The mock with a changed document; raises DocumentError if it does not accept it."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "openapi.yaml"
        path.write_text(yaml.safe_dump(openapi, allow_unicode=True, sort_keys=False), "utf-8")
        return create_app(load(path))


def record(source: str, folder: Path) -> None:
    """Writes the story of each depth, of the correct server, to a file in the folder."""
    for depth in DEPTHS:
        recorder = Recorder(server_of(source))
        with serving(recorder) as url, ControlTarget(url, url) as target:
            Run(DOCUMENT, target, seed=SEED, depth=depth, progress=recorder.progress).execute()
        (folder / depth).write_bytes(pickle.dumps(recorder.story))


def judge(tasks: Iterable[Task], jobs: int) -> Iterator[tuple[Task, Judgement]]:
    """Each task with the verifier's result for its server, `jobs` at a time, in the order in which they end.

    If the iteration ends early, so do the processes.
    """
    left, running = iter(tasks), dict[Connection, tuple[Task, ForkServerProcess, float]]()
    try:
        while True:
            for task in islice(left, jobs - len(running)):
                verdict, process = _started(task)
                running[verdict] = task, process, time.monotonic() + LONGEST
            if not running:
                return
            ready = wait(running, max(0.0, min(each[2] for each in running.values()) - time.monotonic()))
            overdue = [each for each, (_, _, until) in running.items() if until < time.monotonic()]
            for verdict in running.keys() & {*ready, *overdue}:
                task, process, _ = running.pop(verdict)
                told = _told(verdict) if verdict in ready else Judgement(Fate.HANGS, detail=f"{LONGEST:g} s")
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
    logging.disable()  # keeps a broken server's log out of the progress display
    try:
        task.make(task.given)
    except Exception as error:  # whatever a changed text raises
        verdict.send(Judgement(Fate.BROKEN, detail=f"{type(error).__name__}: {error}"))
        return
    try:
        verdict.send(_judgement(task))
    except (NotReachable, ProtocolError) as error:
        verdict.send(Judgement(Fate.UNTESTABLE, detail=str(error)))
    except Exception as error:  # no server may make the verifier fail
        verdict.send(Judgement(Fate.FAILED, detail=f"{type(error).__name__}: {error}"))


def _judgement(task: Task) -> Judgement:
    """By all rules or, if not any will do, by those that must detect it; the first violation ends it."""
    rules = task.rules
    wanted = [(depth, rules) for depth in task.depths]
    otherwise = Judgement(Fate.SURVIVED)
    for depth, asked in wanted if rules is None else [(task.depths[0], None), *wanted]:
        first = first_difference(task.make(task.given), _story(task.stories, depth)) if task.stories else 0
        if first is None:
            continue
        with serving(task.make(task.given)) as url:
            violated = _violated(url, depth, asked, first)
        if violated.keys() & (rules or violated.keys()):
            return Judgement(Fate.VIOLATED, tuple(violated), next(iter(violated.values())), depth)
        if violated:
            otherwise = Judgement(Fate.OTHERWISE, tuple(violated), next(iter(violated.values())), depth)
    return otherwise


def _story(folder: Path, depth: str) -> list[Told]:
    story: list[Told] = pickle.loads((folder / depth).read_bytes())
    return story


def _violated(url: str, depth: str, rules: frozenset[str] | None, first: int) -> dict[str, str]:
    with ControlTarget(url, url) as target:
        run = Rest(DOCUMENT, target, seed=SEED, rules=rules, depth=depth, stop_at_first=True, first=first)
        results = run.execute()
    return {rule: each.detail for rule, each in results.items() if each.verdict is Verdict.VIOLATED}
