"""Files that others may have written: settings, baselines, plans, reports and recorded requests."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from feedback_verify import reading
from feedback_verify.cli import main

DEEP = "[" * 50_000
READERS = {
    "config": ["--config"],
    "baseline": ["--rules", "bearer", "--baseline"],
    "plan": ["replay"],
    "report": ["compare"],
    "journal": ["client", "--journal"],
}
ENTRY: dict[str, Any] = {
    "startedDateTime": "2026-01-01T00:00:00Z",
    "time": 1,
    "request": {
        "method": "POST",
        "url": "https://sentry.example/api/0/projects/acme/web/user-feedback/",
        "headers": [{"name": "Content-Type", "value": "application/json"}],
        "postData": {"text": json.dumps({"event_id": "f" * 32, "name": "n", "email": "j@e.com", "comments": "c"})},
    },
    "response": {"status": 409, "headers": [], "content": {"text": "{}"}},
    "_feedback": {"number": 1, "fault": None, "now": None},
}
WRONG: list[tuple[str, Any]] = [
    ("startedDateTime", None),
    ("startedDateTime", "9999-12-31T23:59:59-23:59"),
    ("startedDateTime", "0001-01-01T00:00:00+23:59"),
    ("startedDateTime", "2026-01-01T00:00:00." + "1" * 10_000 + "Z"),
    ("time", "1"),
    ("time", 10**30),
    ("time", float("inf")),
    ("time", float("nan")),
    ("request/url", "http://["),
    ("request/headers/0/name", None),
    ("request/headers/0/value", []),
    ("request/postData/text", {}),
    ("request/postData/_encoding", 1),
    ("response/status", 10**30),
    ("response/headers", {}),
    ("response/content", None),
    ("response/content/text", 1),
    ("_feedback/number", 1.5),
    ("_feedback/operation", {}),
    ("_feedback/now", "9999-12-31T23:59:59-23:59"),
    ("_feedback/fault", {}),
    ("_feedback/request", {"problems": [{}]}),
]


def _ended(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What it says on stderr when it ends with one sentence."""
    assert main(words) == 2

    said = capsys.readouterr().err
    assert said.count("Error: ") == 1
    assert "Traceback" not in said
    assert "has a bug" not in said
    return said


def _sentence(kind: str, file: Path, capsys: pytest.CaptureFixture[str]) -> str:
    twice = [str(file)] * (2 if kind == "report" else 1)
    return _ended([*READERS[kind], *twice, *(["http://127.0.0.1:1"] if kind == "plan" else [])], capsys)


@pytest.mark.parametrize("kind", READERS)
def test_a_file_that_is_nested_too_deeply_is_refused(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "deep"
    file.write_text(f"a = {DEEP}" if kind in ("config", "baseline") else DEEP)

    assert "it is nested too deeply" in _sentence(kind, file, capsys)


@pytest.mark.parametrize("kind", READERS)
def test_a_device_that_never_ends_is_refused(
    kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reading, "LARGEST_DATA", 1_000_000)

    assert "/dev/zero: cannot be read: it is larger than" in _sentence(kind, Path("/dev/zero"), capsys)


@pytest.mark.parametrize(("place", "value"), WRONG, ids=[f"{place}={value!r:.20}" for place, value in WRONG])
def test_a_recorded_request_that_is_none_is_named(
    place: str, value: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the place in the file, or with the text that is wrong."""
    entry, file = copy.deepcopy(ENTRY), tmp_path / "x.har"
    inside: Any = entry
    *path, last = (int(each) if each.isdigit() else each for each in place.split("/"))
    for each in path:
        inside = inside[each]
    inside[last] = value
    file.write_text(json.dumps({"log": {"entries": [ENTRY, entry]}}))

    assert "x.har: is not " in _ended(["client", "--journal", str(file)], capsys)


def test_other_keys_of_recorded_requests_may_have_any_value(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Tools add their own."""
    entry = ENTRY | {
        "_priority": None,
        "\ud800": 1,
        "timings": 1,
        "response": ENTRY["response"] | {"status": 409.0, "cookies": 7},
    }
    later = entry | {"startedDateTime": "2026-01-01T00:00:05Z"}
    (tmp_path / "x.har").write_text(json.dumps({"log": {"entries": [entry, later], "creator": []}}))

    assert main(["client", "--journal", str(tmp_path / "x.har")]) == 1

    assert "conflict-final is violated" in capsys.readouterr().out
