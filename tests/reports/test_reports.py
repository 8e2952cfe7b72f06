"""Every kind of report from one run against a broken server, and the baseline that accepts known violations."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from xml.etree import ElementTree

import jsonschema_rs
import pytest
from feedback_spec.document import load
from feedback_verify.cli import main

from tests.broken.mutants import OverwriteWindowTooLong
from tests.broken.serving import serving

DATA = Path(__file__).parents[1] / "data"
FEW = ("--rules", "submission,event-window,overwrite-window", "--depth", "quick")
KINDS = ("json", "junit", "html", "har", "markdown")


@pytest.fixture(scope="module")
def broken_url() -> Iterator[str]:
    """A server whose overwrite window is too long."""
    with serving(OverwriteWindowTooLong().app()) as url:
        yield url


@pytest.fixture(scope="module")
def reports(broken_url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The text of every kind of report, by kind."""
    folder = tmp_path_factory.mktemp("reports")
    wanted = [flag for kind in KINDS for flag in ("--report", f"{kind}={folder / kind}")]
    main([broken_url, "--control", broken_url, *FEW, *wanted])
    return {kind: (folder / kind).read_text("utf-8") for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_report_names_the_violation_and_no_secret(kind: str, reports: dict[str, str]) -> None:
    """The server's tokens begin with what they allow, its public keys with many an `a`."""
    text = re.sub(r"&#4[53];|&#x2d;", "-", reports[kind])

    assert kind == "har" or "overwrite-window" in text
    assert not re.search(r"(write|read)-verify-[0-9a-f]+-project", text)
    assert "a" * 20 not in text


def test_json_report_is_as_its_schema_says(reports: dict[str, str]) -> None:
    """The published schema, which is in the package."""
    schema = json.loads((resources.files("feedback_verify") / "report.schema.json").read_text("utf-8"))

    jsonschema_rs.validator_for(schema).validate(json.loads(reports["json"]))


def test_report_schema_allows_nothing_else(reports: dict[str, str]) -> None:
    """Missing and unknown keys are detected, down to the exchanges."""
    schema = json.loads((resources.files("feedback_verify") / "report.schema.json").read_text("utf-8"))
    validator = jsonschema_rs.validator_for(schema)
    for place in ((), ("rules", 0), ("rules", 0, "exchanges", 0, "request")):
        report = json.loads(reports["json"])
        node = report
        for step in place:
            node = node[step]
        removed = node.pop(next(iter(node)))
        assert not validator.is_valid(report)
        node["unknown"] = removed
        assert not validator.is_valid(report)


def test_page_loads_nothing(reports: dict[str, str]) -> None:
    """One file, with the pictures of both windows in it."""
    page = reports["html"]

    assert re.findall(r"""(?:src|href)=["'](?!#)""", page) == []
    assert "@import" not in page
    assert page.count("<svg") >= 2


def test_archive_is_har_with_every_exchange(reports: dict[str, str]) -> None:
    """Valid under the schema of version 1.2, in the order of sending."""
    archive = json.loads(reports["har"])
    log = archive["log"]
    validator = jsonschema_rs.validator_for(json.loads((DATA / "har-1.2.schema.json").read_text("utf-8")))

    validator.validate(archive)
    assert [entry["_feedback"]["number"] for entry in log["entries"]] == list(range(1, len(log["entries"]) + 1))
    assert {entry["response"]["status"] for entry in log["entries"]} >= {200}
    assert {entry["_feedback"]["state"] for entry in log["entries"]} == {"answered"}
    for entry in log["entries"]:
        sent = entry["request"].get("postData", {"text": ""})["text"].lower().replace("-", "")
        assert all(each in sent for each in entry["_feedback"]["event_ids"])
    assert all(entry["request"]["method"] and entry["startedDateTime"] for entry in log["entries"])


@pytest.mark.parametrize("part", ["request", "response", "timings", "cache", "startedDateTime"])
def test_archive_schema_misses_nothing(part: str, reports: dict[str, str]) -> None:
    """An entry with a missing or unknown part is not HAR."""
    archive = json.loads(reports["har"])
    entry = archive["log"]["entries"][0]
    validator = jsonschema_rs.validator_for(json.loads((DATA / "har-1.2.schema.json").read_text("utf-8")))
    entry["unknown"] = entry.pop(part)
    without = {key: value for key, value in entry.items() if key != "unknown"}

    assert not validator.is_valid(archive)
    archive["log"]["entries"][0] = without
    assert not validator.is_valid(archive)
    archive["log"]["entries"][0] = {**without, part: entry["unknown"]}
    assert validator.is_valid(archive)


def test_junit_says_how_long_each_rule_took(reports: dict[str, str]) -> None:
    """And all of them together; a violation is a failure with its steps, rules left out are skipped."""
    (suite,) = ElementTree.fromstring(reports["junit"])
    cases = {each.get("name", ""): each for each in suite.iter("testcase")}
    times = {name: float(each.get("time", "-1")) for name, each in cases.items()}
    failure = cases["overwrite-window"].find("failure")

    assert set(cases) == set(load().rules)
    assert times["submission"] > 0
    assert times["list"] == 0
    assert float(suite.get("time", "-1")) == pytest.approx(sum(times.values()), abs=0.01)
    assert (suite.get("failures"), suite.get("skipped")) == ("1", str(len(cases) - 3))
    assert failure is not None
    assert "t+5:00" in (failure.text or "")
    assert "curl" in (failure.text or "")


def test_markdown_says_the_violation_first(reports: dict[str, str]) -> None:
    """The rest is folded, as a job summary shows it."""
    violated, verified = (
        reports["markdown"].index(f"<code>{rule}</code>") for rule in ("overwrite-window", "submission")
    )

    assert reports["markdown"].startswith("### feedback-verify: ")
    assert violated < reports["markdown"].index("<details>") < verified


def test_program_of_a_violation_shows_it_again(reports: dict[str, str], tmp_path: Path) -> None:
    """Run unchanged; its last response is the one that broke the rule."""
    rule = next(each for each in json.loads(reports["json"])["rules"] if each["id"] == "overwrite-window")
    program = tmp_path / "again.py"
    program.write_text(rule["program"])
    ran = subprocess.run([sys.executable, program], capture_output=True, text=True, check=True)

    assert " <- 200 (200 in the report) " in ran.stdout.splitlines()[-1]


def test_baseline_accepts_what_is_known(broken_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is still shown as violated."""
    baseline = tmp_path / "baseline.toml"
    baseline.write_text('[accepted]\noverwrite-window = "known"\n')
    code = main([broken_url, "--control", broken_url, *FEW, "--baseline", str(baseline)])

    assert code == 0
    assert "1 violated (1 accepted)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("entry", "code", "sentence"),
    [
        ('submission = "known"', 1, '"submission" is no longer violated: remove it'),
        ('submision = "known"', 2, 'there is no rule "submision"; did you mean "submission"'),
        ("submission = 1", 2, "must be a string that gives the reason"),
    ],
)
def test_baseline_is_strict(
    entry: str, code: int, sentence: str, broken_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Fixed violations must be removed."""
    baseline = tmp_path / "baseline.toml"
    baseline.write_text(f'[accepted]\noverwrite-window = "known"\n{entry}\n')
    outcome = main([broken_url, "--control", broken_url, *FEW, "--baseline", str(baseline)])
    shown = "".join(capsys.readouterr())

    assert outcome == code
    assert sentence in " ".join(shown.split())
