"""The reference's examples in Python, TypeScript and Java run as they stand, and quote what the document names."""

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

from tests.clients.toolchains import need

COMMENTS = """It\\broke: "quotes", '''three''' \"\"\"more\"\"\" $(1) ${1} `2` \\u0022 \\" é 😀\n\tend"""
COMMANDS = {
    "Python": ("submit.py", (sys.executable, "submit.py")),
    "TypeScript": ("submit.mjs", ("node", "submit.mjs")),  # Node before 22 reads no types; the example has none
    "Java": ("Submit.java", ("java", "Submit.java")),
}
NEEDS = {"Python": (), "TypeScript": ("node",), "Java": ("java", "javac")}


@pytest.fixture(scope="module")
def document() -> Document:
    """Ours, with comments that no language takes as they are."""
    openapi = copy.deepcopy(load().openapi)
    path = next(iter(openapi["paths"].values()))
    path["post"]["requestBody"]["content"]["application/json"]["examples"]["page"]["value"]["comments"] = COMMENTS
    return document_of("quoted", openapi)


@pytest.fixture
def sandbox(document: Document) -> Iterator[Sandbox]:
    slugs = [str(each.example) for each in document.submit.parameters]
    with Server() as server, Sandbox(server, *slugs) as sandbox:
        yield sandbox


@pytest.mark.parametrize("language", COMMANDS)
def test_sample_submits_with_each_kind_of_credentials(
    language: str, document: Document, sandbox: Sandbox, tmp_path: Path
) -> None:
    """By token and by DSN, which the second time is an overwrite; the comments arrive as the document has them."""
    need(*NEEDS[language])
    file, command = COMMANDS[language]
    environment = {**os.environ, "SERVER": sandbox.url, "TOKEN": sandbox.token, "DSN": sandbox.dsn}
    _, by_token, by_dsn, _ = samples(document, load_control())
    told = []
    for sample in (by_token, by_dsn):
        (tmp_path / file).write_text(sample.texts[language], "utf-8")
        ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        told.append(ran.stdout[:4] or ran.stderr)

    assert told == ["200 ", "200 "]
    assert [each.rule for each in sandbox.requests] == ["submission", "overwrite"]
    assert [each.comments for each in sandbox.feedback] == [COMMENTS]
