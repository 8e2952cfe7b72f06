"""The suite for people who live in pytest: one test per rule, with the verdict of feedback-verify.

Run as `pytest --pyargs feedback_verify --feedback-url URL --feedback-control URL`.
"""

import os
from pathlib import Path

import pytest
from feedback_spec.document import Document, load
from feedback_spec.profiles import DOCUMENTED
from feedback_spec.source import DocumentError

from feedback_verify.pytest_options import NAMES
from feedback_verify.reports import Report
from feedback_verify.run import Run
from feedback_verify.settings import Settings, SettingsError, open_target
from feedback_verify.targets import NotReachable, ProtocolError
from feedback_verify.verdicts import Verdict


def _settings(config: pytest.Config) -> dict[str, str | None]:
    given = {name: config.getoption(f"--feedback-{name}") for name in NAMES}
    keys = {name: name.replace("-", "_") for name in NAMES}
    return {keys[name]: value or os.environ.get(f"FEEDBACK_{keys[name].upper()}") for name, value in given.items()}


def _document(config: pytest.Config) -> Document:
    settings = _settings(config)
    try:
        return load(Path(settings["spec"]) if settings["spec"] else None, settings["profile"] or DOCUMENTED)
    except DocumentError as error:
        raise pytest.UsageError(str(error)) from None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test per rule of the document."""
    metafunc.parametrize("rule_id", list(_document(metafunc.config).verifiable))


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest) -> Report:
    """All verdicts, from one run."""
    values = _settings(request.config)
    seed, spec, ingest = int(values.pop("seed") or 0), values.pop("spec"), bool(values.pop("ingest"))
    profile = values.pop("profile") or DOCUMENTED
    document = _document(request.config)
    settings = Settings(**values, spec=Path(spec) if spec else None, ingest=ingest, profile=profile)
    try:
        with open_target(settings) as target:
            results = Run(document, target, seed).execute()
            return Report(target.base_url, document.name, seed, results, target.secrets)
    except (DocumentError, SettingsError, NotReachable, ProtocolError) as error:
        pytest.exit(str(error), returncode=2)


def test_rule(report: Report, rule_id: str) -> None:
    """The implementation does what the rule says."""
    result = report.results[rule_id]
    if result.verdict not in (Verdict.VERIFIED, Verdict.VIOLATED):
        pytest.skip(f"{result.verdict}: {report.clean(result.detail)}")
    shown = "\n".join([result.rule.rule, report.clean(result.detail), *report.reproduction(result)])

    assert result.verdict is Verdict.VERIFIED, shown
