"""The options of `pytest --pyargs feedback_verify --feedback-url URL`. A plugin, because pytest wants options early."""

import pytest

NAMES = (
    "url",
    "control",
    "app",
    "seed-callable",
    "command",
    "seed-command",
    "provider-state-url",
    "ingest",
    "organization",
    "project",
    "token",
    "read-token",
    "dsn",
    "other-dsn",
    "spec",
    "profile",
    "seed",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """One option per setting of feedback-verify."""
    group = parser.getgroup("feedback", "verification of a feedback endpoint (pytest --pyargs feedback_verify)")
    for name in NAMES:
        action = "store_true" if name == "ingest" else "store"
        group.addoption(f"--feedback-{name}", action=action, help=f"as feedback-verify's {name}")
