"""Plays refusals: with existing feedback or without, across projects, on one connection with what comes next.

Situations that share a project's past are played together, each with its own event, and what is stored is checked for
all of them at once. Only failures are played again, alone.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from feedback_spec.instants import SECOND

from feedback_verify.arrays.dimensions import Situation, headers_of, spelled
from feedback_verify.arrays.listed import list_problems
from feedback_verify.arrays.play import Failure
from feedback_verify.arrays.refusals import FIELDS, Attempt, Kind, Setting, media_type_of, statuses
from feedback_verify.arrays.refusing import EVERY, IN_TURN, KINDS, OPEN, THE_ONLY
from feedback_verify.bodies import encode
from feedback_verify.exchange import Exchange, Project
from feedback_verify.oracle import Expected, Mismatch
from feedback_verify.scenario import CHANGED, VALUES, Intercepted, Scenario, answer
from feedback_verify.targets import NotReachable

BETWEEN = {"name": "In Between", "email": "between@example.net", "comments": "At once."}
WRONG = {"name": "Not To Be Stored", "email": "not@example.net", "comments": "This is refused."}


@dataclass
class Row:
    """One of several situations in a scenario, with its own event; over as soon as it cannot continue."""

    situation: Situation
    event_id: str
    over: bool = False

    @property
    def kind(self) -> Kind | None:
        """What is refused; None if nothing is."""
        return KINDS.get(self.situation["refusal"])

    @property
    def kept(self) -> bool:
        """Whether the next request uses the same connection."""
        return self.situation["connection"] != "fresh"


@dataclass
class RefusedBatch:
    """Situations with the same past in one scenario; `counted` names the rule of each judged refusal.

    `suspects` are the situations that failed, or may have: if there are several, nothing is raised.
    """

    scenario: Scenario
    situations: Sequence[Situation]
    ignored: frozenset[tuple[str, str, str]]
    counted: list[str] = field(default_factory=list)
    suspects: list[Situation] = field(default_factory=list)
    remarks: set[tuple[str, str]] = field(default_factory=set)
    _ways: int = 0
    _beside: dict[tuple[str, str, bool], Project] = field(default_factory=dict)

    def run(self) -> None:
        """Raises Failure at the first mismatch, if one situation is played alone."""
        self.oracle, self.document = self.scenario.oracle, self.scenario.document
        target = self.scenario.target
        self._moves = target.clock == "exact" and "clock" in target.capabilities
        self.rows = [Row(each, spelled(self.scenario.new_event_id(), each["event id"])) for each in self.situations]
        self.scenario.made_ids |= {row.event_id.lower() for row in self.rows}
        state, project = self.situations[0]["feedback"], self.situations[0]["project"]
        self.where = self._where(project)
        self.projects = [self.where, *self._beside_it(project)]
        limits = [each.limit for each in self.document.mutability.windows if each.base.startswith("feedback")]
        limit = min(limits, default=0)
        self._before(state)
        half = limit // 2 if state in (*OPEN, "closing") else 0
        self._advance(limit + 1 if state == "closed" else half)
        self._each(self._refuse)
        self._look()
        # To the limit, or a microsecond past it: had the refusal restarted the window, it would still be open.
        self._advance(limit - half + (state == "closing") if half else 0)
        self._each(self._follow_up)
        self._look()
        self._look_at_the_list()

    # --- what comes before

    def _where(self, project: str) -> Project:
        if project.startswith("second"):
            return self._other(self.scenario.project, same_organization="organization" in project)
        return self.scenario.project

    def _beside_it(self, project: str) -> list[Project]:
        """The project that has feedback for the same events."""
        if project == THE_ONLY:
            return []
        if project.startswith("second"):
            return [self.scenario.project]
        return [self._other(self.where, same_organization="organization" in project)]

    def _other(self, project: Project, *, same_organization: bool) -> Project:
        """A project beside another one: in its organization, or with its name in another organization."""
        key = (project.organization, project.slug, same_organization)
        if key not in self._beside:
            made = self.scenario.other_project(beside=project, same_organization=same_organization)
            self._beside[key] = made
            self._beside[made.organization, made.slug, same_organization] = project
        return self._beside[key]

    def _before(self, state: str) -> None:
        known: dict[str, dict[str, Any]] = {
            "open, event known": {},
            "event resolved": {"issue_status": "resolved"},
            "event expired": {"saved_ago": self.scenario.limit("event") + SECOND},
        }
        if "event" in self.scenario.target.capabilities:
            known |= {"closing": {}, "closed": {}}
        for row in self.rows:
            if state in known:
                self.scenario.save_event(row.event_id.lower(), project=self.where, **known[state])
        self._each(lambda row: self._first(row, state))

    def _first(self, row: Row, state: str) -> None:
        if state not in ("no feedback", "event expired"):
            self._valid(row, self.where, VALUES, self._by(row), "json")
        for other in self.projects[1:]:
            self._valid(row, other, {**VALUES, "name": "Somebody Else"}, "write", "json")

    def _advance(self, microseconds: int) -> None:
        for project in self.projects if self._moves else ():
            self.scenario.advance(microseconds, project=project)

    def _by(self, row: Row) -> str:
        by = row.situation["by"]
        return by if by in self.where.credentials else self.scenario.default_credentials

    # --- the refusal, and what comes after it

    def _each(self, do: Callable[[Row], None]) -> None:
        """Does it in each situation that continues; raises a failure only if there is one situation."""
        for row in self.rows:
            if row.over:
                continue
            try:
                do(row)
            except (Failure, NotReachable, Intercepted):
                if len(self.rows) == 1:
                    raise
                self.suspects.append(row.situation)
                self._end(row)

    def _end(self, row: Row, *others: str) -> None:
        """Nothing more is known about the feedback for its event, or for others under which it may have been stored."""
        row.over = True
        for project in self.projects:
            self.oracle.sandbox(project).doubtful |= {row.event_id.lower(), *others}

    def _refuse(self, row: Row) -> None:
        with ExitStack() as stack:
            if row.kept:
                self.scenario.channel = stack.enter_context(self.scenario.target.connection())
                stack.callback(setattr, self.scenario, "channel", self.scenario.target)
            try:
                if row.situation["connection"] == IN_TURN:
                    self._somebody_else(row)
                for setting, attempt in self._attempts(row):
                    self._judge(row, setting, attempt, self._send(row, setting, attempt))
                if (row.kept or row.kind is None) and not row.over:
                    self._follow_up(row, BETWEEN)
            except NotReachable:
                if not row.kept:
                    raise
                self._end(row)  # a server may close a connection at any time; whether it handled the request is unknown

    def _somebody_else(self, row: Row) -> None:
        """A valid submission to another project, if there can be one, else with other credentials."""
        values = {"event_id": self.scenario.new_event_id(), **VALUES}
        if "second-project" in self.scenario.target.capabilities:
            self._valid(row, self._other(self.where, same_organization=True), values, "write", "json")
        else:
            others = {"write", "dsn"} & set(self.where.credentials) - {self._by(row)}
            self._valid(row, self.where, values, min(others, default=self._by(row)), "json")

    def _attempts(self, row: Row) -> list[tuple[Setting, Attempt]]:
        """What is refused: in every way, for every field, or in the wanted way."""
        if row.kind is None:
            return []
        made: dict[str, tuple[Setting, Attempt]] = {}
        for about in FIELDS:
            setting = Setting(
                self.scenario,
                self.where,
                self._by(row),
                about,
                {"event_id": row.event_id, **WRONG},
                lambda same: self._other(self.where, same_organization=same),
            )
            for attempt in row.kind.attempts(setting):
                # An accepted request is never the same again; that is a different matter.
                said = {**setting.values, "comments": f"{WRONG['comments']} ({len(made)})"}
                numbered = (attempt.taken or attempt.maybe) and attempt.content is None
                own = replace(setting, values=said) if numbered else setting
                made.setdefault(attempt.words, (own, attempt))
        self._ways = len(made)
        way = row.situation["way"]
        return [each for number, each in enumerate(made.values()) if way in (EVERY, str(number))]

    def _send(self, row: Row, setting: Setting, attempt: Attempt) -> Exchange:
        form = "json" if attempt.content is not None or attempt.json_only else row.situation["form"]
        body = encode(attempt.values(setting), form)
        media_type = media_type_of(attempt, body.media_type)
        return self.scenario.send(
            attempt.method,
            by="none" if attempt.anonymous else setting.by,
            authorization=attempt.authorization,
            project=self.where,
            path=attempt.path,
            headers={
                **headers_of(row.situation["client"], self.document),
                **({"Content-Type": media_type} if media_type else {}),
                **attempt.headers,
            },
            content=body.content if attempt.content is None else attempt.content,
            chunked=row.situation["form"] == "chunked",
            in_query=attempt.in_query,
        )

    def _judge(self, row: Row, setting: Setting, attempt: Attempt, reply: Exchange) -> None:
        kind = KINDS[row.situation["refusal"]]
        allowed = statuses(self.document, kind, attempt)
        said = f"a submission {attempt.words}"
        self.scenario.note(reply, expected=tuple(sorted(allowed)))
        accepted = reply.status in self.document.accepting
        free = attempt.maybe and reply.status not in allowed  # it is judged like any other submission, by the windows
        if free or (accepted and reply.status in allowed):
            self.remarks.add((kind.rule, f"{said} is accepted"))
        if not allowed or free:
            by = attempt.by or setting.by
            expected, problems = self.scenario.judge(self.where, attempt.values(setting), by, reply)
            if problems and problems[0].aspect == "status":
                problems = [replace(problems[0], message=f"{said}: expected {expected.status}, got {answer(reply)}")]
            self._raise(row, problems, expected, reply)
        elif reply.status not in allowed:
            rule = "no-server-error" if reply.status >= 500 else kind.rule
            wanted = "a refusal" if len(allowed) > len(kind.rule) else " or ".join(map(str, allowed))
            told = f"{said}: expected {wanted}, got {answer(reply)}"
            self._raise(row, [Mismatch("status", rule, told, f"{wanted}, {reply.status}")], None, reply)
        elif accepted:
            self._end(row, str(attempt.values(setting).get("event_id", "")).strip().lower())
        elif problem := _answer_problem(attempt, reply):
            self._raise(row, [Mismatch("answer", kind.rule, f"{said}: {problem}", problem)], None, reply)
        self.counted.append(kind.rule)

    def _follow_up(self, row: Row, values: Mapping[str, str] = CHANGED) -> None:
        """A valid submission, whose outcome must be the same as without the refusal."""
        self._valid(row, self.where, values, self._by(row), row.situation["form"])

    def _valid(self, row: Row, project: Project, values: Mapping[str, str], by: str, form: str) -> None:
        sent = {"event_id": row.event_id, **values}
        body = encode(sent, form)
        reply = self.scenario.send(
            "POST",
            by=by,
            project=project,
            headers={"Content-Type": body.media_type, **headers_of(row.situation["client"], self.document)},
            content=body.content,
            chunked=body.chunked,
        )
        expected, problems = self.scenario.judge(project, sent, by, reply)
        self._raise(row, problems, expected, reply)

    def _raise(
        self, row: Row | None, problems: list[Mismatch], expected: Expected | None, reply: Exchange | None
    ) -> None:
        problems = [each for each in problems if each.kind not in self.ignored]
        if problems:
            blamed = row.kind.rule if row is not None and row.kind is not None else ""
            raise Failure(problems[0], expected, reply.status if reply is not None else None, "", blamed, self._ways)

    # --- what observers see

    def _look(self) -> None:
        """What is stored, in every project."""
        shown = "records" in self.scenario.target.capabilities and not all(row.over for row in self.rows)
        for project in self.projects if shown else ():
            self._compare(self.oracle.record_problems(project, self.scenario.records(project=project)))

    def _look_at_the_list(self) -> None:
        capabilities = self.scenario.target.capabilities
        listed = "event" in capabilities and "write" in self.where.credentials
        for project in self.projects if listed and not all(row.over for row in self.rows) else ():
            self._compare(list(self.scenario.settled(partial(list_problems, self.scenario, project, "status=", ""))))

    def _compare(self, problems: list[Mismatch]) -> None:
        left = [row for row in self.rows if not row.over]
        if problems and len(self.rows) > 1:
            self.suspects += [row.situation for row in left]
            for row in left:
                self._end(row)
        else:
            self._raise(self.rows[0], problems, None, None)


def _answer_problem(attempt: Attempt, reply: Exchange) -> str | None:
    """What is wrong with a refusal beyond its status."""
    named = [name for name in FIELDS if name in reply.object]  # among anything else
    if attempt.names is not None and reply.status == 400 and named != [attempt.names]:
        return f"the response names {named or 'no field'}"
    if reply.status == 405:
        allowed = {each.strip() for each in reply.headers.get("allow", "").split(",")}
        if not {"GET", "POST"} <= allowed:
            return f"Allow is {reply.headers.get('allow')!r}, without GET and POST"
    return None
