"""Selects the page of feedback that a listing returns, and where the previous and next page begin.

Pure: reads the project, changes nothing. The rules are those of real servers (docs/sentry.md, facts 77 to 82).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any
from urllib.parse import urlencode

from feedback_spec.rules import Base

from feedback_mock.store import MAX_ENVIRONMENT, Feedback, Project

CURSOR_RULE = "list-cursor"
# The query parameters, each with the rule that refuses a value that the document does not allow.
PAGE_RULES = {"status": "list-status", "environment": None, "per_page": "list-pages", "cursor": CURSOR_RULE}
NEEDED = {"status": {"type": "string", "default": str}, "per_page": {"type": "integer", "default": int}}
"""What the schema of a parameter must state, so that every request has such a value."""
_CURSOR = re.compile(r"[0-9]{1,18}:([0-9]{1,18}):[01]")


@dataclass(frozen=True, slots=True)
class Page:
    """The records of a page, newest first, and its `Link` header."""

    records: list[Feedback]
    link: str


def select(project: Project, query: Mapping[str, Any], url: str, base: Base) -> Page | None:
    """The page that `query` selects, None if its cursor is not valid.

    `url` is the address of the listing without a query, `base` determines the order.

    A cursor is `<milliseconds>:<offset>:<is previous>`; only the offset counts here, because the first number cannot
    order feedback of the same instant.
    """
    cursor = _CURSOR.fullmatch(query["cursor"] or "0:0:0")
    if cursor is None:
        return None
    newest: Iterable[Feedback] = reversed(project.feedback.values())
    if base is Base.LAST_SUBMITTED:
        newest = _by_last_submission(project)
    size = query["per_page"]
    offset = int(cursor[1])
    # Up to one beyond the page, which says whether there is a next one.
    listed = (each for each in newest if _is_listed(project, each, query))
    records = list(islice(listed, offset + size + 1))
    before = max(offset - size, 0)
    links = (
        _link(url, query, "previous", offset > 0 and bool(records), f"0:{before}:1"),
        _link(url, query, "next", offset + size < len(records), f"0:{offset + size}:0"),
    )
    return Page(records[offset : offset + size], ", ".join(links))


def _by_last_submission(project: Project) -> Iterator[Feedback]:
    """All feedback, the last submitted first: as lazily as in the other order, and without sorting."""
    stayed = ((each.first_submitted_at, False, each) for each in reversed(project.feedback.values()))
    moved = ((each.last_submitted_at, True, each) for each in reversed(project.moved.values()))
    for _, has_moved, record in merge(stayed, moved, key=itemgetter(0), reverse=True):
        if has_moved or record.event_id not in project.moved:
            yield record


def _is_listed(project: Project, record: Feedback, query: Mapping[str, Any]) -> bool:
    event = project.events.get(record.event_id)
    if event is None:
        return False
    environment = query["environment"]
    if environment is not None and (event.environment or "") != environment:
        return False
    return query["status"] in ("", event.issue_status)


def _link(url: str, query: Mapping[str, Any], relation: str, results: bool, cursor: str) -> str:
    # No event has a longer environment; a header does not return all of a longer one that a client sends.
    kept = {name: str(value)[: MAX_ENVIRONMENT + 1] for name, value in query.items() if value is not None}
    address = f"{url}?{urlencode({**kept, 'cursor': cursor})}"
    return f'<{address}>; rel="{relation}"; results="{str(results).lower()}"; cursor="{cursor}"'
