"""A small implementation of the endpoint and of the control protocol, on Starlette, designed to be broken.

Everything that a mutant breaks is a method or an attribute of its own. It shares no code with the mock or with
`spec.rules`: it is the second opinion on which the verifier is tested.
"""

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

DETAIL = "detail"
HEADERS = {
    "X-XSS-Protection": "1; mode=block",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "deny",
    "Allow": "GET, POST, HEAD, OPTIONS",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
}
# What an nginx answers whose server is away.
BAD_GATEWAY = HTMLResponse("<html><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center></html>", 502)
FIELDS = ("event_id", "name", "email", "comments")


@dataclass
class Event:
    """A saved event."""

    saved: datetime
    timestamp: datetime
    environment: str | None
    status: str
    number: int


@dataclass
class Record:
    """Stored feedback."""

    id: str
    event_id: str
    values: dict[str, str]
    first: datetime
    last: datetime
    base: datetime
    project: str


@dataclass
class Project:
    """A sandbox."""

    organization: str
    slug: str
    id: str
    now: datetime
    events: dict[str, Event] = field(default_factory=dict)
    records: dict[Any, Record] = field(default_factory=dict)
    last_id: int = 0

    def token(self, kind: str) -> str:
        """A token of this project."""
        return f"{kind}-{self.organization}-{self.slug}"

    @property
    def key(self) -> str:
        """The public key of the DSN."""
        return self.id.rjust(32, "a")


class Refusal(Exception):
    """A response other than 200."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers or {}


class Implementation:
    """A conforming implementation; mutants override one thing each."""

    event_limit = timedelta(minutes=30)
    overwrite_limit = timedelta(minutes=5)
    success = 200
    conflict = 409
    largest = 1_048_576
    lengths = {"event_id": 32, "name": 128, "email": 75}  # noqa: RUF012 (a mutant replaces it, nobody changes it)

    def __init__(self) -> None:
        self.projects: dict[tuple[str, str], Project] = {}
        self.numbers = 0

    # --- the time rules

    def event_base(self, event: Event) -> datetime:
        """What the event window counts from."""
        return event.saved

    def event_window_over(self, event: Event, now: datetime, by: str) -> bool:
        """Whether the event is too old."""
        return now - self.event_base(event) > self.event_limit

    def overwrite_window_over(self, record: Record, now: datetime, by: str) -> bool:
        """Whether the feedback can no longer be overwritten."""
        return now - record.base > self.overwrite_limit

    def check_windows(self, event: Event | None, record: Record | None, now: datetime, by: str) -> None:
        """Refuses a submission that comes too late."""
        if event and self.event_window_over(event, now, by):
            raise self.too_late()
        if record and self.overwrite_window_over(record, now, by):
            raise self.too_late()

    def too_late(self) -> Refusal:
        """The refusal of both windows."""
        return Refusal(self.conflict, {DETAIL: "Feedback for this event cannot be modified."})

    # --- what is stored

    def key(self, project: Project, body: dict[str, str], by: str) -> Any:
        """What makes two submissions the same feedback."""
        return body["event_id"]

    def records(self, project: Project) -> dict[Any, Record]:
        """Where a project's feedback is stored."""
        return project.records

    def find_event(self, project: Project, event_id: str) -> Event | None:
        """The event, if the project knows it."""
        return project.events.get(event_id)

    def now(self, project: Project) -> datetime:
        """The project's clock."""
        return project.now

    def overwrite(self, record: Record, body: dict[str, str], now: datetime) -> None:
        """Replaces the values."""
        record.values = dict(body)
        record.last = now

    def store(self, project: Project, body: dict[str, str], now: datetime, by: str) -> Record:
        """A first submission."""
        project.last_id += 1
        record = Record(str(project.last_id), body["event_id"], dict(body), now, now, now, project.slug)
        self.records(project)[self.key(project, body, by)] = record
        return record

    def submit(self, project: Project, body: dict[str, str], by: str) -> Record:
        """The whole of a valid submission."""
        now = self.now(project)
        event = self.find_event(project, body["event_id"])
        record = self.records(project).get(self.key(project, body, by))
        self.check_windows(event, record, now, by)
        if record is None:
            return self.store(project, body, now, by)
        self.overwrite(record, body, now)
        return record

    def answer(self, project: Project, record: Record) -> dict[str, Any]:
        """The feedback as returned."""
        event = self.find_event(project, record.event_id)
        return {
            "id": record.id,
            "eventID": record.event_id,
            "name": record.values["name"],
            "email": record.values["email"],
            "comments": record.values["comments"],
            "dateCreated": instant(record.first),
            "event": {"id": record.event_id, "eventID": record.event_id},
            "issue": self.issue(event) if event else None,
            "user": None,
        }

    def issue(self, event: Event) -> dict[str, Any] | None:
        """The issue of an event."""
        return {"id": str(event.number), "title": "Error", "status": event.status}

    # --- access

    def authenticate(self, authorization: str | None) -> tuple[str, Project | None]:
        """The kind of credentials and the project that they belong to."""
        scheme, _, value = (authorization or "").partition(" ")
        if scheme.lower() == "bearer":
            return self.by_token(value)
        if scheme.lower() == "dsn":
            return self.by_dsn(value)
        raise Refusal(401, {DETAIL: "Authentication credentials were not provided."}, {"WWW-Authenticate": "Bearer"})

    def by_token(self, token: str) -> tuple[str, Project | None]:
        """A bearer token."""
        for project in self.projects.values():
            for kind in ("write", "read", "admin"):
                if token == project.token(kind):
                    return kind, project
        raise Refusal(401, {DETAIL: "Invalid token"})

    def by_dsn(self, dsn: str) -> tuple[str, Project | None]:
        """A DSN: public key and project number."""
        match = re.fullmatch(r"https?://(\w+)(?::\w*)?@[^/]+/(?:.*/)?(\d+)", dsn)
        for project in self.projects.values():
            if match and match[1] == project.key and match[2] == project.id:
                return "dsn", project
        raise Refusal(401, {DETAIL: "Invalid token"})

    def authorize(self, project: Project, kind: str, owner: Project | None, method: str) -> None:
        """Whether these credentials allow this here."""
        if owner is not project:
            raise Refusal(401 if kind == "dsn" else 403, {DETAIL: "You do not have permission to perform this action."})
        if kind == "read" and method == "POST":
            raise Refusal(403, {DETAIL: "You do not have permission to perform this action."})
        if kind == "dsn" and method != "POST":
            raise Refusal(401, {DETAIL: "Authentication credentials were not provided."})

    def find_project(self, organization: str, slug: str) -> Project:
        """The project of a path."""
        if (organization, slug) not in self.projects:
            raise Refusal(404, {DETAIL: "The requested resource does not exist"})
        return self.projects[organization, slug]

    # --- bodies

    def parse(self, media_type: str, content: bytes) -> Any:
        """The body as data."""
        kind = media_type.partition(";")[0].strip().lower()
        if kind == "application/json":
            return self.parse_json(content)
        if kind == "application/x-www-form-urlencoded":
            text = content.decode("latin-1")
            return {
                name: values[-1] for name, values in parse_qs(text, True, encoding="utf-8", errors="replace").items()
            }
        if kind == "multipart/form-data":
            return self.parse_multipart(media_type, content)
        raise Refusal(415, {DETAIL: f'Unsupported media type "{kind}" in request.'})

    def parse_json(self, content: bytes) -> Any:
        """JSON without surrogates and NaN."""
        try:
            data = json.loads(content.decode("utf-8")) if content else {}
            json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
        except (ValueError, RecursionError):
            raise Refusal(400, {DETAIL: "JSON parse error - it is not JSON"}) from None
        return data

    def parse_multipart(self, media_type: str, content: bytes) -> dict[str, str]:
        """The parts of a form by name."""
        head = b"Content-Type: " + media_type.encode("latin-1") + b"\r\n\r\n"
        message = BytesParser().parsebytes(head + content)
        parts: Any = message.get_payload() if message.is_multipart() else []
        return {
            str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True).decode(
                "utf-8", "replace"
            )
            for part in parts
        }

    def validate(self, data: Any) -> dict[str, str]:
        """The four fields, trimmed."""
        if not isinstance(data, dict):
            raise Refusal(400, {"non_field_errors": ["Invalid data."]})
        errors: dict[str, list[str]] = {}
        body: dict[str, Any] = {}
        for name in FIELDS:
            value = self.trim(data[name]) if isinstance(data.get(name), str) else data.get(name)
            problem = "This field is required." if name not in data else self.problem(name, value)
            if problem:
                errors[name] = [problem]
            body[name] = value
        if errors:
            raise Refusal(400, errors)
        return {**body, "event_id": self.normal_event_id(body["event_id"])}

    def normal_event_id(self, event_id: str) -> str:
        """The form in which event ids are compared."""
        return event_id.lower()

    def trim(self, value: str) -> str:
        """Trims white space."""
        return value.strip()

    def problem(self, name: str, value: Any) -> str | None:  # noqa: PLR0911 (one line per rule)
        """What is wrong with one value."""
        if value is None:
            return "This field may not be null."
        if not isinstance(value, str):
            return "Not a valid string."
        if not value:
            return "This field may not be blank."
        if len(value) > self.lengths.get(name, len(value)):
            return "Ensure this field has no more characters."
        if name == "email" and not self.is_email(value):
            return "Enter a valid email address."
        if name == "event_id" and not re.fullmatch(r"[0-9a-fA-F]{32}", value):
            return "Enter 32 hexadecimal digits."
        return None

    def is_email(self, value: str) -> bool:
        """A plausible address."""
        return bool(
            re.fullmatch(
                r"[^@\s\"\\(),:;<>\[\]]{1,64}@(?=[^@\s]{1,255}$)([A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}", value
            )
        )

    # --- the endpoint

    async def endpoint(self, request: Request) -> Response:
        """One request to the documented path."""
        if request.method == "OPTIONS":
            return self.preflight()
        try:
            content = await request.body()
            return self.respond(request, content)
        except Refusal as refusal:
            return self.refuse(refusal)

    def preflight(self) -> Response:
        """OPTIONS."""
        return Response(status_code=200, headers=HEADERS)

    def refuse(self, refusal: Refusal) -> Response:
        """A refusal as a response."""
        return JSONResponse(refusal.body, refusal.status, {**HEADERS, **refusal.headers})

    def respond(self, request: Request, content: bytes) -> Response:
        """GET and POST, in the documented order of checks."""
        if request.method not in ("GET", "HEAD", "POST"):
            raise Refusal(405, {DETAIL: f'Method "{request.method}" not allowed.'})
        kind, owner = self.authenticate(request.headers.get("authorization"))
        project = self.find_project(request.path_params["organization"], request.path_params["project"])
        self.authorize(project, kind, owner, request.method)
        if request.method != "POST":
            return self.listing(request, project)
        if len(content) > self.largest:
            raise Refusal(413, {DETAIL: "The request body is too large."})
        body = self.validate(self.parse(request.headers.get("content-type", ""), content))
        record = self.submit(project, body, kind)
        return JSONResponse(self.answer(project, record), self.success, HEADERS)

    def listing(self, request: Request, project: Project) -> Response:
        """GET."""
        query = request.query_params
        status, environment = query.get("status", "unresolved"), query.get("environment")
        size, cursor = query.get("per_page", "100"), query.get("cursor", "0:0:0")
        if status not in ("", "unresolved"):
            raise Refusal(400, {"status": "Invalid status choice"})
        if not re.fullmatch(r"[1-9]\d?|100", size):
            raise Refusal(400, {DETAIL: "Invalid per_page value. Cannot exceed 100."})
        if not re.fullmatch(r"\d{1,15}:\d{1,15}:[01]", cursor):
            raise Refusal(400, {DETAIL: "Invalid cursor parameter."})
        records = self.listed(project, status, environment)
        start, end = int(cursor.split(":")[1]), int(cursor.split(":")[1]) + int(size)
        link = ", ".join(
            f'<{request.url.path}>; rel="{name}"; results="{str(there).lower()}"; cursor="0:{offset}:{back}"'
            for name, there, offset, back in (
                ("previous", start > 0, max(start - int(size), 0), 1),
                ("next", end < len(records), end, 0),
            )
        )
        body = [self.answer(project, each) for each in records[start:end]]
        return JSONResponse(body, 200, {**HEADERS, "Link": link})

    def listed(self, project: Project, status: str, environment: str | None) -> list[Record]:
        """The contents of a list, newest first."""
        found = []
        for record in self.records(project).values():
            event = self.find_event(project, record.event_id)
            if event is None or (status and event.status != status):
                continue
            if environment is None or (event.environment or "") == environment:
                found.append(record)
        return sorted(found, key=lambda each: (each.first, int(each.id)), reverse=True)

    # --- the control protocol

    async def control(self, request: Request) -> Response:
        """All of `/_control`."""
        path = request.path_params["path"].split("/")
        body = json.loads(await request.body() or b"{}")
        if path == ["health"]:
            return JSONResponse({"status": "ok", "version": "0", "profile": "broken"})
        organization, slug, *rest = path[1:]
        if request.method == "PUT" and not rest:
            self.make_project(organization, slug, body)
        project = self.projects[organization, slug]
        if request.method == "DELETE":
            del self.projects[organization, slug]
            return Response(status_code=204)
        match rest:
            case ["events", event_id]:
                self.save_event(project, event_id, body)
                return JSONResponse({"event_id": event_id, "saved_at": instant(project.events[event_id].saved)})
            case ["clock", "advance"]:
                project.now += duration(body["duration"])
            case ["feedback"]:
                return JSONResponse(
                    [self.stored(each) for each in self.records(project).values() if each.project == slug]
                )
        return JSONResponse(self.described(project))

    def stored(self, record: Record) -> dict[str, Any]:
        """A record in the control protocol's format."""
        times = {"first_submitted_at": instant(record.first), "last_submitted_at": instant(record.last)}
        return {**record.values, "id": record.id, "event_id": record.event_id, **times}

    def make_project(self, organization: str, slug: str, body: dict[str, Any]) -> None:
        """PUT of a project."""
        self.numbers += 1
        now = datetime.fromisoformat(body["clock"]["now"])
        self.projects[organization, slug] = Project(organization, slug, str(self.numbers), now)

    def described(self, project: Project) -> dict[str, Any]:
        """A project in the control protocol's format."""
        return {
            "organization": project.organization,
            "project": project.slug,
            "id": project.id,
            "dsn": f"http://{project.key}@127.0.0.1/{project.id}",
            "tokens": {kind: project.token(kind) for kind in ("write", "read", "admin")},
            "clock": {"now": instant(project.now), "running": False},
        }

    def save_event(self, project: Project, event_id: str, body: dict[str, Any]) -> None:
        """PUT of an event."""
        saved = project.now - duration(body.get("saved_ago", "PT0S"))
        timestamp = project.now - duration(body["timestamp_ago"]) if "timestamp_ago" in body else saved
        if "timestamp" in body:
            timestamp = datetime.fromisoformat(body["timestamp"])
        status = body.get("issue_status", "unresolved")
        project.events[event_id] = Event(saved, timestamp, body.get("environment"), status, len(project.events) + 1)

    def app(self) -> Starlette:
        """The whole as an ASGI application."""
        methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"]
        routes = [
            Route("/_control/{path:path}", self.control, methods=["GET", "POST", "PUT", "DELETE"]),
            Route("/api/0/projects/{organization}/{project}/user-feedback/", self.endpoint, methods=methods),
        ]
        application = Starlette(routes=routes)
        application.router.redirect_slashes = False
        return application


def instant(moment: datetime) -> str:
    """RFC 3339 with six digits."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def duration(text: str) -> timedelta:
    """The ISO 8601 durations that the verifier sends."""
    match = re.fullmatch(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d{1,6}))?S)?)?", text)
    assert match, text
    weeks, days, hours, minutes, seconds, fraction = match.groups()
    microseconds = int((fraction or "").ljust(6, "0"))
    counted = (int(each or 0) for each in (weeks, days, hours, minutes, seconds))
    w, d, h, m, s = counted
    return timedelta(weeks=w, days=d, hours=h, minutes=m, seconds=s, microseconds=microseconds)
