"""The options of `pytest --pyargs feedback_verify --feedback-url URL`, as a plugin, because pytest needs options early.

Every pytest run in the environment loads this, so it imports only the verifier's table of options. Without the
`[verify]` extra it shows no options; if the suite is requested all the same, it says what to install.
"""

import argparse

import pytest

from feedback_verify.extra import missing
from feedback_verify.options import EVERYWHERE


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds one option per setting of feedback-verify; hidden if the suite cannot run."""
    hidden = missing() is not None
    group = parser.getgroup("feedback", "verification of a feedback endpoint (pytest --pyargs feedback_verify)")
    for option in EVERYWHERE:
        action = "store_true" if option.kind == "flag" else "store"
        text = argparse.SUPPRESS if hidden else option.help
        group.addoption(f"--feedback-{option.name}", action=action, help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Ends a run of the suite with exit code 2 if it cannot run."""
    named = config.option.pyargs and any(arg.split("::")[0].split(".")[0] == "feedback_verify" for arg in config.args)
    if named or any(config.getoption(f"--feedback-{option.name}") for option in EVERYWHERE):
        sentence = missing()
        if sentence:
            pytest.exit(sentence, returncode=2)
