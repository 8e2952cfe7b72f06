"""Random histories of two projects, judged step by step by the oracle: whole responses, and records and lists after
each.

Purely random waits hardly ever hit a deadline, so a step jumps to one, or a microsecond before or past it, and submits
for its event. About a third of all submissions are refused.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from random import Random
from typing import Any

from feedback_spec.document import Document
from feedback_spec.instants import SECOND
from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky, FlakyFailure
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from feedback_verify.bodies import encode
from feedback_verify.exchange import Exchange, Project
from feedback_verify.model import REFUSED
from feedback_verify.oracle import Mismatch
from feedback_verify.scenario import Scenario
from feedback_verify.steps import SaveEvent, Send, Step, Wait
from feedback_verify.targets import NotReachable, Target, Trouble
from feedback_verify.verdicts import Finding

EVENTS, PROJECTS = 4, 2
MICROSECOND = timedelta(microseconds=1)
DIFFERENT = "the target responded differently when one was repeated"
FORMS = ("json", "json", "json", "form", "multipart", "chunked", "escaped")
# Submissions refused before any window is checked: the rule, the credentials, and what is wrong with the fields.
REFUSALS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("credentials-required", "none", {}),
    ("scope", "read", {}),
    ("field-blank", "", {"name": ""}),
    ("field-type", "", {"comments": {}}),
    ("email-format", "", {"email": "nope"}),
    ("field-null", "", {"comments": None}),
)
# Nothing that any language trims, as in `bodies.is_padded`. Without surrogates (Cs), all characters can be encoded; to
# name a codec takes almost a second of each process.
_word = st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs", "Zs", "Zl", "Zp")), min_size=1, max_size=12)
_events = st.integers(0, EVENTS - 1)
_projects = st.integers(0, PROJECTS - 1)
_by = st.sampled_from(["write", "dsn"])


class Broken(Exception):
    """The implementation and the oracle disagree."""

    def __init__(self, mismatch: Mismatch, steps: tuple[Step, ...] = ()) -> None:
        super().__init__(mismatch.message)
        self.mismatch, self.steps = mismatch, steps


def run(
    target: Target,
    document: Document,
    random: Random,
    examples: int,
    finished: Callable[[Scenario], None],
    steps: int = 30,
) -> list[Finding]:
    """Findings of this many random histories with this many steps; `finished` receives each scenario."""
    observed: Counter[str] = Counter()

    def machine() -> RuleBasedStateMachine:
        return _Machine(Scenario(target, document, random), observed, finished)

    seed(random.getrandbits(64))(machine)
    try:
        run_state_machine_as_test(
            machine,  # type: ignore[arg-type] # any factory will do, and the seed is read from it
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                database=None,
                phases=(Phase.generate,),
                suppress_health_check=list(HealthCheck),
                print_blob=False,
                verbosity=Verbosity.quiet,
            ),
        )
    except (Trouble, NotReachable, Broken, Flaky) as error:
        # Hypothesis replays a failure, and says so if it does not fail again, or fails earlier.
        causes = error.exceptions if isinstance(error, FlakyFailure) else (error,)
        broken = next((each for each in causes if isinstance(each, Broken)), None)
        if broken is None:
            why = DIFFERENT if isinstance(causes[0], Flaky) else causes[0]
            ended = [Finding("submission", remark=f"the random histories ended early: {why}")]
            return ended + _counted(observed, document)
        return [
            Finding(
                document.first_rule(broken.mismatch.rule),
                violation=f"{broken} (in a random history)",
                steps=broken.steps,
                kind=broken.mismatch.kind,
            )
        ]
    return _counted(observed, document)


def _counted(observed: Counter[str], document: Document) -> list[Finding]:
    return [Finding(rule_id, observations=count) for rule_id, count in observed.items() if rule_id in document.rules]


class _Machine(RuleBasedStateMachine):
    """Two projects of the same name with clocks of their own, event ids used in both, and both kinds of credentials."""

    def __init__(self, scenario: Scenario, observed: Counter[str], finished: Callable[[Scenario], None]) -> None:
        super().__init__()
        self.scenario, self.observed, self.finished = scenario, observed, finished
        self.oracle = scenario.oracle
        self.projects = [scenario.project, scenario.other_project(same_organization=False)]
        first = scenario.new_event_id()
        neighbour = first[:-1] + ("0" if first[-1] != "0" else "1")
        self.event_ids = [first, neighbour, *(scenario.new_event_id() for _ in range(EVENTS - 2))]
        scenario.made_ids.add(neighbour)
        self._lost = False

    @rule(event=_events, project=_projects, by=_by, form=st.sampled_from(FORMS), name=_word, upper=st.booleans())
    def submit(self, event: int, project: int, by: str, form: str, name: str, upper: bool) -> None:
        """A valid submission, now."""
        event_id = self.event_ids[event].upper() if upper else self.event_ids[event]
        self._submit(event_id, self.projects[project], by, form, name)

    @rule(event=_events, project=_projects, which=st.sampled_from(REFUSALS))
    def refuse(self, event: int, project: int, which: tuple[str, str, dict[str, Any]]) -> None:
        """A submission that is refused before its time is checked; it leaves no trace."""
        rule_id, by, wrong = which
        where, document = self.projects[project], self.scenario.document
        refusal = document.rules[rule_id].refusal if rule_id in document.rules else None
        if refusal is None or (by == "read" and "read" not in where.credentials):
            return
        body = self.scenario.submission(self.event_ids[event], **{"name": "Not To Be Stored", **wrong})
        reply = self.scenario.submit(body, by=by or None, project=where)
        if reply.status == refusal.status:
            self.observed[rule_id] += 1
            self._look(where, self.event_ids[event])

    @rule(event=_events, project=_projects, ago=st.sampled_from([0, 1, SECOND, 60 * SECOND]), resolved=st.booleans())
    def save(self, event: int, project: int, ago: int, resolved: bool) -> None:
        """Saves an event, now or a little while ago; each event is saved once."""
        where, event_id = self.projects[project], self.event_ids[event]
        if self.oracle.sandbox(where).known(event_id).saved is None:
            details = {"issue_status": "resolved"} if resolved else {}
            with self._losing():
                self.scenario.save_event(event_id, project=where, saved_ago=ago, **details)

    @precondition(lambda self: any(self._deadlines(project) for project in self.projects))
    @rule(project=_projects, which=st.integers(0, 40), beside=st.sampled_from([-1, 0, 1, 1]), by=_by, name=_word)
    def submit_at_a_deadline(self, project: int, which: int, beside: int, by: str, name: str) -> None:
        """Jumps to a deadline still ahead, or a microsecond beside it, and submits for its event."""
        where = self.projects[project]
        now, off = self.oracle.sandbox(where).model.now, beside * self.scenario.target.step * MICROSECOND
        ahead = [each for each in self._deadlines(where) if each[0] + off >= now]
        if ahead:
            end, event_id = ahead[which % len(ahead)]
            self.scenario.advance((end + off - now) // MICROSECOND, project=where)
            self._submit(event_id, where, by, "json", name)

    @precondition(lambda self: any(self._deadlines(project) for project in self.projects))
    @rule(project=_projects, which=st.integers(0, 40), by=_by, name=_word)
    def submit_too_late(self, project: int, which: int, by: str, name: str) -> None:
        """Submits again for an event with a window that is over."""
        where = self.projects[project]
        now = self.oracle.sandbox(where).model.now
        over = [each for each in self._deadlines(where) if each[0] < now]
        if over:
            self._submit(over[which % len(over)][1], where, by, "json", name)

    @rule(project=_projects, part=st.sampled_from([2, 3, 5, 100]), which=st.integers(0, 1))
    def wait(self, project: int, part: int, which: int) -> None:
        """Waits for part of a window."""
        limits = [window.limit for window in self.scenario.document.mutability.windows]
        self.scenario.advance(limits[which % len(limits)] // part, project=self.projects[project])

    @rule(project=_projects, status=st.sampled_from(["unresolved", ""]))
    def look_at_the_list(self, project: int, status: str) -> None:
        """Reads the whole list; only at the end if lists lag."""
        if not self._lists_lag:
            self._look_at_the_list(self.projects[project], status)

    @property
    def _lists_lag(self) -> bool:
        return "lists" in self.scenario.target.settling.lags

    def _look_at_the_list(self, where: Project, status: str) -> None:
        expected = self.oracle.listed(where, status=status)

        def problems() -> list[Mismatch]:
            reply = self.scenario.listing(f"status={status}", project=where)
            return self.oracle.list_problems(where, reply.json, expected)

        self._fail_with(list(self.scenario.settled(problems)), where, None)
        self.observed["list"] += bool(expected)

    def teardown(self) -> None:
        """Checks everything once more, hands over the scenario and closes it."""
        try:
            for project in () if self._lost else self.projects:
                self._look(project, None)
                if self._lists_lag:
                    self._look_at_the_list(project, "")
        finally:
            self.finished(self.scenario)
            self.scenario.__exit__()

    def _submit(self, event_id: str, project: Project, by: str, form: str, name: str) -> None:
        values = {"event_id": event_id, "name": name, "email": "jane@example.com", "comments": f"{name} said so."}
        body = encode(values, form)
        with self._losing():
            reply: Exchange = self.scenario.send(
                "POST",
                by=by,
                project=project,
                headers={"Content-Type": body.media_type},
                content=body.content,
                chunked=body.chunked,
            )
        expected, problems = self.scenario.judge(project, values, by, reply)
        self._fail_with(problems, project, event_id.lower())
        self.observed[expected.rule] += expected.certain
        if expected.outcome == REFUSED:
            self.observed["conflict-changes-nothing"] += 1
        self._look(project, event_id.lower())

    @contextmanager
    def _losing(self) -> Iterator[None]:
        """Without a response, it is unknown what is stored from now on."""
        try:
            yield
        except (NotReachable, Trouble):
            self._lost = True
            raise

    def _look(self, project: Project, event_id: str | None) -> None:
        """Reads what is stored."""
        self._fail_with(self.oracle.record_problems(project, self.scenario.records(project=project)), project, event_id)

    def _fail_with(self, problems: list[Mismatch], project: Project, event_id: str | None) -> None:
        """Raises Broken with the necessary steps: all of them if projects are not kept apart."""
        if not problems:
            return
        steps = tuple(self.scenario.steps)
        if event_id is not None and problems[0].rule != "project-isolation":
            steps = tuple(each for each in steps if _concerns(each, project, event_id))
        raise Broken(problems[0], steps)

    def _deadlines(self, project: Project) -> list[tuple[Any, str]]:
        """When the windows of each event end, past and future."""
        model = self.oracle.sandbox(project).model
        return sorted(
            (since + timedelta(microseconds=window.limit), event_id)
            for (_, event_id), known in model.known.items()
            for window in model.windows
            if (since := known.since(window.base)) is not None
        )


def _concerns(step: Step, project: Project, event_id: str) -> bool:
    """Whether a step is about the event, or about the project as a whole."""
    if isinstance(step, (Send, SaveEvent)) and (step.event_id or event_id).lower() != event_id:
        return False
    return not isinstance(step, Wait) and step.project is project
