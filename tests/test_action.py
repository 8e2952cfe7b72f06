"""The GitHub action runs the verifier as its inputs say; its script is run here as on a runner."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from feedback_mock.server import Server
from feedback_verify.cli import verify as options_of

ROOT = Path(__file__).parents[1]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"] if "name" in step}


def verify(tmp_path: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """The step `Verify` with these inputs, in a directory of its own, with the verifier of this environment."""
    (tmp_path / "feedback-verify").mkdir()
    (tmp_path / "feedback-verify" / "bin").symlink_to(Path(sys.executable).parent)
    values = {name: str(each.get("default", "")) for name, each in ACTION["inputs"].items()} | inputs
    environment = {
        name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda match: values[match[1]], text)
        for name, text in STEPS["Verify"]["env"].items()
    }
    runner = {
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "PATH": os.environ["PATH"],
    }
    # A few rules are enough to see that it ran, and with which settings.
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS["Verify"]["run"]],
        cwd=tmp_path,
        env={**environment, **runner, "FEEDBACK_RULES": "submission,dsn"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_inputs_reach_the_verifier(tmp_path: Path) -> None:
    """Including a token that a shell would interpret as code, and every report is written."""
    with Server() as server:
        project = server.app.default_project
        ran = verify(
            tmp_path,
            url=server.url,
            organization=project.organization,
            project=project.slug,
            token=project.credentials.tokens["write"],
            dsn=f"http://{project.credentials.public_key}@{server.address}/{project.id}",
            html="a page; touch injected.html",
            require="level",
        )

    assert (ran.returncode, ran.stderr) == (0, "")
    summary = (tmp_path / "summary.md").read_text("utf-8")
    assert (
        "feedback-verify: 0 of the 2 rules asked for verified, none violated; 2 as answered, not read back" in summary
    )
    assert server.address.replace(":", "&#58;") in summary
    assert {"feedback-verify.xml", "a page; touch injected.html"} <= {each.name for each in tmp_path.iterdir()}
    assert not (tmp_path / "injected.html").exists()


def test_without_inputs_a_mock_is_verified(tmp_path: Path) -> None:
    assert verify(tmp_path, profile="sentry-latest", depth="quick").returncode == 0


def test_step_fails_where_the_verifier_does(tmp_path: Path) -> None:
    ran = verify(tmp_path, url="http://127.0.0.1:9")

    assert ran.returncode == 2
    assert "Say which project to use" in ran.stderr


@pytest.mark.parametrize("name", [each for each in STEPS["Verify"]["env"] if each.startswith("FEEDBACK_")])
def test_every_variable_is_an_option(name: str) -> None:
    options = {f"FEEDBACK_{str(each.name).upper()}" for each in options_of.params}

    assert name in options


def test_no_input_stands_in_a_script() -> None:
    """Anything in a script is code; inputs are passed only as variables."""
    assert [step["name"] for step in STEPS.values() if "${{" in step["run"]] == []
