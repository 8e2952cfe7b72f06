"""The files that `feedback-docs` makes of a document: name and text, and where they are written."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jinja2

from feedback_spec.document import Document, load_ingest
from feedback_spec.documentation.page import render_page
from feedback_spec.documentation.reference import render_html, render_markdown, render_timeline
from feedback_spec.files import replace
from feedback_spec.openapi.render31 import to_31
from feedback_spec.source import DocumentError, documents

REFERENCE = "REFERENCE.md"
TIMELINE = "timeline.svg"
# What the reference links to: what is built beside it, or what stands beside it in the repository.
_BUILT = {
    "The contract": ("openapi.json", "openapi-3.1.json"),
    "The control protocol": ("control.json", "control-3.1.json"),
    "What SDKs send": ("ingest.json", "ingest-3.1.json"),
}
_COMMITTED = {
    "The contract": ("openapi.yaml",),
    "The control protocol": ("control.yaml",),
    "What SDKs send": ("ingest.yaml",),
}


def built_files(document: Document, control: dict[str, Any]) -> dict[str, str]:
    """Everything that is published, text by file name. Raises DocumentError for a document that lacks a part of it."""
    with lacking_refused(document):
        return {
            "reference.md": render_markdown(document, control, _BUILT),
            "reference.html": render_html(document, control, _BUILT),
            TIMELINE: render_timeline(document),
            "page.md": render_page(document),
            "openapi.json": _json(document.openapi),
            "openapi-3.1.json": _json(to_31(document.openapi)),
            "control.json": _json(control),
            "control-3.1.json": _json(to_31(control)),
            "ingest.json": _json(load_ingest()),
            "ingest-3.1.json": _json(to_31(load_ingest())),
        }


@contextmanager
def lacking_refused(document: Document) -> Iterator[None]:
    """Refuses a valid document that leaves out what the reference shows, such as servers or examples."""
    try:
        yield
    except (LookupError, StopIteration, jinja2.UndefinedError) as error:
        raise DocumentError(f"{document.name}: lacks what the reference shows: {error or 'an example'}.") from None


def committed_files(document: Document, control: dict[str, Any]) -> dict[str, str]:
    """What stands beside `openapi.yaml` in the repository: the reference and its drawing."""
    with lacking_refused(document):
        return {REFERENCE: render_markdown(document, control, _COMMITTED), TIMELINE: render_timeline(document)}


def beside(path: Path | None) -> Path:
    """The directory of a document; of the one that comes with this package, where none is given."""
    return documents() if path is None else path.parent


def write(files: Mapping[str, str], directory: Path) -> None:
    """Writes the files, the directory too where it is missing. Raises OSError."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        replace(directory / name, text)


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
