"""The example clients follow the document's rules for clients; one of them, chosen by the commit."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from feedback_verify.cli import main

from tests.clients.test_examples import NEEDS, copied
from tests.clients.toolchains import need, run
from tests.drawn import drawn


def _python(_: Path) -> list[str]:
    return [sys.executable, "submit.py"]


def _typescript(example: Path) -> list[str]:
    built = run(["bash", "-c", "npm ci --silent && npx tsc"], example)
    assert built.returncode == 0, built.stdout
    return ["node", "build/submit.js"]


def _java(example: Path) -> list[str]:
    built = run(["bash", "-c", "javac -d build FeedbackClient.java Submit.java"], example)
    assert built.returncode == 0, built.stdout
    return ["java", "-cp", "build", "Submit"]


BUILT: dict[str, Callable[[Path], list[str]]] = {"python": _python, "typescript": _typescript, "java": _java}


@pytest.mark.parametrize("name", drawn(list(BUILT), 1))
def test_an_example_client_conforms(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    need(*NEEDS[name])
    example = copied(name, tmp_path)
    monkeypatch.chdir(example)

    assert main(["client", "--patience", "20s", "--", *BUILT[name](example)]) == 0, capsys.readouterr()
