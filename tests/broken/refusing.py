"""Servers that refuse incorrectly: by part of a credential, for existing feedback, in one form, across projects."""

import ast
import re
from base64 import b64decode
from contextlib import suppress
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.broken.registry import breaks
from tests.broken.server import DETAIL, HEADERS, Implementation, Project, Record, Refusal

# --- parts of credentials


@breaks("credentials-required")
class AnySchemeWillDo(Implementation):
    """What follows an unknown scheme is looked up anyway."""

    def authenticate(self, authorization: str | None) -> tuple[str, Project | None]:
        scheme, _, value = (authorization or "").partition(" ")
        return self.by_token(value) if scheme.lower() not in ("dsn", "") else super().authenticate(authorization)


@breaks("credentials-required")
class AnySchemeBeforeADsn(Implementation):
    """A DSN after an unknown scheme is looked up, but not a token."""

    def authenticate(self, authorization: str | None) -> tuple[str, Project | None]:
        scheme, _, value = (authorization or "").partition(" ")
        return (
            self.by_dsn(value) if "://" in value and scheme.lower() != "bearer" else super().authenticate(authorization)
        )


@breaks("credentials-required")
class NoSchemeWillDo(Implementation):
    """A token is accepted without a scheme."""

    def authenticate(self, authorization: str | None) -> tuple[str, Project | None]:
        alone = authorization is not None and " " not in authorization
        return self.by_token(authorization or "") if alone else super().authenticate(authorization)


class OfConnections(Implementation):
    """Keeps something per connection: uvicorn creates the client's address once for each."""

    def __init__(self) -> None:
        super().__init__()
        self.connections: dict[int, tuple[Any, dict[str, Any]]] = {}
        self.kept: dict[str, Any] = {}

    def respond(self, request: Request, content: bytes) -> Response:
        client = request.scope["client"]
        self.kept = self.connections.setdefault(id(client), (client, {}))[1]
        return super().respond(request, content)


@breaks("credentials-required")
class ConnectionsRemember(OfConnections):
    """A client that had access on a connection keeps it without credentials."""

    def authenticate(self, authorization: str | None) -> tuple[str, Project | None]:
        if authorization is None and "let in" in self.kept:
            kind, owner = self.kept["let in"]
            return kind, owner
        found = self.kept["let in"] = super().authenticate(authorization)
        return found


@breaks("project-isolation", "credentials-required")
class ConnectionsKeepTheirProject(OfConnections):
    """Every request on a connection goes to the project of the first one."""

    def find_project(self, organization: str, slug: str) -> Project:
        project: Project = self.kept.setdefault("project", super().find_project(organization, slug))
        return project


@breaks("credentials-required")
class TheBodyNotReadComesNext(OfConnections):
    """The body of a request without credentials stays on the connection, and is read as that of the next request."""

    def authenticate(self, authorization: str | None) -> tuple[str, Project | None]:
        self.kept["left"] = authorization is None
        return super().authenticate(authorization)

    def respond(self, request: Request, content: bytes) -> Response:
        client = request.scope["client"]
        kept = self.connections.get(id(client), (client, {}))[1]
        read = kept.pop("body", content) if kept.get("left") else content
        try:
            return super().respond(request, read)
        finally:
            self.kept["body"] = content


@breaks("field-required")
class MissingFieldsFromTheRequestBefore(OfConnections):
    """Fields missing in a request are taken from the previous one on the connection."""

    def validate(self, data: Any) -> dict[str, str]:
        if isinstance(data, dict):
            data = self.kept["fields"] = {**self.kept.get("fields", {}), **data}
        return super().validate(data)


# --- by client program


@breaks("response-schema")
class BrowsersGetAPage(Implementation):
    """A client that prefers HTML gets HTML."""

    def respond(self, request: Request, content: bytes) -> Response:
        response = super().respond(request, content)
        wants_page = request.headers.get("accept", "").startswith("text/html")
        page = Response("<h1>Thank you!</h1>", headers=HEADERS, media_type="text/html")
        return page if wants_page and request.method == "POST" else response


@breaks("submission")
class RobotsAreRefused(Implementation):
    def respond(self, request: Request, content: bytes) -> Response:
        if request.headers.get("user-agent", "").startswith("curl/"):
            raise Refusal(403, {DETAIL: "You do not have permission to perform this action."})
        return super().respond(request, content)


@breaks("credentials-spaces")
class FirstWordIsTheToken(Implementation):
    def by_token(self, token: str) -> tuple[str, Project | None]:
        return super().by_token(token.partition(" ")[0])


@breaks("credentials-known")
class TokensInAnyCase(Implementation):
    def by_token(self, token: str) -> tuple[str, Project | None]:
        return super().by_token(token.lower())


@breaks("credentials-known", "credentials-spaces")
class TokensByTheirBeginning(Implementation):
    def by_token(self, token: str) -> tuple[str, Project | None]:
        known = [each.token("write") for each in self.projects.values()]
        return super().by_token(max((each for each in known if token.startswith(each)), key=len, default=token))


@breaks("dsn-known")
class DsnByKeyAlone(Implementation):
    def by_dsn(self, dsn: str) -> tuple[str, Project | None]:
        match = re.fullmatch(r"https?://(\w+)(?::\w*)?@[^/]+/\S+", dsn)
        for project in self.projects.values():
            if match and match[1] == project.key:
                return "dsn", project
        return super().by_dsn(dsn)


@breaks("dsn-known")
class DsnNumberAtLeast(Implementation):
    def by_dsn(self, dsn: str) -> tuple[str, Project | None]:
        match = re.fullmatch(r"https?://(\w+)(?::\w*)?@[^/]+/(?:.*/)?(\d+)", dsn)
        for project in self.projects.values():
            if match and match[1] == project.key and int(match[2]) >= int(project.id):
                return "dsn", project
        return super().by_dsn(dsn)


@breaks("dsn-known")
class DsnKeyWithoutItsFirstDigit(Implementation):
    def by_dsn(self, dsn: str) -> tuple[str, Project | None]:
        return super().by_dsn(re.sub(r"//\w", "//a", dsn, count=1))


@breaks("dsn")
class DsnHostMatters(Implementation):
    def by_dsn(self, dsn: str) -> tuple[str, Project | None]:
        if "@127.0.0.1/" not in dsn:
            raise Refusal(401, {DETAIL: "Invalid token"})
        return super().by_dsn(dsn)


@breaks("dsn")
class DsnSecretIsRefused(Implementation):
    def by_dsn(self, dsn: str) -> tuple[str, Project | None]:
        if dsn.count(":") > 1 and re.search(r"//\w+:\w+@", dsn):
            raise Refusal(401, {DETAIL: "Invalid token"})
        return super().by_dsn(dsn)


@breaks("dsn")
class DsnAnswersNothing(Implementation):
    def respond(self, request: Request, content: bytes) -> Response:
        response = super().respond(request, content)
        by_dsn = (request.headers.get("authorization") or "").lower().startswith("dsn")
        return Response(status_code=200, headers=HEADERS) if by_dsn and request.method == "POST" else response


# --- across projects


@breaks("dsn-other-organization")
class SameSlugSameProject(Implementation):
    """A DSN opens every project of its project's name."""

    def authorize(self, project: Project, kind: str, owner: Project | None, method: str) -> None:
        same = kind == "dsn" and owner is not None and owner.slug == project.slug
        super().authorize(project, kind, project if same else owner, method)


@breaks("project-token")
class TokensOfTheOrganization(Implementation):
    def authorize(self, project: Project, kind: str, owner: Project | None, method: str) -> None:
        same = kind != "dsn" and owner is not None and owner.organization == project.organization
        super().authorize(project, kind, project if same else owner, method)


@breaks("project-exists")
class NumbersInThePath(Implementation):
    def find_project(self, organization: str, slug: str) -> Project:
        found = (each for each in self.projects.values() if each.organization == organization and each.id == slug)
        return next(found, None) or super().find_project(organization, slug)


@breaks("project-exists")
class SlugsByTheirBeginning(Implementation):
    def find_project(self, organization: str, slug: str) -> Project:
        return super().find_project(organization, slug.removesuffix("x"))


# --- on existing feedback


@breaks("email-format")
class RightFieldsOfAWrongOverwriteAreKept(Implementation):
    """An overwrite with a bad email still replaces the name."""

    def respond(self, request: Request, content: bytes) -> Response:
        try:
            return super().respond(request, content)
        except Refusal as refusal:
            if refusal.body == {"email": ["Enter a valid email address."]} and content.startswith(b"{"):
                data = self.parse_json(content)
                path = request.path_params
                record = self.projects[path["organization"], path["project"]].records.get(data["event_id"].lower())
                if record is not None:
                    record.values["name"] = data["name"]
            raise


@breaks("field-null")
class NullRestartsTheWindow(Implementation):
    def respond(self, request: Request, content: bytes) -> Response:
        try:
            return super().respond(request, content)
        except Refusal as refusal:
            project = self.projects.get((request.path_params["organization"], request.path_params["project"]))
            if "null" in str(refusal.body) and project is not None:
                for record in project.records.values():
                    record.base = project.now
            raise


@breaks("scope")
class ReadersEndTheWindow(Implementation):
    """After a submission with a read-only token, the feedback can no longer be overwritten."""

    def authorize(self, project: Project, kind: str, owner: Project | None, method: str) -> None:
        try:
            super().authorize(project, kind, owner, method)
        except Refusal:
            for record in project.records.values() if kind == "read" and owner is project else ():
                record.base = record.first - 2 * self.overwrite_limit
            raise


@breaks("media-type")
class PlainTextRemovesFeedback(Implementation):
    def respond(self, request: Request, content: bytes) -> Response:
        try:
            return super().respond(request, content)
        except Refusal as refusal:
            if refusal.status == 415:
                self.find_project(request.path_params["organization"], request.path_params["project"]).records.clear()
            raise


@breaks("method")
class PutIsStoredAllTheSame(Implementation):
    def respond(self, request: Request, content: bytes) -> Response:
        if request.method == "PUT":
            posted = Request({**request.scope, "method": "POST"})
            with suppress(Refusal):
                super().respond(posted, content)
        return super().respond(request, content)


@breaks("route")
class StoredWithoutTheSlash(Implementation):
    """Answered with 404, but stored."""

    async def unknown(self, request: Request) -> Response:
        content = await request.body()
        with suppress(Refusal):
            self.respond(request, content)
        return JSONResponse({DETAIL: "Route not found."}, 404, HEADERS)

    def app(self) -> Starlette:
        application = super().app()
        path = "/api/0/projects/{organization}/{project}/user-feedback"
        application.router.routes.append(Route(path, self.unknown, methods=["POST"]))
        return application


# --- in one form only


@breaks("field-blank")
class FormsMayBeBlank(Implementation):
    form = False

    def parse(self, media_type: str, content: bytes) -> Any:
        self.form = media_type.startswith("application/x-www")
        return super().parse(media_type, content)

    def problem(self, name: str, value: Any) -> str | None:
        return None if self.form and name == "comments" and value == "" else super().problem(name, value)


@breaks("field-length")
class MultipartHasNoLengths(Implementation):
    multipart = False

    def parse(self, media_type: str, content: bytes) -> Any:
        self.multipart = media_type.startswith("multipart/")
        return super().parse(media_type, content)

    def problem(self, name: str, value: Any) -> str | None:
        long = name == "name" and isinstance(value, str) and len(value) > self.lengths["name"]
        return None if self.multipart and long else super().problem(name, value)


@breaks("body-size")
class ChunksHaveNoLimit(Implementation):
    def respond(self, request: Request, content: bytes) -> Response:
        self.largest = Implementation.largest if "content-length" in request.headers else 1 << 30
        return super().respond(request, content)


@breaks("event-id-length")
class DsnMayDash(Implementation):
    """Only clients with a DSN may send an id with dashes."""

    by = ""

    def authorize(self, project: Project, kind: str, owner: Project | None, method: str) -> None:
        self.by = kind
        super().authorize(project, kind, owner, method)

    def validate(self, data: Any) -> dict[str, str]:
        if self.by == "dsn" and isinstance(data, dict) and isinstance(data.get("event_id"), str):
            data = {**data, "event_id": data["event_id"].replace("-", "")}
        return super().validate(data)


# --- what comes first


@breaks("check-order")
class MediaTypeBeforePermission(Implementation):
    def authorize(self, project: Project, kind: str, owner: Project | None, method: str) -> None:
        if kind == "read" and self.media_type.startswith("text/"):
            raise Refusal(415, {DETAIL: "Unsupported media type."})
        super().authorize(project, kind, owner, method)

    def respond(self, request: Request, content: bytes) -> Response:
        self.media_type = request.headers.get("content-type", "")
        return super().respond(request, content)


@breaks("check-order", "field-blank", "email-format", "field-type", "field-length", "field-null")
class WindowsBeforeFields(Implementation):
    def respond(self, request: Request, content: bytes) -> Response:
        try:
            return super().respond(request, content)
        except Refusal as refusal:
            if "email" in refusal.body and content.startswith(b"{"):
                project = self.find_project(request.path_params["organization"], request.path_params["project"])
                event = project.events.get(str(self.parse_json(content).get("event_id")))
                self.check_windows(event, None, project.now, "write")
            raise


# --- responses


@breaks("response-headers")
class RefusalsThatNoBrowserReads(Implementation):
    def refuse(self, refusal: Refusal) -> Response:
        response = super().refuse(refusal)
        if refusal.status in (403, 404, 405, 413, 415):
            del response.headers["Access-Control-Allow-Origin"]
        return response


@breaks("submission")
class RefersToTheRecord(Implementation):
    def answer(self, project: Project, record: Record) -> dict[str, Any]:
        return {**super().answer(project, record), "event": {"id": record.id, "eventID": record.event_id}}


@breaks("exact-values")
class EmailsInSmallLettersOnly(Implementation):
    def is_email(self, value: str) -> bool:
        return value == value.lower() and super().is_email(value)


@breaks("valid-accepted")
class OneCharacterIsTooShort(Implementation):
    def problem(self, name: str, value: Any) -> str | None:
        return (
            "Too short."
            if name == "comments" and isinstance(value, str) and len(value) == 1
            else super().problem(name, value)
        )


# --- notations and methods


@breaks("body-syntax")
class NanIsTaken(Implementation):
    """Numbers that are not JSON are accepted in keys that nobody needs."""

    def parse_json(self, content: bytes) -> Any:
        return super().parse_json(re.sub(rb"-?(NaN|Infinity)\b", b"0", content))


@breaks("body-syntax", "exact-values")
class CommasAndCommentsAreTaken(Implementation):
    """What is not JSON is parsed as a relative of JSON."""

    def parse_json(self, content: bytes) -> Any:
        return super().parse_json(re.sub(rb"/\*.*?\*/|,(?=\s*\})", b"", content))


@breaks("body-syntax")
class PythonIsTaken(Implementation):
    """What is not JSON is parsed as Python."""

    def parse_json(self, content: bytes) -> Any:
        try:
            return super().parse_json(content)
        except Refusal:
            with suppress(ValueError, SyntaxError, RecursionError, MemoryError):
                found = ast.literal_eval(content.decode())
                return found if isinstance(found, dict) else {}
            raise


@breaks("no-server-error")
class PartsMustBeUtf8(Implementation):
    """Bytes in a form's part that are not UTF-8 crash the server."""

    def parse_multipart(self, media_type: str, content: bytes) -> dict[str, str]:
        content.decode()
        return super().parse_multipart(media_type, content)


@breaks("response-schema")
class MethodsAreRefusedInText(Implementation):
    """Like a router that knows the path, but not the endpoint."""

    def respond(self, request: Request, content: bytes) -> Response:
        if request.method in ("PATCH", "DELETE"):
            return Response("Method Not Allowed", 405, HEADERS, "text/plain")
        return super().respond(request, content)


# --- who may read


@breaks("project-token")
class TokensOfTheOrganizationMayList(Implementation):
    def authorize(self, project: Project, kind: str, owner: Project | None, method: str) -> None:
        of_it = owner is not None and owner.organization == project.organization
        super().authorize(project, kind, project if of_it and kind != "dsn" and method != "POST" else owner, method)


@breaks("credentials-required")
class AnySchemeMayList(Implementation):
    def respond(self, request: Request, content: bytes) -> Response:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if request.method == "GET" and scheme == "Token":
            headers = [each for each in request.scope["headers"] if each[0] != b"authorization"]
            headers.append((b"authorization", f"Bearer {value}".encode("latin-1")))
            request = Request({**request.scope, "headers": headers})
        return super().respond(request, content)


@breaks("project-exists")
class NoProjectHasAnEmptyList(Implementation):
    def respond(self, request: Request, content: bytes) -> Response:
        try:
            return super().respond(request, content)
        except Refusal as refusal:
            if request.method in ("GET", "HEAD") and refusal.status == 404:
                return JSONResponse([], 200, HEADERS)
            raise


@breaks("head")
class HeadAsksNobody(Implementation):
    def respond(self, request: Request, content: bytes) -> Response:
        return JSONResponse([], 200, HEADERS) if request.method == "HEAD" else super().respond(request, content)


# --- more than the four fields


@breaks("submission")
class PagesElsewhereAreRefused(Implementation):
    def respond(self, request: Request, content: bytes) -> Response:
        if request.method == "POST" and "origin" in request.headers:
            raise Refusal(403, {DETAIL: "This origin may not submit."})
        return super().respond(request, content)


@breaks("credentials-required")
class SentryAuthWillDo(Implementation):
    """The key is read from the header of Sentry's other endpoints."""

    def respond(self, request: Request, content: bytes) -> Response:
        found = re.search(r"sentry_key=(\w+)", request.headers.get("x-sentry-auth", ""))
        owner = next((each for each in self.projects.values() if found and each.key == found[1]), None)
        if owner is not None and "authorization" not in request.headers:
            header = (b"authorization", f"DSN http://{owner.key}@127.0.0.1/{owner.id}".encode())
            request = Request({**request.scope, "headers": [*request.scope["headers"], header]})
        return super().respond(request, content)


@breaks("field-required")
class TheNameInAnswersWillDo(Implementation):
    def validate(self, data: Any) -> dict[str, str]:
        if isinstance(data, dict) and "eventID" in data:
            data = {"event_id": data["eventID"], **data}
        return super().validate(data)


@breaks("check-order")
class BodiesComeBeforeTheProjectOfADsn(Implementation):
    def respond(self, request: Request, content: bytes) -> Response:
        kind, _ = self.authenticate(request.headers.get("authorization"))
        if kind == "dsn" and request.method == "POST":
            self.validate(self.parse(request.headers.get("content-type", ""), content))
        return super().respond(request, content)


@breaks("project-exists")
class UnderscoresAreWildcards(Implementation):
    """The slug is looked up by LIKE."""

    def find_project(self, organization: str, slug: str) -> Project:
        alike = re.compile(re.escape(slug).replace("_", "."))
        found = (each for of, each in self.projects if of == organization and alike.fullmatch(each))
        known = (organization, slug) in self.projects
        return super().find_project(organization, slug if known else next(found, slug))


@breaks("unknown-keys")
class TheUserIsTakenFromTheRequest(Implementation):
    user: Any = None

    def validate(self, data: Any) -> dict[str, str]:
        self.user = data.get("user") if isinstance(data, dict) else None
        return super().validate(data)

    def answer(self, project: Project, record: Record) -> dict[str, Any]:
        return {**super().answer(project, record), "user": self.user if isinstance(self.user, dict) else None}


@breaks("field-length")
class AccentsCountForNothing(Implementation):
    def problem(self, name: str, value: Any) -> str | None:
        bare = re.sub("[\u0300-\u036f]", "", value) if name == "name" and isinstance(value, str) else value
        return super().problem(name, bare)


@breaks("valid-accepted")
class DashesInDomainsAreRefused(Implementation):
    def is_email(self, value: str) -> bool:
        return super().is_email(value) and "-" not in value.rpartition("@")[2]


@breaks("overwrite")
class AlmostTheSameIsARetry(Implementation):
    """Values that differ only in case replace nothing."""

    def overwrite(self, record: Record, body: dict[str, str], now: datetime) -> None:
        same = all(each.lower() == record.values[name].lower() for name, each in body.items())
        super().overwrite(record, record.values if same else body, now)


@breaks("response-headers")
class ConflictsHaveNoHeaders(Implementation):
    def refuse(self, refusal: Refusal) -> Response:
        response = super().refuse(refusal)
        if refusal.status == self.conflict:
            for name in HEADERS:
                del response.headers[name]
        return response


@breaks("valid-accepted")
class NoEventHasTheIdZero(Implementation):
    def problem(self, name: str, value: Any) -> str | None:
        return "Enter an event id." if name == "event_id" and value == "0" * 32 else super().problem(name, value)


@breaks("form-bodies")
class FormsAreDecodedTwice(Implementation):
    def parse(self, media_type: str, content: bytes) -> Any:
        found = super().parse(media_type, content)
        form = media_type.startswith("application/x-www-form-urlencoded")
        return {name: unquote(each) for name, each in found.items()} if form else found


@breaks("form-bodies")
class PartsLoseTheirReturns(Implementation):
    def parse_multipart(self, media_type: str, content: bytes) -> dict[str, str]:
        return {name: each.replace("\r\n", "\n") for name, each in super().parse_multipart(media_type, content).items()}


# --- what stands beside the credentials


@breaks("credentials-required")
class TokensAreUsersOfBasic(Implementation):
    """The token as the user of Basic, as other APIs take it."""

    def authenticate(self, authorization: str | None) -> tuple[str, Project | None]:
        scheme, _, value = (authorization or "").partition(" ")
        if scheme.lower() == "basic":
            with suppress(ValueError):
                return self.by_token(b64decode(value, validate=True).decode().partition(":")[0])
        return super().authenticate(authorization)


@breaks("credentials-required")
class KeysInTheUrlWillDo(Implementation):
    """As where SDKs send events."""

    def respond(self, request: Request, content: bytes) -> Response:
        key = request.query_params.get("sentry_key", "")
        for project in self.projects.values():
            if key == project.key and "authorization" not in request.headers:
                headers = [*request.scope["headers"], (b"authorization", f"DSN http://{key}@h/{project.id}".encode())]
                return super().respond(Request({**request.scope, "headers": headers}), content)
        return super().respond(request, content)


@breaks("credentials-known")
class QuotesAroundTokensAreDropped(Implementation):
    def by_token(self, token: str) -> tuple[str, Project | None]:
        return super().by_token(token.strip('"'))


@breaks("project-token")
class AdministratorsOfAnyProject(Implementation):
    def authorize(self, project: Project, kind: str, owner: Project | None, method: str) -> None:
        super().authorize(project, kind, project if kind == "admin" else owner, method)


@breaks("media-type")
class AnyMentionOfJson(Implementation):
    def parse(self, media_type: str, content: bytes) -> Any:
        return super().parse("application/json" if "application/json" in media_type else media_type, content)


# --- lists that only some may see


@breaks("list")
class AdministratorsMayNotList(Implementation):
    def authorize(self, project: Project, kind: str, owner: Project | None, method: str) -> None:
        super().authorize(project, kind, None if kind == "admin" and method != "POST" else owner, method)


@breaks("list-credentials")
class DsnMayFilter(Implementation):
    """With a filter, a list is a search, and nobody thought of its credentials."""

    def authorize(self, project: Project, kind: str, owner: Project | None, method: str) -> None:
        super().authorize(project, kind, owner, "POST" if self.filtered else method)

    def respond(self, request: Request, content: bytes) -> Response:
        self.filtered = bool(request.url.query)
        return super().respond(request, content)


@breaks("list-status")
class ResolvedIsAStatusToo(Implementation):
    """The list of resolved issues, which other lists have."""

    def listing(self, request: Request, project: Project) -> Response:
        query = request.url.query.replace("status=resolved", "status=")
        return super().listing(Request({**request.scope, "query_string": query.encode()}), project)
