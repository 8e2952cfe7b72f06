"""Every example in docs/python.md is a file that works unchanged."""

import subprocess
import sys
from pathlib import Path

from markdown_it import MarkdownIt

PAGE = (Path(__file__).parents[1] / "docs" / "python.md").read_text("utf-8")


def test_every_example_works(tmp_path: Path) -> None:
    """Each in its own file, with pytest; those for unittest with that too."""
    fences = [each for each in MarkdownIt().parse(PAGE) if each.type == "fence"]
    files = {f"test_{number}.py": each.content for number, each in enumerate(fences)}
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    with_unittest = [name.removesuffix(".py") for name, text in files.items() if "import unittest" in text]
    pytest = run(tmp_path, "pytest", "-W", "error", "--color=no")
    unittest = run(tmp_path, "unittest", *with_unittest)

    assert {each.info for each in fences} == {"python"}
    assert (pytest.returncode, unittest.returncode) == (0, 0), pytest.stdout[-4_000:] + unittest.stderr
    assert [name for name in files if f"\n{name} ." not in pytest.stdout] == []
    assert "Ran 3 tests" in unittest.stderr


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, check=False)
