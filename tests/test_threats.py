"""What THREATS.md promises is tested: each test that it names exists, and each promise names one."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "THREATS.md").read_text("utf-8")
ROWS = [
    line for line in TEXT.splitlines() if line.startswith("| ") and line.split(" | ")[0] not in ("| promise", "| ---")
]


def test_every_promise_names_tests_that_exist() -> None:
    """By the names of functions in the suite."""
    sources = (path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    defined = {name for source in sources for name in re.findall(r"^def (test_\w+)", source, re.MULTILINE)}
    named = {row: re.findall(r"`(test_\w+)`", row) for row in ROWS}

    assert len(ROWS) > 10
    assert [row for row, tests in named.items() if not tests] == []
    assert {test for tests in named.values() for test in tests} - defined == set()
