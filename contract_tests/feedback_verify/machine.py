"""A state machine that submits, saves events and jumps to deadlines, against the suite's own model.

Plain random waiting hardly ever meets a deadline, so jumps go to a deadline, one microsecond short of it or past it.
"""

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

from feedback_spec.document import Document
from feedback_spec.instants import SECOND
from feedback_spec.rules import Base
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from feedback_verify.exchange import Project
from feedback_verify.model import OVERWRITTEN, REFUSED, STORED, Known, Model
from feedback_verify.scenario import Scenario, answer
from feedback_verify.steps import SaveEvent, Send, Step, Wait
from feedback_verify.targets import Target
from feedback_verify.verdicts import Finding

EVENTS, PROJECTS = 3, 2
MICROSECOND = timedelta(microseconds=1)
_word = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp")), min_size=1, max_size=12
)
_events = st.integers(0, EVENTS - 1)
_projects = st.integers(0, PROJECTS - 1)


class Mismatch(Exception):
    """The implementation and the model part ways; `rule` is the one that explains it."""

    def __init__(self, rule_id: str, message: str, steps: tuple[Step, ...] = ()) -> None:
        super().__init__(message)
        self.rule, self.steps = rule_id, steps


def run(
    target: Target, document: Document, random: Random, examples: int, finished: Callable[[Scenario], None]
) -> list[Finding]:
    """Findings of so many random histories; `finished` sees each one's scenario."""
    observed: dict[str, int] = {}

    def machine() -> RuleBasedStateMachine:
        return _Machine(Scenario(target, document, random), observed, finished)

    seed(random.getrandbits(64))(machine)
    try:
        run_state_machine_as_test(
            machine,  # type: ignore[arg-type] # any factory will do, and the seed is read off it
            settings=settings(
                max_examples=examples,
                stateful_step_count=30,
                deadline=None,
                database=None,
                phases=(Phase.generate,),
                suppress_health_check=list(HealthCheck),
                print_blob=False,
            ),
        )
    except Mismatch as mismatch:
        return [Finding(mismatch.rule, violation=str(mismatch), steps=mismatch.steps)]
    return [Finding(rule_id, observations=count) for rule_id, count in observed.items()]


class _Machine(RuleBasedStateMachine):
    """Two projects with clocks of their own, three event ids that both use, both kinds of credentials."""

    def __init__(self, scenario: Scenario, observed: dict[str, int], finished: Callable[[Scenario], None]) -> None:
        super().__init__()
        self.scenario, self.observed, self.finished = scenario, observed, finished
        self.projects = [scenario.project, scenario.other_project()]
        self.models = [Model(scenario.document) for _ in self.projects]
        self.event_ids = [scenario.new_event_id() for _ in range(EVENTS)]
        self.limits = [window.limit for window in scenario.document.mutability.windows]

    @rule(event=_events, project=_projects, by=st.sampled_from(["write", "dsn"]), name=_word, comments=_word)
    def submit(self, event: int, project: int, by: str, name: str, comments: str) -> None:
        """A submission by either credentials; the answer is held against the model."""
        model, event_id = self.models[project], self.event_ids[event]
        known = model.at("", event_id)
        body = self.scenario.submission(event_id, name=name, comments=comments)
        reply = self.scenario.submit(body, by=by, project=self.projects[project])
        expected, outcome = model.status(known), model.outcome(known)
        if reply.status != expected:
            rule_id = self._explain(model, known, outcome, event, project)
            self._part(
                rule_id, f"{self._story(model, known)}: expected {expected}, got {answer(reply)}", event, project
            )
        self._count(_RULE_OF[outcome] if outcome != REFUSED else str(getattr(model.broken_window(known), "rule", "")))
        if outcome != REFUSED:
            self._compare_answer(known, outcome, body, reply.object, event, project)
            known.first = known.first or model.now
            known.first_by = known.first_by or by
            known.last, known.values, known.answered = model.now, body, reply.object or known.answered
        self._compare_records(known, event, project)

    @rule(event=_events, project=_projects, ago=st.sampled_from([0, 1, SECOND, 60 * SECOND]))
    def save(self, event: int, project: int, ago: int) -> None:
        """An event is saved, a little ago or now; an event is saved once."""
        model, event_id = self.models[project], self.event_ids[event]
        known = model.at("", event_id)
        if known.saved is None:
            self.scenario.save_event(event_id, project=self.projects[project], saved_ago=ago)
            known.saved = known.timestamp = model.now - ago * MICROSECOND

    @precondition(lambda self: any(model.deadlines() for model in self.models))
    @rule(project=_projects, which=st.integers(0, 20), beside=st.sampled_from([-1, 0, 1]))
    def jump(self, project: int, which: int, beside: int) -> None:
        """To a deadline that is still ahead, or a microsecond beside it."""
        model = self.models[project]
        ahead = [end for end in model.deadlines() if end + beside * MICROSECOND > model.now]
        if ahead:
            self._advance(project, (ahead[which % len(ahead)] + beside * MICROSECOND - model.now) // MICROSECOND)

    @rule(project=_projects, part=st.sampled_from([2, 3, 5, 100]), which=st.integers(0, 1))
    def wait(self, project: int, part: int, which: int) -> None:
        """For a part of a window."""
        self._advance(project, self.limits[which % len(self.limits)] // part)

    def teardown(self) -> None:
        """Hands the scenario over and closes it."""
        self.finished(self.scenario)
        self.scenario.__exit__()

    def _advance(self, project: int, microseconds: int) -> None:
        self.scenario.advance(microseconds, project=self.projects[project])
        self.models[project].now += microseconds * MICROSECOND

    def _count(self, rule_id: str) -> None:
        self.observed[rule_id] = self.observed.get(rule_id, 0) + 1

    def _story(self, model: Model, known: Known) -> str:
        def ago(name: str, since: Any) -> str:
            return f"{name} {(model.now - since) // MICROSECOND} µs ago" if since else f"{name} never"

        return ", ".join(
            (ago("event saved", known.saved), ago("first submitted", known.first), ago("last submitted", known.last))
        )

    def _explain(self, model: Model, known: Known, outcome: str, event: int, project: int) -> str:
        """The rule that an unexpected status breaks."""
        unknown = known.saved is None
        if outcome == REFUSED:
            window = model.broken_window(known)
            if window is not None and not window.base.startswith("feedback"):
                return "event-window" if known.first is None else "window-order"
            restarted = known.last is not None and (model.now - known.last) // MICROSECOND <= max(self.limits)
            if known.last != known.first and restarted:
                return "overwrite-window-fixed"
            return "overwrite-window-unknown-event" if unknown else "overwrite-window"
        if outcome == STORED:
            elsewhere = self.models[1 - project].at("", self.event_ids[event])
            if elsewhere.first is not None or (unknown and elsewhere.saved is not None):
                return "project-isolation"
            return "unknown-event" if unknown else "event-window"
        return "overwrite-window-unknown-event" if unknown else self._nearest(model, known)

    def _nearest(self, model: Model, known: Known) -> str:
        """Of the windows that are open, the one that is nearest to its end."""
        parts = {}
        for window in model.windows:
            since = known.since(window.base)
            if since is not None:
                parts[window.rule] = ((model.now - since) // MICROSECOND) / (window.limit or 1)
        return max(parts, key=lambda each: parts[each])

    def _compare_answer(
        self, known: Known, outcome: str, body: dict[str, Any], answered: dict[str, Any], event: int, project: int
    ) -> None:
        if not answered:
            return
        wrong = next((field for field in ("name", "comments") if answered.get(field) != body[field]), None)
        if wrong:
            rule_id = "exact-values" if outcome == STORED else "overwrite"
            self._part(rule_id, f"{wrong} {body[wrong]!r} is answered as {answered.get(wrong)!r}", event, project)
        moves = self.scenario.behaviour.date_created is Base.LAST_SUBMITTED
        for field in ("id",) if moves else ("id", "dateCreated"):
            if outcome == OVERWRITTEN and known.answered and answered.get(field) != known.answered.get(field):
                message = f"an overwrite changed {field} from {known.answered.get(field)!r} to {answered.get(field)!r}"
                self._part("overwrite-same-record", message, event, project)

    def _compare_records(self, known: Known, event: int, project: int) -> None:
        records = self.scenario.records(self.event_ids[event], project=self.projects[project])
        if len(records) != (known.first is not None):
            self._part("overwrite-one-record", f"the project holds {len(records)} records of one event", event, project)
        if records and any(records[0].get(field) != known.values[field] for field in ("name", "comments")):
            message = f"the record is {records[0]}, the last accepted submission was {dict(known.values)}"
            self._part("conflict-changes-nothing", message, event, project)

    def _part(self, rule_id: str, message: str, event: int, project: int) -> None:
        """Raises Mismatch with the steps that it takes: all of them where projects are not told apart."""
        steps = tuple(self.scenario.steps)
        if rule_id != "project-isolation":
            steps = tuple(each for each in steps if _concerns(each, self.projects[project], self.event_ids[event]))
        raise Mismatch(rule_id, message, steps)


def _concerns(step: Step, project: Project, event_id: str) -> bool:
    """Whether a step is about the event, or about the project as a whole."""
    if isinstance(step, (Send, SaveEvent)) and step.event_id != event_id:
        return False
    return not isinstance(step, Wait) and step.project is project


_RULE_OF = {STORED: "submission", OVERWRITTEN: "overwrite"}
