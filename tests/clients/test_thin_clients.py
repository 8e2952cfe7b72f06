"""The clients of the control protocol pass their own tests, against a mock."""

import re
import shutil
from pathlib import Path

import pytest

from tests.clients.toolchains import MOCK, ROOT, need, run

CLIENTS = ROOT / "clients"
NEEDS = {"python": (), "typescript": ("node", "npm")}
LEFT_OUT = shutil.ignore_patterns("node_modules", "build", "__pycache__", ".pytest_cache")


def test_every_client_is_tested() -> None:
    assert {each.name for each in CLIENTS.iterdir() if each.is_dir()} == set(NEEDS)


@pytest.mark.parametrize("name", NEEDS)
def test_client_passes_its_tests(name: str, tmp_path: Path) -> None:
    """By the command that its README names last."""
    need(*NEEDS[name])
    client = shutil.copytree(CLIENTS / name, tmp_path / name, ignore=LEFT_OUT)
    told = re.findall(r"^`(.+)` tests the client", (client / "README.md").read_text("utf-8"), re.MULTILINE)

    ran = run(["bash", "-c", told[0]], client, {"FEEDBACK_MOCK": str(MOCK)})

    assert ran.returncode == 0, ran.stdout
