"""The verifier knows no window by its name, number, limit or status: it conforms on the mock of any document."""

from pathlib import Path

import pytest
from feedback_mock.app import create_app
from feedback_spec.document import Document, load
from feedback_verify.run import Run
from feedback_verify.targets import ControlTarget
from feedback_verify.verdicts import Verdict

from tests.broken.serving import serving
from tests.documents import WINDOWS, other_windows


def verdicts(document: Document, judged_by: Document) -> dict[str, tuple[Verdict, str]]:
    """The mock of one document, verified by another."""
    with serving(create_app(document)) as url, ControlTarget(url, url) as target:
        results = Run(judged_by, target, seed=1, depth="quick").execute()
    return {rule: (result.verdict, result.detail) for rule, result in results.items()}


@pytest.mark.parametrize("name", WINDOWS)
def test_mock_of_other_windows_conforms(name: str, tmp_path: Path) -> None:
    """Every rule that the document has is verified."""
    document = load(other_windows(name, tmp_path / "openapi.yaml"))

    assert {rule: told for rule, told in verdicts(document, document).items() if told[0] is not Verdict.VERIFIED} == {}


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("three windows", {"event-window-base"}),
        ("one window", {"overwrite-window", "overwrite-window-unknown-event", "conflict-changes-nothing"}),
        ("windows that refuse at their limit", {"event-window", "overwrite-window"}),
        ("windows that answer 422", {"conflict-body", "event-window", "overwrite-window", "window-order"}),
    ],
)
def test_mock_of_other_windows_violates_the_document_that_has_ours(
    name: str, rules: set[str], tmp_path: Path, document: Document
) -> None:
    """By the rules that speak of the difference, if not by all of them."""
    other = load(other_windows(name, tmp_path / "openapi.yaml"))

    told = verdicts(other, document)
    violated = {rule for rule, (verdict, _) in told.items() if verdict is Verdict.VIOLATED}
    assert violated
    assert violated <= rules | {"response-schema", "overwrite-window-fixed", "overwrite-window-unknown-event"}, told
