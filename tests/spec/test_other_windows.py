"""A document with other windows is loaded, checked and documented like ours."""

from pathlib import Path

import pytest
from feedback_spec.document import Document, load, load_control
from feedback_spec.documentation.build import built_files
from feedback_spec.documentation.check import findings
from feedback_spec.documentation.wording import window_texts

from tests.documents import WINDOWS, other_windows


@pytest.fixture(params=WINDOWS)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return other_windows(request.param, tmp_path / "openapi.yaml")


def test_document_is_valid_and_its_texts_are_true(path: Path) -> None:
    assert [each.sentence for each in findings(path) if not each.good] == []


def test_reference_says_each_window_with_its_limit_and_its_status(path: Path) -> None:
    document = load(path)
    files = built_files(document, load_control())

    for text in window_texts(document):
        for name in ("reference.md", "reference.html"):
            assert text.rule in files[name]
            assert text.sentence in files[name]
        assert text.limit in files["timeline.svg"]


def words(document: Document) -> list[tuple[str, str, str]]:
    return [(each.rule, each.at_limit, each.after) for each in window_texts(document)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "windows of other names",
            [("time-to-report", "accepted, 200", "refused, 409"), ("time-to-correct", "accepted, 200", "refused, 409")],
        ),
        (
            "three windows",
            [(f"{each}-window", "accepted, 200", "refused, 409") for each in ("event", "timestamp", "overwrite")],
        ),
        ("one window", [("event-window", "accepted, 200", "refused, 409")]),
        (
            "windows that refuse at their limit",
            [(f"{each}-window", "refused, 409", "refused, 409") for each in ("event", "overwrite")],
        ),
        (
            "windows that answer 422",
            [(f"{each}-window", "accepted, 200", "refused, 422") for each in ("event", "overwrite")],
        ),
    ],
)
def test_windows_in_words(name: str, expected: list[tuple[str, str, str]], tmp_path: Path) -> None:
    assert words(load(other_windows(name, tmp_path / "openapi.yaml"))) == expected
