"""Each broken client is caught by the rules that it breaks and by no others; the correct ones break none.

A sample, chosen by the commit; all with BROKEN=all, as in `make broken-clients`.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from feedback_spec.document import load
from feedback_spec.instants import SECOND
from feedback_verify.clients.run import ClientRun
from feedback_verify.clients.situations import situations
from feedback_verify.clients.stage import Stage
from feedback_verify.verdicts import Verdict

from tests.broken_clients.broken import BROKEN
from tests.clients.toolchains import need
from tests.drawn import ALL, drawn

SOURCE = Path(__file__).with_name("broken.ts")
ESBUILD = Path(__file__).parents[1] / "clients" / "node_modules" / ".bin" / "esbuild"
DOCUMENT = load()
PATIENT = "waits-for-ever"  # is waited for for more than a minute
IN_PYTHON = [name for name in BROKEN if name != PATIENT]
IN_TYPESCRIPT = [line.split('"')[1] for line in SOURCE.read_text("utf-8").splitlines() if line.startswith('  "ts-')]
PATIENCE = 8 * SECOND


def violated(words: Sequence[str], patience: int = PATIENCE) -> dict[str, str]:
    """What was observed for each rule that the client breaks."""
    run = ClientRun(DOCUMENT, situations(DOCUMENT))
    with Stage(words, DOCUMENT, patience) as stage:
        run.play(stage, lambda *_: None)
    return {rule: each.detail for rule, each in run.results().items() if each.verdict is Verdict.VIOLATED}


def in_python(name: str) -> list[str]:
    """The words that start a client in Python."""
    return [sys.executable, "-m", "tests.broken_clients.broken", name]


@cache
def _built() -> tuple[Path, dict[str, list[str]]]:
    """The clients in TypeScript as one program, and the rules that each breaks."""
    need("node")
    if not ESBUILD.exists():
        pytest.skip("esbuild is not installed: make clients, with npm")
    program = Path(__file__).parents[2] / "build" / "broken-clients.mjs"
    bundle = [
        ESBUILD,
        SOURCE,
        "--bundle",
        "--platform=node",
        "--format=esm",
        f"--outfile={program}",
        "--log-level=error",
    ]
    subprocess.run([str(each) for each in bundle], check=True)
    told = subprocess.run(["node", str(program)], check=True, capture_output=True, text=True)
    return program, json.loads(told.stdout)


@pytest.mark.parametrize("name", ["sound", *drawn(IN_PYTHON, 2), *([PATIENT] if ALL else [])])
def test_a_broken_client_in_python_is_caught_by_its_rules(name: str) -> None:
    seen = violated(in_python(name), 65 * SECOND if name == PATIENT else PATIENCE)

    assert set(seen) == (BROKEN[name][1] if name != "sound" else set()), seen


@pytest.mark.parametrize("name", drawn(IN_TYPESCRIPT, 1))
def test_a_broken_client_in_typescript_is_caught_by_its_rules(name: str) -> None:
    program, rules = _built()
    seen = violated(["node", str(program), name])

    assert set(seen) == set(rules[name]), seen


def test_there_is_a_broken_client_for_each_rule() -> None:
    broken = {rule for _, rules in BROKEN.values() for rule in rules}

    assert broken == set(DOCUMENT.client_rules)
    assert len(BROKEN) + len(IN_TYPESCRIPT) - 1 >= 40
