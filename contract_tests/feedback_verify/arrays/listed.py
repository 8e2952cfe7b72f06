"""Compares a list with the feedback of a scenario, also in a project that others use."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from feedback_spec.document import LIST, Document

from feedback_verify.exchange import Project
from feedback_verify.oracle import Mismatch, instant_of
from feedback_verify.scenario import Scenario

BESIDE = 10  # entries of others that a list may have between ours


def list_problems(scenario: Scenario, project: Project, query: str = "", status: str = "unresolved") -> list[Mismatch]:
    """What is wrong with the list; where others store as well, only what concerns the scenario's own feedback."""
    expected = scenario.oracle.listed(project, status=status)
    shared = not scenario.target.sandboxes
    page = _page(scenario.document, len(expected)) if shared else 0
    if page:
        query = f"{query}&per_page={page}".removeprefix("&")
    entries = scenario.listing(query, project=project).json
    if isinstance(entries, list) and shared:
        full, oldest = len(entries) >= page, _created(entries[-1]) if entries else None
        own = scenario.made_ids
        entries = [each for each in entries if isinstance(each, dict) and str(each.get("eventID")) in own]
        if full:  # what is not newer than the last entry may be on a later page
            shown = {str(each["eventID"]) for each in entries}
            known = scenario.oracle.sandbox(project).known
            expected = [each for each in expected if each in shown or _is_newer(known(each).answered, oldest)]
    return scenario.oracle.list_problems(project, entries, expected)


def _page(document: Document, own: int) -> int:
    """The entries to ask for, of what others have stored as few as will do; 0 if the document has no such parameter."""
    operation = document.operations.get(LIST)
    schemas = {each.name: each.schema for each in operation.parameters} if operation else {}
    return min(own + BESIDE, int(schemas["per_page"]["maximum"])) if "per_page" in schemas else 0


def _created(entry: Any) -> datetime | None:
    return instant_of(entry.get("dateCreated")) if isinstance(entry, Mapping) else None


def _is_newer(answered: Mapping[str, Any], oldest: datetime | None) -> bool:
    created = _created(answered)
    return created is not None and oldest is not None and created > oldest
