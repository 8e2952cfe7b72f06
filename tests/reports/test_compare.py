"""`feedback-verify compare`: reports compared, differences first, and what is unknown kept apart."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from feedback_spec.document import load
from feedback_spec.profiles import DOCUMENTED, PROFILES
from feedback_verify.cli import main
from feedback_verify.reports import as_json
from feedback_verify.reports.compared import as_html, as_markdown
from feedback_verify.reports.comparison import Comparison, NotComparable, read_column

from tests.reports.hostile_report import hostile_report

DOCS = Path(__file__).parents[2] / "docs"


def report(**verdicts: str) -> dict[str, Any]:
    """A report of six rules; the first ones, a, b, c and so on, have these verdicts, the others are verified."""
    made = as_json(hostile_report("harmless"))
    made |= {"digest": "0" * 64, "trouble": None, "stopped": False}
    made["rules"] = made["rules"][:6]
    for letter, rule in zip("abcdef", made["rules"], strict=True):
        rule |= {"id": letter, "verdict": verdicts.get(letter, "verified"), "accepted": None, "detail": f"of {letter}"}
    return made


def written(folder: Path, **reports: dict[str, Any]) -> list[str]:
    """The reports as files of these names."""
    for name, content in reports.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return [str(folder / f"{name}.json") for name in reports]


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Two reports: a is violated in both, b in one, c unknown in one, d judged in none."""
    return written(
        tmp_path,
        one=report(a="violated", b="violated", c="inconclusive", d="not run"),
        two=report(a="violated", d="not run"),
    )


def _order(text: str) -> list[str]:
    """The rules in the order in which they are shown."""
    return re.findall(r"(?:<code>|^ {3})([a-f])\b", text, re.MULTILINE)


def test_what_differs_is_shown_first(files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Then what one target leaves open, then the rest, which is just a number in the terminal."""
    page, table = tmp_path / "page", tmp_path / "table"
    code = main(["compare", *files, "--report", f"html={page}", "--report", f"markdown={table}"])
    shown = capsys.readouterr().out

    assert code == 0
    assert _order(shown) == ["b", "c"]
    assert _order(page.read_text()) == ["b", "c", "a", "d", "e", "f"]
    assert _order(table.read_text()) == ["b", "b", "c", "a", "d", "e", "f"]
    assert "6 rules: 1 with different verdicts, 1 judged on some targets only, 4 with the same verdict" in shown


def test_unknown_is_no_verdict(files: list[str]) -> None:
    """Verified versus inconclusive is not a difference between targets, nor is a rule missing from one report."""
    columns = [read_column(Path(each)) for each in files]
    fewer = json.loads(Path(files[1]).read_text())
    fewer["rules"] = fewer["rules"][:5]
    third = read_column(Path(written(Path(files[0]).parent, three=fewer)[0]))
    rows = {row.rule: row for row in Comparison.of([*columns, third]).rows}

    assert {rule: row.agreement.name for rule, row in rows.items()} == {
        "a": "SAME",
        "b": "DIFFERS",
        "c": "PARTLY_KNOWN",
        "d": "SAME",
        "e": "SAME",
        "f": "PARTLY_KNOWN",
    }
    assert [cell.short for cell in rows["f"].cells] == ["verified", "verified", "no such rule"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"digest": "1" * 64},
            "The reports are from different documents (000000000000, 111111111111): a rule may mean",
        ),
        ({"profile": "sentry-9.1"}, "The reports are from different profiles (harmless, sentry-9.1): the targets were"),
        ({"version": "9.9.9"}, "different versions of feedback-verify (0.1.0, 9.9.9)"),
        ({"stopped": True}, "Incomplete runs: two."),
    ],
)
def test_reports_of_different_things_are_told(
    change: dict[str, Any], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In every rendering."""
    files = written(tmp_path, one=report(), two={**report(), **change})
    page = tmp_path / "page"
    code = main(["compare", *files, "--report", f"html={page}"])

    assert code == 0
    assert sentence in capsys.readouterr().out
    assert sentence in page.read_text()


def _broken(change: Callable[[dict[str, Any]], object]) -> str:
    made = report()
    change(made)
    return json.dumps(made)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "is not JSON: "),
        ("[" * 100_000, "is not JSON"),
        ("{}", "is not a report; "),
        ('{"format": 2}', "is a report in format 2; this feedback-verify reads format 1"),
        (
            _broken(lambda made: made.pop("rules")),
            'is not a complete report: at its top: "rules" is a required property',
        ),
        (_broken(lambda made: made["rules"][0].update(verdict="fine")), "is not a complete report: at rules/0/verdict"),
    ],
)
def test_file_that_is_not_a_report_is_one_sentence(
    content: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names the file, and what would be right."""
    (tmp_path / "bad.json").write_text(content)
    code = main(["compare", *written(tmp_path, good=report()), str(tmp_path / "bad.json")])
    said = capsys.readouterr().err

    assert code == 2
    assert said.startswith(f"Error: {tmp_path}/bad.json: {sentence}")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ([], "needs the JSON reports of at least two runs"),
        (["missing.json"], "missing.json: cannot be read: No such file or directory"),
        (["--report", "json=x"], '"json=x" is not KIND=FILE, where KIND is one of html, markdown'),
        (["--report", "html=/nowhere/x"], "/nowhere/x: cannot be written: there is no directory /nowhere"),
    ],
)
def test_wrong_use_is_one_sentence(
    more: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is written."""
    code = main(["compare", *written(tmp_path, one=report()), *more])

    assert code == 2
    assert sentence in capsys.readouterr().err


def test_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotComparable, match="cannot be read: Is a directory"):
        read_column(tmp_path)


def test_hostile_report_is_text_in_every_rendering(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever wrote the file: it produces no markup, no table cell and no terminal escape."""
    attack = "<img src=x>|a|\n| b |[x](javascript:1)`\x1b[31m[red]\u202e"
    evil = report()
    evil["target"] = evil["document"] = attack
    for rule in evil["rules"]:
        rule |= {"id": rule["id"] + attack, "rule": attack, "detail": attack, "group": attack, "verdict": "violated"}
    columns = [read_column(Path(each)) for each in written(tmp_path, one=evil, two=evil)]
    comparison = Comparison.of(columns)
    main(["compare", *(str(tmp_path / f"{name}.json") for name in ("one", "two"))])

    assert "<img" not in as_html(comparison)
    assert "<img" not in (table := as_markdown(comparison))
    assert "[x](" not in table
    assert {line.count("|") for line in table.splitlines() if line.startswith("|")} == {4}
    assert all(each.isprintable() for each in capsys.readouterr().out.splitlines())


def test_page_of_the_docs_has_every_rule_and_profile() -> None:
    """`make compare-profiles` updates it."""
    text = (DOCS / "compared.md").read_text()

    assert sorted(set(re.findall("<code>(.*?)</code>", text))) == sorted(load().rules)
    assert all(f"| {profile} " in text for profile in PROFILES if profile != DOCUMENTED)
