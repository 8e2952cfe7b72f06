"""Shared by the verifier's tests: the mock as a real server, and documents with other windows."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from feedback_mock.app import create_app
from feedback_spec.document import Document, load

from tests.broken.serving import serving


@pytest.fixture(scope="session")
def document() -> Document:
    """The unchanged document."""
    return load()


@pytest.fixture(scope="session")
def mock_url(document: Document) -> Iterator[str]:
    """A running mock."""
    with serving(create_app(document)) as url:
        yield url


@pytest.fixture
def changed_path(tmp_path: Path) -> Path:
    """The document with windows of 10 and 2 minutes, and no other edit."""
    text = (Path(__file__).parents[2] / "spec" / "openapi.yaml").read_text("utf-8")
    path = tmp_path / "changed.yaml"
    path.write_text(text.replace("PT30M", "PT10M").replace("PT5M", "PT2M"), "utf-8")
    return path
