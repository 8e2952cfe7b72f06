"""Documents with other windows, served: right at the limit of each window, and a microsecond on either side."""

from pathlib import Path
from typing import Any

import pytest
from feedback_mock.app import create_app
from feedback_spec.document import Document, load
from feedback_spec.instants import format_duration
from feedback_spec.rules import Base, Window

from tests.documents import WINDOWS, other_windows
from tests.mock.test_windows import told

EVENT_BASES = (Base.EVENT_SAVED, Base.EVENT_TIMESTAMP)


@pytest.fixture(params=WINDOWS)
def document(request: pytest.FixtureRequest, tmp_path: Path) -> Document:
    return load(other_windows(request.param, tmp_path / "openapi.yaml"))


def test_every_literal_row_holds(document: Document, make_api: Any) -> None:
    for row in document.examples:
        api = make_api(create_app(document))

        assert told(api, row, document.mutability).status_code == row.status, row.case


def test_each_window_answers_right_at_its_limit_and_beside_it(document: Document, make_api: Any) -> None:
    for window in document.mutability.windows:
        outcomes = document.mutability
        accepted = (outcomes.stored if window.base in EVENT_BASES else outcomes.overwritten).status
        at_limit = accepted if window.limit_accepted else window.status
        for age, status in ((window.limit - 1, accepted), (window.limit, at_limit), (window.limit + 1, window.status)):
            api = make_api(create_app(document))
            aged(api, window, format_duration(age), outcomes.stored.status)
            answer = api.submit()

            assert answer.status_code == status, (window.rule, age)
            if status != accepted:
                assert answer.headers["x-feedback-rule"].startswith(f"{window.rule};")
                assert answer.json()["detail"]


def aged(api: Any, window: Window, age: str, stored: int) -> None:
    """Gives what the window is measured from this age, and nothing else."""
    match window.base:
        case Base.EVENT_SAVED:
            api.save_event(saved_ago=age, timestamp_ago="PT0S")
        case Base.EVENT_TIMESTAMP:
            api.save_event(timestamp_ago=age)
        case _:
            assert api.submit().status_code == stored
            api.advance(age)
