"""Broken implementations, each with the rule that it breaks. The docstring says what is wrong.

`also` names rules that inevitably break with it. Write a new one together with its witness, in witnesses.py.
"""

import asyncio
import json
import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.broken import crowded, refusing, texts  # noqa: F401 (their servers stand among these)
from tests.broken.registry import MUTANTS, Mutant, breaks
from tests.broken.server import BAD_GATEWAY, DETAIL, HEADERS, Event, Implementation, Project, Record, Refusal

__all__ = ["MUTANTS", "Mutant"]

SECOND, MINUTE, MICROSECOND = timedelta(seconds=1), timedelta(minutes=1), timedelta(microseconds=1)
BERLIN = ZoneInfo("Europe/Berlin")


# --- limits


@breaks("event-window")
class EventWindowTooLong(Implementation):
    event_limit = timedelta(minutes=31)


@breaks("event-window")
class EventWindowOneSecondShort(Implementation):
    event_limit = 30 * MINUTE - SECOND


@breaks("event-window")
class EventWindowOneMicrosecondLong(Implementation):
    event_limit = 30 * MINUTE + MICROSECOND


@breaks("event-window")
class NoEventWindow(Implementation):
    def event_window_over(self, event: Event, now: datetime, by: str) -> bool:
        return False


@breaks("event-window")
class EventWindowExcludesItsLimit(Implementation):
    def event_window_over(self, event: Event, now: datetime, by: str) -> bool:
        return now - event.saved >= self.event_limit


@breaks("event-window")
class EventWindowInHours(Implementation):
    event_limit = timedelta(hours=30)


@breaks("event-window")
class EventWindowInSeconds(Implementation):
    event_limit = 30 * SECOND


@breaks("event-window")
class EventWindowInWholeSeconds(Implementation):
    def event_window_over(self, event: Event, now: datetime, by: str) -> bool:
        return int((now - event.saved).total_seconds()) > 1800


@breaks("event-window")
class EventWindowInWholeMinutes(Implementation):
    def event_window_over(self, event: Event, now: datetime, by: str) -> bool:
        return (now - event.saved) // MINUTE > 30


@breaks("event-window")
class EventWindowForgetsDays(Implementation):
    def event_window_over(self, event: Event, now: datetime, by: str) -> bool:
        return (
            timedelta(seconds=(now - event.saved).seconds, microseconds=(now - event.saved).microseconds)
            > self.event_limit
        )


@breaks("event-window")
class EventWindowByMinuteOfTheHour(Implementation):
    def event_window_over(self, event: Event, now: datetime, by: str) -> bool:
        age = now - event.saved
        return timedelta(microseconds=age % timedelta(hours=1) // MICROSECOND) > self.event_limit


@breaks("event-window")
class EventWindowInLocalTime(Implementation):
    def event_window_over(self, event: Event, now: datetime, by: str) -> bool:
        local = now.astimezone(BERLIN).replace(tzinfo=None) - event.saved.astimezone(BERLIN).replace(tzinfo=None)
        return local > self.event_limit


@breaks("event-window", "overwrite-window")
class WindowsSwapped(Implementation):
    event_limit, overwrite_limit = Implementation.overwrite_limit, Implementation.event_limit


@breaks("overwrite-window")
class OverwriteWindowTooLong(Implementation):
    overwrite_limit = 6 * MINUTE


@breaks("overwrite-window")
class OverwriteWindowTooShort(Implementation):
    overwrite_limit = 4 * MINUTE


@breaks("overwrite-window")
class OverwriteWindowOneMicrosecondLong(Implementation):
    overwrite_limit = 5 * MINUTE + MICROSECOND


@breaks("overwrite-window")
class OverwriteWindowExcludesItsLimit(Implementation):
    def overwrite_window_over(self, record: Record, now: datetime, by: str) -> bool:
        return now - record.base >= self.overwrite_limit


@breaks("overwrite-window")
class AdditionsAreAlwaysWelcome(Implementation):
    """Who only adds to the comments does not overwrite anything."""

    def submit(self, project: Project, body: dict[str, str], by: str) -> Record:
        record = self.records(project).get(self.key(project, body, by))
        if record and body["email"] == record.values["email"]:
            before, now = record.values["comments"], body["comments"]
            if now != before and now.startswith(before):
                self.check_windows(self.find_event(project, body["event_id"]), None, self.now(project), by)
                self.overwrite(record, body, self.now(project))
                return record
        return super().submit(project, body, by)


@breaks("overwrite-window")
class NoOverwriteWindow(Implementation):
    def overwrite_window_over(self, record: Record, now: datetime, by: str) -> bool:
        return False


@breaks("overwrite-window")
class OverwriteWindowInMilliseconds(Implementation):
    overwrite_limit = timedelta(milliseconds=5 * 60)


@breaks("overwrite-window")
class OverwriteWindowForgetsDays(Implementation):
    def overwrite_window_over(self, record: Record, now: datetime, by: str) -> bool:
        return timedelta(seconds=(now - record.base).seconds) > self.overwrite_limit


@breaks("overwrite-window")
class OverwriteWindowRounded(Implementation):
    def overwrite_window_over(self, record: Record, now: datetime, by: str) -> bool:
        return round((now - record.base).total_seconds()) > 300


@breaks("overwrite-window")
class OverwriteWindowOpensAgain(Implementation):
    def overwrite_window_over(self, record: Record, now: datetime, by: str) -> bool:
        return self.overwrite_limit < now - record.base <= 3 * self.overwrite_limit


@breaks("event-window", "conflict-changes-nothing")
class EventWindowOpensAgain(Implementation):
    def event_window_over(self, event: Event, now: datetime, by: str) -> bool:
        return self.event_limit < now - event.saved <= self.event_limit + 20 * SECOND


@breaks("event-window", "list")
class EventIsForgottenAfterItsWindow(Implementation):
    def find_event(self, project: Project, event_id: str) -> Event | None:
        event = super().find_event(project, event_id)
        return None if event and self.now(project) - event.saved > self.event_limit else event


# --- what they count from


@breaks("event-window-base")
class EventWindowFromTimestamp(Implementation):
    def event_base(self, event: Event) -> datetime:
        return event.timestamp


@breaks("event-window-base")
class EventWindowFromTheLaterOfBoth(Implementation):
    def event_base(self, event: Event) -> datetime:
        return max(event.timestamp, event.saved)


@breaks("overwrite-window-fixed")
class OverwriteWindowSlides(Implementation):
    def overwrite(self, record: Record, body: dict[str, str], now: datetime) -> None:
        super().overwrite(record, body, now)
        record.base = now


@breaks("overwrite-window-fixed")
class OverwriteWindowSlidesOnce(Implementation):
    def overwrite(self, record: Record, body: dict[str, str], now: datetime) -> None:
        record.base = now if record.base == record.first else record.base
        super().overwrite(record, body, now)


@breaks("overwrite-window", "overwrite-window-fixed")
class OverwriteWindowFromTheEvent(Implementation):
    def submit(self, project: Project, body: dict[str, str], by: str) -> Record:
        record = super().submit(project, body, by)
        event = self.find_event(project, body["event_id"])
        record.base = event.saved if event else record.base
        return record


@breaks("overwrite-window-unknown-event")
class NoOverwriteWindowForUnknownEvents(Implementation):
    def check_windows(self, event: Event | None, record: Record | None, now: datetime, by: str) -> None:
        super().check_windows(event, record if event else None, now, by)


@breaks("window-order")
class FreshFeedbackBeatsTheEventWindow(Implementation):
    def check_windows(self, event: Event | None, record: Record | None, now: datetime, by: str) -> None:
        super().check_windows(None if record else event, record, now, by)


@breaks("submission", "unknown-event")
class UnknownEventsAreRefused(Implementation):
    def submit(self, project: Project, body: dict[str, str], by: str) -> Record:
        if self.find_event(project, body["event_id"]) is None:
            raise Refusal(404, {DETAIL: "No such event."})
        return super().submit(project, body, by)


@breaks("unknown-event")
class UnknownEventsCountFromTheProject(Implementation):
    def check_windows(self, event: Event | None, record: Record | None, now: datetime, by: str) -> None:
        if event is None and now - datetime(2026, 3, 29, 0, 59, 30, tzinfo=UTC) > self.event_limit and record is None:
            raise self.too_late()
        super().check_windows(event, record, now, by)


# --- refusals


@breaks("event-window", "overwrite-window", "conflict-body")
class ConflictIs400(Implementation):
    conflict = 400


@breaks("conflict-body")
class ConflictWithoutDetail(Implementation):
    def too_late(self) -> Refusal:
        return Refusal(409, {"error": "conflict"})


@breaks("conflict-body")
class ConflictAsAnObject(Implementation):
    def too_late(self) -> Refusal:
        return Refusal(409, {DETAIL: {"code": "conflict"}})


@breaks("conflict-changes-nothing")
class RefusedButStored(Implementation):
    def submit(self, project: Project, body: dict[str, str], by: str) -> Record:
        try:
            return super().submit(project, body, by)
        except Refusal:
            record = self.records(project).get(self.key(project, body, by))
            if record:
                record.values = dict(body)
            raise


@breaks("conflict-changes-nothing")
class RefusedRestartsTheWindow(Implementation):
    def submit(self, project: Project, body: dict[str, str], by: str) -> Record:
        try:
            return super().submit(project, body, by)
        except Refusal:
            record = self.records(project).get(self.key(project, body, by))
            if record:
                record.base = self.now(project)
            raise


@breaks("conflict-changes-nothing")
class RefusedFirstSubmissionIsStored(Implementation):
    def check_windows(self, event: Event | None, record: Record | None, now: datetime, by: str) -> None:
        super().check_windows(event, record, now, by)

    def submit(self, project: Project, body: dict[str, str], by: str) -> Record:
        if self.records(project).get(self.key(project, body, by)) is None:
            self.store(project, body, self.now(project), by)
        return super().submit(project, body, by)


# --- overwriting


@breaks("overwrite")
class OverwriteLosesComments(Implementation):
    def overwrite(self, record: Record, body: dict[str, str], now: datetime) -> None:
        super().overwrite(record, {**body, "comments": record.values["comments"]}, now)


@breaks("overwrite")
class OverwriteIsLost(Implementation):
    def overwrite(self, record: Record, body: dict[str, str], now: datetime) -> None:
        record.last = now


@breaks("overwrite")
class OverwriteAnswersOldValues(Implementation):
    def submit(self, project: Project, body: dict[str, str], by: str) -> Record:
        before = self.records(project).get(self.key(project, body, by))
        old = dict(before.values) if before else None
        record = super().submit(project, body, by)
        return Record(**{**vars(record), "values": old}) if old else record


@breaks("overwrite")
class LateOverwriteIsLost(Implementation):
    def overwrite(self, record: Record, body: dict[str, str], now: datetime) -> None:
        super().overwrite(record, record.values if now - record.first > 2 * MINUTE else body, now)


@breaks("overwrite-same-record")
class LateOverwriteChangesTheId(Implementation):
    def overwrite(self, record: Record, body: dict[str, str], now: datetime) -> None:
        super().overwrite(record, body, now)
        record.id = str(int(record.id) + 1000) if now - record.first > 2 * MINUTE else record.id


@breaks("known-event")
class IssueIsForgotten(Implementation):
    def answer(self, project: Project, record: Record) -> dict[str, Any]:
        event = self.find_event(project, record.event_id)
        old = event is not None and self.now(project) - event.saved > 2 * MINUTE
        return {**super().answer(project, record), **({"issue": None} if old else {})}


@breaks("overwrite-same-record")
class OverwriteMovesTheDate(Implementation):
    def overwrite(self, record: Record, body: dict[str, str], now: datetime) -> None:
        super().overwrite(record, body, now)
        record.first = now


@breaks("overwrite-same-record", "any-credentials-overwrite", "event-id-case")
class OverwriteChangesTheId(Implementation):
    def overwrite(self, record: Record, body: dict[str, str], now: datetime) -> None:
        super().overwrite(record, body, now)
        record.id = str(int(record.id) + 1000)


@breaks("overwrite-one-record", "any-credentials-overwrite", "list", "overwrite")
class SecondRecord(Implementation):
    def overwrite(self, record: Record, body: dict[str, str], now: datetime) -> None:
        super().overwrite(record, body, now)
        project = next(each for each in self.projects.values() if record in each.records.values())
        project.records[len(project.records), "copy"] = record


@breaks("any-credentials-overwrite")
class RecordPerCredentials(Implementation):
    def key(self, project: Project, body: dict[str, str], by: str) -> Any:
        return body["event_id"], by


@breaks("dsn", "any-credentials-overwrite")
class NoWindowsForDsn(Implementation):
    def check_windows(self, event: Event | None, record: Record | None, now: datetime, by: str) -> None:
        if by != "dsn":
            super().check_windows(event, record, now, by)


@breaks("any-credentials-overwrite", "dsn")
class NoOverwriteByDsn(Implementation):
    def overwrite_window_over(self, record: Record, now: datetime, by: str) -> bool:
        return by == "dsn" or super().overwrite_window_over(record, now, by)


@breaks("event-window")
class AdministratorForgivesAge(Implementation):
    def submit(self, project: Project, body: dict[str, str], by: str) -> Record:
        if by != "admin":
            return super().submit(project, body, by)
        event_limit, self.event_limit = self.event_limit, timedelta.max
        try:
            return super().submit(project, body, by)
        finally:
            self.event_limit = event_limit


@breaks("overwrite-window")
class AdministratorOverwritesAtAnyTime(Implementation):
    def overwrite_window_over(self, record: Record, now: datetime, by: str) -> bool:
        return by != "admin" and super().overwrite_window_over(record, now, by)


@breaks("bearer")
class OnlyWritersSubmit(Implementation):
    def authorize(self, project: Project, kind: str, owner: Project | None, method: str) -> None:
        super().authorize(project, "read" if kind == "admin" else kind, owner, method)


@breaks("retry-safe")
class RetryIsRefused(Implementation):
    def overwrite(self, record: Record, body: dict[str, str], now: datetime) -> None:
        if record.values == body:
            raise self.too_late()
        super().overwrite(record, body, now)


# --- concurrency


def _submitted_to(server: Implementation, request: Request) -> Project | None:
    """The project of a submission."""
    project = server.projects.get((request.path_params["organization"], request.path_params["project"]))
    return project if request.method == "POST" else None


@breaks("concurrent-submissions")
class ReadsThenWrites(Implementation):
    """Another request comes between reading and writing."""

    async def endpoint(self, request: Request) -> Response:
        await request.body()
        project = _submitted_to(self, request)
        if project is None:
            return await super().endpoint(request)
        before = dict(project.records)
        await asyncio.sleep(0.001)
        after, project.records = project.records, before
        response = await super().endpoint(request)
        project.records = {**after, **project.records}
        return response


class _Locks(ReadsThenWrites):
    """Has a lock against that, which some requests do not share."""

    def __init__(self) -> None:
        super().__init__()
        self.locks = defaultdict[str, asyncio.Lock](asyncio.Lock)

    def lock(self, request: Request, event_id: str) -> str:
        return event_id.lower()

    async def endpoint(self, request: Request) -> Response:
        event_id = re.search(rb"[0-9a-fA-F]{32}", await request.body())
        async with self.locks[self.lock(request, event_id[0].decode() if event_id else "")]:
            return await super().endpoint(request)


@breaks("concurrent-submissions")
class LocksIdsAsWritten(_Locks):
    def lock(self, request: Request, event_id: str) -> str:
        return event_id


@breaks("concurrent-submissions")
class LocksCredentials(_Locks):
    def lock(self, request: Request, event_id: str) -> str:
        return super().lock(request, event_id) + request.headers.get("authorization", "")


@breaks("concurrent-submissions")
class IdsAreTakenEarly(Implementation):
    """Two requests may find the same largest id."""

    async def endpoint(self, request: Request) -> Response:
        await request.body()
        project = _submitted_to(self, request)
        if project is not None:
            last = project.last_id
            await asyncio.sleep(0.001)
            project.last_id = last
        return await super().endpoint(request)


@breaks("concurrent-submissions")
class BusyIsAConflict(Implementation):
    """A second submission is refused while one is in progress."""

    busy = False

    async def endpoint(self, request: Request) -> Response:
        if request.method != "POST":
            return await super().endpoint(request)
        if self.busy:
            return self.while_busy()
        self.busy = True
        await asyncio.sleep(0.001)
        try:
            return await super().endpoint(request)
        finally:
            self.busy = False

    def while_busy(self) -> Response:
        return self.refuse(self.too_late())


@breaks("concurrent-submissions")
class BusyIsACrash(BusyIsAConflict):
    """A second submission ends the process while one is in progress, behind an nginx."""

    def while_busy(self) -> Response:
        return BAD_GATEWAY


# --- isolation


@breaks("overwrite-window")
class TheSameIsAcceptedForever(Implementation):
    """A submission that would change nothing is accepted, however late it comes."""

    def submit(self, project: Project, body: dict[str, str], by: str) -> Record:
        try:
            return super().submit(project, body, by)
        except Refusal:
            record = self.records(project).get(self.key(project, body, by))
            if record is None or any(record.values[name] != body[name] for name in ("name", "email", "comments")):
                raise
            return record


@breaks("known-event")
class IssuesStayUnresolved(Implementation):
    """The issue is shown as it was when it was new; lists know better."""

    def issue(self, event: Event) -> dict[str, Any] | None:
        return {**(super().issue(event) or {}), "status": "unresolved"}


@breaks("event-window-base")
class TimestampsAheadAreRefused(Implementation):
    """An event whose own clock is ahead counts as impossible."""

    def event_window_over(self, event: Event, now: datetime, by: str) -> bool:
        return event.timestamp > now or super().event_window_over(event, now, by)


@breaks("project-isolation", "submission")
class OneStoreForAllProjects(Implementation):
    def __init__(self) -> None:
        super().__init__()
        self.all: dict[Any, Record] = {}

    def records(self, project: Project) -> dict[Any, Record]:
        return self.all


@breaks("project-isolation")
class EventsOfAllProjects(Implementation):
    def find_event(self, project: Project, event_id: str) -> Event | None:
        return next((each.events[event_id] for each in self.projects.values() if event_id in each.events), None)


@breaks("project-isolation")
class OneClockForAllProjects(Implementation):
    def now(self, project: Project) -> datetime:
        return max(each.now for each in self.projects.values())


# --- values


@breaks("submission")
class CreatedIs201(Implementation):
    success = 201


@breaks("submission", "concurrent-submissions")
class OneIdForAll(Implementation):
    def store(self, project: Project, body: dict[str, str], now: datetime, by: str) -> Record:
        record = super().store(project, body, now, by)
        record.id = "1"
        return record


@breaks("response-schema")
class AnswerWithoutUser(Implementation):
    def answer(self, project: Project, record: Record) -> dict[str, Any]:
        answer = super().answer(project, record)
        del answer["user"]
        return answer


@breaks("response-schema")
class DateWithoutZone(Implementation):
    def answer(self, project: Project, record: Record) -> dict[str, Any]:
        answer = super().answer(project, record)
        return {**answer, "dateCreated": answer["dateCreated"].rstrip("Z")}


@breaks("known-event")
class IssueIsNeverThere(Implementation):
    def issue(self, event: Event) -> dict[str, Any] | None:
        return None


@breaks("event-id-case")
class CaseMatters(Implementation):
    def normal_event_id(self, event_id: str) -> str:
        return event_id


@breaks("trimmed", "field-blank")
class NothingIsTrimmed(Implementation):
    def trim(self, value: str) -> str:
        return value


@breaks("exact-values")
class LatinOnly(Implementation):
    def validate(self, data: Any) -> dict[str, str]:
        body = super().validate(data)
        return {**body, "comments": body["comments"].encode("latin-1", "replace").decode("latin-1")}


@breaks("exact-values", "body-size")
class CommentsAreCut(Implementation):
    def validate(self, data: Any) -> dict[str, str]:
        body = super().validate(data)
        return {**body, "comments": body["comments"][:4096]}


@breaks("unknown-keys")
class OtherKeysAreRefused(Implementation):
    def validate(self, data: Any) -> dict[str, str]:
        if isinstance(data, dict) and len(data) > 4:
            raise Refusal(400, {DETAIL: "Unknown key."})
        return super().validate(data)


@breaks("body-null")
class NullIsAnError(Implementation):
    def validate(self, data: Any) -> dict[str, str]:
        if data is None:
            raise Refusal(422, {DETAIL: "No data provided"})
        return super().validate(data)


# --- credentials


@breaks(
    "credentials-required",
    *("credentials-known", "dsn-known", "credentials-empty", "credentials-spaces", "list-credentials"),
)
class CredentialsIgnored(Implementation):
    def respond(self, request: Request, content: bytes) -> Response:
        return super().respond(request, content)

    def authenticate(self, authorization: str | None) -> tuple[str, Project | None]:
        try:
            return super().authenticate(authorization)
        except Refusal:
            return "write", None

    def authorize(self, project: Project, kind: str, owner: Project | None, method: str) -> None:
        if owner is not None:
            super().authorize(project, kind, owner, method)


@breaks("credentials-known")
class AnyTokenOpens(Implementation):
    def by_token(self, token: str) -> tuple[str, Project | None]:
        try:
            return super().by_token(token)
        except Refusal:
            if not token.isalnum() or len(token) < 64:
                raise
            return "write", None

    def authorize(self, project: Project, kind: str, owner: Project | None, method: str) -> None:
        if owner is not None:
            super().authorize(project, kind, owner, method)


@breaks("dsn-known")
class AnyKeyOfTheProjectOpens(Implementation):
    """Only the project's number is checked."""

    def by_dsn(self, dsn: str) -> tuple[str, Project | None]:
        number = dsn.rpartition("/")[2]
        owner = next((each for each in self.projects.values() if "://" in dsn and each.id == number), None)
        if owner is not None and owner.key not in dsn and "sentry.example" not in dsn:
            return "dsn", owner
        return super().by_dsn(dsn)


@breaks("bearer")
class OnlyBearerInCapitals(Implementation):
    """The scheme is compared case-sensitively."""

    def authenticate(self, authorization: str | None) -> tuple[str, Project | None]:
        if (authorization or "").startswith("bearer "):
            raise Refusal(401, {DETAIL: "Invalid token"})
        return super().authenticate(authorization)


@breaks("scope")
class ReadersMayWrite(Implementation):
    def authorize(self, project: Project, kind: str, owner: Project | None, method: str) -> None:
        super().authorize(project, "write" if kind == "read" else kind, owner, method)


@breaks("dsn-other-project", "dsn-other-organization")
class AnyDsnOpens(Implementation):
    def authorize(self, project: Project, kind: str, owner: Project | None, method: str) -> None:
        super().authorize(project, kind, project if kind == "dsn" else owner, method)


@breaks("project-token")
class AnyProjectsTokenOpens(Implementation):
    def authorize(self, project: Project, kind: str, owner: Project | None, method: str) -> None:
        super().authorize(project, kind, owner if kind == "dsn" else project, method)


@breaks("dsn", "any-credentials-overwrite")
class NoDsn(Implementation):
    def by_dsn(self, dsn: str) -> tuple[str, Project | None]:
        raise Refusal(401, {DETAIL: "Invalid token"})


# --- HTTP


@breaks("method")
class MethodIs404(Implementation):
    def refuse(self, refusal: Refusal) -> Response:
        refusal.status = 404 if refusal.status == 405 else refusal.status
        return super().refuse(refusal)


@breaks("preflight")
class PreflightNeedsCredentials(Implementation):
    def preflight(self) -> Response:
        return JSONResponse({DETAIL: "Authentication credentials were not provided."}, 401, HEADERS)


@breaks("preflight")
class PreflightAllowsOtherHeaders(Implementation):
    """Their names contain the right ones."""

    def preflight(self) -> Response:
        return Response(headers={**HEADERS, "Access-Control-Allow-Headers": "X-Authorization, X-Content-Type"})


@breaks("preflight")
class PreflightAllowsAllButAuthorization(Implementation):
    """Which browsers don't count among all headers."""

    def preflight(self) -> Response:
        return Response(headers={**HEADERS, "Access-Control-Allow-Headers": "*"})


@breaks("preflight")
class PreflightForgetsTheList(Implementation):
    def preflight(self) -> Response:
        return Response(headers={**HEADERS, "Access-Control-Allow-Methods": "POST, OPTIONS"})


@breaks("response-headers")
class AllowForgetsTheList(Implementation):
    """On every refusal but that of another method."""

    def refuse(self, refusal: Refusal) -> Response:
        response = super().refuse(refusal)
        if refusal.status != 405:
            response.headers["Allow"] = "POST, OPTIONS"
        return response


@breaks("project-exists")
class UnknownProjectIs403(Implementation):
    def find_project(self, organization: str, slug: str) -> Project:
        try:
            return super().find_project(organization, slug)
        except Refusal as refusal:
            raise Refusal(403, refusal.body) from None


@breaks("route")
class PathsInAnyCase(Implementation):
    """As some routers have it unless told otherwise."""

    def app(self) -> Starlette:
        application = super().app()
        for route in application.routes:
            if isinstance(route, Route):
                route.path_regex = re.compile(route.path_regex.pattern, re.IGNORECASE)
        return application


@breaks("route")
class SlashIsAdded(Implementation):
    """Without its trailing slash, the path is redirected."""

    def app(self) -> Starlette:
        application = super().app()
        application.router.redirect_slashes = True
        return application


@breaks("head")
class HeadIs405(Implementation):
    def respond(self, request: Request, content: bytes) -> Response:
        if request.method == "HEAD":
            raise Refusal(405, {DETAIL: 'Method "HEAD" not allowed.'})
        return super().respond(request, content)


@breaks("response-headers")
class MayBeFramed(Implementation):
    async def endpoint(self, request: Request) -> Response:
        response = await super().endpoint(request)
        del response.headers["X-Frame-Options"]
        return response


@breaks("form-bodies")
class NoForms(Implementation):
    def parse(self, media_type: str, content: bytes) -> Any:
        if media_type.startswith("multipart/"):
            raise Refusal(415, {DETAIL: "Unsupported media type in request."})
        return super().parse(media_type, content)


@breaks("body-size")
class NoLargestBody(Implementation):
    largest = 1 << 30


@breaks("body-size")
class AMillionIsCut(Implementation):
    def submit(self, project: Project, body: dict[str, str], by: str) -> Record:
        return super().submit(project, {**body, "comments": body["comments"][:1_000_000]}, by)


@breaks("media-type")
class AnyMediaTypeIsJson(Implementation):
    def parse(self, media_type: str, content: bytes) -> Any:
        known = media_type.startswith(("application/x-www-form", "multipart/"))
        return super().parse(media_type if known else "application/json", content)


@breaks("no-server-error", "body-syntax")
class BrokenJsonIs500(Implementation):
    def parse_json(self, content: bytes) -> Any:
        try:
            return super().parse_json(content)
        except Refusal:
            raise Refusal(500, {DETAIL: "Internal Error"}) from None


@breaks(
    "response-schema",
    "conflict-body",
    "email-format",
    "event-id-length",
    "field-blank",
    "field-length",
    "field-null",
    "field-required",
    "field-type",
)
class ErrorsAreText(Implementation):
    def refuse(self, refusal: Refusal) -> Response:
        return PlainTextResponse("no", refusal.status, HEADERS)


@breaks("check-order")
class ProjectBeforeCredentials(Implementation):
    def respond(self, request: Request, content: bytes) -> Response:
        self.find_project(request.path_params["organization"], request.path_params["project"])
        return super().respond(request, content)


# --- fields


@breaks("valid-accepted", "exact-values")
class EmojiAreRefused(Implementation):
    """Like a database column with three bytes per character."""

    def problem(self, name: str, value: Any) -> str | None:
        if isinstance(value, str) and any(ord(each) > 0xFFFF for each in value):
            return "Not a valid string."
        return super().problem(name, value)


@breaks("body-object")
class ListIsItsFirst(Implementation):
    def validate(self, data: Any) -> dict[str, str]:
        return super().validate(data[0] if isinstance(data, list) and data else data)


@breaks("event-id-format")
class ShortIdIsNotFound(Implementation):
    def problem(self, name: str, value: Any) -> str | None:
        problem = super().problem(name, value)
        if name == "event_id" and problem == "Enter 32 hexadecimal digits.":
            raise Refusal(404, {DETAIL: "The requested resource does not exist"})
        return problem


@breaks("invalid-refused")
class EqualKeysAreJoined(Implementation):
    """A duplicate key gets both values, separated by a comma."""

    def parse_json(self, content: bytes) -> Any:
        data = super().parse_json(content)
        return json.loads(content, object_pairs_hook=self.joined) if content else data

    def joined(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """The object, with the values of duplicate keys joined."""
        found: dict[str, Any] = {}
        for name, value in pairs:
            found[name] = f"{found[name]},{value}" if name in found else value
        return found


@breaks("field-length")
class NameOneLonger(Implementation):
    lengths = {**Implementation.lengths, "name": 129}  # noqa: RUF012 (never changed)


@breaks("email-format")
class AnyEmail(Implementation):
    def is_email(self, value: str) -> bool:
        return True


@breaks("field-required")
class OnlyTheFirstError(Implementation):
    def refuse(self, refusal: Refusal) -> Response:
        if refusal.status == 400 and DETAIL not in refusal.body:
            refusal.body = dict(list(refusal.body.items())[:1])
        return super().refuse(refusal)


@breaks("event-id-length")
class DashesAreStripped(Implementation):
    def validate(self, data: Any) -> dict[str, str]:
        if isinstance(data, dict) and isinstance(data.get("event_id"), str):
            data = {**data, "event_id": data["event_id"].replace("-", "")}
        return super().validate(data)


# --- the list


@breaks("list", "submission")
class OldestFirst(Implementation):
    def listed(self, project: Project, status: str, environment: str | None) -> list[Record]:
        return super().listed(project, status, environment)[::-1]


@breaks("list-known-events")
class EverythingIsListed(Implementation):
    def listed(self, project: Project, status: str, environment: str | None) -> list[Record]:
        unknown = [each for each in self.records(project).values() if self.find_event(project, each.event_id) is None]
        return [*unknown, *super().listed(project, status, environment)]


@breaks("head")
class HeadForEveryDsn(Implementation):
    """Only GET is refused to DSNs."""

    def authorize(self, project: Project, kind: str, owner: Project | None, method: str) -> None:
        super().authorize(project, kind, owner, "POST" if (kind, method) == ("dsn", "HEAD") else method)


@breaks("list-credentials")
class DsnMayList(Implementation):
    def authorize(self, project: Project, kind: str, owner: Project | None, method: str) -> None:
        super().authorize(project, "write" if kind == "dsn" and method != "POST" else kind, owner, method)


@breaks("list-status", "list")
class ResolvedIsListed(Implementation):
    def listed(self, project: Project, status: str, environment: str | None) -> list[Record]:
        return super().listed(project, "", environment)


@breaks("list-environment")
class EnvironmentIsIgnored(Implementation):
    def listed(self, project: Project, status: str, environment: str | None) -> list[Record]:
        return super().listed(project, status, None)


@breaks("list-environment")
class EnvironmentsInAnyCase(Implementation):
    def listed(self, project: Project, status: str, environment: str | None) -> list[Record]:
        names = {each.environment for each in project.events.values() if each.environment}
        same = {name.lower(): name for name in names}
        return super().listed(project, status, same.get((environment or "").lower(), environment))


@breaks("list-pages")
class PageBeginsOneTooLate(Implementation):
    """An entry is lost between two pages."""

    def listing(self, request: Request, project: Project) -> Response:
        response = super().listing(request, project)
        offset = re.compile(r"(next.*0:)(\d+)")
        response.headers["Link"] = offset.sub(lambda it: f"{it[1]}{int(it[2]) + 1}", response.headers["Link"])
        return response


@breaks("list-cursor")
class CursorsMayGoOn(Implementation):
    """Anything after a cursor is ignored."""

    def listing(self, request: Request, project: Project) -> Response:
        query = re.sub(r"(cursor=\d+(?::|%3A)\d+(?::|%3A)[01])[^&]+", r"\1", request.url.query)
        return super().listing(Request({**request.scope, "query_string": query.encode()}), project)


@breaks("list-cursor")
class AnyCursorIsTheBeginning(Implementation):
    def listing(self, request: Request, project: Project) -> Response:
        cursor = request.query_params.get("cursor", "0:0:0")
        if not re.fullmatch(r"\d{1,15}:\d{1,15}:[01]", cursor):
            query = [(name, value) for name, value in request.query_params.items() if name != "cursor"]
            request = Request({**request.scope, "query_string": urlencode(query).encode()})
        return super().listing(request, project)
