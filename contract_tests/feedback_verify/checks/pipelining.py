"""Pipelined requests on one connection: each gets its own response, in order (RFC 9112, 9.3.2)."""

import json
from dataclasses import dataclass

import h11

from feedback_verify.between import between
from feedback_verify.bodies import encode
from feedback_verify.checks.base import Check
from feedback_verify.exchange import Exchange, Request, Secret
from feedback_verify.scenario import CHANGED, JSON, VALUES, Scenario, Violated, answer
from feedback_verify.targets import NotReachable

BUSY = frozenset({429, 502, 503, 504})  # responses that are not about the request, and might come to any other as well


@dataclass(frozen=True)
class Asked:
    """One request of the sequence; `values` for a valid submission, or the `rule` that refuses it."""

    words: str
    values: dict[str, str] | None = None
    form: str = "json"
    by: str = "write"
    content: bytes = b""
    method: str = "POST"
    rule: str = ""

    def request(self, s: Scenario) -> Request:
        """The request as sent."""
        body = encode(self.values, self.form) if self.values is not None else None
        media_type = body.media_type if body is not None else JSON
        headers: dict[str, str | Secret] = {"Content-Type": media_type} if self.method == "POST" else {}
        credential = s.credential(s.project, self.by)
        if credential is not None:
            headers["Authorization"] = credential
        content = body.content if body is not None else self.content
        return Request(self.method, s.target.base_url + s.path(), headers, content)


def _sequence(s: Scenario) -> list[Asked]:
    """Submissions of the same length, from two users, among refusals whose bodies nobody needs, and lists."""
    first, second, third = (s.new_event_id() for _ in range(3))
    other = "dsn" if "dsn" in s.project.credentials else s.default_credentials
    own = s.default_credentials
    long = json.dumps({"event_id": first, **VALUES, "name": "Not To Be Stored", "comments": "c" * 20_000}).encode()
    reading = [Asked("HEAD", method="HEAD"), Asked("GET", method="GET")] if own == "write" else []
    return [
        Asked("a submission", {"event_id": first, **VALUES}, by=own),
        Asked("a submission for another event", {"event_id": second, **VALUES}, by=other),
        Asked("one without credentials and with a long body", by="none", content=long, rule="credentials-required"),
        Asked("broken JSON", content=long[:-1], by=own, rule="body-syntax"),
        Asked("an overwrite", {"event_id": first, **CHANGED}, by=own),
        *reading,
        Asked("an overwrite by other credentials", {"event_id": second, **CHANGED}, by=own),
        Asked("a form", {"event_id": third, **VALUES}, form="form", by=other),
        Asked("OPTIONS", method="OPTIONS", by="none"),
        Asked("the overwrite again", {"event_id": first, **CHANGED}, by=own),
    ]


def pipelined_requests_are_answered_one_by_one(s: Scenario) -> None:
    """The same as when each waits for the previous response; a server may close the connection in between."""
    try:
        single = _one_after_the_other(s)
    except NotReachable:
        s.finding = "pipelined requests were not tried: the server closes kept connections"
        return
    together = _sequence(s)
    try:
        replies = s.target.pipelined([each.request(s) for each in together])
    except h11.RemoteProtocolError as error:
        raise Violated(f"the responses to pipelined requests are not HTTP: {error}") from None
    if replies is None:
        s.finding = "pipelined requests could not be tried here"
        return
    if any(each.status in BUSY or between(each, s.target.sender.usual) for each in replies):
        s.finding = "pipelined requests were not judged: the target was busy, or something in between answered"
        return
    for each, reply, before in zip(together, replies, single, strict=False):
        s.remember(reply)
        told = f"{each.words}, pipelined: expected {before.status}, got {answer(reply)}"
        s.expect(reply.status == before.status, told)
        _expect_own(s, each, reply)


def _one_after_the_other(s: Scenario) -> list[Exchange]:
    """The same sequence on a connection, each waiting for the previous response: errors there are a different
    matter.
    """
    replies = []
    with s.target.connection() as connection:
        for each in _sequence(s):
            reply = connection.exchange(each.request(s))
            s.remember(reply)
            replies.append(reply)
            if each.values is not None:
                right = not s.judge(s.project, each.values, each.by, reply)[1]
            else:
                right = not each.rule or reply.status in s.refusals(each.rule)
            s.given(right, f"{each.words} is answered {answer(reply)} even if nothing is pipelined")
    return replies


def _expect_own(s: Scenario, asked: Asked, reply: Exchange) -> None:
    """It is about what was submitted, not about another request on the connection."""
    if asked.values is None:
        return
    problems = s.judge(s.project, asked.values, asked.by, reply)[1]
    s.expect(not problems, f"{asked.words}, pipelined: {problems[0].message if problems else ''}")


CHECKS = (Check("submission", pipelined_requests_are_answered_one_by_one),)
