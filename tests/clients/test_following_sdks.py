"""Sentry's own SDKs under fake timers move a project that follows them: 31 minutes, with agreement at every request.

`make clients` installs them; what is not installed is skipped.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from feedback_mock import Sandbox, Server

from tests.clients.test_sentry_sdks import HERE, MODULES, NODE, PYTHON
from tests.clients.toolchains import need, run

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
STATUSES = [200, 200, 200, 409, 200, 409, 409]
"""Feedback, its retry, an overwrite, one too late; for an event of 30 minutes, a step later, for one of 31 minutes."""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Server() as server, Sandbox(server, "acme", "sdk", now=START, follow=True) as made:
        yield made


def both_agree(sandbox: Sandbox, ran: subprocess.CompletedProcess[str], step: timedelta) -> None:
    """At every request, the project's clock showed the client's time; `step` is the client's resolution."""
    assert ran.returncode == 0, ran.stdout
    told: list[tuple[str, int]] = json.loads(ran.stdout.splitlines()[-1])["told"]
    instants = [datetime.fromisoformat(now) - START for now, _ in told]

    assert instants == [24 * MINUTE] * 2 + [29 * MINUTE, 29 * MINUTE + step, 31 * MINUTE] + [31 * MINUTE + step] * 2
    assert [status for _, status in told] == STATUSES
    refused = [each.rule for each in sandbox.requests if each.status == 409]
    assert refused == ["overwrite-window", "event-window", "event-window"]
    said = [(each.now, said_by(each)) for each in sandbox.requests]
    assert len(said) >= len(told) + 2
    assert [now - client for now, client in said] == [timedelta(0)] * len(said)


def said_by(request: Any) -> datetime:
    """The client's time."""
    header = request.headers.get("x-feedback-now")
    return datetime.fromisoformat(header or json.loads(request.text.splitlines()[0])["sent_at"])


@pytest.mark.parametrize("major", PYTHON)
def test_sentry_sdk_for_python_under_time_machine(sandbox: Sandbox, major: str) -> None:
    installed = HERE / f".sentry-sdk-{major}"
    if not (installed / "installed").is_file():
        pytest.skip("Sentry's SDKs for Python are not installed: make clients")
    task = [sandbox.dsn, sandbox.feedback_url, sandbox.token, START.isoformat()]
    ran = run([sys.executable, str(HERE / "sentry" / "follow.py"), *task], HERE, {"PYTHONPATH": str(installed)})

    both_agree(sandbox, ran, timedelta(microseconds=1))


@pytest.mark.parametrize("package", NODE)
def test_sentry_sdk_for_node_under_its_mock_timers(sandbox: Sandbox, package: str) -> None:
    need("node")
    if not (MODULES / package).is_dir():
        pytest.skip("Sentry's SDKs for Node are not installed: make clients, with npm")
    task = [str(MODULES / package), sandbox.dsn, sandbox.feedback_url, sandbox.token, START.isoformat()]
    ran = run(["node", str(HERE / "sentry" / "follow.cjs"), *task], HERE)

    both_agree(sandbox, ran, timedelta(milliseconds=1))
