"""Nothing that a hostile target sends is ever run: the lines and programs of its reports are run here, and do nothing
else.
"""

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from feedback_verify.cli import main
from feedback_verify.exchange import Credential, Exchange, Project, Request
from feedback_verify.steps import Open, SaveEvent, Send, Step, as_python, as_shell
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.broken.serving import serving
from tests.shells import SHELLS

RULES = (
    "submission,bearer,credentials-known,credentials-required,dsn-known,dsn-other-project,list-pages,no-server-error,"
    "known-event,unknown-event,exact-values,unknown-keys,dsn"
)
PAYLOADS = (
    "$(touch${IFS}PWN)",
    "`touch PWN`",
    "'\"; touch PWN; \"'",
    "\\'; touch PWN; #",
    "'",
    "' -H 'Authorization: Bearer '\"",  # hidden after the quoting, it would leave a quote open
    "\"; import os; os.mkdir('PWN'); \"",
    "'''+__import__('os').mkdir('PWN')+'''",
    "{__import__('os').mkdir('PWN')}",
    "<script>document.title='PWN'</script></pre>",
    "|| touch PWN & touch PWN | touch PWN > PWN",
    "@PWN [1-3]{a,b} !touch",
    "\\'\"; touch PWN; #",  # in fish, \' does not end what ' began
    "=PWN",
)


def hostile(payload: str) -> Any:
    """A server that accepts everything, by DSN with a different status, and sends the payload wherever it can."""

    def project() -> dict[str, Any]:
        tokens = {"write": f"w{payload}", "read": f"r{payload}", payload: payload}
        key = re.sub(r"[/?#\[\]]", "", payload)
        return {
            "organization": payload,
            "project": f"\n{payload}",
            "id": payload,
            "tokens": tokens,
            "dsn": f"http://{key}@h/{payload}",
        }

    feedback = dict.fromkeys(("id", "eventID", "name", "email", "comments", "dateCreated", "issue"), f"\n{payload}")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        body: Any = [feedback, payload] if scope["method"] == "GET" else feedback
        if scope["path"].startswith("/_control"):
            body = [{payload: payload}] if scope["path"].endswith("/feedback") else project()
        link = f'<http://h>; rel="next"; results="true"; cursor="{payload.replace(chr(34), "")}"'
        headers = [(b"content-type", b"application/json"), (b"link", link.encode()), (b"allow", payload.encode())]
        by_dsn = any(value.startswith(b"DSN ") for _, value in scope["headers"])
        status = 500 if b"cursor" in scope["query_string"] else 201 if by_dsn else 200
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})

    return app


class _Lines(HTMLParser):
    """The texts of `pre` elements with lines to paste, or marked as shell."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag == "pre" and (("class", "lines") in attrs or ("lang", "sh") in attrs)
        if self._inside:
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found[-1] += data


def _shown(page: str) -> list[str]:
    parser = _Lines()
    parser.feed(page)
    return parser.found


def _nothing_happened(folder: Path, script: list[str], program: str) -> None:
    """Runs both in an empty folder: they run to the end, and leave nothing behind."""
    empty = folder / "empty"
    empty.mkdir()
    shell = subprocess.run(["bash", "-c", "\n".join(script)], cwd=empty, capture_output=True, text=True, check=False)
    python = subprocess.run([sys.executable, "-c", program], cwd=empty, capture_output=True, text=True, check=False)

    assert (shell.returncode, shell.stderr) == (0, "")
    assert python.returncode == 0, python.stderr
    assert "<- 200" in shell.stdout
    assert list(empty.iterdir()) == []


# A run each: a sample, because the next test covers all.
@pytest.mark.parametrize("payload", PAYLOADS[::4])
def test_lines_of_every_report_run_nothing_of_the_target(
    payload: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same lines in all reports, run against the hostile target itself."""
    kinds = ("json", "junit", "html", "markdown")
    flags = [flag for kind in kinds for flag in ("--report", f"{kind}={tmp_path / kind}")]
    with serving(hostile(payload)) as url:
        code = main([url, "--control", url, "--rules", RULES, "--depth", "quick", *flags])
        terminal = capsys.readouterr().out
        rules = [each for each in json.loads((tmp_path / "json").read_text())["rules"] if each["verdict"] == "violated"]
        lines = [line for rule in rules for line in rule["reproduction"]]
        _nothing_happened(tmp_path, lines, "\n".join(rule["program"] for rule in rules))

    assert code == 1
    assert len(rules) >= 5
    assert any("Authorization: DSN " in line and "$DSN_" in line for line in lines)
    assert all(line.isprintable() for line in lines)
    blocks = ["\n".join(rule["reproduction"]) for rule in rules]
    printed = terminal.splitlines()
    assert [line[4:] for line in printed if line.startswith("    ") and line[4:] in lines] == lines
    assert set(_shown((tmp_path / "html").read_text())) >= {*blocks, *(rule["program"] for rule in rules)}
    assert _shown((tmp_path / "markdown").read_text()) == ["\n".join(_cut(each)) for each in blocks]
    failures = [each.text or "" for each in ElementTree.parse(tmp_path / "junit").getroot().iter("failure")]
    assert all(text.endswith(block) for text, block in zip(failures, blocks, strict=True))


def _cut(block: str) -> list[str]:
    lines = block.split("\n")
    return lines if len(lines) <= 40 else [*lines[:40], f"# … {len(lines) - 40} lines more"]


@pytest.mark.parametrize(
    "payload", [*PAYLOADS, "\n touch PWN\n", "\r\ntouch PWN", "\x1b]0;PWN\x07", "\u202ePWN", "é\0"]
)
def test_every_field_of_a_step_is_quoted(payload: str, tmp_path: Path) -> None:
    """Including those that no target chooses today."""
    project = Project(payload, payload, {"write": Credential("Bearer ", payload, "WRITE_1")})
    request = Request(
        "POST",
        f"http://127.0.0.1:1/{payload}",
        {"Authorization": project.credentials["write"], "X-Other": payload},
        payload.encode(),
    )
    exchange = Exchange(request, 200, {}, b"", 0, 0)
    large = replace(request, content=payload.encode() + b"x" * 3_000)
    steps: list[Step] = [
        Send(project, request, exchange, at_once=True),
        Send(project, large, replace(exchange, request=large)),
        Send(project, request),
        SaveEvent(project, payload, {"saved_ago": 1}, exchange),
        SaveEvent(project, payload, {}, words=("echo", payload)),
        SaveEvent(project, payload, {"saved_ago": 1, payload: payload}),
        Open(project, exchange, "PROJECT_1"),
    ]
    empty = tmp_path / "empty"
    empty.mkdir()
    lines = as_shell(steps)
    typed = "".join(f"{line}\n" for line in [*lines, "exit"])
    for words in (each for each in SHELLS.values() if shutil.which(each[0])):
        subprocess.run(words, input=typed, cwd=empty, capture_output=True, text=True, check=False)
    calls = {ast.unparse(each.func) for each in ast.walk(ast.parse(as_python(steps))) if isinstance(each, ast.Call)}

    assert all(line.isprintable() for line in lines)
    assert list(empty.iterdir()) == []
    ours = {"httpx.Client", "client.request", "answer.headers.multi_items", "print", "repr", "send"}
    assert calls == {*ours, "subprocess.run", "PROJECT_1.json"}


@pytest.mark.parametrize(
    "dsn",
    ["$(touch${IFS}PWN)//x", "", "http://h/1", "http://k@[/1", "http://k@h/", "http://k@h/1\ntouch PWN", 1, None, {}],
)
def test_dsn_that_is_none_is_exit_2(dsn: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence says what the control API should have returned, and does not repeat it."""

    async def answer(_: Any) -> JSONResponse:
        return JSONResponse({"tokens": {"write": "w", "read": "r"}, "dsn": dsn})

    with serving(Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "PUT"])])) as url:
        code = main([url, "--control", url, "--rules", RULES])

    shown = capsys.readouterr()
    assert code == 2
    assert "the control API's response" in shown.err
    assert "touch" not in shown.err + shown.out
    assert "Traceback" not in shown.err


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Anything run by mistake while verifying runs in a folder that is checked."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    yield
    assert list(folder.iterdir()) == []
