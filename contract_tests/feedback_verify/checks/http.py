"""Paths, methods, headers, media types and sizes."""

import json
from urllib.parse import urlencode

from feedback_verify.checks.base import Check
from feedback_verify.scenario import VALUES, Scenario, answer

JSON = {"Content-Type": "application/json"}
FORM = "application/x-www-form-urlencoded"
BOUNDARY = "feedback-boundary"
# The page's headers that mean something to a client; the others (Vary, Content-Language) say how Sentry is built.
FIRM = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "deny",
    "access-control-allow-origin": "*",
}


def unknown_projects_are_not_found(s: Scenario) -> None:
    """Neither the project nor the organization."""
    known = s.path()
    for old, new in ((s.project.slug, "no-such-project"), (s.project.organization, "no-such-organization")):
        path = known.replace(f"/{old}/", f"/{new}/", 1)
        reply = s.send("POST", path=path, headers=JSON, content=_json(s))
        s.expect_status(reply, 404, f"POST {path}")


def without_its_slash_the_path_is_not_found(s: Scenario) -> None:
    """And is not redirected: clients lose the body on a redirect."""
    reply = s.send("POST", path=s.path().rstrip("/"), headers=JSON, content=_json(s))
    s.expect_status(reply, 404, "POST without the trailing slash")
    s.nothing_stored("by a path without its slash")


def other_paths_are_not_found(s: Scenario) -> None:
    """Near the documented one; escaped slashes do not make segments."""
    for path in (
        s.path() + "1/",
        s.path().replace("user-feedback", "user%2Dfeedbacks"),
        s.path().replace("/0/", "/9/"),
    ):
        reply = s.send("POST", path=path, headers=JSON, content=_json(s))
        s.expect(400 <= reply.status < 500, f"POST {path}: expected a refusal, got {answer(reply)}")


def other_methods_are_not_allowed(s: Scenario) -> None:
    """With the methods that are, in `Allow`. Some servers ask for a scope first, which only some methods have."""
    scopes = s.behaviour.methods
    for method in ("PUT", "PATCH", "DELETE"):
        reply = s.send(method, headers=JSON, content=_json(s))
        may = scopes is None or "project:write" in scopes.get(method, ())
        s.expect_status(reply, 405 if may else (403, 405), method)
        allowed = {each.strip() for each in reply.headers.get("allow", "").split(",")}
        s.expect({"GET", "POST"} <= allowed, f"{method}: Allow is {reply.headers.get('allow')!r}, without GET and POST")


def a_preflight_needs_no_credentials(s: Scenario) -> None:
    """As a browser sends it."""
    asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    for headers in ({}, {**asked, "Access-Control-Request-Headers": "authorization,content-type"}):
        reply = s.send("OPTIONS", by="none", headers=headers)
        s.expect_status(reply, 200, "OPTIONS without credentials")
        s.expect("POST" in reply.headers.get("access-control-allow-methods", ""), "the preflight does not allow POST")
        origins = ("*", headers.get("Origin"))
        s.expect(
            reply.headers.get("access-control-allow-origin") in origins, "the preflight does not allow every origin"
        )
        allowed = reply.headers.get("access-control-allow-headers", "").lower()
        s.expect("authorization" in allowed and "content-type" in allowed, f"the preflight allows only {allowed!r}")


def head_is_get_without_a_body(s: Scenario) -> None:
    """The same status, no body."""
    get, head = s.send("GET"), s.send("HEAD")
    s.expect_status(head, get.status, f"HEAD where GET is {get.status}")
    s.expect(not head.content, "HEAD has a body")


def answers_carry_the_headers_of_the_page(s: Scenario) -> None:
    """A success and refusals."""
    replies = {"200": s.submit(), "400": s.submit({}), "401": s.submit(by="none")}
    for name, reply in replies.items():
        declared = {each.lower() for each in s.document.submit.responses["200"].headers}
        for header, value in FIRM.items():
            if header not in declared:
                continue
            sent = reply.headers.get(header)
            s.expect((sent or "").lower() == value, f"on a {name}, {header} is {sent!r}, the page has {value!r}")
        s.expect("POST" in reply.headers.get("allow", ""), f"on a {name}, Allow is {reply.headers.get('allow')!r}")


def a_body_over_the_limit_is_refused(s: Scenario) -> None:
    """Just over the limit and far over it; just under the limit it is read."""
    limit = s.document.submit.extensions["x-max-body-bytes"]
    room = limit - len(_json(s, comments=""))
    s.expect_status(s.submit(_json(s, comments="c" * room)), 200, f"a body of exactly {limit} bytes")
    for size in (room + 1, 2 * limit):
        s.expect_status(s.submit(_json(s, comments="c" * size)), 413, f"a body over {limit} bytes")


def other_media_types_are_refused(s: Scenario) -> None:
    """By name; a body without a media type is one of them."""
    content = _json(s)
    for media_type in ("text/plain", "application/xml", "application/octet-stream", "application/vnd.api+json"):
        s.expect_status(s.submit(content, form=media_type), 415, f"a body as {media_type}")
    s.expect_status(s.send("POST", content=content), 415, "a body without a Content-Type")
    s.nothing_stored("of a body with another media type")


def json_is_known_by_any_spelling(s: Scenario) -> None:
    """Parameters and capitals do not matter."""
    for media_type in ("application/json; charset=utf-8", "Application/JSON", "application/json;charset=UTF-8"):
        s.expect_status(s.submit(form=media_type), 200, f"JSON as {media_type}")


def forms_are_taken_like_json(s: Scenario) -> None:
    """The same values, stored the same."""
    values = {**VALUES, "name": "Jäne & Smith = 1", "comments": "It broke!\r\nTwice. 😀"}
    plain = s.accepted(s.submit(s.submission(**values)))
    s.given({field: plain.get(field) for field in values} == values, "the same values as JSON are not kept either")
    for form, content in _forms(s.submission(**values)).items():
        reply = s.submit(content, form=form)
        s.expect_status(reply, 200, f"a body as {form}")
        answered = {field: reply.object.get(field) for field in values}
        s.expect(answered == values, f"a body as {form} is answered as {answered}")
        s.expect_status(s.submit(b"", form=form), 400, f"an empty body as {form}")


def a_token_has_no_origins(s: Scenario) -> None:
    """A browser may use a DSN only; the answer to it names its origin."""
    origin = {"Origin": "https://app.example"}
    refused = s.send("POST", by="write", headers={**JSON, **origin}, content=_json(s))
    s.expect_status(refused, 400, "a token from a browser")
    if "dsn" in s.project.credentials:
        taken = s.send("POST", by="dsn", headers={**JSON, **origin}, content=_json(s))
        s.expect_status(taken, 200, "a DSN from a browser")
        named = taken.headers.get("access-control-allow-origin")
        s.expect(named in ("*", origin["Origin"]), f"the answer to a browser allows the origin {named!r}")


def credentials_come_before_the_project(s: Scenario) -> None:
    """Without credentials nobody learns which projects there are."""
    s.given(s.submit(by="none").status == 401, "credentials are not required")
    path = s.path().replace(f"/{s.project.slug}/", "/no-such-project/")
    s.expect_status(
        s.send("POST", by="none", path=path, headers=JSON, content=_json(s)), 401, "no credentials, no project"
    )


def the_project_comes_before_the_body(s: Scenario) -> None:
    """A bad body for a project that does not exist."""
    path = s.path().replace(f"/{s.project.slug}/", "/no-such-project/")
    s.expect_status(s.send("POST", path=path, headers=JSON, content=b"{"), 404, "no project, and a bad body")


def credentials_come_before_the_body(s: Scenario) -> None:
    """A bad body without credentials."""
    s.given(s.submit(by="none").status == 401, "credentials are not required")
    s.expect_status(s.submit(b"{", by="none"), 401, "no credentials, and a bad body")


def permission_comes_before_the_body(s: Scenario) -> None:
    """A bad body with a token that may not submit."""
    s.given(s.submit(by="read").status == 403, "a reading token may submit")
    s.expect_status(s.submit(b"{", by="read"), 403, "a reading token, and a bad body")


def the_media_type_comes_before_the_syntax(s: Scenario) -> None:
    """A broken body as plain text."""
    s.given(s.submit(form="text/plain").status == 415, "text/plain is taken")
    s.expect_status(s.submit(b"{", form="text/plain"), 415, "another media type, and a broken body")


def the_fields_come_before_the_windows(s: Scenario) -> None:
    """A bad email for an event that is too old."""
    s.given(s.limit("event") > 0, "the document has no window that counts from the event")
    event_id = s.new_event_id()
    s.save_event(event_id, saved_ago=s.limit("event") + 1)
    s.given(s.submit(s.submission(email="nope")).status == 400, "a bad email is taken")
    reply = s.submit(s.submission(event_id, email="nope"))
    s.expect_status(reply, 400, "a bad email, for an event past its window")


def _json(s: Scenario, **values: str) -> bytes:
    return json.dumps(s.submission(**values)).encode()


def _forms(body: dict[str, str]) -> dict[str, bytes]:
    """The body by media type."""
    parts = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in body.items()
    )
    other = {**body, "event_id": body["event_id"][::-1]}
    return {
        FORM: urlencode(other).encode(),
        f"multipart/form-data; boundary={BOUNDARY}": ("".join(parts) + f"--{BOUNDARY}--\r\n").encode(),
    }


CHECKS = (
    Check("project-exists", unknown_projects_are_not_found),
    Check("route", without_its_slash_the_path_is_not_found),
    Check("route", other_paths_are_not_found),
    Check("method", other_methods_are_not_allowed),
    Check("preflight", a_preflight_needs_no_credentials),
    Check("head", head_is_get_without_a_body),
    Check("response-headers", answers_carry_the_headers_of_the_page),
    Check("body-size", a_body_over_the_limit_is_refused),
    Check("media-type", other_media_types_are_refused),
    Check("media-type", json_is_known_by_any_spelling),
    Check("origin", a_token_has_no_origins, ("token",)),
    Check("form-bodies", forms_are_taken_like_json),
    Check("check-order", credentials_come_before_the_project),
    Check("check-order", the_project_comes_before_the_body),
    Check("check-order", credentials_come_before_the_body),
    Check("check-order", permission_comes_before_the_body, ("read-token",)),
    Check("check-order", the_media_type_comes_before_the_syntax),
    Check("check-order", the_fields_come_before_the_windows, ("aged-event",)),
)
