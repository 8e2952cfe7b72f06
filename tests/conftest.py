"""Every report that a test writes is validated against the published schema of its kind."""

import json
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

HAR = Path(__file__).parent / "data" / "har-1.2.schema.json"


@pytest.fixture(scope="session", autouse=True)
def _reports_are_as_published() -> Iterator[None]:
    """JSON by the schema in the package, archives by that of HAR 1.2; written as usual, then read."""
    from feedback_verify import reports  # noqa: PLC0415 (some tests have an environment without the verifier)

    published = resources.files("feedback_verify") / "report.schema.json"
    with pytest.MonkeyPatch.context() as patch:
        for kind, schema in (("json", published.read_text("utf-8")), ("har", HAR.read_text("utf-8"))):
            patch.setitem(reports.WRITERS, kind, _checked(reports.WRITERS[kind], json.loads(schema)))
        yield


def _checked(write: Callable[[Any, Path], None], schema: dict[str, Any]) -> Callable[[Any, Path], None]:
    validator = jsonschema_rs.validator_for(schema)

    def write_and_check(report: Any, path: Path) -> None:
        write(report, path)
        if path.is_file():
            validator.validate(json.loads(path.read_text("utf-8")))

    return write_and_check
