"""Checks that the documents and their examples are valid, their texts true and the committed reference current."""

import difflib
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from feedback_spec.document import Document, load, load_control, load_ingest
from feedback_spec.documentation.build import beside, committed_files
from feedback_spec.instants import in_words, parse_duration
from feedback_spec.openapi.examples import examples_of, invalid_examples
from feedback_spec.openapi.places import places
from feedback_spec.openapi.render31 import to_31
from feedback_spec.openapi.valid import check_openapi
from feedback_spec.profiles import DOCUMENTED, read_profiled
from feedback_spec.source import DocumentError

DIFF_LINES = 12


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the check; `detail` is a diff, or empty."""

    good: bool
    sentence: str
    detail: str = ""


def findings(path: Path | None, profile: str = DOCUMENTED) -> Iterator[Finding]:
    """All checks of the document at `path`, or of the packaged one, and of the control and ingest documents.

    Raises DocumentError if the document cannot be loaded at all.
    """
    name, raw = read_profiled(path, profile)
    try:
        check_openapi(raw, name)
    except DocumentError as error:
        yield Finding(False, str(error))
        return
    control = load_control()
    yield from _valid(name, raw)
    yield from _valid("control.yaml", control)
    yield from _valid("ingest.yaml", load_ingest())
    if problem := first_problem(raw):
        yield Finding(False, f"{name}: cannot be checked further: {problem}")
        return
    document = load(path, profile)
    yield _texts(name, document, raw)
    if profile == DOCUMENTED:
        yield from _current(document, control, beside(path), required=path is None)


def first_problem(document: dict[str, Any]) -> str:
    """What makes a document invalid OpenAPI 3.0, as a sentence with its place; empty if nothing does.

    Call it for a document that `check_openapi` has accepted: it looks for what the structure does not show.
    """
    return _problem(OpenAPIV30SpecValidator(_without_patterns(document)))


def _without_patterns(document: dict[str, Any]) -> dict[str, Any]:
    """The document without patterns, which that validator would run with Python's `re` on defaults; we check examples
    and defaults ourselves.
    """
    copy = deepcopy(document)
    for place in places(copy):
        if place.kind == "schema":
            place.node.pop("pattern", None)
    return copy


def _problem(validator: OpenAPIV30SpecValidator | OpenAPIV31SpecValidator) -> str:
    for error in validator.iter_errors():
        place = "/".join(str(step) for step in getattr(error, "absolute_path", ()))
        return f"{place or 'document'}: {' '.join(str(getattr(error, 'message', error)).split())[:300]}"
    return ""


def _valid(name: str, document: dict[str, Any]) -> Iterator[Finding]:
    problem = first_problem(document)
    yield Finding(not problem, f"{name}: {f'is not valid: {problem}' if problem else 'is valid OpenAPI 3.0'}")
    if problem:
        return
    problem = _problem(OpenAPIV31SpecValidator(to_31(_without_patterns(document))))
    yield Finding(not problem, f"{name}: {f'is not valid as 3.1: {problem}' if problem else 'is valid as OpenAPI 3.1'}")
    wrong = list(invalid_examples(document))
    for sentence in wrong:
        yield Finding(False, f"{name}: an example is not valid: {sentence}")
    if not wrong:
        yield Finding(True, f"{name}: all {sum(1 for _ in examples_of(document))} examples are valid")


def _texts(name: str, document: Document, raw: dict[str, Any]) -> Finding:
    """Whether the texts, as written, state the actual limits; `load` corrects them only in what it returns."""
    operation = document.submit
    written = raw["paths"][operation.path][operation.method]
    for window in written["x-mutability"]["windows"]:
        words = in_words(parse_duration(window["limit"]))
        if window["spoken"] != words:
            return Finding(
                False, f'{name}: the texts say "{window["spoken"]}" for {window["rule"]}, which is {words} long'
            )
        if words not in written.get("description", ""):
            return Finding(False, f'{name}: the description of {operation.id} does not say "{words}"')
    return Finding(True, f"{name}: the texts state the windows as they are")


def _current(document: Document, control: dict[str, Any], directory: Path, *, required: bool) -> Iterator[Finding]:
    for name, text in committed_files(document, control).items():
        file = directory / name
        if not file.exists():
            missing = f"{file}: is missing; `feedback-docs reference` writes it"
            nothing = f"{file}: does not exist, so there is nothing to compare"
            yield Finding(not required, missing if required else nothing)
            continue
        difference = _difference(file.read_text("utf-8"), text, name)
        rewrite = "`feedback-docs reference` rewrites it" if required else f"not what {document.name} produces now"
        yield Finding(not difference, f"{file}: {f'is stale; {rewrite}' if difference else 'is current'}", difference)


def _difference(old: str, new: str, name: str) -> str:
    lines = list(
        difflib.unified_diff(old.splitlines(), new.splitlines(), name, f"{name} as it should be", "", "", 0, "")
    )
    more = [f"… and {len(lines) - DIFF_LINES} more lines"] if len(lines) > DIFF_LINES else []
    return "\n".join(line[:160] for line in lines[:DIFF_LINES] + more)
