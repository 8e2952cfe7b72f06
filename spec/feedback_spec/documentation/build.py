"""The files that `feedback-docs` generates from a document: their names and texts, and where they are written."""

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
from feedback_spec.openapi.render31 import standalone, to_31
from feedback_spec.source import DocumentError, documents

REFERENCE = "REFERENCE.md"
TIMELINE = "timeline.svg"
SNAPSHOT = "snapshot.schema.json"
# What the reference links to: files built beside it, or files beside it in the repository.
_BUILT = {
    "The contract": ("openapi.json", "openapi-3.1.json"),
    "The control protocol": ("control.json", "control-3.1.json", SNAPSHOT),
    "Events from SDKs": ("ingest.json", "ingest-3.1.json"),
}
_COMMITTED = {
    "The contract": ("openapi.yaml",),
    "The control protocol": ("control.yaml",),
    "Events from SDKs": ("ingest.yaml",),
}


def built_files(document: Document, control: dict[str, Any]) -> dict[str, str]:
    """Everything that is published, as text by file name. Raises DocumentError for a document that lacks part of it."""
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
            SNAPSHOT: _json(snapshot_schema(control)),
            "ingest.json": _json(load_ingest()),
            "ingest-3.1.json": _json(to_31(load_ingest())),
        }


def snapshot_schema(control: dict[str, Any]) -> dict[str, Any]:
    """The JSON Schema of a project's snapshot, as in the control protocol."""
    version = control["components"]["schemas"]["Snapshot"]["properties"]["version"]["enum"][-1]
    uri = f"urn:sentry-feedback-contract:snapshot:{version}"
    return standalone(control, "Snapshot", uri, "A snapshot of a project of the Submit User Feedback mock")


@contextmanager
def lacking_refused(document: Document) -> Iterator[None]:
    """Refuses a valid document that lacks something that the reference shows, such as servers or examples."""
    try:
        yield
    except (LookupError, StopIteration, jinja2.UndefinedError) as error:
        raise DocumentError(
            f"{document.name}: lacks something that the reference shows: {error or 'an example'}."
        ) from None


def committed_files(document: Document, control: dict[str, Any]) -> dict[str, str]:
    """The files beside `openapi.yaml` in the repository: the reference and its drawing."""
    with lacking_refused(document):
        return {REFERENCE: render_markdown(document, control, _COMMITTED), TIMELINE: render_timeline(document)}


def beside(path: Path | None) -> Path:
    """The directory of a document; if none is given, of the packaged one."""
    return documents() if path is None else path.parent


def write(files: Mapping[str, str], directory: Path) -> None:
    """Writes the files, and creates the directory if it is missing. Raises OSError."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        replace(directory / name, text)


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
