"""The `[verify]` extra: the libraries that only the verifier needs, and the message if they are missing.

Imports none of them: every pytest run in the environment loads this.
"""

from importlib.util import find_spec

MODULES = (
    "covertable",
    "h11",
    "harfile",
    "httpcore",
    "httpx",
    "hypothesis",
    "junitparser",
    "schemathesis",
    "tenacity",
    "time_machine",
)


def missing() -> str | None:
    """What to install, in one sentence; None if everything is installed."""
    absent = [name for name in MODULES if find_spec(name) is None]
    if not absent:
        return None
    return f'To verify, run pip install "sentry-feedback-contract[verify]", which installs {", ".join(absent)}.'
