"""Concurrent submissions: one record, one id, and a history that some order explains."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from feedback_verify.checks.base import Check
from feedback_verify.exchange import Credential, Exchange, Request
from feedback_verify.linearizability import Operation, explainable
from feedback_verify.scenario import Scenario

WRITERS = 6
ROUNDS = 5


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


def _race(s: Scenario, event_id: str, *, already: bool) -> None:
    names = [f"writer {number}" for number in range(WRITERS)]
    answers = _at_once(s, [_request(s, event_id, name) for name in names])
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


def _request(s: Scenario, event_id: str, name: str) -> Request:
    """Built in advance, so only sending remains."""
    authorization = s.project.credentials[s.default_credentials]
    body = json.dumps(s.submission(event_id, name=name)).encode()
    headers: dict[str, str | Credential] = {"Content-Type": "application/json", "Authorization": authorization}
    return Request("POST", s.target.base_url + s.path(), headers, body)


def _at_once(s: Scenario, requests: list[Request]) -> list[Exchange]:
    """Each on its own connection, all sent at the same moment."""
    gate = Barrier(len(requests))

    def send(request: Request) -> Exchange:
        with s.target.connection() as connection:
            gate.wait(30)
            return connection.exchange(request)

    with ThreadPoolExecutor(len(requests)) as pool:
        answers = list(pool.map(send, requests))
    for reply in answers:
        s.remember(reply)
    return answers


_CHECKS: tuple[Callable[[Scenario], None], ...] = (simultaneous_first_submissions, simultaneous_overwrites)
CHECKS = tuple(Check("concurrent-submissions", each) for each in _CHECKS)
