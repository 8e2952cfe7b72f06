"""One scenario against a target: it sends, saves events, moves the clock and records every step.

A scenario makes no verdict of its own: a check calls `expect` (otherwise the rule is broken) or `given` (otherwise this
scenario cannot tell).
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from random import Random
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from feedback_spec.behaviour import Behaviour
from feedback_spec.document import Document

from feedback_verify.between import between, lost_behind, told_of
from feedback_verify.exchange import Altered, Credential, Exchange, Project, Request, Secret
from feedback_verify.oracle import Expected, Mismatch, Oracle
from feedback_verify.steps import Send, Step
from feedback_verify.targets import Connection, ControlTarget, Target, Trouble
from feedback_verify.verdicts import Probe

VALUES = {"name": "Jane Smith", "email": "jane@example.com", "comments": "It broke!"}
CHANGED = {"name": "John Doe", "email": "john@example.org", "comments": "It still is."}
JSON = "application/json"
READING = frozenset({"GET", "HEAD", "OPTIONS"})
T = TypeVar("T")
BY_CHANCE, TRIES = 2, 5  # losses at one point that may be chance, and tries in all


class Place(NamedTuple):
    """Where a connection was lost: after how many responses, and whether several requests were sent at once."""

    responses: int
    at_once: bool = False


def loses_always(lost_at: Sequence[Place], place: Place) -> bool:
    """Whether the connection, lost there now, was lost there the last two times, or each time if requests were sent at
    once.

    A proxy or a restart loses one at random, which is next to impossible three times in a row at one point, but not
    among many requests; a server that crashes does so there.
    """
    before = TRIES if place.at_once else BY_CHANCE
    return [*lost_at[-before:]] == [place] * before


class Violated(Exception):
    """The rule is broken; the message says what was expected and what was seen."""


class Intercepted(Trouble):
    """Something in between answered instead of the server; the message says what, and with which status."""


class CannotTell(Exception):
    """The scenario did not reach the point that shows whether the rule holds; the message says why."""


class Scenario:
    """What a check works with. Times are microseconds; requests go to the scenario's own project by default."""

    def __init__(
        self,
        target: Target,
        document: Document,
        random: Random,
        *,
        plain_accepted: bool = True,
        start: datetime | None = None,
    ) -> None:
        self.target = target
        self.document = document
        self.steps: list[Step] = []
        self.exchanges: list[Exchange] = []
        self.observations = 0
        self.finding: str | None = None
        self.made_ids: set[str] = set()
        self._owed: Counter[tuple[str, str]] = Counter()
        self.probes: list[Probe] = []
        self.plain_accepted = plain_accepted
        self.channel: Target | Connection = target
        self.start = start
        self.oracle = Oracle(document, exact=target.clock == "exact", step=target.step, shown=target.shown_step)
        self._random = random
        self._projects: list[Project] = []
        self._looked: Step | None = None
        self._lost: Place | None = None
        self._changed: float | None = None  # when something was last done that lists may show
        self.project = self._opened(target.open(start))

    def __enter__(self) -> "Scenario":
        return self

    def __exit__(self, *_: object) -> None:
        for project in self._projects:
            self.target.close(project)

    def other_project(self, *, same_organization: bool = True, beside: Project | None = None) -> Project:
        """A fresh project beside the scenario's or another one; in another organization, it has the same name."""
        assert isinstance(self.target, ControlTarget), "the capability second-project comes with control"
        opened = self.target.open_beside(beside or self.project, same_organization=same_organization, start=self.start)
        return self._opened(opened)

    def foreign_dsn(self) -> Credential:
        """The DSN of another project."""
        given = self.project.credentials.get("other-dsn")
        return given or self.other_project().credentials["dsn"]

    @property
    def behaviour(self) -> Behaviour:
        """How the document's server behaves."""
        return self.document.behaviour

    def limit(self, family: str) -> int:
        """The longest window in microseconds that counts from `event` or `feedback`; 0 for none."""
        windows = self.document.mutability.windows
        return max((window.limit for window in windows if window.base.startswith(family)), default=0)

    def refusals(self, rule: str) -> tuple[int, ...]:
        """The statuses in the document for breaking the rule: its own first, then those also allowed."""
        return self.document.rules[rule].refusals

    def new_event_id(self) -> str:
        """An unused event id, 32 hex digits in lower case, with at least one letter."""
        digits = "abcdef0123456789"
        event_id = "f" + "".join(self._random.choice(digits) for _ in range(31))
        self.made_ids.add(event_id)
        return event_id

    def submission(self, event_id: str | None = None, **values: Any) -> dict[str, Any]:
        """The four fields; with an unused event id by default."""
        return {"event_id": event_id or self.new_event_id(), **VALUES, **values}

    def submit(
        self, body: Any = None, *, by: str | None = None, project: Project | None = None, form: str = JSON
    ) -> Exchange:
        """POSTs the body as JSON (bytes unchanged), by default a fresh valid submission."""
        body = self.submission() if body is None else body
        content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        return self.send("POST", by=by, project=project, headers={"Content-Type": form}, content=content)

    def listing(self, query: str = "", *, by: str = "write", project: Project | None = None) -> Exchange:
        """GETs the project's feedback; `query` is the text after the question mark."""
        self.target.settling.before("lists", self._changed)
        return self.send("GET", by=by, project=project, query=query)

    def send(
        self,
        method: str,
        *,
        by: str | None = None,
        authorization: str | Secret | None = None,
        project: Project | None = None,
        path: str | None = None,
        query: str = "",
        headers: Mapping[str, str | Secret] | None = None,
        content: bytes = b"",
        chunked: bool = False,
        in_query: Altered | None = None,
    ) -> Exchange:
        """Sends one request with the project's credentials of the kind `by` (`none` for none), and records it."""
        project = project or self.project
        authorization = authorization or self.credential(project, by or self.default_credentials)
        sent = {"Authorization": authorization} if authorization is not None else {}
        url = self.target.base_url + (path or self.path(project)) + (f"?{query}" if query else "")
        return self.repeat(project, Request(method, url, {**sent, **(headers or {})}, content, chunked, in_query))

    def repeat(self, project: Project, request: Request) -> Exchange:
        """Sends a request again unchanged, and records it."""
        step = Send(project, request, kept=self.channel is not self.target)
        self.steps.append(step)
        exchange = self.channel.exchange(request)
        if request.method not in READING:
            self._changed = time.monotonic()
        self.steps[-1] = replace(step, exchange=exchange)
        self.exchanges.append(exchange)
        return exchange

    def judge(
        self, project: Project, values: Mapping[str, str], by: str, exchange: Exchange
    ) -> tuple[Expected, list[Mismatch]]:
        """The oracle's verdict on the response to a valid submission of these values, which was just sent.

        Raises Intercepted if the response is not the server's.
        """
        if (told := self.intercepted(exchange)) is not None:
            raise Intercepted(told)
        expected, problems = self.oracle.submitted(project, values, by, exchange)
        now = self.oracle.sandbox(project).model.now if self.target.clock == "exact" else None
        self.note(exchange, expected=(expected.status,), rule=expected.rule, now=now, values=values, by=by)
        return expected, problems

    def intercepted(self, exchange: Exchange) -> str | None:
        """What something in between did, in words, if it answered instead of the server."""
        usual = self.target.sender.usual
        proxy = between(exchange, usual)
        return None if proxy is None or lost_behind(exchange, usual) else told_of(proxy, exchange)

    @property
    def sent(self) -> Iterator[Send]:
        """Every exchange with its expected response, in the order of sending."""
        noted = {id(step.exchange): step for step in self.steps if isinstance(step, Send)}
        for exchange in self.exchanges:
            yield noted.get(id(exchange)) or Send(self.project, exchange.request, exchange)

    def note(self, exchange: Exchange, **facts: Any) -> None:
        """Adds to the step of an exchange what was expected of it, and what was known about it."""
        for number in range(len(self.steps) - 1, -1, -1):
            step = self.steps[number]
            if isinstance(step, Send) and step.exchange is exchange:
                self.steps[number] = replace(step, **facts)
                return

    def remember(self, exchange: Exchange) -> None:
        """Adds an exchange that was sent without `send`, at the same time as others."""
        self._changed = time.monotonic()
        self.steps.append(Send(self.project, exchange.request, exchange, at_once=True))
        self.exchanges.append(exchange)

    def lose(self, requests: Sequence[Request]) -> None:
        """Adds requests that were sent at the same time as others, and got no response."""
        self._lost = Place(len(self.exchanges), at_once=True)
        self.steps += [Send(self.project, each, at_once=True) for each in requests]

    @property
    def place(self) -> Place:
        """Where the connection is lost, if it is lost now."""
        return self._lost or Place(len(self.exchanges))

    @property
    def default_credentials(self) -> str:
        """A bearer token if there is one, else the DSN."""
        return "write" if "write" in self.project.credentials else "dsn"

    def credential(self, project: Project, kind: str) -> Credential | None:
        """The credential of this kind; None for `none`."""
        if kind == "none":
            return None
        self.given(kind in project.credentials, f"there are no credentials of the kind {kind} here")
        return project.credentials[kind]

    def path(self, project: Project | None = None) -> str:
        """The path of the endpoint for a project."""
        project = project or self.project
        values = {"organization_slug": project.organization, "project_slug": project.slug}
        return self.document.submit.path.format_map(values)

    def save_event(self, event_id: str, *, project: Project | None = None, **facts: Any) -> None:
        """Saves an event; `saved_ago` and `timestamp_ago` in microseconds, the rest as in the control protocol."""
        self.steps.append(self.target.save_event(project or self.project, event_id, facts))
        self.oracle.saved(project or self.project, event_id, facts)
        self._changed = time.monotonic()
        self.target.settling.before("events")

    def advance(self, microseconds: int, *, project: Project | None = None) -> None:
        """Moves the project's clock forward; moving it by 0 sends nothing.

        A clock that counts in steps may lose fractions of a step, so these are carried over to the next time.
        """
        where = project or self.project
        owed = self._owed[where.organization, where.slug] + microseconds
        left = self._owed[where.organization, where.slug] = owed % self.target.step
        if owed > left:
            self.steps.append(self.target.advance(where, owed - left))
            self.oracle.advanced(where, owed - left)

    def records(self, event_id: str | None = None, *, project: Project | None = None) -> list[dict[str, Any]]:
        """The stored records, of one event or of all."""
        records, self._looked = self.target.records(project or self.project)
        return [each for each in records if event_id is None or each.get("event_id") == event_id]

    def show_records(self) -> None:
        """Adds the last reading of the stored records to the steps."""
        if self._looked is not None:
            self.steps.append(self._looked)

    def settled(self, look: Callable[[], Sequence[T]]) -> Sequence[T]:
        """What is wrong with a list; if lists lag, once it has caught up. Only the last reading is kept."""
        steps, exchanges = len(self.steps), len(self.exchanges)

        def again() -> Sequence[T]:
            del self.steps[steps:], self.exchanges[exchanges:]
            return look()

        return self.target.settling.until_none("lists", again)

    def nothing_stored(self, why: str, *, project: Project | None = None) -> None:
        """Expects the project to have no feedback, if the target shows its records."""
        if "records" in self.target.capabilities:
            self.expect(not self.records(project=project), f"nothing may be stored {why}, but a record was")

    def expect(self, condition: bool, message: str) -> None:
        """The rule is broken unless `condition`."""
        self.observations += 1
        if not condition:
            raise Violated(message)

    def expect_status(self, exchange: Exchange, status: int | tuple[int, ...], when: str) -> None:
        """The rule is broken unless the response has (one of) the status."""
        allowed = status if isinstance(status, tuple) else (status,)
        names = " or ".join(map(str, allowed))
        self.note(exchange, expected=allowed)
        if exchange.status not in allowed and (told := self.intercepted(exchange)) is not None:
            raise CannotTell(told)
        if exchange.status not in allowed and set(allowed) & set(self.document.accepting):
            self.given(not self._may_be_late(exchange), "so much time passed meanwhile that a window may be over")
        if (
            exchange.request.method == "POST"
            and set(allowed) & set(self.document.accepting)
            and exchange.status not in allowed
        ):
            # One verdict for one fault: if nothing is accepted, `submission` says so, not every rule.
            self.given(self.plain_accepted, f"not even plain feedback is accepted here: {answer(exchange)}")
        self.expect(exchange.status in allowed, f"{when}: expected {names}, got {answer(exchange)}")

    def _may_be_late(self, exchange: Exchange) -> bool:
        """Whether this is the refusal of a window that may have ended since the scenario's first request, on a clock
        that nobody moves.
        """
        windows = [each for each in self.document.mutability.windows if each.status == exchange.status]
        passed = exchange.received - min((each.sent for each in self.exchanges), default=exchange.sent)
        return self.target.clock == "real" and any(passed > each.limit for each in windows)

    def expect_accepted(self, exchange: Exchange, when: str) -> None:
        """The rule is broken unless the submission is accepted."""
        self.expect_status(exchange, self.document.accepting, when)

    def expect_listed(self, exchange: Exchange, when: str) -> None:
        """The rule is broken unless the response is a list."""
        self.expect_status(exchange, self.document.listing.success, when)

    def given(self, condition: bool, message: str) -> None:
        """This scenario cannot tell unless `condition`."""
        if not condition:
            raise CannotTell(message)

    def accepted(self, exchange: Exchange, what: str = "a submission") -> dict[str, Any]:
        """The feedback returned for a submission that must be accepted for the scenario to continue."""
        self.note(exchange, expected=self.document.accepting)
        self.given(
            exchange.status in self.document.accepting, f"the setup failed: {what} was answered {answer(exchange)}"
        )
        return exchange.object

    def _opened(self, opened: tuple[Project, list[Step]]) -> Project:
        project, steps = opened
        self._projects.append(project)
        self.oracle.opened(project, self.start or self.target.reads())
        self.steps.extend(steps)
        return project


def answer(exchange: Exchange) -> str:
    """A response in a few words: the status and the beginning of the body, on one line."""
    text = " ".join(exchange.content[:160].decode(errors="replace").split())
    return f"{exchange.status} {text}".strip()


def entries(exchange: Exchange) -> list[dict[str, Any]]:
    """The objects in a list response, in order; the rule is broken if the response is not such a list."""
    listed = exchange.json
    if not isinstance(listed, list):
        raise Violated(f"{exchange.request.method} is answered {answer(exchange)}, which is not a list")
    for each in listed:
        if not isinstance(each, dict) or not isinstance(each.get("eventID"), str):
            raise Violated(f"the list contains {str(each)[:80]}, which is not feedback with an eventID")
    return listed


def dashed(event_id: str) -> str:
    """The form of an event id with dashes."""
    return str(UUID(event_id))


def chances(random: Random, count: int) -> Iterator[Random]:
    """Independent random sources, one for each of `count` tries."""
    for _ in range(count):
        yield Random(random.getrandbits(64))
