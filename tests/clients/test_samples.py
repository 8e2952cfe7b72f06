"""The reference's examples in Python, TypeScript and Java run unchanged, and quote what comes from the document."""

import copy
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from feedback_mock import Sandbox, Server
from feedback_spec.document import Document, document_of, load, load_control
from feedback_spec.documentation.samples import samples

from tests.clients.toolchains import ROOT, need

COMMENTS = """It\\broke: "quotes", '''three''' \"\"\"more\"\"\" $(1) ${1} `2` \\u0022 \\" é 😀\n\tend"""
COMMANDS = {
    "Python": ("submit.py", (sys.executable, "submit.py")),
    "TypeScript": ("submit.mjs", ("node", "submit.mjs")),  # Node before 22 reads no types; the example has none
    "Java": ("Submit.java", ("java", "-cp", "clients", "Submit.java")),
}
NEEDS = {"Python": (), "TypeScript": ("node",), "Java": ("java", "javac")}


@pytest.fixture(scope="module")
def document() -> Document:
    """Ours, with comments that no language accepts unquoted."""
    openapi = copy.deepcopy(load().openapi)
    path = next(iter(openapi["paths"].values()))
    path["post"]["requestBody"]["content"]["application/json"]["examples"]["page"]["value"]["comments"] = COMMENTS
    return document_of("quoted", openapi)


@pytest.fixture
def sandbox(document: Document) -> Iterator[Sandbox]:
    slugs = [str(each.example) for each in document.submit.parameters]
    with Server() as server, Sandbox(server, *slugs) as sandbox:
        yield sandbox


def run(text: str, language: str, sandbox: Sandbox, folder: Path) -> str:
    """What the code prints; the clients of this repository are where its imports find them."""
    file, command = COMMANDS[language]
    (folder / file).write_text(text, "utf-8")
    environment = {
        **os.environ,
        "SERVER": sandbox.url,
        "TOKEN": sandbox.token,
        "DSN": sandbox.dsn,
        "PYTHONPATH": str(ROOT / "clients" / "python"),
    }
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return ran.stdout or ran.stderr


@pytest.mark.parametrize("language", COMMANDS)
def test_sample_submits_with_each_kind_of_credentials(
    language: str, document: Document, sandbox: Sandbox, tmp_path: Path
) -> None:
    """With a token and with a DSN, which overwrites; the comments arrive as in the document."""
    need(*NEEDS[language])
    _, by_token, by_dsn, _ = samples(document, load_control())

    told = [run(sample.texts[language], language, sandbox, tmp_path)[:4] for sample in (by_token, by_dsn)]

    assert told == ["200 ", "200 "]
    assert [each.rule for each in sandbox.requests] == ["submission", "overwrite"]
    assert [each.comments for each in sandbox.feedback] == [COMMENTS]


@pytest.mark.parametrize("language", COMMANDS)
def test_walk_sees_each_window_close(language: str, document: Document, sandbox: Sandbox, tmp_path: Path) -> None:
    """With the client of the language."""
    need(*NEEDS[language])
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "feedback-mock-client").symlink_to(ROOT / "clients" / "typescript")
    if language == "Java":
        sources = sorted((ROOT / "clients" / "java" / "feedbackmock").glob("*.java"))
        subprocess.run(["javac", "-d", tmp_path / "clients", *sources], check=True)

    told = run(samples(document, load_control())[-1].texts[language], language, sandbox, tmp_path).splitlines()

    assert [line.partition(";")[0] for line in told] == ["409 event-window", "200 submission", "409 overwrite-window"]
