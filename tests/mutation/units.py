"""Runs the tests of one module of the project on a changed text of it. Knows nothing about rules or servers."""

import gc
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType

import httpx  # noqa: F401 (what tests import is imported once, not once in every process)
import pytest
from feedback_mock.app import create_app  # noqa: F401 (the same)
from hypothesis import settings

from tests.mutation.changes import Change
from tests.mutation.processes import Fate, Judgement, Task

ROOT = Path(__file__).parents[2]
LONGEST = 120.0  # seconds for the tests of one module: many times what they take on a busy machine
MOST_CPU = 5.0  # seconds of it: how a loop without end is noticed
OPTIONS = ("-x", "-q", "--tb=no", "--assert=plain", "--noconftest", "-p", "no:cacheprovider")


@dataclass(frozen=True)
class Unit:
    """A module of the project, and the files of its tests, quickest first."""

    module: str
    path: Path
    tests: tuple[str, ...]

    @property
    def source(self) -> str:
        """Its text."""
        return self.path.read_text("utf-8")

    @property
    def version(self) -> str:
        """The same for the same text and tests."""
        files = (self.path, *(ROOT / each for each in self.tests))
        return sha256(b"".join(each.read_bytes() for each in files)).hexdigest()[:16]

    def task(self, change: Change) -> Task:
        """Its tests with this change, which is detected too if they do not end."""
        return Task(change.key, partial(tested, self.module, change.source, self.tests), LONGEST, Fate.KILLED)


def _unit(folder: str, module: str, *tests: str) -> Unit:
    return Unit(module, (ROOT / folder / module.replace(".", "/")).with_suffix(".py"), tests)


UNITS = {
    each.path.stem: each
    for each in (
        _unit("spec", "feedback_spec.rules", "tests/spec/test_rules.py"),
        _unit("mock_server", "feedback_mock.clock", "tests/mock/test_clock.py"),
        _unit("mock_server", "feedback_mock.room", "tests/mock/test_store.py"),
        _unit("mock_server", "feedback_mock.store", "tests/mock/test_store.py"),
        _unit("mock_server", "feedback_mock.credentials", "tests/mock/test_access.py"),
        _unit("mock_server", "feedback_mock.feedback.access", "tests/mock/test_access.py"),
        _unit("spec", "feedback_spec.bodies", "tests/spec/test_bodies.py"),
        _unit("mock_server", "feedback_mock.body", "tests/mock/test_body.py"),
        _unit("mock_server", "feedback_mock.feedback.fields", "tests/mock/test_fields.py"),
        _unit("mock_server", "feedback_mock.feedback.submission", "tests/mock/test_submission.py"),
    )
}


def tested(module: str, source: str, tests: Sequence[str]) -> Judgement:
    """What the tests say if the module has this source. Changes what is imported, so only for a process of its own.

    Whatever else than success pytest ends with counts as detected: check first that the unchanged source survives.
    """
    packages = ("feedback_spec", "feedback_mock", "feedback_verify")
    changed = packages if module.startswith("feedback_spec") else ("feedback_mock",)
    for name in [each for each in sys.modules if each.partition(".")[0] in changed]:
        del sys.modules[name]
    sys.meta_path.insert(0, _Changed(module, source))
    first = _FirstFailure()
    # The same examples for every change, however busy the machine is.
    settings.register_profile("units", derandomize=True, deadline=None, database=None)
    settings.load_profile("units")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    gc.freeze()  # pytest collects garbage again and again, and nothing imported so far is any
    signal.signal(signal.SIGVTALRM, _too_long)
    signal.setitimer(signal.ITIMER_VIRTUAL, MOST_CPU)
    _silence()
    if pytest.main([*OPTIONS, *tests], [first]) is pytest.ExitCode.OK:
        return Judgement(Fate.SURVIVED)
    return Judgement(Fate.KILLED if "::" in first.name else Fate.BROKEN, detail=first.name)


class _FirstFailure:
    """A plugin of pytest that notes the first test that fails, or the file that cannot be imported."""

    name = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.name:
            self.name = report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and not self.name:
            self.name = report.nodeid


class _Changed(MetaPathFinder, InspectLoader):
    """Imports one module from a changed text."""

    def __init__(self, module: str, source: str) -> None:
        self._module, self._source = module, source

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return spec_from_loader(fullname, self) if fullname == self._module else None

    def get_source(self, fullname: str) -> str:
        return self._source


def _too_long(_number: int, _frame: object) -> None:
    raise TimeoutError(f"more than {MOST_CPU:g} s of CPU")


def _silence() -> None:
    """Nothing that the tests write is shown."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    for each in (1, 2):
        os.dup2(nothing, each)
