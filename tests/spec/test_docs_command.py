"""The `feedback-docs` command: what it prints and writes, and its messages for unusable input."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from feedback_spec.document import load
from feedback_spec.documentation.cli import main

SPEC = Path(__file__).parents[2] / "spec"
PAGE = Path(__file__).parents[1] / "data" / "page.txt"
FILES = {
    "reference.md",
    "reference.html",
    "timeline.svg",
    "page.md",
    "openapi.json",
    "openapi-3.1.json",
    "control.json",
    "control-3.1.json",
    "snapshot.schema.json",
    "ingest.json",
    "ingest-3.1.json",
}


def copy(tmp_path: Path, **replacements: str) -> Path:
    """The document, the reference and the drawing in a separate directory, with texts of the document replaced."""
    for name in ("REFERENCE.md", "timeline.svg"):
        shutil.copy(SPEC / name, tmp_path / name)
    text = (SPEC / "openapi.yaml").read_text("utf-8")
    for old, new in replacements.items():
        text = text.replace(old, new)
    (tmp_path / "openapi.yaml").write_text(text, "utf-8")
    return tmp_path / "openapi.yaml"


def test_page_is_printed_byte_for_byte() -> None:
    command = Path(sys.executable).with_name("feedback-docs")

    process = subprocess.run([command, "page"], capture_output=True, check=True)

    assert (process.stdout, process.stderr) == (PAGE.read_bytes(), b"")


def test_name_that_stdout_cannot_encode_is_escaped(tmp_path: Path) -> None:
    spec = copy(tmp_path).rename(tmp_path / "é.yaml")
    command = [str(Path(sys.executable).with_name("feedback-docs")), "check", "--spec", str(spec)]

    process = subprocess.run(
        command, env={"PYTHONIOENCODING": "ascii"}, capture_output=True, encoding="ascii", check=False
    )

    assert (process.returncode, process.stderr) == (0, "")
    assert r"/\xe9.yaml: is valid OpenAPI 3.0" in process.stdout


def test_build_writes_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "public"

    assert main(["build", "--out", str(out)]) == 0

    assert {each.name for each in out.iterdir()} == FILES
    assert capsys.readouterr().out.splitlines() == [str(out / each) for each in sorted(FILES, key=_order)]
    assert (out / "page.md").read_bytes() == PAGE.read_bytes()
    assert json.loads((out / "openapi.json").read_text("utf-8")) == load().openapi
    assert json.loads((out / "openapi-3.1.json").read_text("utf-8"))["openapi"] == "3.1.0"


def _order(name: str) -> int:
    order = ["reference.md", "reference.html", "timeline.svg", "page.md"]
    order += ["openapi.json", "openapi-3.1.json", "control.json", "control-3.1.json"]
    order += ["snapshot.schema.json", "ingest.json", "ingest-3.1.json"]
    return order.index(name)


def test_check_of_this_checkout_finds_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 12
    assert all(line.startswith("ok ") for line in lines)


def test_check_of_a_changed_limit_finds_texts_and_reference_stale(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--spec", str(copy(tmp_path, PT30M="PT10M"))]) == 1

    output = capsys.readouterr().out
    assert 'the texts say "30 minutes" for event-window, which is 10 minutes long' in output
    assert f"{tmp_path / 'REFERENCE.md'}: is stale" in output
    assert "\n-Feedback must be received by the server no more than 30 minutes" in output
    assert "\n+Feedback must be received by the server no more than 10 minutes" in output


def test_check_finds_a_text_that_speaks_of_another_limit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = copy(
        tmp_path,
        **{
            "        Feedback must be received by the server no more than 30 minutes": "        No more than 20 minutes"
        },
    )

    assert main(["check", "--spec", str(spec)]) == 1

    assert 'the description of submitUserFeedback does not say "30 minutes"' in capsys.readouterr().out


def test_check_finds_a_broken_example(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--spec", str(copy(tmp_path, **{"email: jane@example.com": "email: jane"}))]) == 1

    assert "an example is not valid: /paths/" in capsys.readouterr().out


def test_check_of_a_lone_document_says_that_nothing_was_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = copy(tmp_path)
    (tmp_path / "REFERENCE.md").unlink()

    assert main(["check", "--spec", str(spec)]) == 0

    assert f"{tmp_path / 'REFERENCE.md'}: does not exist, so there is nothing to compare" in capsys.readouterr().out


def test_check_of_an_invalid_document_says_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = copy(tmp_path, **{"  title: Submit User Feedback\n": "  titel: Submit User Feedback\n"})

    assert main(["check", "--spec", str(spec)]) == 1

    assert 'info: is not OpenAPI 3.0: "titel" is not a key here; did you mean "title"?' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["build", "--out", "{tmp}/file/public"], "cannot be written: "),
        (["build", "--out", "{tmp}/out", "--spec", "{tmp}/none.yaml"], "none.yaml: cannot be read: No such file"),
        (["page", "--spec", "{tmp}/file"], "file: is not an OpenAPI document"),
        (["check", "--spec", "{tmp}/file"], "file: is not an OpenAPI document"),
        (["page", "--spec", "{tmp}/invalid.yaml"], "invalid.yaml: info: is not OpenAPI 3.0: "),
        (
            ["build", "--out", "{tmp}/out", "--spec", "{tmp}/bare.yaml"],
            "bare.yaml: lacks something that the reference shows: ",
        ),
        (["page", "--spec", "{tmp}/bare.yaml"], "bare.yaml: "),
        (["build"], "Missing option '--out'"),
        (["publish"], "No such command 'publish'"),
        (["page", "--colour"], "No such option"),
    ],
)
def test_input_that_cannot_be_used_is_one_sentence(
    arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("words")
    text = (SPEC / "openapi.yaml").read_text("utf-8")
    (tmp_path / "invalid.yaml").write_text(text.replace("  title: Submit", "  titel: Submit"), "utf-8")
    (tmp_path / "bare.yaml").write_text(text.replace("servers:\n", "x-servers:\n", 1), "utf-8")

    assert main([each.format(tmp=tmp_path) for each in arguments]) == 2

    captured = capsys.readouterr()
    assert sentence in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("command", ["build", "page", "check", "reference", "diff"])
def test_every_command_knows_h(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "-h"]) == 0

    assert capsys.readouterr().out.startswith(f"Usage: feedback-docs {command}")


@pytest.mark.parametrize(
    ("argument", "words"), [("--help", "Generate the documentation of Submit User Feedback"), ("--version", "version")]
)
def test_help_and_version(argument: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([argument]) == 0

    assert words in capsys.readouterr().out


def test_clients_are_written_and_a_stale_one_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And those in the repository are current."""
    out = tmp_path / "clients"
    assert main(["clients", "--out", str(SPEC.parent / "clients"), "--check"]) == 0
    assert main(["clients", "--out", str(out)]) == 0
    written = capsys.readouterr().out.splitlines()
    (out / "typescript" / "control.js").write_text("// edited\n", "utf-8")

    assert main(["clients", "--out", str(out), "--check"]) == 1

    assert written[0] == str(out / "typescript" / "control.js")
    told = capsys.readouterr().err
    assert told == f"{written[0]}: is stale; `feedback-docs clients --out {out}` rewrites it\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("words", [["build", "--out", "{tmp}/out"], ["page"], ["check"], ["--help"]])
def test_stdout_that_takes_nothing_is_one_sentence(words: list[str], tmp_path: Path) -> None:
    """1 means that something is wrong or stale."""
    command = [sys.executable, "-m", "feedback_spec.documentation", *(each.format(tmp=tmp_path) for each in words)]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as unread:
        assert unread.stdout
        unread.stdout.close()
        told = unread.stderr.read() if unread.stderr else ""

    said = "feedback-docs: stdout cannot be written: "
    assert (ended.returncode, ended.stderr) == (2, f"{said}No space left on device.\n")
    assert (unread.returncode, told) == (2, f"{said}Broken pipe.\n")


@pytest.mark.parametrize("module", ["click", "jinja2", "openapi_spec_validator"])
def test_ctrl_c_is_one_word_at_any_time(module: str, tmp_path: Path) -> None:
    """Also while it imports the first libraries, and others on its way."""
    (tmp_path / f"{module}.py").write_text("raise KeyboardInterrupt\n")
    ended = subprocess.run(
        [sys.executable, "-m", "feedback_spec.documentation", "check"],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1] == "Stopped."
    assert "Traceback" not in ended.stderr
