"""The examples run as their READMEs say, and notice a mock with other windows and a missing mock."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.clients.toolchains import MOCK, ROOT, need, run

EXAMPLES = ROOT / "examples"
NEEDS = {"python": (), "shell": ("bash", "curl"), "java": ("java", "javac", "mvn"), "typescript": ("node", "npm")}
LEFT_OUT = shutil.ignore_patterns("node_modules", "build", "target", "__pycache__", ".pytest_cache")
# Kills its parent as soon as the mock serves; the mock, unless it exits, is stopped after 60 seconds.
KILLS_ITS_RUNNER = """#!/bin/sh
(until [ -s {folder}/ready ] || [ -s {folder}/ended ]; do sleep 0.05; done; kill -9 $PPID) &
timeout 60 {mock} "$@" --ready-file {folder}/ready
echo $? >>{folder}/ended
"""
OTHER_WINDOWS = '''"""The plugin's server, with another document."""

from pathlib import Path

import pytest

from feedback_mock.server import Server
from feedback_spec.document import load


@pytest.fixture(scope="session")
def feedback_server():
    with Server(document=load(Path("other.yaml"))) as server:
        yield server
'''


def copied(name: str, folder: Path) -> Path:
    """The example in a separate folder, with the clients that it uses: parallel tests build in different places."""
    shutil.copytree(ROOT / "clients", folder / "clients", ignore=LEFT_OUT)
    example = shutil.copytree(EXAMPLES / name, folder / "examples" / name, ignore=LEFT_OUT)
    (example / ".mvn").mkdir()
    # Maven takes what it has downloaded before, and shows it without colours.
    (example / ".mvn" / "maven.config").write_text("--offline\n-Dstyle.color=never\n", "utf-8")
    return example


def run_as_told(example: Path, mock: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Runs the one command of the example's README; `mock` is where the mock's command is, `more` is environment."""
    told = re.search(r"```console\n\$ (.*)\n```", (example / "README.md").read_text("utf-8"))
    assert told
    return run(["bash", "-c", told[1]], example, {"FEEDBACK_MOCK": mock, **more})


def test_every_example_is_run() -> None:
    """An additional folder makes this fail."""
    assert {each.name for each in EXAMPLES.iterdir() if each.is_dir()} == set(NEEDS)


@pytest.mark.parametrize("name", NEEDS)
def test_example_uses_faults_and_the_journal(name: str) -> None:
    sources = [*(EXAMPLES / name).glob("*test*"), *(EXAMPLES / name).glob("src/test/**/*.java")]
    text = "".join(each.read_text("utf-8") for each in sources)

    assert re.search(r"[./](fail|faults)\b", text)
    assert re.search(r"[./](requests|listRequests)\b", text)


@pytest.mark.parametrize("name", NEEDS)
def test_example_runs_as_its_readme_says(name: str, tmp_path: Path) -> None:
    """One command, and it succeeds, wherever the mock's command is."""
    need(*NEEDS[name])
    (tmp_path / "with a blank").mkdir()
    mock = tmp_path / "with a blank" / MOCK.name
    mock.symlink_to(MOCK)

    ran = run_as_told(copied(name, tmp_path), str(mock))

    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize("name", NEEDS)
def test_example_notices_other_windows(name: str, tmp_path: Path) -> None:
    """With 10 minutes instead of 30 and 1 instead of 5, exactly the tests of the windows fail."""
    need(*NEEDS[name])
    example = copied(name, tmp_path)
    document = (ROOT / "spec" / "openapi.yaml").read_text("utf-8")
    (example / "other.yaml").write_text(document.replace("PT30M", "PT10M").replace("PT5M", "PT1M"), "utf-8")
    if name == "python":
        (example / "conftest.py").write_text(OTHER_WINDOWS, "utf-8")

    ran = run_as_told(example, str(MOCK), FEEDBACK_MOCK_SPEC=str(example / "other.yaml"))

    assert ran.returncode == 1, ran.stdout
    failed = {line for line in ran.stdout.splitlines() if re.match(r"not ok|FAILED|\[ERROR\] .*Test\.", line)}
    assert failed
    assert all(re.search(r"window.?ends", line, re.IGNORECASE) for line in failed), ran.stdout


@pytest.mark.parametrize("name", [name for name in NEEDS if name != "python"])
def test_example_says_that_the_mock_is_missing(name: str, tmp_path: Path) -> None:
    """And what to do. (In Python, pytest says so, through `required_plugins`.)"""
    need(*NEEDS[name])

    ran = run_as_told(copied(name, tmp_path), "no-such-mock")

    assert ran.returncode != 0
    assert "no-such-mock" in ran.stdout
    assert "install sentry-feedback-contract" in ran.stdout


@pytest.mark.parametrize("name", [name for name in NEEDS if name != "python"])
def test_mock_ends_with_a_runner_that_is_killed(name: str, tmp_path: Path) -> None:
    """It notices through its stdin. (In Python, the mock runs inside pytest.)"""
    need(*NEEDS[name])
    mock = tmp_path / "mock"
    mock.write_text(KILLS_ITS_RUNNER.format(mock=MOCK, folder=tmp_path), "utf-8")
    mock.chmod(0o755)

    ran = run_as_told(copied(name, tmp_path), str(mock))

    while not (tmp_path / "ended").exists() or not (tmp_path / "ended").read_text("utf-8"):
        pass  # at most the script's 60 seconds: Maven does not wait for it
    assert ran.returncode != 0, ran.stdout
    assert set((tmp_path / "ended").read_text("utf-8").splitlines()) == {"0"}
