"""Sentry's own SDKs work with the mock's DSN unchanged, and feedback for captured events is subject to the windows.

`make clients` installs them; what is not installed is skipped.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from feedback_mock import Sandbox
from feedback_mock.server import Server
from feedback_spec.document import load
from feedback_spec.profiles import DOCUMENTED
from feedback_spec.rules import Base

from tests.clients.browser import Page
from tests.clients.toolchains import need, run
from tests.clients.watched import Exchange, watched

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
TEXTS = ("It broke", "It is as old as can be", "It is too old")
TOO_LATE = {"detail": "Feedback for this event cannot be modified."}
WINDOW = timedelta(minutes=30)
MICROSECOND = timedelta(microseconds=1)
# The types of items that each sends, among others.
SENT = {"event", "attachment", "session"}
PYTHON = {
    "2": {"transaction", "check_in", "log", "trace_metric", "client_report"},
    "1": {"transaction", "check_in", "client_report"},
}
NODE = {
    "sentry-node-latest": {"span", "check_in", "log", "trace_metric", "feedback", "client_report"},
    "sentry-node-8": {"transaction", "check_in", "feedback", "client_report"},
    "sentry-node-7": {"transaction", "check_in"},
}
BROWSER = {"span", "log", "trace_metric", "feedback", "replay_event", "replay_recording"}
Submit = Callable[[str, str], tuple[int, Any]]


class Place:
    """A project with a frozen clock, on a mock that remembers what it was sent."""

    def __init__(self, sandbox: Sandbox, exchanges: list[Exchange]) -> None:
        self.sandbox, self.exchanges = sandbox, exchanges
        document = sandbox.app.document
        self.silent_for_dsn = document.behaviour.dsn_success == "empty"
        self._base = next(each.base for each in document.mutability.windows if each.rule == "event-window")

    def submit(self, event_id: str, comments: str) -> tuple[int, Any]:
        """Feedback by REST, with a token: the status and the JSON of the response."""
        headers = {"Authorization": f"Bearer {self.sandbox.token}"}
        answer = httpx.post(self.sandbox.feedback_url, json=feedback_for(event_id, comments), headers=headers)
        return answer.status_code, answer.json()

    def age(self, event_id: str, age: timedelta) -> None:
        """Moves the clock until the event has exactly this age, measured as its window does."""
        project = self.sandbox.app.store.project(self.sandbox.organization, self.sandbox.project)
        assert project is not None
        event = project.events[event_id]
        since = event.timestamp if self._base is Base.EVENT_TIMESTAMP else event.saved_at
        gone_by = timedelta(microseconds=project.clock.now() - since)
        self.sandbox.advance(age - gone_by)


@pytest.fixture(params=[DOCUMENTED, "sentry-latest"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """On a mock with either profile."""
    app, exchanges = watched(load(None, request.param))
    with Server(app) as server:
        yield Place(Sandbox(server, "acme", "sdk"), exchanges)


def feedback_for(event_id: str, comments: str) -> dict[str, str]:
    return {"event_id": event_id, "name": "Jane Smith", "email": "jane@example.com", "comments": comments}


def captured(ran: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """What a driver reports to have captured."""
    assert ran.returncode == 0, ran.stdout
    told: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return told


def all_was_taken(place: Place, types: set[str]) -> None:
    """Everything that the SDK sent was answered with 200, and included these types of items."""
    sent = [each for each in place.exchanges if each.is_ingest]

    assert [each for each in sent if each.status != 200] == []
    assert SENT | types <= {item for each in sent for item in each.items}


def windows_are_kept(place: Place, kind: str, events: list[str], submit: Submit, *, silent: bool = False) -> None:
    """Feedback for three captured events: stored, overwritten up to the limit, refused past each.

    A response shows the issue of the event, unless it is `silent`.
    """
    broke, old, too_old = events
    answers = [submit(broke, "It broke!")]
    place.sandbox.advance("PT5M")
    answers.append(submit(broke, "It still is."))
    place.sandbox.advance("PT0.000001S")
    answers.append(submit(broke, "Too late."))
    place.age(old, WINDOW)
    answers.append(submit(old, "Just in time."))
    place.age(too_old, WINDOW + MICROSECOND)
    answers.append(submit(too_old, "Too late."))

    assert [status for status, _ in answers] == [200, 200, 409, 200, 409], answers
    stored, refused = [answers[index][1] for index in (0, 1, 3)], [answers[index][1] for index in (2, 4)]
    assert refused == [TOO_LATE, TOO_LATE]
    if silent:
        assert stored == ["", "", ""]
    else:
        titles = [f"{kind}: {TEXTS[index]}" for index in (0, 0, 1)]
        assert [answer["issue"]["title"] for answer in stored] == titles
        assert stored[0]["id"] == stored[1]["id"] != stored[2]["id"]
    assert [record.comments for record in place.sandbox.feedback] == ["It still is.", "Just in time."]


@pytest.mark.parametrize("major", PYTHON)
def test_sentry_sdk_for_python(place: Place, major: str) -> None:
    installed = HERE / f".sentry-sdk-{major}"
    if not (installed / "installed").is_file():
        pytest.skip("Sentry's SDKs for Python are not installed: make clients")
    driver = [sys.executable, str(HERE / "sentry" / "capture.py"), place.sandbox.dsn, *TEXTS]
    told = captured(run(driver, HERE, {"PYTHONPATH": str(installed)}))

    assert told["version"].startswith(f"{major}.")
    all_was_taken(place, PYTHON[major])
    windows_are_kept(place, "ValueError", told["captured"], place.submit)


@pytest.mark.parametrize("package", NODE)
def test_sentry_sdk_for_node(place: Place, package: str) -> None:
    need("node")
    if not (MODULES / package).is_dir():
        pytest.skip("Sentry's SDKs for Node are not installed: make clients, with npm")
    driver = ["node", str(HERE / "sentry" / "capture.cjs"), str(MODULES / package), place.sandbox.dsn, *TEXTS]
    told = captured(run(driver, HERE))

    assert told["flushed"] is True
    all_was_taken(place, NODE[package])
    windows_are_kept(place, "TypeError", told["captured"], place.submit)


def test_sentry_sdk_for_browsers(place: Place, tmp_path: Path) -> None:
    """In a real one, from a page of another origin, which submits with the DSN."""
    need("node")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("chromium is not here")
    if not (MODULES / ".bin" / "esbuild").exists() or not (MODULES / "@sentry" / "browser").is_dir():
        pytest.skip("Sentry's SDK for browsers is not installed: make clients, with npm")
    script = tmp_path / "page.bundle.js"
    bundled = [str(MODULES / ".bin" / "esbuild"), "sentry/page.js", "--bundle", "--format=esm", f"--outfile={script}"]
    ran = run(bundled, HERE)
    assert ran.returncode == 0, ran.stdout
    task = {"dsn": place.sandbox.dsn, "feedback": place.sandbox.feedback_url, "texts": TEXTS}
    with Page(chromium, task, script, tmp_path) as page:

        def submit(event_id: str, comments: str) -> tuple[int, Any]:
            answer = page.ask(feedback_for(event_id, comments))
            return answer["status"], answer["body"]

        told = page.told()
        assert told.get("flushed") is True, told
        all_was_taken(place, BROWSER)
        windows_are_kept(place, "RangeError", told["captured"], submit, silent=place.silent_for_dsn)

    asked_before = [each.status for each in place.exchanges if each.method == "OPTIONS" and not each.is_ingest]
    assert asked_before
    assert set(asked_before) <= {200, 204}
