"""One scenario against a target: it sends, saves events, moves the clock and remembers every line of it.

A scenario makes no verdict of its own: a check says `expect` (the rule is broken otherwise) or
`given` (this scenario cannot tell otherwise).
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from random import Random
from typing import Any, TypeVar
from uuid import UUID

from feedback_spec.behaviour import Behaviour
from feedback_spec.document import Document

from feedback_verify.exchange import Credential, Exchange, Project, Request, Secret
from feedback_verify.oracle import Expected, Mismatch, Oracle
from feedback_verify.steps import Send, Step
from feedback_verify.targets import Connection, ControlTarget, Target
from feedback_verify.verdicts import Probe

VALUES = {"name": "Jane Smith", "email": "jane@example.com", "comments": "It broke!"}
CHANGED = {"name": "John Doe", "email": "john@example.org", "comments": "It still is."}
JSON = "application/json"
READING = frozenset({"GET", "HEAD", "OPTIONS"})
T = TypeVar("T")


class Violated(Exception):
    """The rule is broken; the message says what was expected and what came."""


class CannotTell(Exception):
    """The scenario did not come to the point where the rule shows; the message says why."""


class Scenario:
    """What a check is given. Times are microseconds; every request goes to the scenario's own project unless said."""

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
        self.oracle = Oracle(document, exact=target.clock == "exact", step=target.step)
        self._random = random
        self._projects: list[Project] = []
        self._looked: Step | None = None
        self._changed: float | None = None  # when something was done last that lists may show
        self.project = self._opened(target.open(start))

    def __enter__(self) -> "Scenario":
        return self

    def __exit__(self, *_: object) -> None:
        for project in self._projects:
            self.target.close(project)

    def other_project(self, *, same_organization: bool = True, beside: Project | None = None) -> Project:
        """A fresh project beside the scenario's or another one; in another organization it has the same name."""
        assert isinstance(self.target, ControlTarget), "the capability second-project comes with control"
        opened = self.target.open_beside(beside or self.project, same_organization=same_organization, start=self.start)
        return self._opened(opened)

    def foreign_dsn(self) -> Credential:
        """The DSN of another project."""
        given = self.project.credentials.get("other-dsn")
        return given or self.other_project().credentials["dsn"]

    @property
    def behaviour(self) -> Behaviour:
        """What the document's server does in its own way."""
        return self.document.behaviour

    def limit(self, family: str) -> int:
        """The longest window in microseconds that counts from `event` or `feedback`; 0 for none."""
        windows = self.document.mutability.windows
        return max((window.limit for window in windows if window.base.startswith(family)), default=0)

    def refusals(self, rule: str) -> tuple[int, ...]:
        """The statuses that the document has for what breaks the rule: its own first, then those it allows beside."""
        return self.document.rules[rule].refusals

    def new_event_id(self) -> str:
        """An event id that was not used before, 32 hex digits in lower case, with at least one letter."""
        digits = "abcdef0123456789"
        event_id = "f" + "".join(self._random.choice(digits) for _ in range(31))
        self.made_ids.add(event_id)
        return event_id

    def submission(self, event_id: str | None = None, **values: Any) -> dict[str, Any]:
        """The four fields; an event id that was not used before unless given."""
        return {"event_id": event_id or self.new_event_id(), **VALUES, **values}

    def submit(
        self, body: Any = None, *, by: str | None = None, project: Project | None = None, form: str = JSON
    ) -> Exchange:
        """POSTs the body as JSON (bytes as they are), by default a fresh valid submission."""
        body = self.submission() if body is None else body
        content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        return self.send("POST", by=by, project=project, headers={"Content-Type": form}, content=content)

    def listing(self, query: str = "", *, by: str = "write", project: Project | None = None) -> Exchange:
        """GETs the project's feedback; `query` as it stands behind the question mark."""
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
    ) -> Exchange:
        """Sends one request with the project's own credentials `by` kind (`none` for none), and remembers it."""
        project = project or self.project
        authorization = authorization or self.credential(project, by or self.default_credentials)
        sent = {"Authorization": authorization} if authorization is not None else {}
        url = self.target.base_url + (path or self.path(project)) + (f"?{query}" if query else "")
        return self.repeat(project, Request(method, url, {**sent, **(headers or {})}, content, chunked))

    def repeat(self, project: Project, request: Request) -> Exchange:
        """Sends a request as it is, and remembers it."""
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
        """The oracle's word on the answer to a valid submission of these values, sent last."""
        expected, problems = self.oracle.submitted(project, values, by, exchange)
        now = self.oracle.sandbox(project).model.now if self.target.clock == "exact" else None
        self.note(exchange, expected=(expected.status,), rule=expected.rule, now=now, values=values, by=by)
        return expected, problems

    @property
    def sent(self) -> Iterator[Send]:
        """Every exchange with what was expected of it, in the order of sending."""
        noted = {id(step.exchange): step for step in self.steps if isinstance(step, Send)}
        for exchange in self.exchanges:
            yield noted.get(id(exchange)) or Send(self.project, exchange.request, exchange)

    def note(self, exchange: Exchange, **facts: Any) -> None:
        """Writes what was expected of an exchange, and what was known of it, to its step."""
        for number, step in enumerate(self.steps):
            if isinstance(step, Send) and step.exchange is exchange:
                self.steps[number] = replace(step, **facts)

    def remember(self, exchange: Exchange) -> None:
        """Takes an exchange that was sent past `send`, at the same time as others, into the scenario."""
        self._changed = time.monotonic()
        self.steps.append(Send(self.project, exchange.request, exchange, at_once=True))
        self.exchanges.append(exchange)

    @property
    def default_credentials(self) -> str:
        """A bearer token where there is one, else the DSN."""
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
        """Saves an event; `saved_ago` and `timestamp_ago` in microseconds, the rest as the control protocol says."""
        self.steps.append(self.target.save_event(project or self.project, event_id, facts))
        self.oracle.saved(project or self.project, event_id, facts)
        self._changed = time.monotonic()
        self.target.settling.before("events")

    def advance(self, microseconds: int, *, project: Project | None = None) -> None:
        """Moves the project's clock forward; moving it by 0 sends nothing.

        A clock that counts in steps may forget what goes beyond whole ones, so that is left for the next time.
        """
        where = project or self.project
        owed = self._owed[where.organization, where.slug] + microseconds
        left = self._owed[where.organization, where.slug] = owed % self.target.step
        if owed > left:
            self.steps.append(self.target.advance(where, owed - left))
            self.oracle.advanced(where, owed - left)

    def records(self, event_id: str | None = None, *, project: Project | None = None) -> list[dict[str, Any]]:
        """What is stored, of one event or of all."""
        records, self._looked = self.target.records(project or self.project)
        return [each for each in records if event_id is None or each.get("event_id") == event_id]

    def show_records(self) -> None:
        """Takes what was read last of what is stored into the steps."""
        if self._looked is not None:
            self.steps.append(self._looked)

    def settled(self, look: Callable[[], Sequence[T]]) -> Sequence[T]:
        """What is wrong with what a list shows; where it lags, when it has caught up. Only the last look is kept."""
        steps, exchanges = len(self.steps), len(self.exchanges)

        def again() -> Sequence[T]:
            del self.steps[steps:], self.exchanges[exchanges:]
            return look()

        return self.target.settling.until_none("lists", again)

    def nothing_stored(self, why: str, *, project: Project | None = None) -> None:
        """Expects that the project holds no feedback, where the target shows its records."""
        if "records" in self.target.capabilities:
            self.expect(not self.records(project=project), f"nothing may be stored {why}, but a record was")

    def expect(self, condition: bool, message: str) -> None:
        """The rule is broken unless `condition`."""
        self.observations += 1
        if not condition:
            raise Violated(message)

    def expect_status(self, exchange: Exchange, status: int | tuple[int, ...], when: str) -> None:
        """The rule is broken unless the answer has (one of) the status."""
        allowed = status if isinstance(status, tuple) else (status,)
        names = " or ".join(map(str, allowed))
        self.note(exchange, expected=allowed)
        if exchange.request.method == "POST" and 200 in allowed and exchange.status not in allowed:
            # One verdict for one fault: where nothing is accepted, `submission` says so, not every rule.
            self.given(self.plain_accepted, f"not even plain feedback is accepted here: {answer(exchange)}")
        self.expect(exchange.status in allowed, f"{when}: expected {names}, got {answer(exchange)}")

    def given(self, condition: bool, message: str) -> None:
        """This scenario cannot tell unless `condition`."""
        if not condition:
            raise CannotTell(message)

    def accepted(self, exchange: Exchange, what: str = "a submission") -> dict[str, Any]:
        """The answered feedback of a submission that had to be accepted for the scenario to go on."""
        self.note(exchange, expected=(200,))
        self.given(exchange.status == 200, f"the setup failed: {what} was answered {answer(exchange)}")
        return exchange.object

    def _opened(self, opened: tuple[Project, list[Step]]) -> Project:
        project, steps = opened
        self._projects.append(project)
        self.oracle.opened(project, self.start or self.target.reads())
        self.steps.extend(steps)
        return project


def answer(exchange: Exchange) -> str:
    """An answer in a few words: the status and the beginning of the body, on one line."""
    text = " ".join(exchange.content[:160].decode(errors="replace").split())
    return f"{exchange.status} {text}".strip()


def entries(exchange: Exchange) -> list[dict[str, Any]]:
    """The objects of a list answer, in its order; the rule is broken where the answer is not such a list."""
    listed = exchange.json
    if not isinstance(listed, list):
        raise Violated(f"{exchange.request.method} is answered {answer(exchange)}, which is not a list")
    for each in listed:
        if not isinstance(each, dict) or not isinstance(each.get("eventID"), str):
            raise Violated(f"the list holds {str(each)[:80]}, which is not feedback with an eventID")
    return listed


def dashed(event_id: str) -> str:
    """The form of an event id with dashes."""
    return str(UUID(event_id))


def chances(random: Random, count: int) -> Iterator[Random]:
    """Independent random sources, one for each of `count` tries."""
    for _ in range(count):
        yield Random(random.getrandbits(64))
