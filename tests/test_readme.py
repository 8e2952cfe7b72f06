"""What the README shows is what the programs do."""

import re
import subprocess
import sys
from pathlib import Path

from feedback_mock.server import Server
from feedback_verify.cli import verify

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
PROGRAMS = Path(sys.executable).parent


def block(after: str, language: str) -> str:
    """The first code block in this language after the text, wherever its lines are broken."""
    words = r"\s+".join(map(re.escape, after.split()))
    found = re.search(rf"{words}.*?```{language}\n(.*?)```", README, re.DOTALL)
    assert found
    return found[1]


def test_mock_prints_what_the_readme_shows() -> None:
    """Line by line, except for the port."""
    shown = block("serves the mock on", "text").splitlines()
    process = subprocess.Popen([PROGRAMS / "feedback-mock", "--port", "0"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    printed = []
    for line in process.stdout:
        printed.append(re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:8080", line.rstrip()))
        if line.startswith("Press Ctrl-C"):
            break
    process.terminate()
    process.communicate()

    assert [line for line in shown if line and line not in printed] == []


def test_fixture_of_the_readme_works(tmp_path: Path) -> None:
    """The example, unchanged, in a user's folder."""
    (tmp_path / "test_example.py").write_text(block("For Python, the package", "python"))
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout
    assert "1 passed" in ran.stdout


def test_control_lines_of_the_readme_work() -> None:
    """The three requests, pasted."""
    lines = [line.removeprefix("$ ") + " -sS -f" for line in block("A test drives its project", "console").splitlines()]
    with Server() as server:
        script = "\n".join(["set -e", f"MOCK={server.url}", f"EVENT_ID={'f' * 32}", *lines])
        ran = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.rstrip().endswith('{"now":"2026-01-01T00:01:00.000001Z","running":false}')


def test_flags_of_the_readme_exist() -> None:
    """Every long option of feedback-verify in it."""
    known = {name for parameter in verify.params for name in parameter.opts}
    section = README[README.index("## The verifier") : README.index("## The documentation")]
    named = {
        flag for flag in re.findall(r"--[a-z-]+", section) if not flag.startswith(("--feedback-", "--pyargs", "---"))
    }

    assert named - known == set()


def test_make_lists_its_targets() -> None:
    """`make` alone."""
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    for target in ("mock", "test", "verify", "docs", "check", "test-all"):
        assert f"make {target} " in listed
