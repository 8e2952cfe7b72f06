"""Runs the verifier on a changed server. Nothing else is the test."""

import logging
import pickle
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml
from feedback_mock.app import create_app
from feedback_spec.document import load
from feedback_verify.answers import Answers
from feedback_verify.checks import Check
from feedback_verify.run import Run
from feedback_verify.scenario import Place
from feedback_verify.targets import ControlTarget, NotReachable, ProtocolError
from feedback_verify.verdicts import Verdict

from tests.broken.serving import serving
from tests.mutation.changes import Change
from tests.mutation.documents import DocumentChange
from tests.mutation.processes import Fate, Judgement, Task
from tests.mutation.story import Recorder, Told, first_difference
from tests.mutation.survivors import Kind, Reasons

MODULE = "tests.broken.changed_server"
DEPTHS = ("quick", "default")
SEED = 1
DOCUMENT = load()


@dataclass(frozen=True)
class Server:
    """A server to build, and the rules of which one must detect it, if not any will do.

    `make` is a function of this module, because it is called in another process, with `given`. `stories` has a file
    for each depth, if it is known what the correct server answers.
    """

    make: Callable[[Any], Any]
    given: Any
    rules: frozenset[str] | None = None
    depths: tuple[str, ...] = DEPTHS
    stories: Path | None = None


def code_task(change: Change, reasons: Reasons, stories: Path | None = None) -> Task:
    """A server with this source; one that is said to be equivalent or out of reach is only tested at the lowest depth.

    With `stories`, its run begins with the first response that differs from the correct server's.
    """
    reason = reasons.of(change)
    depths = DEPTHS[:1] if reason and reason.kind is not Kind.BLIND else DEPTHS
    return Task(change.key, partial(judged, Server(server_of, change.source, depths=depths, stories=stories)))


def document_task(change: DocumentChange) -> Task:
    """The mock with this document, for the rules of the change to detect."""
    return Task(change.key, partial(judged, Server(mock_of, change.openapi, change.rules)))


@dataclass
class Rest(Run):
    """A run that begins with its part `first`: the target answers everything before like the correct server."""

    first: int = 0
    _number: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.progress = self._begins

    def _begins(self, number: int, *_: object) -> None:
        self._number = number

    def _run_check(self, check: Check, number: int, answers: Answers, lost_at: tuple[Place, ...] = ()) -> None:
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


def judged(server: Server) -> Judgement:
    """The verifier's result for the server."""
    logging.disable()  # keeps a broken server's log out of the progress display
    try:
        server.make(server.given)
    except Exception as error:  # whatever a changed text raises
        return Judgement(Fate.BROKEN, detail=f"{type(error).__name__}: {error}")
    try:
        return _judgement(server)
    except (NotReachable, ProtocolError) as error:
        return Judgement(Fate.UNTESTABLE, detail=str(error))


def _judgement(server: Server) -> Judgement:
    """By all rules or, if not any will do, by those that must detect it; the first violation ends it."""
    rules = server.rules
    wanted = [(depth, rules) for depth in server.depths]
    otherwise = Judgement(Fate.SURVIVED)
    for depth, asked in wanted if rules is None else [(server.depths[0], None), *wanted]:
        first = first_difference(server.make(server.given), _story(server.stories, depth)) if server.stories else 0
        if first is None:
            continue
        with serving(server.make(server.given)) as url:
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
