"""The fixture for other people's tests, in its own pytest run."""

import subprocess
import sys
from pathlib import Path

SUITE = """
from datetime import timedelta
import httpx, pytest

EVENT = "7167980ca1db42cdba8d5284e7f81c66"

def submit(mock, **headers):
    body = {"event_id": EVENT, "name": "Jane", "email": "jane@example.com", "comments": "It broke!"}
    return httpx.post(mock.feedback_url, json=body, headers=headers).status_code

def test_five_minutes(feedback_mock):
    assert submit(feedback_mock, Authorization="Bearer " + feedback_mock.token) == 200
    before = feedback_mock.now
    feedback_mock.advance("PT5M")
    assert submit(feedback_mock, Authorization="DSN " + feedback_mock.dsn) == 200
    feedback_mock.advance(timedelta(microseconds=1))
    assert submit(feedback_mock, Authorization="DSN " + feedback_mock.dsn) == 409
    assert feedback_mock.now - before == timedelta(minutes=5, microseconds=1)
    assert [each.name for each in feedback_mock.feedback] == ["Jane"]

def test_thirty_minutes_in_a_project_of_its_own(feedback_mock):
    assert feedback_mock.feedback == []
    feedback_mock.save_event(EVENT, "PT30M0.000001S", title="Late")
    assert submit(feedback_mock, Authorization="Bearer " + feedback_mock.token) == 409

def test_wrong_use_is_a_value_error(feedback_mock):
    for wrong in ("5 minutes", timedelta(seconds=-1), "P9999999D"):
        with pytest.raises(ValueError):
            feedback_mock.advance(wrong)
"""


def test_each_test_has_a_project_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "test_client.py").write_text(SUITE, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", str(tmp_path)]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stdout + run.stderr
    assert "3 passed" in run.stdout


def test_the_plugin_itself_loads_nothing_of_the_mock() -> None:
    code = "import feedback_mock.pytest_plugin, sys; print('feedback_mock.app' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
