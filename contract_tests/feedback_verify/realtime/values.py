"""Judges the tracks' whole responses, and the list read back at the end, by the suite's oracle. Pure.

`judge` judges statuses. Here, the order of submissions gives the outcomes, and the target's clock is measured.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from feedback_spec.document import Document
from feedback_spec.rules import Base

from feedback_verify.exchange import Exchange, as_data
from feedback_verify.model import OVERWRITTEN, REFUSED, STORED
from feedback_verify.oracle import Oracle
from feedback_verify.realtime.clocks import Created, Offset, stepped, wrong_dates
from feedback_verify.realtime.draw import UNCHANGED
from feedback_verify.realtime.schedule import Listed, Played
from feedback_verify.steps import up_to
from feedback_verify.verdicts import Finding


def judge_values(
    document: Document, played: Iterable[Played], clock: Sequence[Offset], listed: Listed | None = None
) -> list[Finding]:
    """Findings by rule, from all responses that earlier submissions can explain.

    `clock` is what the responses' Dates reveal; empty if they have none.
    """
    return list(_Values(document, list(played)).judged(clock, listed))


class _Values:
    """One oracle for all tracks, which receives their responses in the order in which they came."""

    def __init__(self, document: Document, played: list[Played]) -> None:
        self._document, self._played = document, played
        self._oracle = Oracle(document, exact=False)
        self._windows = {window.status for window in document.mutability.windows}
        self._unclear: set[str] = set()  # events for which it is unclear what the target knows or stored
        self._told: list[tuple[Played, Created]] = []
        self._counts: Counter[str] = Counter()

    def judged(self, clock: Sequence[Offset], listed: Listed | None) -> Iterator[Finding]:
        for each in self._played[:1]:
            self._oracle.opened(each.scenario.project)  # targets without an exact clock have one project
        answers = [(reply, number, each) for each in self._played for number, reply in enumerate(each.submissions)]
        for reply, number, each in sorted(answers, key=lambda answer: answer[0].received):
            if each.event_id not in self._unclear:
                yield from self._answer(each, number, reply)
        yield from self._dates(clock)
        if listed is not None:
            yield from self._list(listed)
        for rule, count in self._counts.items():
            if rule in self._document.verifiable:
                yield Finding(rule, observations=count)

    def _answer(self, each: Played, number: int, reply: Exchange) -> Iterator[Finding]:
        project = each.scenario.project
        known = self._oracle.sandbox(project).known(each.event_id)
        outcome = self._outcome(reply, first=known.first is None)
        steps = up_to(each.scenario.steps, reply)
        if each.saved is not None and outcome in (STORED, OVERWRITTEN):
            if not each.is_unknown_in(reply):
                self._oracle.saved(project, each.event_id, {})
            elif each.was_known_before(number):
                told = "the target knew the event before, and no longer does: issue is null"
                yield Finding(self._document.first_rule("known-event"), violation=told, steps=steps)
                outcome = None
            else:
                outcome = None
        if outcome is None:
            self._unclear.add(each.event_id)
            return
        values, by = as_data(reply.request.content), each.track.submits[number].by
        problems = self._oracle.answered(project, values, by, reply, outcome)
        for problem in problems:
            yield Finding(self._document.first_rule(problem.rule), violation=problem.message, steps=steps)
        if not problems and (reply.object or outcome == REFUSED):
            self._counts.update(self._shown_by(outcome, known_event=known.saved is not None))
        created, moves = reply.object.get("dateCreated"), self._document.behaviour.date_created is Base.LAST_SUBMITTED
        if isinstance(created, str) and (outcome == STORED or (outcome == OVERWRITTEN and moves)):
            self._told.append((each, Created(created, reply)))

    def _outcome(self, reply: Exchange, *, first: bool) -> str | None:
        """What a response with this status says about its submission; None if it says nothing."""
        mutability = self._document.mutability
        if reply.status == (mutability.stored if first else mutability.overwritten).status:
            return STORED if first else OVERWRITTEN
        return REFUSED if reply.status in self._windows else None

    def _shown_by(self, outcome: str, *, known_event: bool) -> tuple[str, ...]:
        """The rules that a response could have broken."""
        if outcome == REFUSED:
            return ("conflict-body",)
        event = "known-event" if known_event else "unknown-event"
        if outcome == STORED:
            return self._document.mutability.stored.rule, event
        return self._document.mutability.overwritten.rule, "overwrite-same-record", event

    def _dates(self, clock: Sequence[Offset]) -> Iterator[Finding]:
        ends = [reply.received for each in self._played for reply in each.submissions]
        began = min((each.began for each in self._played if each.submissions), default=0)
        if not ends or stepped(clock, began, max(ends)):
            return
        wrong = wrong_dates([created for _, created in self._told], by_date=bool(clock))
        for each, created in self._told:
            for which, why in wrong:
                if which is created:
                    message = f"dateCreated is {created.text!r}, but {why}"
                    steps = up_to(each.scenario.steps, created.submission)
                    yield Finding(self._document.mutability.stored.rule, violation=message, steps=steps)

    def _list(self, listed: Listed) -> Iterator[Finding]:
        """The list's entries for the tracks' own events, without other people's feedback."""
        entries = [each for each in listed.entries if isinstance(each, dict)]
        for each in self._played:
            project, event_id = each.scenario.project, each.event_id
            known = self._oracle.sandbox(project).known(event_id) if each.submissions else None
            if known is None or each.lost or each.saved is None or event_id in self._unclear:
                continue
            seen = each.was_known_before(len(each.submissions))
            own = [entry for entry in entries if entry.get("eventID") == event_id]
            lagging = known.first is not None and each.submissions[-1].received + listed.settle > listed.sent
            if lagging or (known.first is not None and not (seen and (own or listed.whole))):
                continue
            for problem in self._oracle.list_problems(project, own, [event_id] if known.first is not None else []):
                refused = each.submissions[-1].status in self._windows
                rule = self._document.first_rule(UNCHANGED if refused else None, problem.rule)
                told = f"read back at the end: {problem.message}"
                yield Finding(rule, violation=told, steps=(*each.scenario.steps, *listed.steps))
