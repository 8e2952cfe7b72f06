"""Runs every scenario that a target allows, and produces one verdict per rule.

The order is: single scenarios and timelines, the state machine, Schemathesis. Ctrl-C ends the run with everything known
so far.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from feedback_spec.catalogue import Rule
from feedback_spec.document import LIST, Document

from feedback_verify import arrays, crowded, histories, schema
from feedback_verify.answers import Answers
from feedback_verify.between import between, is_unknown_method, lost_behind, told_of
from feedback_verify.checks import Check, all_checks
from feedback_verify.exchange import Exchange, Request
from feedback_verify.realtime.draw import draw_plan, purchases
from feedback_verify.realtime.judge import dates, judge_tracks
from feedback_verify.realtime.plan import Plan, write
from feedback_verify.realtime.schedule import Schedule
from feedback_verify.realtime.values import judge_values
from feedback_verify.scenario import TRIES, CannotTell, Place, Scenario, Violated, answer, loses_always
from feedback_verify.shorten import shorten
from feedback_verify.steps import Send, up_to
from feedback_verify.targets import NotReachable, Stopped, Target, Trouble, Unsendable
from feedback_verify.verdicts import LEFT_OUT, Finding, Result, Verdict, joined, judge, missing

HISTORIES_NEED = frozenset({"token", "dsn", "event", "aged-event", "clock", "records", "second-project"})
HISTORIES = {"quick": 8, "default": 30, "full": 100}  # by depth
SCHEMA_EXAMPLES = {"quick": 10, "default": 40, "full": 100}


class Enough(Exception):
    """Only the first violation was wanted."""


@dataclass
class Run:
    """One verification of one target against one document; `seed` makes it repeatable.

    `wait` is in microseconds. `progress` receives how much is done, of how much, and what comes next; `say` receives,
    before a long wait, what it is for. `stop_at_first` ends the run at the first violation; `depth` is one of
    `options.DEPTHS`. `before` lists the rules verified in an earlier report, which must be verified again: the file by
    rule id.
    """

    document: Document
    target: Target
    seed: int
    rules: frozenset[str] | None = None
    progress: Callable[[int, int, str], None] = lambda *_: None
    say: Callable[[str], None] = lambda _: None
    require: Callable[[Rule, Verdict], bool] = lambda *_: True
    before: Mapping[str, str] = field(default_factory=dict)
    wait: int | None = None
    max_parallel: int = 16
    plan: Plan | None = None
    plan_file: Path | None = None
    stop_at_first: bool = False
    depth: str = "default"
    stopped: bool = False
    sent: list[Send] = field(default_factory=list)
    _findings: list[Finding] = field(default_factory=list)
    _took: Counter[str] = field(default_factory=Counter)
    _left: frozenset[str] = frozenset()  # rules that are not finished

    def execute(self) -> dict[str, Result]:
        """The verdict on every rule of the document, in its order.

        Raises NotReachable if the target is gone, and ProtocolError if its control API breaks the protocol.
        """
        answers = Answers(self.document, self.target.base_url)
        windows = frozenset(window.rule for window in self.document.mutability.windows)
        self._findings += _lags(self.target)
        wanted = [check for check in all_checks(self.document) if self._wanted(check.rule)]
        checks = [check for check in wanted if self._possible(check)]
        self._findings += [finding for check in wanted for finding in self._unasked(check)]
        layers = [self._arrays, self._crowded]
        layers += [self._histories, self._schemathesis] if self.rules is None else []
        if self.target.clock != "exact":
            layers.append(self._timed)
        total = len(checks) + len(layers)
        try:
            for number, check in enumerate(checks):
                self._left = frozenset(each.rule for each in checks[number:]) | windows | frozenset(schema.RULES)
                self._in_time()
                self.progress(number, total, check.rule)
                with self._timing():
                    self._run_check(check, number, answers)
            for number, layer in enumerate(layers, len(checks)):
                self._left = windows | frozenset(schema.RULES)
                self._in_time()
                self.progress(number, total, layer.__name__.strip("_").replace("_", " "))
                with self._timing():
                    layer(answers)
            self._left = frozenset()
            self.progress(total, total, "shortest way to show each violation")
            if not self.stop_at_first:
                self._shorten()
        except (KeyboardInterrupt, Enough):
            self.stopped = True
        self.progress(total, total, "")
        return self.results()

    def results(self) -> dict[str, Result]:
        """The verdicts known so far, even if `execute` raised."""
        return {rule: self._verdict(rule) for rule in self.document.verifiable}

    @contextmanager
    def _timing(self) -> Iterator[None]:
        """Divides the elapsed time among the rules found, in proportion to their findings."""
        before, began = len(self._findings), time.perf_counter_ns()
        try:
            yield
        finally:
            took = (time.perf_counter_ns() - began) // 1000
            found = Counter({each.rule: 0 for each in self._findings[before:]})
            for each in self._findings[before:]:
                found[each.rule] += max(each.observations, 1)
            for rule, count in found.items():
                self._took[rule] += took * count // found.total()

    def _shorten(self) -> None:
        """Drops unnecessary steps from the violation shown for each rule."""
        violations = [each for each in self._findings if each.violation]
        rules = dict.fromkeys(each.rule for each in violations)
        shown = [
            min((each for each in violations if each.rule == rule), key=lambda each: len(each.steps)) for rule in rules
        ]
        shorter = dict(zip(map(id, shown), shorten(self.target, self.document, shown, self.seed), strict=True))
        self._findings = [shorter.get(id(each), each) for each in self._findings]

    def _in_time(self) -> None:
        if self.target.sender.stopped.is_set():
            raise Stopped
        if self.stop_at_first and any(each.violation and self._wanted(each.rule) for each in self._findings):
            raise Enough

    def _wanted(self, rule: str) -> bool:
        return self.rules is None or rule in self.rules

    def _possible(self, check: Check) -> bool:
        return {*self.document.rules[check.rule].needs, *check.needs} <= self.target.capabilities

    def _unasked(self, check: Check) -> Iterator[Finding]:
        """Names the part of a rule that could not be tested, if the target has what the rest of it needs."""
        lacked = missing(check.needs, self.target.capabilities)
        if lacked and not missing(self.document.rules[check.rule].needs, self.target.capabilities):
            yield Finding(check.rule, remark=f'"{check.name}" could not be tested: it needs {joined(lacked)}')

    def _verdict(self, rule_id: str) -> Result:
        rule = self.document.rules[rule_id]
        if not self._wanted(rule_id):
            return Result(rule, Verdict.NOT_RUN, LEFT_OUT, required=rule_id in self.before)
        findings = [finding for finding in self._findings if finding.rule == rule_id]
        result = judge(rule, findings, self.target.capabilities, self.target.clock == "exact", self.target.step)
        if self.stopped and result.verdict is Verdict.VERIFIED and rule_id in self._left:
            told = f"the run was stopped after {result.observations} observations; none contradicted it"
            result = replace(result, verdict=Verdict.NOT_RUN, detail=told)
        if result.verdict is Verdict.VERIFIED and rule.is_about_storing and not self._reads_back:
            result = replace(result, verdict=Verdict.AS_ANSWERED)
        required = rule_id in self.before or self.require(rule, result.verdict)
        return replace(result, required=required, took=self._took[rule_id])

    @property
    def _reads_back(self) -> bool:
        """Whether the target shows what it has stored: its records, or its list, which has feedback for known
        events.
        """
        listed = {"event", "token"} <= self.target.capabilities and LIST in self.document.operations
        return listed or "records" in self.target.capabilities

    def _run_check(self, check: Check, number: int, answers: Answers, lost_at: tuple[Place, ...] = ()) -> None:
        """Runs the scenario; again if it lost the connection, which a proxy or a restart may cause.

        If the connection is lost at the same point again and again, the server closes it; `lost_at` are the numbers of
        responses before that.
        """
        random = Random(f"{self.seed} {number}" if self.target.sandboxes else None)
        plain = check.rule == "submission" or not any(
            each.violation for each in self._findings if each.rule == "submission"
        )
        with Scenario(self.target, self.document, random, plain_accepted=plain) as scenario:
            violation = doubt = None
            try:
                check.run(scenario)
            except Violated as violated:
                if not lost_at and "lists" in self.target.settling.lags and _has_listed(scenario):
                    self._run_check(check, number, answers, (Place(-1),))  # the list may have lagged more than expected
                    return
                violation = str(violated)
            except CannotTell as cannot_tell:
                doubt = str(cannot_tell)
            except Unsendable as unsendable:
                scenario.finding = str(unsendable)
            except Trouble as trouble:
                doubt = str(trouble)
            except NotReachable as lost:
                self._still_there(scenario, lost, len(lost_at))
                again = loses_always(lost_at, scenario.place)
                if not again and len(lost_at) < TRIES:
                    self._run_check(check, number, answers, (*lost_at, scenario.place))
                    return
                violation, doubt = (lost.what, None) if again else (None, f"{lost.what}, at different points")
            steps, probes = tuple(scenario.steps), tuple(scenario.probes)
            finding = Finding(check.rule, scenario.observations, violation, doubt, scenario.finding, steps, probes)
            self._findings.append(finding)
            self._look_at_answers(scenario, answers)

    def _still_there(self, scenario: Scenario, lost: NotReachable, before: int) -> None:
        """Passes if the target still responds; otherwise raises the loss.

        With more requests the more losses there were `before`: what loses every n-th request would otherwise lose the
        same one of the scenario each time.
        """
        try:
            for _ in range(before + 1):
                self.target.exchange(Request("OPTIONS", self.target.base_url + scenario.path()))
        except NotReachable:
            raise lost from None

    def _look_at_answers(self, scenario: Scenario, answers: Answers) -> None:
        """Checks every response of every scenario against the document, whatever the scenario was about."""
        judged = 0
        self.sent += scenario.sent
        for exchange in scenario.exchanges:
            usual = self.target.sender.usual
            proxy = between(exchange, usual)
            if proxy is not None and not lost_behind(exchange, usual):
                self._findings.append(Finding("response-schema", remark=told_of(proxy, exchange)))
                continue
            if exchange.status >= 500 and not is_unknown_method(exchange):
                message = f"{exchange.request.method} was answered {answer(exchange)}"
                steps = up_to(scenario.steps, exchange)
                self._findings.append(Finding("no-server-error", violation=message, steps=steps, fault=_is_failure))
            problem = answers.problem(exchange)
            if problem:
                steps = up_to(scenario.steps, exchange)
                fault: Callable[[Exchange], bool] = lambda reply: answers.problem(reply) is not None  # noqa: E731 (shorter than a function)
                self._findings.append(Finding("response-schema", violation=problem, steps=steps, fault=fault))
            judged += not problem and answers.speaks_of(exchange)
        self._findings.append(Finding("response-schema", observations=judged))

    def _arrays(self, answers: Answers) -> None:
        """Everything about windows and plain submissions, in situations that combine all dimensions."""
        shared = {"concurrent-submissions", "project-isolation"}
        mixed_up = any(each.violation and each.rule in shared for each in self._findings)
        layer = arrays.Layer(
            self.target,
            self.document,
            self.seed,
            self.depth,
            self.rules,
            in_time=self._in_time,
            finished=lambda scenario: self._look_at_answers(scenario, answers),
            lost=self._still_there,
            # If projects, or concurrent submissions, are not kept apart, the rows would disturb each other.
            parallel=1 if mixed_up else arrays.PARALLEL,
        )
        self._findings += layer.run()

    def _wrong(self, *groups: str) -> bool:
        """Whether a rule of these groups is violated: what found that explains more than a long history would."""
        rules = {rule for rule, each in self.document.verifiable.items() if each.group in groups}
        return any(each.violation and each.rule in rules for each in self._findings)

    def _crowded(self, answers: Answers) -> None:
        """Hundreds of feedback in one project."""
        if not self._wrong("submission", "windows", "overwrite", "list"):
            self._findings += crowded.run(
                self.target,
                self.document,
                Random(self.seed if self.target.sandboxes else None),
                self.depth,
                lambda scenario: self._look_at_answers(scenario, answers),
            )

    def _histories(self, answers: Answers) -> None:
        """Random histories of two projects."""
        if self.target.capabilities >= HISTORIES_NEED and not self._wrong("submission", "windows", "overwrite"):
            random = Random(self.seed)
            self._findings += histories.run(
                self.target,
                self.document,
                random,
                HISTORIES[self.depth],
                lambda scenario: self._look_at_answers(scenario, answers),
            )

    def _timed(self, answers: Answers) -> None:
        """Everything about time on a running clock, in one wait."""
        wait = None if self.target.clock == "process" else self.wait or 0
        plan = self.plan or draw_plan(
            self.document, self.target.capabilities, wait, self.seed, self.rules, self.target.step
        )
        if self.plan_file is not None:
            write(plan, self.plan_file)
        for sentence in purchases(self.document, self.target.capabilities, wait, self.rules) if not self.plan else ():
            self.say(sentence)
        schedule = Schedule(self.target, self.document, plan, max_parallel=self.max_parallel)
        listed = None
        try:
            schedule.run(self.progress, self._in_time)
            listed = schedule.read_back()
        finally:
            # We move a process's clock, and servers send a cached Date for a while.
            clock = [] if self.target.clock == "process" else dates(schedule.played, schedule.dated)
            self._findings += judge_tracks(self.document, schedule.played, clock, self.target.step)
            self._findings += judge_values(self.document, schedule.played, clock, listed)
            for scenario in (*(each.scenario for each in schedule.played), schedule.reader):
                self._look_at_answers(scenario, answers)

    def _schemathesis(self, answers: Answers) -> None:
        with Scenario(self.target, self.document, Random(self.seed)) as scenario:
            self._findings += schema.run(scenario, self.document, self.seed, SCHEMA_EXAMPLES[self.depth])
            self.sent += scenario.sent


def _is_failure(exchange: Exchange) -> bool:
    return exchange.status >= 500 and not is_unknown_method(exchange)


def _lags(target: Target) -> list[Finding]:
    """The observed lags, as remarks on the rules that they affect."""
    lags, words = target.settling.lags, {"lists": ("list", "lists lag"), "events": ("known-event", "events lag")}
    return [
        Finding(rule, remark=f"{told} {lags[observer]:.1f} s behind")
        for observer, (rule, told) in words.items()
        if observer in lags
    ]


def _has_listed(scenario: Scenario) -> bool:
    return any(each.request.method == "GET" for each in scenario.exchanges)
