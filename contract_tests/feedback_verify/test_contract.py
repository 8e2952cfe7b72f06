"""The suite for pytest users: one test per rule, with the verdict of feedback-verify.

Run it with `pytest --pyargs feedback_verify --feedback-url URL --feedback-control URL`.
"""

from typing import Any

import click
import pytest

from feedback_verify.cli import verify
from feedback_verify.flags import DETECT
from feedback_verify.options import EVERYWHERE, URL
from feedback_verify.output import FORESEEN
from feedback_verify.preflight import look
from feedback_verify.prepared import Prepared, prepare
from feedback_verify.reports import Began, Report
from feedback_verify.run import Run
from feedback_verify.settings import open_target
from feedback_verify.stopping import stoppable
from feedback_verify.verdicts import Verdict


def _prepared(config: pytest.Config) -> Prepared:
    """The options from pytest, the environment and the file of --feedback-config, resolved as on the command line."""
    given: dict[str, Any] = {each.name: config.getoption(f"--feedback-{each.name}") for each in EVERYWHERE}
    url = given.pop(URL.name)
    words = [f"--{name}" if value is True else f"--{name}={value}" for name, value in given.items() if value]
    if given["profile"] == DETECT:
        raise pytest.UsageError(
            "--feedback-profile detect: the tests belong to one profile; use feedback-verify to find it."
        )
    try:
        with verify.make_context("pytest", [*words, *(["--", url] if url else [])]) as context:
            return prepare({**context.params, "seed": context.params["seed"] or 0, "replay": None})
    except click.ClickException as error:
        raise pytest.UsageError(error.format_message()) from None
    except FORESEEN as error:
        raise pytest.UsageError(str(error)) from None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test per rule of the document."""
    metafunc.parametrize("rule_id", list(_prepared(metafunc.config).document.verifiable))


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest) -> Report:
    """All verdicts, from one run."""
    prepared, began = _prepared(request.config), Began.now()
    try:
        with open_target(prepared.settings) as target, stoppable(target.sender.stop, prepared.max_time):
            look(target, prepared.document)
            run = Run(prepared.document, target, **prepared.options)
            run.execute()
            return Report.of(run, began, prepared.baseline)
    except FORESEEN as error:
        pytest.exit(str(error), returncode=2)


def test_rule(report: Report, rule_id: str) -> None:
    """The implementation does what the rule says."""
    result = report.results[rule_id]
    if result.verdict not in (Verdict.VERIFIED, Verdict.VIOLATED):
        pytest.skip(f"{result.verdict}: {report.clean(result.detail)}")
    shown = "\n".join([result.rule.rule, report.clean(result.detail), *report.reproduction(result)])

    assert result.verdict is Verdict.VERIFIED, shown
