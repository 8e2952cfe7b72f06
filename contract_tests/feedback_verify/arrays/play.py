"""Plays one situation against a target and compares every response, and what observers see, with the oracle.

A play ends at the first mismatch: what follows would only repeat it.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from feedback_spec.document import Document
from feedback_spec.instants import SECOND

from feedback_verify.arrays.dimensions import (
    AHEAD,
    ALIKE,
    CALENDAR,
    DAY,
    EVERY_WAY,
    FRACTIONS,
    HOUR,
    Situation,
    ages,
    at_limit,
    headers_of,
    later,
    spelled,
)
from feedback_verify.arrays.listed import list_problems
from feedback_verify.bodies import encode
from feedback_verify.exchange import Project
from feedback_verify.model import OVERWRITTEN, REFUSED, STORED
from feedback_verify.oracle import MICROSECOND, Expected, Mismatch, Oracle
from feedback_verify.scenario import CHANGED, Scenario
from feedback_verify.scenario import VALUES as PLAIN
from feedback_verify.verdicts import Probe

HALF_A_SECOND = SECOND // 2
TEXTS = {
    "other scripts": {"name": "Zoë 漢字 العربية", "comments": "Ünïcödé 😀 e\u0301 versus é\u200d\u2028."},
    "markup": {"name": "<b>&amp;</b> %20 'x'", "comments": '"quotes" \\ & = + ; <script>`id`</script> $HOME\r\nTwice.'},
    "padded": {"name": " \tJane Smith ", "email": " jane@example.com\n", "comments": "\r\n It broke! \t"},
    "capitals": {"name": "JANE", "email": "Jane.SMITH@Mail.Example.COM", "comments": "IT BROKE!"},
    "numeric": {"name": "007", "comments": "1e5"},
}

LARGE = 70_000  # characters: more than 64 KiB, whether characters or bytes are counted


@dataclass
class Failure(Exception):
    """What was wrong, what the oracle expected, what was answered, and what was being done.

    `blamed` is the rule of the preceding refusal, if the failure needs one; `ways` is in how many it was tried.
    """

    mismatch: Mismatch
    expected: Expected | None
    status: int | None
    during: str
    blamed: str = ""
    ways: int = 0


@dataclass(frozen=True)
class Happening:
    """An action at an instant, in microseconds relative to the submission that the situation is about."""

    at: int
    rank: int
    what: str


class Play:
    """One situation in one scenario; `counted` names the rule of each judged submission."""

    def __init__(
        self, scenario: Scenario, situation: Situation, began: int, ignored: frozenset[tuple[str, str, str]]
    ) -> None:
        self.scenario, self.situation = scenario, situation
        self._began, self._ignored, self._step = began, ignored, scenario.target.step
        self.document: Document = scenario.document
        self.oracle: Oracle = scenario.oracle
        self.counted: list[str] = []
        self.remarks: set[tuple[str, str]] = set()
        self._submissions = 0
        self._refused_last = False
        self._doing = ""
        self._position = began
        self._event_id = spelled(scenario.new_event_id(), situation["event id"])
        scenario.made_ids.add(self._event_id.lower())
        self._others: list[Project] = []

    def run(self) -> None:
        """Raises Failure at the first mismatch."""
        with ExitStack() as stack:
            if self._is("connection", "kept", "kept after a refusal"):
                self.scenario.channel = stack.enter_context(self.scenario.target.connection())
            if self._is("connection", "kept after a refusal"):
                self.scenario.submit(by="none")
            happenings = sorted(self._happenings(), key=lambda each: (each.at, each.rank))
            for happening in happenings:
                self._move_to(happening.at)
                self._do(happening.what)
                # Situations without a second submission show what a first one stores.
                if (self._submissions > 1 or self._refused_last) and happening is not happenings[-1]:
                    self._observe()
            self._observe(last=True)

    # --- what happens when

    def _happenings(self) -> list[Happening]:
        age, first = self._ages()
        happenings = [Happening(0, 5, "submit")]
        if self._is("ways", "every"):
            happenings.append(Happening(0, 6, "every way"))
        if first is not None:
            happenings.append(Happening(-first, 5, "submit"))
            happenings.append(Happening(self._between(first), 6, "between"))
        if self.situation.get("event", "never") != "never":
            happenings += self._savings(age, first or 0)
        if self.situation.get("beside", "nothing") != "nothing":
            happenings.append(Happening(-min(age, first or age) // 2, 3, "beside"))
        if self._is("beside", ALIKE):
            happenings.append(Happening(self._began, 0, "older alike"))
        if self.situation.get("afterwards", "nothing") != "nothing":
            what = "submit again" if self._is("afterwards", "the same, too late") else "submit"
            happenings.append(Happening(self._afterwards(first), 7, what))
        return happenings

    def _savings(self, age: int, first: int) -> list[Happening]:
        """When the event is saved: in time, when its feedback comes or has come, or once more later."""
        if self._is("saved", "anew, older", "anew, newer"):
            return [
                Happening(-max(age, first), 1, "save otherwise"),
                Happening(-min(age, first or age) // 2, 1, "save"),
            ]
        in_time = self._is("saved", "in time") and not self._is("timestamp", "just now")
        saved = -age if in_time else max(-age, -first)
        saved = max(saved, -(first // 2)) if first and self._is("event", "later", "later, and old") else saved
        return [Happening(saved, 1, "save")]

    def _ages(self) -> tuple[int, int | None]:
        """The ages of the event and of the first submission, None for none, at the last one."""
        if "event age" not in self.situation:
            return 0, 0
        first = self.situation["first submitted"]
        age = ages(self.document, "event", self._step)[self.situation["event age"]]
        return age, None if first == "never" else ages(self.document, "feedback", self._step)[first]

    def _between(self, first: int) -> int:
        if not self._is("between", "overwrite at the limit"):
            return -(first // 2)
        limits = [each.limit for each in self.document.mutability.windows if each.base.startswith("feedback")]
        return min(-first + at_limit(min(limits, default=0), self._step)[-2], 0)

    def _afterwards(self, first: int | None) -> int:
        limits = [each.limit for each in self.document.mutability.windows if each.base.startswith("feedback")]
        last, beyond = (max(each - (first or 0), 0) for each in at_limit(min(limits, default=SECOND), self._step)[-2:])
        places = {"again": 0, "at the limit": last, "past the limit": beyond, "the same, too late": beyond}
        return places.get(self.situation["afterwards"], DAY + SECOND)

    def _move_to(self, at: int) -> None:
        if at > self._position:
            for project in (self.scenario.project, *self._others):
                self.scenario.advance(at - self._position, project=project)
        self._position = max(at, self._position)

    # --- what is done

    def _do(self, what: str) -> None:
        self._doing = what
        match what:
            case "save":
                self._save()
            case "save otherwise":
                beyond = self.scenario.limit("event") + SECOND if self._is("saved", "anew, newer") else 0
                self._save_with({"saved_ago": beyond} if beyond else {})
            case "every way":
                for form, by in EVERY_WAY:
                    self._submit(form=form, by=by)
            case "submit again":
                self._submit(again=True)
            case "between":
                self._do_between(self.situation["between"])
            case "beside":
                self._do_beside(self.situation["beside"])
            case "older alike":
                self._do_beside(ALIKE)
            case _:
                self._submit()

    def _save(self) -> None:
        age, first = self._ages()
        ago = max(age + self._position, 0)
        if self._is("event", "later") and first:
            ago = 0
        facts: dict[str, Any] = {"saved_ago": ago} if ago else {}
        if self._is("timestamp", "long before"):
            facts["timestamp_ago"] = ago + DAY
        elif self._is("timestamp", "just now") and ago:
            facts["timestamp_ago"] = 0
        elif self._is("timestamp", AHEAD):
            facts["timestamp"] = later(self.oracle.sandbox(self.scenario.project).model.now, HOUR).isoformat()
        if self._is("issue", "resolved"):
            facts["issue_status"] = "resolved"
        elif self._is("issue", "production"):
            facts["environment"] = "production"
        elif self._is("issue", "environment without a name"):
            facts["environment"] = ""
        self._save_with(facts)

    def _save_with(self, facts: Mapping[str, Any]) -> None:
        project = self.scenario.project
        # Not even in 1970 did anything happen before it.
        most = (self.oracle.sandbox(project).model.now - CALENDAR["1970"]) // MICROSECOND
        ages = {name: min(age, most) for name, age in facts.items() if name.endswith("_ago")}
        facts = {**facts, **ages, **self._title}
        if self._is("event", "in another project", "in another organization"):
            project = self._other(same_organization=self._is("event", "in another project"))
        self.scenario.save_event(self._event_id.lower(), project=project, **facts)

    def _do_between(self, what: str) -> None:
        match what:
            case "overwrite" | "overwrite at the limit":
                self._submit()
            case "the same again":
                self._submit(again=True)
            case "an invalid one":
                self._refused({"name": ""}, None, "field-blank")
            case "one without credentials":
                self._refused({}, "none", "credentials-required")
            case "list":
                self._observe(last=True)

    def _refused(self, values: Mapping[str, str], by: str | None, rule: str) -> None:
        reply = self.scenario.submit(self.scenario.submission(self._event_id, **{**CHANGED, **values}), by=by)
        if reply.status in self.scenario.refusals(rule):
            self._observe()

    def _do_beside(self, what: str) -> None:
        event_id = self._event_id.lower()
        digit = "0" if event_id[-1] != "0" else "1"
        match what:
            case "an id with the same beginning":
                self._beside(self.scenario.project, event_id[:-1] + digit)
            case "an id with the same end":
                self._beside(self.scenario.project, ("e" if event_id[0] != "e" else "d") + event_id[1:])
            case _ if what == ALIKE:
                for _ in range(5):
                    self._beside(self.scenario.project, self.scenario.new_event_id(), {**PLAIN, **self._texts(0)})
            case _:
                self._beside(self._other(same_organization=what == "another project"), event_id)

    def _beside(self, project: Project, event_id: str, values: Mapping[str, str] | None = None) -> None:
        """Other feedback, for an event with a different fate: its event is new, and so is its feedback."""
        if "event" in self.scenario.target.capabilities:
            self.scenario.save_event(event_id, project=project, **self._title)
        self.scenario.made_ids.add(event_id)
        others = {**PLAIN, "name": "Somebody Else"}
        self._send(project, {**(values or others), "event_id": event_id}, "write", "json")

    @property
    def _title(self) -> dict[str, str]:
        """The title of events of the same issue, if they are to be of the same."""
        same = self._is("beside", ALIKE) and "event-details" in self.scenario.target.capabilities
        return {"title": "It broke"} if same else {}

    def _submit(self, *, again: bool = False, form: str = "", by: str = "") -> None:
        """The first submission has the plain values, later ones have others, so that an overwrite shows; each adds to
        the comments of the one before it.
        """
        number = self._submissions if not again else self._submissions - 1
        self._submissions = number + 1
        added = "".join(f" ({each + 1})" for each in range(number))
        values = {**PLAIN} if number == 0 else {**CHANGED, "comments": f"{CHANGED['comments']}{added}"}
        values |= self._texts(number)
        by = by or (self.situation.get("first by", "write") if number == 0 else self.situation.get("by", "write"))
        event_id = self._event_id
        if self._is("event id", "upper, then lower case") and number:
            event_id = event_id.lower()
        self._send(self.scenario.project, {"event_id": event_id, **values}, by, form or self.situation["form"])

    def _send(self, project: Project, values: dict[str, str], by: str, form: str) -> None:
        if by not in project.credentials:
            by = self.scenario.default_credentials
        body = encode(values, form)
        reply = self.scenario.send(
            "POST",
            by=by,
            project=project,
            headers={"Content-Type": body.media_type, **headers_of(self.situation["client"], self.document)},
            content=body.content,
            chunked=body.chunked,
        )
        ages = self.oracle.probed(project, values["event_id"].strip())
        self.scenario.probes += [Probe(rule, age, age, reply.status) for rule, age in ages.items()]
        expected, problems = self.scenario.judge(project, values, by, reply)
        self._refused_last = expected.outcome == REFUSED
        self.counted += self._shown_by(expected, by) if expected.certain else []
        self._fail_with(problems, expected, reply)

    def _shown_by(self, expected: Expected, by: str) -> list[str]:
        """The rules that this response could have broken."""
        rules = [expected.rule]
        if expected.outcome == REFUSED:
            rules += ["conflict-body", *(["conflict-changes-nothing"] if self._reads_back else [])]
        if by == "dsn":
            rules.append("dsn")
        if expected.ordered:
            rules.append("window-order")
        if expected.mixed:
            rules.append("any-credentials-overwrite")
        if expected.slides:
            rules.append("overwrite-window-fixed")
        if expected.outcome == OVERWRITTEN:
            rules += ["overwrite", "overwrite-same-record", *(["overwrite-one-record"] if self._reads_back else [])]
        if not expected.known_event:
            if expected.outcome == STORED:
                rules.append("unknown-event")
            elif "clock" in self.scenario.target.capabilities:
                # If no time passes, an accepted overwrite says nothing about the end of the window.
                rules.append("overwrite-window-unknown-event")
        elif expected.outcome != REFUSED:
            rules.append("known-event")
        return rules

    @property
    def _reads_back(self) -> bool:
        return "records" in self.scenario.target.capabilities

    def _texts(self, number: int) -> dict[str, str]:
        kind = self.situation["values"]
        if kind == "longest":
            longest = {name: int(schema.get("maxLength", 1000)) for name, schema in self.document.field_schemas.items()}
            return {"name": "ñ" * longest["name"], "comments": f"{number}" * min(longest["comments"], 50_000)}
        if kind == "large":  # what common servers no longer keep in memory, or pass on in pieces
            longest_comments = int(self.document.field_schemas["comments"].get("maxLength", LARGE))
            wide = "😀" * (LARGE // 4)  # some of which is divided if the body is
            return {"comments": f"{number}{wide}{'x' * LARGE}"[: min(longest_comments, LARGE)]}
        texts = dict(TEXTS.get(kind, {}))
        if number and "comments" in texts:  # so that an overwrite is never just a retry
            texts["comments"] = texts["comments"].replace(
                texts["comments"].strip(), f"{number}{texts['comments'].strip()}"
            )
        return texts

    def _observe(self, *, last: bool = False) -> None:
        """What is stored after each step, in every project of the scenario; at the end, the lists as well."""
        capabilities = self.scenario.target.capabilities
        for project in (self.scenario.project, *self._others) if self._reads_back else ():
            self._fail_with(self.oracle.record_problems(project, self.scenario.records(project=project)))
        if last and "event" in capabilities and "write" in self.scenario.project.credentials:
            for project in (self.scenario.project, *self._others):
                self._fail_with(list(self.scenario.settled(partial(list_problems, self.scenario, project))))

    def _fail_with(self, problems: list[Mismatch], expected: Expected | None = None, reply: Any = None) -> None:
        problems = [each for each in problems if each.kind not in self._ignored]
        if problems:
            raise Failure(problems[0], expected, reply.status if reply is not None else None, self._doing)

    # --- names

    def _is(self, name: str, *values: str) -> bool:
        return self.situation.get(name) in values

    def _other(self, *, same_organization: bool) -> Project:
        project = self.scenario.other_project(same_organization=same_organization)
        if self._position != self._began:
            self.scenario.advance(self._position - self._began, project=project)
        self._others.append(project)
        return project


def start_of(document: Document, situation: Situation, step: int = 1) -> tuple[datetime, int]:
    """When a project's clock starts, and how many microseconds before the last submission that is.

    The change named by the calendar comes between everything earlier and the last submission.
    """
    first = situation["first submitted"]
    longest = max(
        ages(document, "event", step)[situation["event age"]],
        0 if first == "never" else ages(document, "feedback", step)[first],
    )
    if situation["beside"] == ALIKE:  # the older ones come first
        limits = (each.limit for each in document.mutability.windows if each.base.startswith("feedback"))
        longest += max(limits, default=0) + SECOND
    change = CALENDAR[situation["calendar"]]
    if situation["calendar"] == "1970":
        return change, longest  # everything starts with the instant that is often mistaken for none
    final = later(change, SECOND + FRACTIONS[situation["fraction"]])
    return later(final, -longest), longest
