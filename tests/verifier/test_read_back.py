"""A verdict claims no more than was seen: what a target stores is verified only if it is shown."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from feedback_verify.cli import main
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.broken.server import Implementation, Project
from tests.broken.serving import serving
from tests.targets import example

PLACE = ["--organization", "acme", "--project", "shop", "--depth", "quick"]
CREDENTIALS = ["--token", example.TOKEN, "--dsn", example.DSN]
STORING = "submission,overwrite,credentials-required,field-blank"
ANSWERING = "head,route,response-schema"


class StoresNothing(example.OnTheRealClock):
    """Responds correctly to everything, and lists nothing."""

    def listing(self, request: Request, project: Project) -> Response:
        """Whatever was submitted, it is not there."""
        return JSONResponse([])


@pytest.fixture(scope="module", params=[StoresNothing, example.OnTheRealClock])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A server that is a URL with credentials and nothing else."""
    with serving(request.param().app()) as url:
        yield url


def verified(url: str, folder: Path, *flags: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the report."""
    code = main([url, *PLACE, *CREDENTIALS, *flags, "--report", f"json={folder / 'v.json'}"])
    return code, json.loads((folder / "v.json").read_text("utf-8"))


def test_what_nothing_shows_is_as_answered(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A server that stores nothing is never said to conform, and neither is one that might."""
    code, report = verified(url, tmp_path, "--rules", f"{STORING},{ANSWERING}")

    verdicts = {rule["id"]: rule["verdict"] for rule in report["rules"]}
    assert code == 3
    assert {verdicts[rule] for rule in STORING.split(",")} == {"as answered, not read back"}
    assert {verdicts[rule] for rule in ANSWERING.split(",")} == {"verified"}
    shown = capsys.readouterr().out
    assert "3 of the 7 rules asked for verified, none violated; 4 as answered, not read back" in shown
    assert "Conforms" not in shown


@pytest.mark.parametrize(("require", "code"), [("level", 0), ("core", 0), ("head,route", 0), ("submission", 3)])
def test_require_says_what_is_enough(require: str, code: int, url: str, tmp_path: Path) -> None:
    assert verified(url, tmp_path, "--rules", "head,route,submission", "--require", require)[0] == code


def test_coverage_that_shrinks_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A rule verified in an earlier report but not in this run is named: a secret was dropped."""
    with serving(Implementation().app()) as url:
        earlier = tmp_path / "earlier.json"
        rules = ["--rules", "head,field-blank", "--depth", "quick"]
        assert main([url, "--control", url, *rules, "--report", f"json={earlier}"]) == 0
        assert main([url, "--control", url, *rules, "--require", str(earlier)]) == 0
    with serving(example.OnTheRealClock().app()) as url:
        assert verified(url, tmp_path, *rules, "--require", str(earlier))[0] == 3

    shown = capsys.readouterr().out
    assert f"field-blank was verified in {earlier}, and is as answered, not read back now." in shown


@pytest.mark.parametrize("content", [None, "{}", "[1]", '{"rules": [1]}', "nonsense"])
def test_earlier_report_that_is_none_is_named(
    content: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is sent."""
    path = tmp_path / "earlier.json"
    if content is not None:
        path.write_text(content, "utf-8")
    code = main(["http://127.0.0.1:1", *PLACE, *CREDENTIALS, "--require", str(path)])

    assert code == 2
    assert capsys.readouterr().err.startswith(f"Error: {path}: ")
