"""Concurrent submissions: one record, one id, and a history that some order explains."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from threading import Barrier
from typing import Any

from feedback_verify.checks.base import Check
from feedback_verify.exchange import Credential, Exchange, Request
from feedback_verify.linearizability import Operation, explainable
from feedback_verify.scenario import Scenario
from feedback_verify.targets import NotReachable

WRITERS = 6
ROUNDS = 5
Way = tuple[Callable[[str], str], str]
"""How an event id is written, and by which credentials it is submitted."""


def simultaneous_first_submissions(s: Scenario) -> None:
    """Six at once, for an event without feedback."""
    _one_after_the_other(s)
    for _ in range(ROUNDS):
        _race(s, s.new_event_id(), already=False)


def simultaneous_overwrites(s: Scenario) -> None:
    """Six at once, for an event with feedback."""
    _one_after_the_other(s)
    for _ in range(ROUNDS):
        event_id = s.new_event_id()
        s.accepted(s.submit(s.submission(event_id, name="before")))
        _race(s, event_id, already=True)


def simultaneous_submissions_that_look_different(s: Scenario) -> None:
    """Six at once for one event, named in either case and by either credentials: a lock that takes them apart."""
    _one_after_the_other(s)
    ways = [(str.lower, s.default_credentials)]
    if "event-id-case" in s.document.rules:
        ways.append((str.upper, s.default_credentials))
    if {"write", "dsn"} <= s.project.credentials.keys() and "any-credentials-overwrite" in s.document.rules:
        ways = [(written, by) for written, _ in ways for by in ("write", "dsn")]
    replies = [s.accepted(s.submit(body, by=by)) for body, by in _in_ways(s, s.new_event_id(), ways)]
    ids = {str(each["id"]) for each in replies if "id" in each}  # some servers tell it only to some credentials
    s.given(len(ids) <= 1, "they are different feedback even sequentially")
    for _ in range(ROUNDS):
        _race(s, s.new_event_id(), already=False, ways=ways)


def simultaneous_submissions_for_different_events(s: Scenario) -> None:
    """Six at once, each for an event of its own."""
    for _ in range(ROUNDS):
        bodies = [s.submission(name=f"writer {number}") for number in range(WRITERS)]
        answers = _at_once(s, [_request(s, body, s.default_credentials) for body in bodies])
        for body, reply in zip(bodies, answers, strict=True):
            s.expect_accepted(reply, f"one of {WRITERS} concurrent submissions for different events")
            said = (reply.object.get("eventID"), reply.object.get("name"))
            s.expect(said == (body["event_id"], body["name"]), f"feedback for {body['event_id']} is answered as {said}")
        ids = [reply.object.get("id") for reply in answers]
        s.expect(len(set(map(str, ids))) == WRITERS, f"concurrent feedback for {WRITERS} events got the ids {ids}")
        if "records" in s.target.capabilities:
            stored = [len(s.records(body["event_id"])) for body in bodies]
            s.expect(stored == [1] * WRITERS, f"of concurrent feedback for {WRITERS} events, {sum(stored)} are stored")


def _one_after_the_other(s: Scenario) -> None:
    """What fails sequentially says nothing about concurrent submissions."""
    body = s.submission(name="before")
    first = s.accepted(s.submit(body))
    second = s.accepted(s.submit({**body, "name": "after"}), "an overwrite")
    s.given(second.get("name", "after") == "after", "an overwrite replaces nothing even sequentially")
    s.given(second.get("id") == first.get("id"), "an overwrite changes the id even sequentially")
    if "records" in s.target.capabilities:
        s.given(len(s.records(body["event_id"])) == 1, "an overwrite leaves two records even sequentially")
        s.given(s.records(body["event_id"])[0].get("name") == "after", "an overwrite is not stored even sequentially")


def _race(s: Scenario, event_id: str, *, already: bool, ways: Sequence[Way] = ()) -> None:
    names = [f"writer {number}" for number in range(WRITERS)]
    bodies = islice(cycle(_in_ways(s, event_id, ways or [(str.lower, s.default_credentials)])), WRITERS)
    requests = [_request(s, {**body, "name": name}, by) for name, (body, by) in zip(names, bodies, strict=True)]
    answers = _at_once(s, requests)
    for name, reply in zip(names, answers, strict=True):
        s.expect(
            reply.status in s.document.accepting, f"one of {WRITERS} concurrent submissions was answered {reply.status}"
        )
        answered = reply.object.get("name", name)
        s.expect(answered == name, f"a submission of {name!r} was answered with {answered!r}")
    ids = {str(reply.object["id"]) for reply in answers if "id" in reply.object}
    s.expect(len(ids) <= 1, f"{WRITERS} concurrent submissions for one event got the ids {sorted(ids)}")
    history = [Operation("write", name, each.sent, each.received) for name, each in zip(names, answers, strict=True)]
    if "records" in s.target.capabilities:
        began = s.target.now()
        records = s.records(event_id)
        s.expect(len(records) == 1, f"after {WRITERS} concurrent submissions there are {len(records)} records")
        history.append(Operation("read", str(records[0].get("name")), began, s.target.now()))
        told = f"no order of the submissions explains that {records[0].get('name')!r} is stored at the end"
        s.expect(explainable(history, "before" if already else ""), told)


def _in_ways(s: Scenario, event_id: str, ways: Sequence[Way]) -> list[tuple[dict[str, Any], str]]:
    """A body and credentials for each way of naming the event."""
    return [(s.submission(written(event_id)), by) for written, by in ways]


def _request(s: Scenario, body: dict[str, Any], by: str) -> Request:
    """Built in advance, so only sending remains."""
    headers: dict[str, str | Credential] = {
        "Content-Type": "application/json",
        "Authorization": s.project.credentials[by],
    }
    return Request("POST", s.target.base_url + s.path(), headers, json.dumps(body).encode())


def _at_once(s: Scenario, requests: list[Request]) -> list[Exchange]:
    """Each on its own connection, all sent at the same moment. Raises NotReachable if one is lost."""
    gate = Barrier(len(requests))

    def send(request: Request) -> Exchange | NotReachable:
        with s.target.connection() as connection:
            gate.wait(30)
            try:
                return connection.exchange(request)
            except NotReachable as lost:
                return lost

    with ThreadPoolExecutor(len(requests)) as pool:
        results = list(pool.map(send, requests))
    lost = [each for each in results if isinstance(each, NotReachable)]
    if lost:
        s.lose([each for each, result in zip(requests, results, strict=True) if isinstance(result, NotReachable)])
    answers = [each for each in results if isinstance(each, Exchange)]
    for reply in answers:
        s.remember(reply)
    if lost:
        raise lost[0]
    return answers


_CHECKS: tuple[Callable[[Scenario], None], ...] = (
    simultaneous_first_submissions,
    simultaneous_overwrites,
    simultaneous_submissions_that_look_different,
    simultaneous_submissions_for_different_events,
)
CHECKS = tuple(Check("concurrent-submissions", each) for each in _CHECKS)
