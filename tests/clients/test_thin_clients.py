"""The clients of the control protocol pass their own tests, against a mock."""

import re
import shutil
from pathlib import Path

import pytest
from feedback_spec.document import load_control
from feedback_spec.documentation.clients import camel, methods

from tests.clients.toolchains import MOCK, ROOT, need, run

CLIENTS = ROOT / "clients"
NEEDS = {"java": ("java", "javac"), "python": (), "typescript": ("node", "npm")}
LEFT_OUT = shutil.ignore_patterns("node_modules", "build", "__pycache__", ".pytest_cache")


def test_every_client_is_tested() -> None:
    assert {each.name for each in CLIENTS.iterdir() if each.is_dir()} == set(NEEDS)


@pytest.mark.parametrize("name", NEEDS)
def test_client_passes_its_tests(name: str, tmp_path: Path) -> None:
    """With the last command in its README."""
    need(*NEEDS[name])
    client = shutil.copytree(CLIENTS / name, tmp_path / name, ignore=LEFT_OUT)
    told = re.findall(r"^`(.+)` tests the client", (client / "README.md").read_text("utf-8"), re.MULTILINE)

    ran = run(["bash", "-c", told[0]], client, {"FEEDBACK_MOCK": str(MOCK)})

    assert ran.returncode == 0, ran.stdout


def test_java_test_calls_every_operation() -> None:
    """The other two check themselves."""
    text = (CLIENTS / "java" / "test" / "ClientTest.java").read_text("utf-8")

    names = [camel(each.name) for each in methods(load_control())]

    assert len(names) > 20
    assert [name for name in names if not re.search(rf"(\.|::){name}\b", text)] == []
