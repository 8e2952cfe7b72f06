"""Finds installed toolchains, and runs a folder of the repository with them. Asserts nothing."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent
MOCK = PROGRAMS / "feedback-mock"
LEAST = {"java": 17, "node": 20}
_UNREACHABLE = re.compile(r"\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH)\b")


def need(*commands: str) -> None:
    """Skips the test, naming the toolchain, unless every command is installed and new enough."""
    for command in commands:
        if shutil.which(command) is None:
            pytest.skip(f"{command} is not here")
        least = LEAST.get(command, 0)
        if least and _major_version(command) < least:
            pytest.skip(f"{command} {least} or newer is not here")


def run(
    command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs a command with our programs on the PATH; stdout includes stderr. Skips if npm or Maven lacks packages."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    ran = subprocess.run(
        command,
        cwd=folder,
        env={**inherited, "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}", **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if ran.returncode and "npm error" in ran.stdout and _UNREACHABLE.search(ran.stdout):
        pytest.skip("npm reaches no registry")
    if ran.returncode and "in offline mode" in ran.stdout:
        pytest.skip("Maven has not downloaded JUnit: run mvn test once in examples/java")
    return ran


def _major_version(command: str) -> int:
    """`--version` prints it first, in `v20.20.2` and in `openjdk 17.0.15`."""
    told = subprocess.run([command, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"\d+", told.stdout)
    return int(found[0]) if found else 0
