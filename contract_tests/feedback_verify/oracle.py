"""The oracle: the expected response to a submission, in full, and what every observer must see afterwards.

It keeps the expected state of each project, calculates outcomes with `feedback_verify.model`, and compares. It sends
nothing. Each discrepancy is a `Mismatch`, with the rule it breaks if nothing else about the request explains it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from feedback_spec.document import Document
from feedback_spec.rules import Base

from feedback_verify.exchange import Exchange, Project
from feedback_verify.model import OVERWRITTEN, REFUSED, STORED, Known, Model

MICROSECOND = timedelta(microseconds=1)
LONG_VALUE = 80
SHOWN = ("name", "email", "comments")
_KEPT_BY = {STORED: "submission", OVERWRITTEN: "overwrite"}
_RESOLUTION = {"milliseconds": 1000}


@dataclass(frozen=True)
class Mismatch:
    """What was seen instead of what was expected.

    `aspect` is where it was seen (`status`, `answer`, `records`, `list`), `what` is the field or similar.
    """

    aspect: str
    rule: str
    message: str
    what: str = ""

    @property
    def kind(self) -> tuple[str, str, str]:
        """What makes two mismatches the same; for a status, whatever rule explains it."""
        return self.aspect, "" if self.aspect == "status" else self.rule, self.what


@dataclass
class Sandbox:
    """The expected state of one project: the model with its clock, the events' details, and ids seen so far."""

    model: Model
    details: dict[str, tuple[str | None, str]] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    order: list[str] = field(default_factory=list)

    def known(self, event_id: str) -> Known:
        """What is known about an event, by its id in upper or lower case."""
        return self.model.at("", event_id.lower())

    def submitted(self) -> dict[str, Known]:
        """The events with feedback, in the order of their dates; without those that an unexpected response made
        doubtful.
        """
        return {event_id: self.known(event_id) for event_id in self.order if event_id not in self.doubtful}


@dataclass(frozen=True)
class Expected:
    """The outcome of a submission, calculated before it is sent: the outcome, its status, the rule that decides it.

    `mixed`: earlier feedback came with other credentials; `slides`: it would be recent if an overwrite restarted its
    window; `ordered`: a window after the deciding one is still open; `refused_before`: a submission for the event was
    refused before; `certain`: it does not depend on the target's clock, which counts in steps.
    """

    outcome: str
    status: int
    rule: str
    known_event: bool
    mixed: bool
    slides: bool
    ordered: bool
    refused_before: bool
    certain: bool = True


class Oracle:
    """Keeps projects apart by organization and slug.

    With `exact`, instants are compared, to `step` microseconds, the resolution of the target's clock, and those in
    responses to `shown` if that is more: a server may show less than it counts.
    """

    def __init__(self, document: Document, *, exact: bool, step: int = 1, shown: int = 1) -> None:
        self.document, self.exact, self.step, self.shown = document, exact, step, max(step, shown)
        self._behaviour = document.behaviour
        self._sandboxes: dict[tuple[str, str], Sandbox] = {}
        self._last: tuple[tuple[str, str], str, str] | None = None

    def opened(self, project: Project, now: datetime | None = None) -> None:
        """A fresh project, with its clock at `now`."""
        sandbox = Sandbox(Model(self.document))
        if now is not None:
            sandbox.model.now = now
        self._sandboxes[_key(project)] = sandbox

    def sandbox(self, project: Project) -> Sandbox:
        """The expected state of the project."""
        return self._sandboxes[_key(project)]

    def saved(self, project: Project, event_id: str, facts: Mapping[str, Any]) -> None:
        """Records a saved event, with the facts of the control protocol, ages in microseconds."""
        sandbox = self.sandbox(project)
        known, now = sandbox.known(event_id), sandbox.model.now
        known.saved = now - facts.get("saved_ago", 0) * MICROSECOND
        known.timestamp = now - facts["timestamp_ago"] * MICROSECOND if "timestamp_ago" in facts else known.saved
        if "timestamp" in facts:
            known.timestamp = datetime.fromisoformat(facts["timestamp"])
        sandbox.refused.discard(event_id.lower())  # another event, for which nothing was refused
        sandbox.details[event_id.lower()] = (facts.get("environment"), facts.get("issue_status", "unresolved"))

    def advanced(self, project: Project, microseconds: int) -> None:
        """Records that the project's clock moved."""
        self.sandbox(project).model.now += microseconds * MICROSECOND

    def probed(self, project: Project, event_id: str) -> dict[str, int]:
        """The age in microseconds by which each window judges a submission now, except where another one is over."""
        model, known = self.sandbox(project).model, self.sandbox(project).known(event_id)
        over = {window.rule for window in model.windows if model.is_over(window, known)}
        return {
            window.rule: (model.now - since) // MICROSECOND
            for window in model.windows
            if (since := known.since(window.base)) is not None and not over - {window.rule}
        }

    def expected(self, project: Project, event_id: str, by: str, shift: int = 0) -> Expected:
        """The outcome of a valid submission with these credentials now, on a clock that is off by `shift`
        microseconds.
        """
        model = self.sandbox(project).model
        now = model.now
        try:
            model.now = now + shift * MICROSECOND
            return self._expected(project, event_id, by)
        finally:
            model.now = now

    def _expected(self, project: Project, event_id: str, by: str) -> Expected:
        model, known = self.sandbox(project).model, self.sandbox(project).known(event_id)
        outcome, window = model.outcome(known), model.broken_window(known)
        rule = window.rule if window is not None else self._rests_on(model, known, outcome)
        mixed = known.first is not None and known.first_by != by
        slides = (
            window is not None
            and known.last not in (None, known.first)
            and replace(known, first=known.last).since(window.base) != known.since(window.base)
            and model.broken_window(replace(known, first=known.last)) is None
        )
        later = window is not None and any(
            known.since(each.base) is not None and not model.is_over(each, known)
            for each in model.windows[model.windows.index(window) + 1 :]
        )
        before = outcome == REFUSED and event_id in self.sandbox(project).refused
        return Expected(outcome, model.status(known), rule, known.saved is not None, mixed, slides, later, before)

    def _rests_on(self, model: Model, known: Known, outcome: str) -> str:
        """The rule that an acceptance depends on: that of the window nearest to its end, else that of its outcome."""
        used = {
            window.rule: ((model.now - since) // MICROSECOND) / (window.limit or 1)
            for window in model.windows
            if (since := known.since(window.base)) is not None
        }
        nearest = max(used, key=lambda rule: used[rule], default="")
        if used.get(nearest):
            return nearest
        mutability = self.document.mutability
        return mutability.stored.rule if outcome == STORED else mutability.overwritten.rule

    def submitted(
        self, project: Project, values: Mapping[str, str], by: str, exchange: Exchange
    ) -> tuple[Expected, list[Mismatch]]:
        """Compares the response to a valid submission of these values with the expected one, and records it."""
        sandbox, event_id = self.sandbox(project), values["event_id"].strip().lower()
        expected = self._by_steps(project, event_id, by, exchange)
        self._last = (_key(project), event_id, expected.outcome)
        if exchange.status != expected.status:
            sandbox.doubtful.add(event_id)
            return expected, [self._wrong_status(expected, exchange)]
        return expected, self.answered(project, values, by, exchange, expected.outcome)

    def answered(
        self, project: Project, values: Mapping[str, str], by: str, exchange: Exchange, outcome: str
    ) -> list[Mismatch]:
        """Compares everything else in a response with this outcome's status, and records it."""
        sandbox, event_id = self.sandbox(project), values["event_id"].strip().lower()
        known = sandbox.known(event_id)
        if outcome == REFUSED:
            sandbox.refused.add(event_id)
            return list(self._refusal_problems(exchange))
        cut = {name: self._cut(name, values[name]) for name in SHOWN}
        answered = dict(known.answered)
        if outcome == STORED:
            known.first, known.first_by = sandbox.model.now, by
            sandbox.order.append(event_id)
        elif self._behaviour.date_created is Base.LAST_SUBMITTED and not self.exact:
            # The clock runs, so the overwrite is later than everything before it; the model cannot say by how much.
            sandbox.order.remove(event_id)
            sandbox.order.append(event_id)
        known.last, known.values = sandbox.model.now, cut
        problems = list(self._answer_problems(sandbox, event_id, outcome, by, exchange, answered))
        moved = ("dateCreated",) if self._behaviour.date_created is Base.LAST_SUBMITTED else ()
        before = {name: each for name, each in known.answered.items() if name not in (*SHOWN, *moved)}
        known.answered = exchange.object or before
        return problems

    def _by_steps(self, project: Project, event_id: str, by: str, exchange: Exchange) -> Expected:
        """The outcome of the submission; if a step of the clock makes the difference, what the target answered."""
        expected = self.expected(project, event_id, by)
        within = self.step - 1
        beside = [self.expected(project, event_id, by, shift) for shift in (-within, within)] if within else []
        others = [each for each in beside if each.status != expected.status]
        if not others:
            return expected
        fitting = [each for each in (expected, *others) if each.status == exchange.status]
        return replace((fitting or [expected])[0], certain=False)

    def _wrong_status(self, expected: Expected, exchange: Exchange) -> Mismatch:
        """A status that no window produces is not about a window."""
        told = f"expected {expected.status}, got {exchange.status}"
        about_windows = exchange.status in (
            *self.document.accepting,
            *(window.status for window in self.document.mutability.windows),
        )
        rule = expected.rule
        if exchange.status >= 500:
            rule = "no-server-error"
        elif expected.outcome == REFUSED and exchange.status >= 400:
            rule = "conflict-body"
        elif expected.slides:
            rule = "overwrite-window-fixed"
        elif expected.refused_before:
            rule = "conflict-changes-nothing"
        elif not about_windows and expected.outcome in _KEPT_BY:
            rule = _KEPT_BY[expected.outcome]
        return Mismatch("status", rule, told, told)

    def _cut(self, name: str, value: str) -> str:
        return value.strip() if self._behaviour.is_trimmed(name) else value

    def _refusal_problems(self, exchange: Exchange) -> Iterator[Mismatch]:
        detail = exchange.object.get("detail")
        if exchange.media_type != "application/json" or not isinstance(detail, str) or not detail:
            told = (
                f"the refusal is {exchange.media_type or 'untyped'} with the detail {detail!r}, not JSON with a string"
            )
            yield Mismatch("answer", "conflict-body", told)

    def _answer_problems(
        self, sandbox: Sandbox, event_id: str, outcome: str, by: str, exchange: Exchange, before: Mapping[str, Any]
    ) -> Iterator[Mismatch]:
        if by == "dsn" and bool(exchange.content) is (self._behaviour.dsn_success == "empty"):
            told = f"the response to a successful submission by DSN has {'a' if exchange.content else 'no'} body"
            yield Mismatch("answer", "dsn", told, "body")
        if by == "dsn" and not exchange.content:
            return
        known, rule = sandbox.known(event_id), _KEPT_BY[outcome]
        answer = exchange.object
        for name, told in {**known.values, "eventID": event_id}.items():
            if answer.get(name, told) != told:  # the schema reports what is missing
                message = f"{name} is returned {_otherwise(answer, name, told)}"
                yield Mismatch("answer", rule, message, "eventID" if name == "eventID" else "values")
        yield from self._reference_problems(sandbox, answer, known, event_id)
        yield from self._identity_problems(sandbox, answer, known, event_id, outcome, before)

    def _reference_problems(
        self, sandbox: Sandbox, answer: Mapping[str, Any], known: Known, event_id: str
    ) -> Iterator[Mismatch]:
        if known.saved is None:
            for name in ("issue", "user"):
                if answer.get(name) is not None:
                    told = f"the {name} of an unknown event is {_short(answer, name)}"
                    yield Mismatch("answer", "unknown-event", told, name)
        elif wrong := _issue_problem(sandbox, answer, event_id):
            yield Mismatch("answer", "known-event", f"the issue of a known event is {wrong}", "issue")
        named = answer.get("event")
        # The schema allows null. Some servers use a number of their own once the event is known.
        free = self._behaviour.event_reference != "event-id" and known.saved is not None
        allowed = (event_id, None) if self._behaviour.event_reference == "event-id" else (None,)
        if isinstance(named, dict) and (
            named.get("eventID", event_id) != event_id or (named.get("id") not in allowed and not free)
        ):
            yield Mismatch("answer", "submission", f"event is returned as {_short(answer, 'event')}", "event")

    def _identity_problems(
        self,
        sandbox: Sandbox,
        answer: Mapping[str, Any],
        known: Known,
        event_id: str,
        outcome: str,
        before: Mapping[str, Any],
    ) -> Iterator[Mismatch]:
        if outcome == OVERWRITTEN and before and answer.get("id") != before.get("id"):
            told = f"an overwrite changed id from {_short(before, 'id')} to {_short(answer, 'id')}"
            yield Mismatch("answer", "overwrite-same-record", told, "id")
        others = {each.answered.get("id") for other, each in sandbox.submitted().items() if other != event_id}
        if answer.get("id") in others - {None}:
            yield Mismatch(
                "answer", "submission", f"the id {_short(answer, 'id')} belongs to other feedback", "other id"
            )
        moves = self._behaviour.date_created is Base.LAST_SUBMITTED
        created, rule = answer.get("dateCreated"), _KEPT_BY[STORED] if outcome == STORED else "overwrite-same-record"
        instant = known.last if moves else known.first
        changed = outcome == OVERWRITTEN and before and not moves and created != before.get("dateCreated")
        if self.exact and instant_of(created) is not None and not self._same_instant(created, instant):
            yield Mismatch("answer", rule, f"dateCreated is {created!r}, not {instant}", "dateCreated")
        elif changed:
            told = f"an overwrite changed dateCreated from {before.get('dateCreated')!r} to {created!r}"
            yield Mismatch("answer", rule, told, "dateCreated")

    def _same_instant(self, text: Any, instant: datetime | None) -> bool:
        told = instant_of(text)
        if told is None or instant is None:
            return False
        if self.shown > 1:
            return abs(instant - told) < self.shown * MICROSECOND
        step = _RESOLUTION.get(self._behaviour.date_fraction, 1) * MICROSECOND
        return timedelta(0) <= instant - told < step

    # --- what observers see

    def record_problems(self, project: Project, records: Iterable[Mapping[str, Any]]) -> list[Mismatch]:
        """Compares the records shown by the control protocol with the expected ones."""
        sandbox = self.sandbox(project)
        expected, found = sandbox.submitted(), [each for each in records if _event_of(each) not in sandbox.doubtful]
        problems = []
        for event_id, known in expected.items():
            same = [each for each in found if _event_of(each) == event_id]
            problem = self._record_problem(event_id, known, same)
            if problem:
                problems.append(Mismatch("records", self._blame(project, event_id, problem[0]), problem[1]))
        for event_id in map(_event_of, found):
            if event_id not in expected:
                told = f"there is a record of {event_id}, for which nothing was accepted"
                problems.append(Mismatch("records", self._blame(project, event_id, "submission"), told))
        return problems

    def _record_problem(self, event_id: str, known: Known, same: list[Mapping[str, Any]]) -> tuple[str, str] | None:
        if len(same) != 1:
            return "overwrite-one-record", f"there are {len(same)} records of {event_id}"
        record = same[0]
        for name in SHOWN:
            if record.get(name, _MISSING) != known.values[name]:
                return "overwrite", f"{name} is stored {_otherwise(record, name, known.values[name])}"
        if known.answered.get("id", record.get("id")) != record.get("id"):
            return "overwrite-same-record", f"the id {known.answered.get('id')!r} is stored as {_short(record, 'id')}"
        for name, instant in (("first_submitted_at", known.first), ("last_submitted_at", known.last)):
            told = instant_of(record.get(name))
            near = told is not None and instant is not None and abs(told - instant) < self.step * MICROSECOND
            if self.exact and told is not None and not near:
                return "overwrite-same-record", f"{name} is stored as {record.get(name)!r}, not {instant}"
        return None

    def _blame(self, project: Project, event_id: str, rule: str) -> str:
        """The rule that a wrong record breaks: it depends on what was done last, and where."""
        if self._last is None:
            return rule
        where, what, outcome = self._last
        if where != _key(project):
            return "project-isolation"
        if what != event_id or outcome == OVERWRITTEN:
            return rule
        return "conflict-changes-nothing" if outcome == REFUSED else "submission"

    def listed(self, project: Project, *, status: str = "unresolved", environment: str | None = None) -> list[str]:
        """The event ids expected in a list, in order: newest first, known events with matching details."""
        sandbox = self.sandbox(project)
        chosen = []
        for number, (event_id, known) in enumerate(sandbox.submitted().items()):
            of, issue_status = sandbox.details.get(event_id, (None, "unresolved"))
            fits = environment is None or (of or "") == environment
            if known.saved is not None and fits and status in ("", issue_status):
                chosen.append((self._listed_at(known), number, event_id))
        return [event_id for *_, event_id in sorted(chosen, key=lambda each: each[:2], reverse=True)]

    def list_problems(self, project: Project, entries: Any, expected: list[str]) -> list[Mismatch]:
        """Compares the entries of a list with the feedback for these events: which ones, in which order, as whole
        objects.
        """
        if not isinstance(entries, list):
            return [Mismatch("list", "list", "the response to a list request is not a list")]
        strange = [each for each in entries if not isinstance(each, dict) or not isinstance(each.get("eventID"), str)]
        if strange:
            shown = f"the list contains {str(strange[0])[:80]}, which is not feedback with an eventID"
            return [Mismatch("list", "list", shown)]
        sandbox = self.sandbox(project)
        entries = [each for each in entries if each.get("eventID") not in sandbox.doubtful]
        told = [each.get("eventID") for each in entries]
        unknown = [each for each in told if each not in expected and each in sandbox.submitted()]
        if unknown and all(sandbox.known(each).saved is None for each in unknown):
            return [Mismatch("list", "list-known-events", f"feedback for the unknown event {unknown[0]} is listed")]
        if told != expected and not (self.exact and self._are_ties(sandbox, told, expected)):
            return [Mismatch("list", "list", f"the list is {told}, expected {expected}")]
        expected, problems = told, []  # what was submitted at the same instant may come in any order
        for event_id, entry in zip(expected, entries, strict=True):
            told_of = self._entry_problem(entry, sandbox.known(event_id))
            if told_of:
                problems.append(Mismatch("list", self._blame(project, event_id, "list"), told_of))
            elif told_of := _issue_problem(sandbox, entry, event_id):
                told_of = f"the issue of a known event is listed as {told_of}"
                problems.append(Mismatch("list", "known-event", told_of, "issue"))
        return problems

    def _are_ties(self, sandbox: Sandbox, told: list[str], expected: list[str]) -> bool:
        """Whether only what is of the same instant is in another order."""
        dates, right = ([self._listed_at(sandbox.known(each)) for each in ids] for ids in (told, expected))
        return sorted(told) == sorted(expected) and dates == right

    def _listed_at(self, known: Known) -> datetime | None:
        """The instant that decides its place in lists."""
        return known.last if self._behaviour.date_created is Base.LAST_SUBMITTED else known.first

    def _entry_problem(self, entry: Mapping[str, Any], known: Known) -> str | None:
        for name in SHOWN:
            right = known.values[name]
            # A value already wrong in the response is the response's fault, not the list's.
            if entry.get(name, right) not in (right, known.answered.get(name, right)):
                return f"{name} is listed {_otherwise(entry, name, right)}"
        for name in ("id", "dateCreated"):
            if name in known.answered and entry.get(name) != known.answered[name]:
                return f"{name} is listed as {_short(entry, name)}, but was returned as {known.answered[name]!r}"
        return None


class _Missing:
    def __repr__(self) -> str:
        return "missing"


_MISSING = _Missing()


def _otherwise(data: Mapping[str, Any], name: str, right: str) -> str:
    """How a value differs from the right one; of a long one, the part from the first difference on."""
    value = data.get(name)
    if not isinstance(value, str) or max(len(value), len(right)) <= LONG_VALUE:
        return f"as {_short(data, name)}, not {right[:LONG_VALUE]!r}"
    pairs = enumerate(zip(value, right, strict=False))
    same = next((place for place, (one, other) in pairs if one != other), min(len(value), len(right)))
    seen, wanted = (repr(each[same : same + 20]) if each[same:] else "nothing" for each in (value, right))
    return f"with {len(value)} characters for {len(right)}: after {same} that are right, {seen}, not {wanted}"


def _short(data: Mapping[str, Any], name: str) -> str:
    return repr(data.get(name, _MISSING))[:LONG_VALUE]


def _issue_problem(sandbox: Sandbox, shown: Mapping[str, Any], event_id: str) -> str | None:
    """What is wrong with the issue of a known event; servers differ in its keys."""
    issue = shown.get("issue", {})
    if not isinstance(issue, dict):
        return _short(shown, "issue")
    _, status = sandbox.details.get(event_id, (None, "unresolved"))
    return (
        "unresolved, although it is resolved" if (issue.get("status"), status) == ("unresolved", "resolved") else None
    )


def _event_of(record: Mapping[str, Any]) -> str:
    return str(record.get("event_id"))


def _key(project: Project) -> tuple[str, str]:
    return project.organization, project.slug


def instant_of(text: Any) -> datetime | None:
    """The instant in a response; None if there is none."""
    if not isinstance(text, str) or not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", text):
        return None
    return datetime.fromisoformat(text)
