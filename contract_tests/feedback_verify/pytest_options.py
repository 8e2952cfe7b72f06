"""The options of `pytest --pyargs feedback_verify --feedback-url URL`. A plugin, because pytest wants options early.

Every pytest of an environment loads this, so it imports nothing of the verifier; without the extra `[verify]` it shows
no option, and says what to install to whoever asks for the suite all the same.
"""

import argparse

import pytest

from feedback_verify.extra import missing

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
    """One option per setting of feedback-verify, hidden where it cannot run."""
    hidden = missing() is not None
    group = parser.getgroup("feedback", "verification of a feedback endpoint (pytest --pyargs feedback_verify)")
    for name in NAMES:
        action = "store_true" if name == "ingest" else "store"
        text = argparse.SUPPRESS if hidden else f"as feedback-verify's {name}"
        group.addoption(f"--feedback-{name}", action=action, help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Ends a run of the suite, with exit code 2, where it cannot run."""
    named = config.option.pyargs and any(arg.split("::")[0].split(".")[0] == "feedback_verify" for arg in config.args)
    if named or any(config.getoption(f"--feedback-{name}") for name in NAMES):
        sentence = missing()
        if sentence:
            pytest.exit(sentence, returncode=2)
