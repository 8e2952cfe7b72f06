"""References in committed texts exist in the repository: files by their paths, facts about Sentry by their numbers."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
FACTS = frozenset(re.findall(r"(?m)^\| ([0-9]+) \|", (ROOT / "docs" / "sentry.md").read_text("utf-8")))
# Cases name files of Sentry's own tests; the other creates folders of a user's.
ELSEWHERE = frozenset({"tests/data/sentry-cases.json", "tests/test_distribution.py"})
FOLDERS = "spec|mock_server|contract_tests|tests|docs|examples|benchmarks|requirements"
A_FILE = re.compile(rf"(?<![\w./{{-])(?:{FOLDERS})/[\w./-]*\w\.(?:py|md|ya?ml|json|toml|txt|svg|lock|j2|css|html)\b")
A_FACT = re.compile(r"\bfacts? ([0-9]+(?:(?:, | and | to )[0-9]+)*)")


def committed() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    texts = (".py", ".md", ".yaml", ".toml", ".j2", ".json", ".yml")
    names = [name for name in listed.splitlines() if name.endswith(texts) and "lock" not in name]
    return [ROOT / name for name in names if name not in ELSEWHERE]


def test_every_file_that_a_text_names_exists() -> None:
    missing = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in committed()
        for name in A_FILE.findall(path.read_text("utf-8"))
        if not (ROOT / name).exists() and not (path.parent / name).exists()
    }

    assert missing == set()


def test_every_fact_that_a_text_names_stands_in_docs_sentry() -> None:
    named = {
        (str(path.relative_to(ROOT)), number)
        for path in committed()
        for numbers in A_FACT.findall(path.read_text("utf-8"))
        for number in re.findall("[0-9]+", numbers)
    }

    assert {each for each in named if each[1] not in FACTS} == set()
    assert len(named) > 40


def test_no_text_names_a_row_or_a_page_that_is_not_here() -> None:
    """The facts used to be rows of a table that is not in the repository; now they have a page of their own."""
    gone = re.compile(r"sentry-" + r"behaviour|\brows? [0-9]+\b")

    assert [str(path) for path in committed() if gone.search(path.read_text("utf-8")) if path != Path(__file__)] == []
