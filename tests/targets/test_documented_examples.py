"""Every complete example of docs/verifying.md, run unchanged; except that waits are turned off, to save time."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.targets.example import DSN, TOKEN

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "verifying.md").read_text("utf-8")
PROGRAMS = Path(sys.executable).parent
EXAMPLES = {
    name: text
    for text in re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    for name in re.findall(r"# (\S+), for", text)
}
ENVIRONMENT = {
    **os.environ,
    "FEEDBACK_TOKEN": TOKEN,
    "FEEDBACK_DSN": DSN,
    "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
}


@contextmanager
def serving(port: int) -> Iterator[None]:
    """The example on this port, ready."""
    with subprocess.Popen([sys.executable, "-m", "tests.targets.serve", str(port)], cwd=ROOT) as process:
        try:
            with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:
                client.get(f"http://127.0.0.1:{port}/")
            yield
        finally:
            process.terminate()


def verify(name: str, folder: Path, port: int, *more: str) -> subprocess.CompletedProcess[str]:
    """The command of an example, with a few rules at the lowest depth to keep it short, and a port of its own."""
    text = EXAMPLES[name]
    command = re.search(r"for: feedback-verify (.*)", text)
    assert command
    (folder / name).write_text(text.replace("9000", str(port)), "utf-8")
    words = command[1].replace("9000", str(port)).replace(name, str(folder / name)).split()
    return subprocess.run(
        [PROGRAMS / "feedback-verify", *words, "--depth", "quick", *more],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_credentials_of_the_text_are_the_examples() -> None:
    assert f"export FEEDBACK_TOKEN={TOKEN} FEEDBACK_DSN={DSN}\n" in TEXT


def test_application_in_process(tmp_path: Path) -> None:
    ran = verify("in-process.toml", tmp_path, 0, "--rules", "submission,event-window,overwrite-window")

    assert (ran.returncode, ran.stderr) == (0, "")
    assert "3 verified" in ran.stdout
    assert "to the microsecond" in ran.stdout


def test_command_under_libfaketime(tmp_path: Path, free_tcp_port: int) -> None:
    ran = verify("command.toml", tmp_path, free_tcp_port, "--rules", "submission,overwrite-window-fixed")

    assert ran.returncode in (0, 3), ran.stdout + ran.stderr
    assert "0 violated" in ran.stdout


@pytest.mark.parametrize(
    ("name", "rules"), [("seeding.toml", "submission,known-event"), ("url.toml", "submission,dsn")]
)
def test_url(name: str, rules: str, tmp_path: Path, free_tcp_port: int) -> None:
    with serving(free_tcp_port):
        ran = verify(name, tmp_path, free_tcp_port, "--rules", rules, "--wait", "0s")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "2 of the 2 rules asked for verified" in ran.stdout or "; 2 as answered, not read back" in ran.stdout


def test_every_kind_of_target_has_its_example() -> None:
    assert set(EXAMPLES) == {"in-process.toml", "command.toml", "seeding.toml", "url.toml"}
