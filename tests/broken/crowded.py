"""Servers that fail once a project has more than a few feedback, a feedback more than a few overwrites, or a list more
than a page.
"""

import json
import re
from collections import Counter
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tests.broken.registry import breaks
from tests.broken.server import Event, Implementation, Project, Record

FEW = 15


@breaks("overwrite-same-record")
class OldFeedbackMakesRoom(Implementation):
    def store(self, project: Project, body: dict[str, str], now: datetime, by: str) -> Record:
        records = self.records(project)
        if len(records) >= FEW:
            del records[next(iter(records))]
        return super().store(project, body, now, by)


@breaks("overwrite")
class FewOverwrites(Implementation):
    """The window is not the only limit."""

    def __init__(self) -> None:
        super().__init__()
        self.counts = Counter[int]()

    def overwrite(self, record: Record, body: dict[str, str], now: datetime) -> None:
        self.counts[id(record)] += 1
        if self.counts[id(record)] > FEW:
            raise self.too_late()
        super().overwrite(record, body, now)


@breaks("overwrite-window")
class OldFeedbackHasNoWindow(Implementation):
    """Only the last few submission times are kept."""

    def overwrite_window_over(self, record: Record, now: datetime, by: str) -> bool:
        project = next(each for each in self.projects.values() if record in each.records.values())
        return int(record.id) > project.last_id - FEW and super().overwrite_window_over(record, now, by)


@breaks("event-window")
class LaterEventsHaveNoWindow(Implementation):
    """The index ends with the first few."""

    def event_window_over(self, event: Event, now: datetime, by: str) -> bool:
        return event.number <= FEW and super().event_window_over(event, now, by)


@breaks("submission")
class IdsBeginAgain(Implementation):
    def store(self, project: Project, body: dict[str, str], now: datetime, by: str) -> Record:
        record = super().store(project, body, now, by)
        record.id = str((int(record.id) - 1) % FEW + 1)
        return record


@breaks("known-event")
class OldEventsAreForgotten(Implementation):
    def answer(self, project: Project, record: Record) -> dict[str, Any]:
        known = list(project.events)[-FEW:]
        answer = super().answer(project, record)
        return answer if record.event_id in known else {**answer, "issue": None}


@breaks("list")
class ListsTheLastFew(Implementation):
    def listed(self, project: Project, status: str, environment: str | None) -> list[Record]:
        return super().listed(project, status, environment)[:FEW]


@breaks("list-pages")
class APageBeforeTheFirst(Implementation):
    def listing(self, request: Request, project: Project) -> Response:
        response = super().listing(request, project)
        response.headers["Link"] = re.sub(
            'previous"; results="false"', 'previous"; results="true"', response.headers["Link"]
        )
        return response


@breaks("list-pages")
class PagesOverlap(Implementation):
    def listing(self, request: Request, project: Project) -> Response:
        response = super().listing(request, project)
        link = response.headers["Link"]
        response.headers["Link"] = re.sub(
            r'cursor="0:(\d+):0"', lambda found: f'cursor="0:{max(int(found[1]) - 1, 1)}:0"', link
        )
        return response


@breaks("list-pages")
class BackIsTheBeginning(Implementation):
    def listing(self, request: Request, project: Project) -> Response:
        response = super().listing(request, project)
        response.headers["Link"] = re.sub(r'cursor="0:\d+:1"', 'cursor="0:0:1"', response.headers["Link"])
        return response


@breaks("list-pages")
class PagesOfNothing(Implementation):
    """A page size of 0 is treated as 1."""

    def listing(self, request: Request, project: Project) -> Response:
        query = request.url.query.replace("per_page=0", "per_page=1")
        return super().listing(Request({**request.scope, "query_string": query.encode()}), project)


@breaks("list-pages")
class LinksRunTogether(Implementation):
    """The separator that readers of the header expect between the two links is missing."""

    def listing(self, request: Request, project: Project) -> Response:
        response = super().listing(request, project)
        response.headers["Link"] = response.headers["Link"].replace(", <", " <")
        return response


@breaks("list-pages")
class AnEmptyPageAtTheEnd(Implementation):
    """After a last page that is full, another one is promised."""

    def listing(self, request: Request, project: Project) -> Response:
        response = super().listing(request, project)
        full = len(json.loads(bytes(response.body))) == int(request.query_params.get("per_page", "100"))
        next_page = 'rel="next"; results="'
        if full:
            response.headers["Link"] = response.headers["Link"].replace(f"{next_page}false", f"{next_page}true")
        return response


@breaks("list-pages")
class AddressesOfPagesForgetTheStatus(Implementation):
    """They have only the cursor."""

    def listing(self, request: Request, project: Project) -> Response:
        response = super().listing(request, project)
        response.headers["Link"] = re.sub(
            r'<(\S+?)>(; \S+ \S+ cursor="(.*?)")', r"<\1?cursor=\3>\2", response.headers["Link"]
        )
        return response


@breaks("list-pages")
class LaterPagesForgetTheStatus(Implementation):
    def listing(self, request: Request, project: Project) -> Response:
        query = request.url.query
        query = query.replace("status=&", "") if "cursor" in query else query
        return super().listing(Request({**request.scope, "query_string": query.encode()}), project)


@breaks("list-environment")
class EnvironmentsByTheirBeginning(Implementation):
    def listed(self, project: Project, status: str, environment: str | None) -> list[Record]:
        if not environment:
            return super().listed(project, status, environment)

        def fits(event: Event | None) -> bool:
            return (event.environment or "")[:1] == environment[:1] if event else False

        every = super().listed(project, status, None)
        return [each for each in every if fits(self.find_event(project, each.event_id))]


# --- a few are enough if they are alike


@breaks("overwrite-window")
class TheOldestAlikeCounts(Implementation):
    """The window begins with the first feedback that has the same values, whatever event it is for."""

    def overwrite_window_over(self, record: Record, now: datetime, by: str) -> bool:
        project = next(each for each in self.projects.values() if record in each.records.values())
        values = {name: value for name, value in record.values.items() if name != "event_id"}
        alike = (each for each in project.records.values() if values.items() <= each.values.items())
        return now - min(each.base for each in alike) > self.overwrite_limit


@breaks("event-window", "submission")
class TheIssueIsAsOldAsItsFirstEvent(Implementation):
    """Events with the same title are one issue, whose age is what counts."""

    def __init__(self) -> None:
        super().__init__()
        self.issues: dict[tuple[int, str], datetime] = {}

    def save_event(self, project: Project, event_id: str, body: dict[str, Any]) -> None:
        super().save_event(project, event_id, body)
        if "title" in body:
            event = project.events[event_id]
            event.saved = min(event.saved, self.issues.setdefault((id(project), body["title"]), event.saved))
