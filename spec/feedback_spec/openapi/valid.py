"""Whether a document is OpenAPI 3.0 that is safe to work with: structure, references, patterns, headers. No network.

Quick enough for every start. Whether ids are unique, path parameters declared and examples valid, `feedback-docs check`
finds out.
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
    """Raises DocumentError for what is not OpenAPI 3.0, for a `$ref` that is not followed and for an impossible header.

    `name` names the document.
    """
    fail = Fail(name)
    if problem := _structure().problem(document):
        raise fail(problem[0] or "document", f"is not OpenAPI 3.0: {problem[1]}")
    check_references(document, fail)
    for path in document["paths"]:
        if _PART_OF_SEGMENT.search(path):
            raise fail(f"paths.{path[:200]}", "a parameter must be all that stands between two slashes.")
    for place in places(document):
        if place.kind == "schema" and "pattern" in place.node:
            check_pattern(place.node["pattern"], f"{place.pointer}/pattern", fail)
        for header in place.node.get("headers", {}) if place.kind in ("response", "encoding") else ():
            if not _FIELD_NAME.fullmatch(header):
                raise fail(f"{place.pointer}/headers", f"{json.dumps(header[:100])} is not the name of a header.")
        if place.kind == "header" and not _FIELD_VALUE.fullmatch(str(place.node.get("example", ""))):
            raise fail(f"{place.pointer}/example", "holds a character that a header cannot, such as a line end.")


@cache
def _structure() -> Checker:
    """The OpenAPI initiative's own schema of OpenAPI 3.0, as the validator's package ships it.

    Found and not imported: importing that package takes half a second.
    """
    package = find_spec("openapi_spec_validator")
    if package is None or not package.submodule_search_locations:
        raise DocumentError("openapi-spec-validator is not installed, which has the schema of OpenAPI.")
    file = Path(package.submodule_search_locations[0], "resources", "schemas", "v3.0", "schema.json")
    return Checker(json.loads(file.read_text("utf-8")))
