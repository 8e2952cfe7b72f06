"""Paths, methods, headers, media types and sizes."""

import json
from typing import Any

from feedback_spec.document import LIST, PREFLIGHT
from feedback_spec.instants import SECOND

from feedback_verify.checks.base import Check
from feedback_verify.exchange import Exchange
from feedback_verify.scenario import Scenario

JSON = {"Content-Type": "application/json"}
TEXT = {"Content-Type": "text/plain"}
# The page's headers that matter to clients, with their values if these matter.
FIRM: dict[str, tuple[str, ...]] = {
    "x-content-type-options": ("nosniff",),
    "x-frame-options": ("deny",),
    "x-xss-protection": (),
    "access-control-allow-origin": ("*",),
}
DOUBLED = {"x-content-type-options", "x-frame-options"}  # a proxy may add them once more, and browsers take that
NOBODYS = {"x-feedback-rule", "content-length"}  # the mock's own, and the message's


def a_preflight_needs_no_credentials(s: Scenario) -> None:
    """As a browser sends it."""
    asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    for headers in ({}, {**asked, "Access-Control-Request-Headers": "authorization,content-type"}):
        reply = s.send("OPTIONS", by="none", headers=headers)
        s.expect_status(reply, s.document.operations[PREFLIGHT].success, "OPTIONS without credentials")
        named = _listed(reply, "access-control-allow-methods")
        unnamed = set() if "*" in named else _methods(s) - named
        s.expect(not unnamed, f"the preflight does not allow {' and '.join(sorted(unnamed))}")
        origins = ("*", headers.get("Origin"))
        s.expect(
            reply.headers.get("access-control-allow-origin") in origins, "the preflight does not allow every origin"
        )
        allowed = {each.lower() for each in _listed(reply, "access-control-allow-headers")}
        allowed |= {"content-type"} if "*" in allowed else set()  # which is all but Authorization (Fetch, 3.3.4)
        s.expect({"authorization", "content-type"} <= allowed, f"the preflight allows only {sorted(allowed)}")


def head_is_get_without_a_body(s: Scenario) -> None:
    """The same status, for any client and any request, and no bytes after the head, if the wire can be observed."""
    nowhere = s.path().replace(f"/{s.project.slug}/", "/no-such-project/")
    asked: tuple[dict[str, Any], ...] = (
        {"query": "cursor=x"},
        {"path": nowhere},
        {"by": "none"},
        *({"by": kind} for kind in ("dsn", "read") if kind in s.project.credentials),
        {},
    )
    for how in asked if LIST in s.document.operations else ({},):
        get, head = s.send("GET", **how), s.send("HEAD", **how)
        s.expect_status(head, get.status, f"HEAD where GET is {get.status}")
        missing = sorted({each for each in ("link", "content-type") if each in get.headers} - set(head.headers))
        s.expect(not missing, f"GET has the headers {', '.join(missing)}, but HEAD does not")
    behind = s.target.behind_head(head.request)
    if behind is None:
        s.finding = "whether HEAD has a body could not be seen here"
    else:
        told = f"HEAD has a body, with which the next response on the connection begins: {behind[:60]!r}"
        s.expect(not behind, told)


def answers_carry_the_headers_of_the_page(s: Scenario) -> None:
    """A success and refusals. Further headers of the page missing on a success are a remark."""
    declared = {each.lower() for each in s.document.submit.responses[str(s.document.submit.success)].headers}
    body = s.submission()
    replies = {"200": s.submit(body), "400": s.submit({}), "401": s.submit(by="none")}
    others = {
        "404": s.send("POST", path=s.path().replace(f"/{s.project.slug}/", "/no-such-project/"), content=b"{}"),
        "405": s.send("PUT"),
        "415": s.submit(body, form=TEXT["Content-Type"]),
        **({"list": s.listing()} if _may_list(s) else {}),
        **_too_late(s, body),
    }
    # A response that is not JSON came from something before the endpoint.
    replies |= {name: reply for name, reply in others.items() if reply.media_type == "application/json"}
    for name, reply in replies.items():
        for header in declared & set(FIRM):
            sent, values = reply.headers.get(header), FIRM[header]
            said = _listed(reply, header) if header in DOUBLED else {sent or ""}
            right = sent is not None and (
                not values or {each.lower() for each in said} in [{value} for value in values]
            )
            s.expect(right, f"on a {name}, {header} is {sent!r}, the page has {' or '.join(values) or 'it'}")
        s.expect(_methods(s) <= _listed(reply, "allow"), f"on a {name}, Allow is {reply.headers.get('allow')!r}")
    missing = sorted(declared - set(replies["200"].headers) - NOBODYS)
    if missing:
        s.finding = f"remark: a 200 has no {', '.join(missing)}"


def a_browser_can_read_refusals(s: Scenario) -> None:
    """Without the origin header, a browser hides status and reason from the page that sent the request."""
    origin, nowhere = "https://app.example", s.path().replace(f"/{s.project.slug}/", "/no-such-project/")
    by = "dsn" if "dsn" in s.project.credentials else s.default_credentials
    plain = _json(s)
    tried = {
        "another method": s.send("PUT", by=by, headers={**JSON, "Origin": origin}, content=plain),
        "no such project": s.send("POST", by=by, path=nowhere, headers={**JSON, "Origin": origin}, content=plain),
        "another media type": s.send("POST", by=by, headers={**TEXT, "Origin": origin}, content=plain),
        "broken JSON": s.send("POST", by=by, headers={**JSON, "Origin": origin}, content=b"{"),
        "a token that may only read": s.send("POST", by="read", headers={**JSON, "Origin": origin}, content=plain)
        if "read" in s.project.credentials and s.behaviour.origins != "checked"
        else None,
    }
    for what, reply in tried.items():
        # A response that is not JSON came from something before the endpoint.
        if reply is not None and reply.status >= 400 and reply.media_type == "application/json":
            named = reply.headers.get("access-control-allow-origin")
            s.expect(named in ("*", origin), f"{what}: on a {reply.status} the allowed origin is {named!r}")


def a_body_of_exactly_the_limit_is_read(s: Scenario) -> None:
    """One byte more is one of the refusals."""
    limit = s.document.submit.extensions["x-max-body-bytes"]
    room = limit - len(_json(s, comments=""))
    reply = s.submit(_json(s, comments="c" * room))
    s.expect_accepted(reply, f"a body of exactly {limit} bytes")
    longest = s.document.field_schemas["comments"].get("maxLength")
    if longest is None or room <= longest:
        answered = len(str(reply.object.get("comments")))
        s.expect(answered == room, f"of {room} characters in a body of exactly {limit} bytes, {answered} are answered")


def a_token_has_no_origins(s: Scenario) -> None:
    """A browser may use only a DSN; the response to it names its origin."""
    origin = {"Origin": "https://app.example"}
    refused = s.send("POST", by="write", headers={**JSON, **origin}, content=_json(s))
    s.expect_status(refused, s.refusals("origin"), "a token from a browser")
    if "dsn" in s.project.credentials:
        taken = s.send("POST", by="dsn", headers={**JSON, **origin}, content=_json(s))
        s.expect_accepted(taken, "a DSN from a browser")
        named = taken.headers.get("access-control-allow-origin")
        s.expect(named in ("*", origin["Origin"]), f"the response to a browser allows the origin {named!r}")


def _listed(reply: Exchange, header: str) -> set[str]:
    """The members of a header that is a list: clients compare whole words."""
    return {each.strip() for each in reply.headers.get(header, "").split(",")}


def _methods(s: Scenario) -> set[str]:
    """The methods with which clients use the path: GET only if the document has lists."""
    return {"GET", "POST"} if LIST in s.document.operations else {"POST"}


def _may_list(s: Scenario) -> bool:
    return LIST in s.document.operations and "write" in s.project.credentials


def _too_late(s: Scenario, body: dict[str, Any]) -> dict[str, Exchange]:
    """A refusal by the overwrite window, if the clock can be moved past it."""
    if "clock" not in s.target.capabilities or not s.limit("feedback"):
        return {}
    s.advance(s.limit("feedback") + SECOND)
    return {"refusal by a window": s.submit(body)}


def _json(s: Scenario, **values: str) -> bytes:
    return json.dumps(s.submission(**values)).encode()


CHECKS = (
    Check("preflight", a_preflight_needs_no_credentials),
    Check("head", head_is_get_without_a_body),
    Check("response-headers", answers_carry_the_headers_of_the_page),
    Check("response-headers", a_browser_can_read_refusals),
    Check("body-size", a_body_of_exactly_the_limit_is_read),
    Check("origin", a_token_has_no_origins, ("token",)),
)
