"""`feedback-verify` as people and CI jobs use it: flags, exit codes, reports, reproductions."""

import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from feedback_spec.document import Document
from feedback_verify.cli import main
from feedback_verify.exchange import Exchange, Request
from feedback_verify.run import Run
from feedback_verify.targets import ControlTarget
from feedback_verify.verdicts import Verdict, exit_code

from tests.broken.mutants import NoDsn, OverwriteWindowTooLong
from tests.broken.serving import serving
from tests.shells import SHELLS

FEW = ("--rules", "submission,overwrite-window,dsn", "--depth", "quick")


@pytest.fixture(scope="module")
def broken_url() -> Iterator[str]:
    """A server whose overwrite window is too long."""
    with serving(OverwriteWindowTooLong().app()) as url:
        yield url


def test_conforming_target_is_exit_0(mock_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The verdicts are on stdout, the seed among them."""
    code = main([mock_url, "--control", mock_url, *FEW, "--seed", "7"])

    out = capsys.readouterr().out
    assert code == 0
    assert "3 verified, 0 violated" in out
    assert "repeat this run with --seed 7" in out


def test_violated_rule_is_exit_1_and_its_lines_show_it_again(
    broken_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The printed lines, pasted into a shell, end with the response that broke the rule."""
    report = tmp_path / "verdicts.json"
    code = main([broken_url, "--control", broken_url, *FEW, "--report", f"json={report}"])
    rule = next(each for each in json.loads(report.read_text())["rules"] if each["id"] == "overwrite-window")
    typed, lasts = "\n".join([*rule["reproduction"], "exit", ""]), {}
    for name in filter(shutil.which, SHELLS.keys() - {"fish"}):  # whose variables are set otherwise
        shell = subprocess.run(SHELLS[name], input=typed, capture_output=True, text=True, check=False)
        lasts[name] = re.findall("<- .*", shell.stdout)[-1]

    assert code == 1
    assert "overwrite-window is violated" in capsys.readouterr().out
    assert "clock/advance" in "\n".join(rule["reproduction"])
    assert len(lasts) >= 2
    assert set(lasts.values()) == {"<- 200 (200 in the report)"}


def test_report_may_go_to_stdout(mock_url: str) -> None:
    """Complete, before the verdicts; /dev/stdout is never replaced by a file."""
    command = [str(Path(sys.executable).with_name("feedback-verify")), mock_url, "--control", mock_url, *FEW]
    shown = subprocess.run(
        [*command, "--report", "json=/dev/stdout"], capture_output=True, text=True, check=True
    ).stdout
    report, rest = json.JSONDecoder().raw_decode(shown)

    assert (report["exit_code"], report["summary"]["verified"]) == (0, 3)
    assert "3 verified, 0 violated" in shown[rest:]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--nonsense"], "No such option"),
        (["http://127.0.0.1:1"], "--organization"),
        (["http://127.0.0.1:1", "--organization", "o", "--project", "p"], "--token"),
        (["localhost:8080", "--control", "http://127.0.0.1:1"], "is not a URL"),
        (["--spec", "/no/such/file.yaml"], "/no/such/file.yaml: cannot be read: No such file"),
        (["--config", "/no/such/file.toml"], "/no/such/file.toml: cannot be read"),
        (["--rules", "nonsense"], 'no rule "nonsense"'),
        (["--report", "pdf=x"], "KIND=FILE"),
        (["--report", "json=/no/such/directory/x"], "no directory"),
        (["--report", "json=x", "--report", "html=./x"], '"json=x" and "html=./x" are the same file.'),
    ],
)
def test_bad_input_is_exit_2_and_one_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Never a traceback."""
    code = main(arguments)

    error = capsys.readouterr().err
    assert code == 2
    assert sentence in error
    assert "Traceback" not in error


def test_dead_port_is_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    """What was tried and what to check."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        code = main([url, "--control", url])

    assert code == 2
    assert "no response" in capsys.readouterr().err


def test_config_file_stands_behind_the_environment(
    mock_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Flags, then environment, then the file."""
    config = tmp_path / "feedback.toml"
    config.write_text(f'url = "{mock_url}"\ncontrol = "http://127.0.0.1:1"\nseed = 5\n')
    monkeypatch.setenv("FEEDBACK_CONTROL", mock_url)
    code = main(["--config", str(config), "--rules", "head"])

    assert code == 0
    assert "--seed 5" in capsys.readouterr().out


def test_unknown_key_in_the_config_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelling is not a silent default."""
    config = tmp_path / "feedback.toml"
    config.write_text('tokn = "x"\n')

    assert main(["--config", str(config)]) == 2
    assert '"tokn" is unknown' in capsys.readouterr().err


def test_reports_hold_every_rule_once_and_no_secret(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """JUnit: failure for violated, skipped with a reason for rules that are not verified."""
    json_path, junit_path = tmp_path / "v.json", tmp_path / "v.xml"
    with serving(NoDsn().app()) as url, ControlTarget(url, url) as maker:
        project, _ = maker.open()
        token, dsn = (project.credentials[kind].secret for kind in ("write", "dsn"))
        arguments = ["--organization", project.organization, "--project", project.slug, "--token", token, "--dsn", dsn]
        code = main([url, *arguments, "--report", f"json={json_path}", "--report", f"junit={junit_path}"])

    cases = ElementTree.parse(junit_path).getroot().findall(".//testcase")
    rules = json.loads(json_path.read_text())["rules"]
    assert code == 1
    assert [case.get("name") for case in cases] == [rule["id"] for rule in rules]
    outcome = {case.get("name"): case for case in cases}
    assert outcome["dsn"].find("failure") is not None
    skipped = outcome["event-window"].find("skipped")
    assert skipped is not None
    assert "--control" in str(skipped.get("message"))
    shown = json_path.read_text() + junit_path.read_text() + "".join(capsys.readouterr())
    assert token not in shown
    assert dsn not in shown


def test_stopping_reports_what_is_known(mock_url: str, document: Document) -> None:
    """Ctrl-C in the middle: the rest is not run, and nothing has passed that was not seen."""

    class Interrupted(ControlTarget):
        left = 300

        def exchange(self, request: Request) -> Exchange:
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
            return super().exchange(request)

    with Interrupted(mock_url, mock_url) as target:
        run = Run(document, target, seed=1)
        results = run.execute()

    verdicts = {result.verdict for result in results.values()}
    assert run.stopped
    assert verdicts == {Verdict.VERIFIED, Verdict.NOT_RUN}
    assert exit_code(results) == 3


def test_a_run_is_repeatable(mock_url: str, document: Document) -> None:
    """The same seed sends the same requests, except for the names of sandboxes and the order of concurrent ones."""

    class Recording(ControlTarget):
        def __init__(self, url: str) -> None:
            super().__init__(url, url)
            self.sent: list[tuple[str, str, bytes]] = []

        def exchange(self, request: Request) -> Exchange:
            url = re.sub(r"(roject|other)-\d+|(?<=/)\d+(?=/)", r"\1", request.url.replace(self._run, "run"))
            content = re.sub(rb"--[0-9a-f]{32}", b"--boundary", request.content or b"")  # Schemathesis' own
            content = content.replace(self._run.encode(), b"run")
            content = re.sub(rb'(roject|other)-\d+|(?<="project_id": ")\d+', rb"\1", content)
            self.sent.append((request.method, url, content))
            return super().exchange(request)

    runs = []
    for _ in range(2):
        with Recording(mock_url) as target:
            Run(document, target, seed=11, depth="quick").execute()
            runs.append(sorted(target.sent))

    assert runs[0] == runs[1]


def test_pytest_has_a_test_per_rule(mock_url: str, document: Document, tmp_path: Path) -> None:
    """`pytest --pyargs feedback_verify --feedback-url URL`, from anywhere."""
    options = [
        "--feedback-url",
        mock_url,
        "--feedback-control",
        mock_url,
        "--feedback-depth",
        "quick",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
    ]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "--pyargs", "feedback_verify", *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout
    assert f"{len(document.rules)} passed" in ran.stdout


@pytest.mark.parametrize("command", [[], ["verify"], ["replay"]])
def test_help_has_a_short_flag_everywhere(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Also without a command, which shows the options of `verify` and the other commands."""
    code = main([*command, "-h"])
    shown = capsys.readouterr().out

    assert code == 0
    assert "--control URL" in shown
    assert command or "replay" in shown


def test_mistyped_rule_is_told_what_is_like_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Not every rule there is."""
    code = main(["--rules", "overwrite-widnow"])
    error = capsys.readouterr().err

    assert code == 2
    assert 'did you mean "overwrite-window"' in error
    assert "list-pages" not in error
