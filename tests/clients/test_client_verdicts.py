"""Correct clients break no rule: the examples and the one that the broken clients are made of.

One example, chosen by the commit; as many plays as SEEDS says, each client in turn, as in `make sound-clients`.
"""

import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from feedback_verify.cli import main

from tests.broken_clients.test_broken_clients import in_python
from tests.clients.test_examples import NEEDS, copied
from tests.clients.toolchains import need, run
from tests.drawn import drawn

SEEDS = int(os.environ.get("SEEDS", "0"))


def _python(_: Path) -> list[str]:
    return [sys.executable, "submit.py"]


def _typescript(example: Path) -> list[str]:
    built = run(["bash", "-c", "npm ci --silent && npx tsc"], example)
    assert built.returncode == 0, built.stdout
    return ["node", "build/submit.js"]


def _java(example: Path) -> list[str]:
    built = run(["bash", "-c", "javac -d build src/main/java/*.java"], example)
    assert built.returncode == 0, built.stdout
    return ["java", "-cp", "build", "Submit"]


BUILT: dict[str, Callable[[Path], list[str]]] = {"python": _python, "typescript": _typescript, "java": _java}
BUSY = ("but not when it was played again", "the machine was so busy")
"""What the verifier doubts on a machine that is so busy that the clients' own time limits pass."""
SOUND = [*BUILT, "sound"]
PLAYS = [(SOUND[seed % len(SOUND)], seed) for seed in range(SEEDS)] or [(name, 0) for name in drawn(list(BUILT), 1)]


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, list[str]]]:
    """Makes a client's folder and command by its name, once."""

    @cache
    def built(name: str) -> tuple[Path, list[str]]:
        if name not in BUILT:
            return Path.cwd(), in_python(name)
        need(*NEEDS[name])
        example = copied(name, tmp_path_factory.mktemp(name))
        return example, BUILT[name](example)

    return built


@pytest.mark.parametrize(("name", "seed"), PLAYS)
def test_a_correct_client_conforms(
    name: str,
    seed: int,
    client: Callable[[str], tuple[Path, list[str]]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder, words = client(name)
    monkeypatch.chdir(folder)

    code = main(["client", "--patience", "20s", "--seed", str(seed), "--", *words])

    said = " ".join(capsys.readouterr().out.split())
    assert code == 0 or (code == 3 and any(each in said for each in BUSY)), said
