"""Checks that a document is OpenAPI 3.0 and safe to work with: structure, references, patterns, headers. No network.

Fast enough for every start. `feedback-docs check` also finds duplicate ids, undeclared path parameters and invalid
examples.
"""

import json
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from feedback_spec.openapi.places import places
from feedback_spec.openapi.problems import Checker
from feedback_spec.openapi.references import check_references
from feedback_spec.openapi.schemas import check_pattern
from feedback_spec.source import DocumentError, Fail

_PART_OF_SEGMENT = re.compile(r"[^/]\{|\}[^/]")
_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.1
_FIELD_VALUE = re.compile(r"[\x20-\x7e\xa0-\xff]*")  # RFC 9110, 5.5, without tabs


def check_openapi(document: dict[str, Any], name: str) -> None:
    """Raises DocumentError for a document that is not OpenAPI 3.0, an unsupported `$ref` or an invalid header.

    `name` identifies the document.
    """
    fail = Fail(name)
    if problem := _structure().problem(document):
        raise fail(problem[0] or "document", f"is not OpenAPI 3.0: {problem[1]}")
    check_references(document, fail)
    for path in document["paths"]:
        if _PART_OF_SEGMENT.search(path):
            raise fail(f"paths.{path[:200]}", "a parameter must fill the whole segment between two slashes.")
    for place in places(document):
        if place.kind == "schema" and "pattern" in place.node:
            check_pattern(place.node["pattern"], f"{place.pointer}/pattern", fail)
        for header in place.node.get("headers", {}) if place.kind in ("response", "encoding") else ():
            if not _FIELD_NAME.fullmatch(header):
                raise fail(f"{place.pointer}/headers", f"{json.dumps(header[:100])} is not the name of a header.")
        if place.kind == "header" and not _FIELD_VALUE.fullmatch(str(place.node.get("example", ""))):
            raise fail(
                f"{place.pointer}/example", "contains a character that is not allowed in a header, such as a line end."
            )


@cache
def _structure() -> Checker:
    """The OpenAPI initiative's own schema of OpenAPI 3.0, as shipped in the validator's package.

    Located without importing that package, which would take half a second.
    """
    package = find_spec("openapi_spec_validator")
    if package is None or not package.submodule_search_locations:
        raise DocumentError("openapi-spec-validator, which contains the schema of OpenAPI, is not installed.")
    file = Path(package.submodule_search_locations[0], "resources", "schemas", "v3.0", "schema.json")
    return Checker(json.loads(file.read_text("utf-8")))
