"""The options of `pytest --pyargs contract_tests --feedback-url URL`. A plugin, because pytest wants options early."""

import pytest

NAMES = ("url", "control", "organization", "project", "token", "dsn", "spec", "seed")


def pytest_addoption(parser: pytest.Parser) -> None:
    """One option per setting of feedback-verify."""
    group = parser.getgroup("feedback", "verification of a feedback endpoint (pytest --pyargs contract_tests)")
    for name in NAMES:
        group.addoption(f"--feedback-{name}", metavar=name.upper(), help=f"as feedback-verify's {name}")
