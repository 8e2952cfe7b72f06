"""The options of `pytest --pyargs feedback_verify --feedback-url URL`. A plugin, because pytest wants options early.

Every pytest of an environment loads this, so it imports nothing of the verifier but its table of options; without the
extra `[verify]` it shows no option, and says what to install to whoever asks for the suite all the same.
"""

import argparse

import pytest

from feedback_verify.extra import missing
from feedback_verify.options import EVERYWHERE


def pytest_addoption(parser: pytest.Parser) -> None:
    """One option per setting of feedback-verify, hidden where it cannot run."""
    hidden = missing() is not None
    group = parser.getgroup("feedback", "verification of a feedback endpoint (pytest --pyargs feedback_verify)")
    for option in EVERYWHERE:
        action = "store_true" if option.kind == "flag" else "store"
        text = argparse.SUPPRESS if hidden else option.help
        group.addoption(f"--feedback-{option.name}", action=action, help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Ends a run of the suite, with exit code 2, where it cannot run."""
    named = config.option.pyargs and any(arg.split("::")[0].split(".")[0] == "feedback_verify" for arg in config.args)
    if named or any(config.getoption(f"--feedback-{option.name}") for option in EVERYWHERE):
        sentence = missing()
        if sentence:
            pytest.exit(sentence, returncode=2)
