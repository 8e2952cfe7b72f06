"""Sends the same sequences to a real Sentry and to the mock, and reports where the responses differ.

It compares the status, the media type, the headers that matter to a client, the shape of the body and every text in it
that is not the server's own (numbers, instants, ids).
"""

import json
import re
import time
import tomllib
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.real_sentry.requests import Call, Sequence, sequences

ACCEPTED = Path(__file__).with_name("accepted.toml")
HEADERS = (
    "allow",
    "www-authenticate",
    "access-control-allow-origin",
    "location",
    "x-frame-options",
    "content-language",
)
# A server's own values; only their form is compared.
OWN = {"id": re.compile(r"\d+"), "dateCreated": re.compile(r"[\d-]{10}T[\d:]{8}([.]\d+)?Z")}


@dataclass(frozen=True)
class Server:
    """A server and the values for the placeholders of a call; `project` are its own names and credentials."""

    url: str
    words: Mapping[str, str]

    def save_event(self, client: httpx.Client, event_id: str, ago: int) -> None:
        """As an SDK does."""
        key = f"Sentry sentry_version=7, sentry_key={self.words['key']}"
        # A message of its own: of similar events, Sentry keeps only a sample.
        event = {"event_id": event_id, "timestamp": int(time.time()) - ago, "message": f"It broke in {event_id}"}
        answer = client.post(
            f"{self.url}/api/{self.words['id']}/store/", headers={"X-Sentry-Auth": key}, content=json.dumps(event)
        )
        answer.raise_for_status()

    def send(self, client: httpx.Client, call: Call, ids: Mapping[str, str]) -> httpx.Response | None:
        """The response; None if the connection was closed without one."""
        words = {**self.words, **ids}
        headers = {}
        if call.authorization is not None:
            headers["Authorization"] = _filled(call.authorization, words)
        if call.media_type is not None:
            headers["Content-Type"] = call.media_type
        if call.origin is not None:
            headers["Origin"] = call.origin
        body = _filled(call.body.decode("latin-1"), ids).encode("latin-1")
        url = self.url + _filled(call.path, words) + (f"?{call.query}" if call.query else "")
        try:
            return client.request(call.method, url, headers=headers, content=body)
        except httpx.RemoteProtocolError:
            return None


@dataclass(frozen=True)
class Difference:
    """A difference between two responses to a call: `what` is `status`, a header or a place in the body."""

    call: str
    what: str
    real: str
    mock: str


def run(real: Server, mock: Server, examples: int, seed_: int, progress: Callable[[int], None]) -> Iterator[Difference]:
    """Every difference in this many sequences, in order; the same seed draws the same ones."""
    found: list[Difference] = []
    done = 0
    # A fresh connection for each request: uWSGI silently closes idle ones.
    limits = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(limits=limits, timeout=60) as client:

        @seed(seed_)
        @settings(
            max_examples=examples,
            phases=(Phase.generate,),
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(sequences())
        def one(sequence: Sequence) -> None:
            nonlocal done
            found.extend(compared(client, real, mock, sequence))
            done += len(sequence.calls)
            progress(done)

        one()
    yield from found


def compared(client: httpx.Client, real: Server, mock: Server, sequence: Sequence) -> Iterator[Difference]:
    """The differences in one sequence; what follows the first call that differs is not compared."""
    event_id = uuid.uuid4().hex
    ids = {
        "event_id": event_id,
        "EVENT_ID": event_id.upper(),
        "dashed": str(uuid.UUID(event_id)),
        "short": event_id[:12],
    }
    if sequence.event_ago is not None:
        for server in (real, mock):
            server.save_event(client, event_id, sequence.event_ago)
    for number, call in enumerate(sequence.calls):
        label = f"event={sequence.event_ago} call={number + 1} {call.label()}"
        answers = real.send(client, call, ids), mock.send(client, call, ids)
        differences = list(_differences(label, *answers, ids))
        yield from differences
        if any(each.what == "status" for each in differences):
            return


def _differences(
    label: str, real: httpx.Response | None, mock: httpx.Response | None, ids: Mapping[str, str]
) -> Iterator[Difference]:
    if real is None or mock is None:
        if real is not mock:
            yield Difference(label, "connection", str(real), str(mock))
        return
    sides = [dict(_said(each, ids)) for each in (real, mock)]
    for what in dict.fromkeys((*sides[0], *sides[1])):
        told = [side.get(what, "(nothing)") for side in sides]
        if told[0] != told[1]:
            yield Difference(label, what, told[0], told[1])
            if what == "status":
                return


def _said(answer: httpx.Response, ids: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield "status", str(answer.status_code)
    for name in HEADERS:
        if name in answer.headers:
            yield f"header {name}", answer.headers[name]
    if not answer.content:
        return
    media_type = answer.headers.get("content-type", "").partition(";")[0]
    yield "media type", media_type
    if media_type == "application/json":
        value = answer.json()
        if isinstance(value, list) and answer.request.method == "GET":
            # A project on a real server contains what others submitted; only this sequence's own feedback counts.
            value = [each for each in value if each.get("eventID") == ids["event_id"]]
        yield from _values("body", value)


def _values(place: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key in sorted(value):
            own = OWN.get(key)
            if place.endswith("issue"):
                continue  # its keys differ from version to version
            if own is not None and re.fullmatch(r"body(\[0\])?", place) and isinstance(value[key], str):
                shape = re.sub(r"\d", "0", value[key]) if key == "dateCreated" else "a number"
                yield f"{place}.{key}", shape if own.fullmatch(value[key]) else value[key]
            else:
                yield from _values(f"{place}.{key}", value[key])
        yield place, "an object"
    elif isinstance(value, list):
        yield place, f"a list of {len(value)}"
        for index, each in enumerate(value):
            yield from _values(f"{place}[{index}]", each)
    else:
        text = json.dumps(value)
        yield place, re.sub(r"(JSON parse error - ).*", r"\1…", text)


def _filled(text: str, words: Mapping[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: words.get(match[1], match[0]), text)


class Accepted:
    """The known and intended differences, each with its reason: `accepted.toml` beside this file."""

    entries: list[tuple[str, dict[str, str]]]

    def __init__(self, path: Path = ACCEPTED) -> None:
        entries = tomllib.loads(path.read_text("utf-8"))["accepted"]
        self.entries = [(entry["reason"], {key: entry[key] for key in entry if key != "reason"}) for entry in entries]
        self.seen = dict.fromkeys((reason for reason, _ in self.entries), 0)

    def reason(self, difference: Difference) -> str | None:
        """Why this difference is accepted; every pattern of an entry must be found."""
        for reason, patterns in self.entries:
            if all(re.search(pattern, getattr(difference, key), re.DOTALL) for key, pattern in patterns.items()):
                self.seen[reason] += 1
                return reason
        return None
