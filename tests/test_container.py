"""The Dockerfile and related files: linted, and consistent with existing flags and files."""

import re
import subprocess
import sys
from pathlib import Path

import yaml
from click import Context
from feedback_mock.command.options import command

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
TEXTS = {name: (ROOT / name).read_text("utf-8") for name in ("Dockerfile", "compose.yaml", "docs/container.md")}


def test_dockerfile_is_linted() -> None:
    ran = subprocess.run(
        [Path(sys.executable).with_name("hadolint"), ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )

    assert (ran.returncode, ran.stdout) == (0, "")


def test_variables_are_flags_of_the_mock() -> None:
    """A variable that no flag reads would be silently ignored."""
    named = {name for text in TEXTS.values() for name in re.findall(r"FEEDBACK_MOCK_(\w+)", text)}
    flags = {str(each.name).upper() for each in command.get_params(Context(command))}

    assert named
    assert named - flags == set()


def test_build_has_every_file_that_it_copies() -> None:
    """What .dockerignore leaves out cannot be copied."""
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    copied = {word for words in re.findall(r"^COPY (?!--)(.+)$", DOCKERFILE, re.M) for word in words.split()[:-1]}

    assert copied == kept
    assert [each for each in copied if not (ROOT / each).exists()] == []


def test_container_runs_without_rights() -> None:
    """The last user of the image is not root, and the compose file removes the remaining rights."""
    mock = yaml.safe_load(TEXTS["compose.yaml"])["services"]["mock"]

    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.M)[-1] == "10001"
    assert mock["cap_drop"] == ["ALL"]
    assert mock["read_only"] is True
    assert [each for each in mock["ports"] if not each.startswith("127.0.0.1:")] == []
