"""Plays a plan of timed submissions without waiting: each is decided immediately, for the instant at which it would
be.
"""

import json
from collections.abc import Callable
from email.utils import formatdate
from random import Random
from typing import Any

from feedback_spec.document import Document
from feedback_spec.instants import SECOND, format_instant
from feedback_spec.rules import Decision, Facts, Outcome, decide
from feedback_verify.exchange import Exchange, Request
from feedback_verify.realtime.plan import Plan, Track
from feedback_verify.realtime.schedule import Played
from feedback_verify.scenario import CHANGED, VALUES, Scenario
from feedback_verify.targets import UrlTarget

AHEAD = 1_000_000 * SECOND  # what the server's clock is ahead of ours
TAKES = 1000  # microseconds from a submission to its answer

Decide = Callable[[Facts, int], Decision]
Change = Callable[[dict[str, Any], int], dict[str, Any]]
"""An answer's body, changed by a broken server, given how long after the track's beginning it is answered."""


def sound(document: Document) -> Decide:
    """The server that decides as this document says."""
    return lambda facts, now: decide(document.mutability, facts, now)


def played(document: Document, plan: Plan, decided: Decide, change: Change = lambda body, _: body) -> list[Played]:
    """The tracks with the responses of such a server, modified by `change`."""
    with UrlTarget("http://127.0.0.1:1", "o", "p", {"write": "t", "dsn": "http://k@127.0.0.1/1"}) as target:
        return [
            _play(track, Scenario(target, document, Random(number)), decided, change)
            for number, track in _numbered(plan)
        ]


def _numbered(plan: Plan) -> list[tuple[int, Track]]:
    return list(enumerate(plan.tracks, 1))


def _play(track: Track, scenario: Scenario, decided: Decide, change: Change) -> Played:
    each = Played(track, scenario, scenario.new_event_id())
    facts: dict[str, int] = {}
    if track.saved_ago is not None:
        each.saved = (-TAKES, 0)
        ago = track.saved_ago if track.timestamp_ago is None else track.timestamp_ago
        facts = {"event_saved": -track.saved_ago, "event_timestamp": -ago}
    for number, submit in enumerate(track.submits):
        decision = decided(Facts(**facts), submit.at)
        if decision.outcome != Outcome.REFUSED:
            facts = {**facts, "first_submitted": facts.get("first_submitted", submit.at), "last_submitted": submit.at}
        values = VALUES if number == 0 or submit.again else {**CHANGED, "comments": str(number)}
        body = {"event_id": each.event_id, **values}
        each.submissions.append(_exchange(body, decision, facts, submit.at, change))
    return each


def _exchange(values: dict[str, str], decision: Decision, facts: dict[str, int], now: int, change: Change) -> Exchange:
    told: dict[str, Any] = {"detail": "Feedback for this event cannot be modified."}
    if decision.outcome != Outcome.REFUSED:
        told = {
            **{name: value for name, value in values.items() if name != "event_id"},
            "id": values["event_id"],
            "eventID": values["event_id"],
            "dateCreated": format_instant(facts["first_submitted"] + AHEAD),
            "issue": {"id": "1"} if "event_saved" in facts else None,
            "user": None,
        }
    request = Request("POST", "http://127.0.0.1:1/", {}, json.dumps(values).encode())
    headers = {"content-type": "application/json", "date": formatdate((now + AHEAD) // SECOND, usegmt=True)}
    content = json.dumps(change(told, now)).encode()
    return Exchange(request, decision.status, headers, content, now - TAKES // 2, now + TAKES // 2)
