"""Runs every scenario that a target allows, and comes to one verdict per rule.

The order is: single scenarios and timelines, the state machine, Schemathesis. Ctrl-C ends it with what is known so far.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random

from contract_tests import machine, schema
from contract_tests.answers import Answers
from contract_tests.checks import Check, all_checks
from contract_tests.exchange import Exchange, Request, Step
from contract_tests.scenario import CannotTell, Scenario, Violated, answer
from contract_tests.targets import NotReachable, Target
from contract_tests.verdicts import Finding, Result, Verdict, judge
from spec.document import Document

MACHINE_NEEDS = frozenset({"token", "dsn", "event", "aged-event", "clock", "records", "second-project"})
HISTORIES = 30
SCHEMA_EXAMPLES = 40


@dataclass
class Run:
    """One verification of one target by one document; `seed` makes it repeatable.

    `progress` is told what is done, of how much, and what comes next.
    """

    document: Document
    target: Target
    seed: int
    rules: frozenset[str] | None = None
    progress: Callable[[int, int, str], None] = lambda *_: None
    stopped: bool = False
    exchanges: list[Exchange] = field(default_factory=list)
    _findings: list[Finding] = field(default_factory=list)

    def execute(self) -> dict[str, Result]:
        """The verdict on every rule of the document, in its order. Raises NotReachable where the target is gone."""
        answers = Answers(self.document)
        checks = [check for check in all_checks(self.document) if self._wanted(check.rule) and self._possible(check)]
        layers = [self._machine, self._schemathesis] if self.rules is None else []
        total = len(checks) + len(layers)
        try:
            for number, check in enumerate(checks):
                self.progress(number, total, check.rule)
                self._run_check(check, number, answers)
            for number, layer in enumerate(layers, len(checks)):
                self.progress(number, total, layer.__name__.strip("_").replace("_", " "))
                layer(answers)
        except KeyboardInterrupt:
            self.stopped = True
        self.progress(total, total, "")
        return {rule.id: self._verdict(rule.id) for rule in self.document.rules.values()}

    def _wanted(self, rule: str) -> bool:
        return self.rules is None or rule in self.rules

    def _possible(self, check: Check) -> bool:
        return {*self.document.rules[check.rule].needs, *check.needs} <= self.target.capabilities

    def _verdict(self, rule_id: str) -> Result:
        rule = self.document.rules[rule_id]
        if not self._wanted(rule_id):
            return Result(rule, Verdict.NOT_RUN, "left out by --rules", required=False)
        findings = [finding for finding in self._findings if finding.rule == rule_id]
        return judge(rule, findings, self.target.capabilities, self.target.clock == "exact")

    def _run_check(self, check: Check, number: int, answers: Answers) -> None:
        random = Random(f"{self.seed} {number}" if self.target.clock == "exact" else None)
        plain = check.rule == "submission" or not any(
            each.violation for each in self._findings if each.rule == "submission"
        )
        with Scenario(self.target, self.document, random, plain_accepted=plain) as scenario:
            violation = doubt = None
            try:
                check.run(scenario)
            except Violated as violated:
                violation = str(violated)
            except CannotTell as cannot_tell:
                doubt = str(cannot_tell)
            except NotReachable as lost:
                self._still_there(scenario, lost)
                violation = "the connection was closed without an answer"
            steps, probes = tuple(scenario.steps), tuple(scenario.probes)
            finding = Finding(check.rule, scenario.observations, violation, doubt, scenario.finding, steps, probes)
            self._findings.append(finding)
            self._look_at_answers(scenario, answers)

    def _still_there(self, scenario: Scenario, lost: NotReachable) -> None:
        """Passes if the target still answers; raises what was lost otherwise."""
        try:
            self.target.exchange(Request("OPTIONS", self.target.base_url + scenario.path()))
        except NotReachable:
            raise lost from None

    def _look_at_answers(self, scenario: Scenario, answers: Answers) -> None:
        """Every answer of every scenario is held against the document, whatever the scenario was about."""
        judged = 0
        self.exchanges += scenario.exchanges
        for exchange in scenario.exchanges:
            if exchange.status >= 500:
                message = f"{exchange.request.method} was answered {answer(exchange)}"
                self._findings.append(Finding("no-server-error", violation=message, steps=_up_to(scenario, exchange)))
            problem = answers.problem(exchange)
            if problem:
                steps = _up_to(scenario, exchange)
                self._findings.append(Finding("response-schema", violation=problem, steps=steps))
            judged += not problem
        self._findings.append(Finding("response-schema", observations=judged))

    def _machine(self, answers: Answers) -> None:
        """Only where the single scenarios found nothing wrong: what they found explains more than a history would."""
        walked = {"submission", "windows", "overwrite"}
        wrong = any(each.violation and self.document.rules[each.rule].group in walked for each in self._findings)
        if self.target.capabilities >= MACHINE_NEEDS and not wrong:
            random = Random(self.seed)
            self._findings += machine.run(
                self.target, self.document, random, HISTORIES, lambda scenario: self._look_at_answers(scenario, answers)
            )

    def _schemathesis(self, _answers: Answers) -> None:
        with Scenario(self.target, self.document, Random(self.seed)) as scenario:
            self._findings += schema.run(scenario, self.document, self.seed, SCHEMA_EXAMPLES)


def _up_to(scenario: Scenario, exchange: object) -> tuple[Step, ...]:
    """The steps of a scenario up to the one with this exchange."""
    steps: list[Step] = []
    for step in scenario.steps:
        steps.append(step)
        if step.exchange is exchange:
            break
    return tuple(steps)


def known_rules(document: Document, names: Iterable[str]) -> frozenset[str]:
    """The names as rule ids. Raises ValueError, in one sentence, for a name that the catalogue does not have."""
    names = frozenset(names)
    unknown = sorted(names - set(document.rules))
    if unknown:
        raise ValueError(f'The catalogue has no rule "{unknown[0]}"; its rules are {", ".join(document.rules)}.')
    return names
