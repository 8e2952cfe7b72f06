"""1 means an observed violation. Everything that goes wrong on our side is 2, with one sentence."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from feedback_verify.cli import main
from feedback_verify.exchange import Exchange, Project, Request
from feedback_verify.run import Run
from feedback_verify.steps import Step
from feedback_verify.targets import ControlTarget, IngestSeeder
from feedback_verify.targets.url import UrlTarget

from tests.targets import example

PROGRAM = str(Path(sys.executable).parent / "feedback-verify")
PLACE = ["--organization", "acme", "--project", "shop"]
FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("kind", ["json", "junit", "html", "har", "markdown"])
def test_report_that_cannot_be_written_is_2(
    kind: str, mock_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The others are written all the same, and the verdicts printed."""
    other = tmp_path / "other"
    reports = ["--report", f"{kind}={FULL}", "--report", f"markdown={other}"]
    code = main([mock_url, "--control", mock_url, "--rules", "head", *reports])

    shown = capsys.readouterr()
    assert code == 2
    assert re.fullmatch(rf"Error: --report {kind}=/dev/full: .*\.\n", shown.err)
    assert "1 verified" in shown.out
    assert other.exists()


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_verdicts_that_cannot_be_printed_are_2(mock_url: str) -> None:
    """Python's own complaint at exit is suppressed."""
    with FULL.open("w") as full:
        words = [PROGRAM, mock_url, "--control", mock_url, "--rules", "head"]
        ran = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, check=False)

    assert ran.returncode == 2
    assert ran.stderr == "Error: The verdicts cannot be printed: No space left on device.\n"


def test_nobody_reading_the_verdicts_is_no_violation(mock_url: str) -> None:
    """The pipe closes before anything is written."""
    words = [PROGRAM, mock_url, "--control", mock_url, "--rules", "head"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout
        running.stdout.close()
        said = running.stderr.read() if running.stderr else ""

    assert running.returncode == 2
    assert said == "Error: The verdicts cannot be printed: Broken pipe.\n"


@pytest.mark.parametrize("debug", [[], ["--debug"]])
def test_mistake_of_ours_is_2(
    debug: list[str], mock_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was seen before is reported; the traceback is available on request."""
    real = Run._run_check

    def failing(self: Run, *arguments: object) -> None:
        if self.sent:
            raise KeyError("\x1b[31moops")
        real(self, *arguments)  # type: ignore[arg-type]  # passed on unchanged

    monkeypatch.setattr(Run, "_run_check", failing)
    report = tmp_path / "v.json"
    flags = ["--rules", "submission,head", "--report", f"json={report}", *debug]
    code = main([mock_url, "--control", mock_url, *flags])

    shown = capsys.readouterr()
    told = json.loads(report.read_text())
    assert code == 2
    assert ("Traceback" in shown.err) == bool(debug)
    assert "feedback-verify has a bug; this says nothing about the target: KeyError: " in shown.err.splitlines()[-1]
    assert "\x1b" not in shown.err.splitlines()[-1]
    assert told["exit_code"] == 2
    assert "KeyError" in told["trouble"]
    assert {rule["id"]: rule["verdict"] for rule in told["rules"]}["submission"] == "verified"


def test_control_api_that_fails_on_the_way_is_2(mock_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reports say what was seen and what went wrong."""

    class Failing(ControlTarget):
        advanced = 0

        def advance(self, project: Project, microseconds: int) -> Step:
            self.advanced += 1
            self._control += "/gone" * (self.advanced == 3)
            return super().advance(project, microseconds)

    monkeypatch.setattr("feedback_verify.settings.ControlTarget", Failing)
    report = tmp_path / "v.md"
    code = main([mock_url, "--control", mock_url, "--report", f"markdown={report}"])

    assert code == 2
    assert "Could not be tested" in report.read_text()


def test_dsn_alone_is_enough(tmp_path: Path) -> None:
    """Also for the windows, for Schemathesis and for the order of the checks: nobody has a token there."""
    report = tmp_path / "v.json"
    flags = ["--app", "tests.targets.example:app", "--seed-callable", "tests.targets.example:seed", "--depth", "quick"]
    words = [PROGRAM, *flags, *PLACE, "--dsn", example.DSN, "--require", "level", "--report", f"json={report}"]
    ran = subprocess.run(words, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)

    verdicts = {rule["id"]: rule["verdict"] for rule in json.loads(report.read_text())["rules"]}
    assert ran.returncode == 0, ran.stdout + ran.stderr
    judged = {verdicts[rule] for rule in ("event-window", "overwrite-window", "window-order", "dsn")}
    assert judged == {"as answered, not read back"}  # a DSN lists nothing
    assert verdicts["conflict-body"] == "verified"
    assert verdicts["bearer"] == verdicts["list"] == "not verifiable here"


def test_ingest_takes_a_dsn_with_an_ipv6_address() -> None:
    """The address needs its brackets."""
    sent: list[Request] = []

    def exchange(request: Request) -> Exchange:
        sent.append(request)
        return Exchange(request, 200, {}, b"{}", 0, 0)

    with UrlTarget("http://[::1]:9000", "acme", "shop", {"dsn": "http://key@[::1]:9000/prefix/1"}) as target:
        target.seed_with(IngestSeeder("http://key@[::1]:9000/prefix/1", exchange))
        target.save_event(target.open()[0], "a" * 32, {})

    assert sent[0].url == "http://[::1]:9000/prefix/api/1/store/"
    assert "key" not in str(sent[0].shown_headers()["X-Sentry-Auth"]).rpartition("sentry_key=")[2]


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--dsn", "nonsense"], "--dsn: the value is wrong: a DSN has the form https://KEY@HOST/PROJECT_ID."),
        (["--token", "x", "--other-dsn", "http://k@h"], "--other-dsn: the value is wrong: a DSN has the form"),
        (["--token", "two\nlines"], "--token: the value is wrong: a token or DSN must be printable ASCII text"),
        (["--token", "x", "--provider-state-url", "http://["], '--provider-state-url: "http://[" is not a URL such as'),
    ],
)
def test_credentials_that_cannot_be_sent_are_2(
    flags: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is."""
    code = main(["http://127.0.0.1:1", *PLACE, *flags])

    assert code == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (r'spec = "\u0000"', "spec must be a text without the character U+0000."),
        (r'baseline = "a\u0000b"', "baseline must be a text without the character U+0000."),
        (f"seed = {'9' * 5_000}", "is not TOML that can be read: a number has too many digits."),
    ],
)
def test_settings_that_python_cannot_take_are_2(
    line: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "feedback.toml"
    config.write_text(f"{line}\n")

    assert main(["--config", str(config)]) == 2
    assert capsys.readouterr().err.endswith(f"Error: {config}: {sentence}\n")


def test_baseline_with_a_number_without_end_is_2_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    baseline = tmp_path / "baseline.toml"
    baseline.write_text(f"[accepted]\nhead = {'9' * 5_000}\n")

    assert main(["--baseline", str(baseline)]) == 2
    assert f"{baseline}: is not TOML that can be read: a number has too many digits." in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [[], ["--report", "json=x.json"], ["client", "--report", "json=x.json", "--", "true"]]
)
def test_working_directory_that_is_gone_is_2(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Hypothesis asks for it at import, and so does every relative path."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    assert main(words) == 2
    assert capsys.readouterr().err == "Error: The working directory cannot be used: No such file or directory.\n"


@pytest.mark.parametrize("debug", [[], ["--debug"]])
def test_mistake_of_ours_while_parsing_is_2(
    debug: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever it is: nobody has observed a violation yet."""

    def failing(*_: object) -> None:
        raise KeyError("oops")

    monkeypatch.setattr("feedback_verify.flags.Path.absolute", failing)
    code = main(["--report", "json=x", *debug])

    shown = capsys.readouterr().err
    assert code == 2
    assert ("Traceback" in shown) == bool(debug)
    assert "feedback-verify has a bug; this says nothing about the target: KeyError: 'oops'" in shown.splitlines()[-1]


def test_installation_that_cannot_be_imported_is_2(tmp_path: Path) -> None:
    (tmp_path / "rich.py").write_text("raise AttributeError('from another time')\n")
    words = [sys.executable, "-m", "feedback_verify"]
    ran = subprocess.run(words, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False)

    assert ran.returncode == 2
    assert ran.stderr == "feedback-verify: cannot be imported: AttributeError: from another time\n"


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_stderr_and_help_that_cannot_be_written_are_2() -> None:
    """Nothing can be said about the first."""
    with FULL.open("w") as full:
        refused = subprocess.run([PROGRAM, "--nonsense"], stderr=full, check=False)
        helped = subprocess.run([PROGRAM, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)

    assert refused.returncode == 2
    assert (helped.returncode, helped.stderr) == (2, "Error: The help cannot be printed: No space left on device.\n")
