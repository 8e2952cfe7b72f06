"""Runs the covering arrays that a target allows: plays every row, and makes one finding of what fails for one cause."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from feedback_spec.document import Document

from feedback_verify.arrays.array import Array, arrays_for
from feedback_verify.arrays.attribution import UNKNOWN, Attribution
from feedback_verify.arrays.dimensions import (
    PLACES,
    Situation,
)
from feedback_verify.arrays.plainest import Job, Plainest, Played
from feedback_verify.arrays.play import Failure, Play, start_of
from feedback_verify.arrays.refused import RefusedBatch
from feedback_verify.arrays.refusing import IN_TURN, KINDS, NOTHING, together
from feedback_verify.oracle import Mismatch
from feedback_verify.scenario import TRIES, Intercepted, Place, Scenario, loses_always
from feedback_verify.steps import Step
from feedback_verify.targets import NotReachable, Target, Trouble
from feedback_verify.verdicts import Finding, Probe

MOST_FAILURES = 12
ROUNDS = 3
PARALLEL = 4
WHILE_LAGGING = 6
# What every play is checked for, whatever it is about; the rules of these groups, and these.
GROUPS = frozenset({"submission", "windows", "overwrite"})
SPOKEN = frozenset({"dsn", "list", "list-known-events", "no-server-error"})
J = TypeVar("J")
T = TypeVar("T")
Kind = tuple[str, str, str]


@dataclass(frozen=True)
class _Seen:
    """A simplified failure: what was wrong, and the values that it needs."""

    kind: tuple[str, str, str]
    remaining: frozenset[tuple[str, str]]

    def explains(self, failure: Failure, remaining: frozenset[tuple[str, str]]) -> bool:
        """Whether this is part of another failure; where on the time line it happens makes no difference."""
        places = {name for name, _ in remaining}
        same = all(each in remaining or (each[0] in PLACES and each[0] in places) for each in self.remaining)
        # A list may show what a response has already shown.
        return same and (self.kind[0] == failure.mismatch.aspect or self.kind[1:] == failure.mismatch.kind[1:])


@dataclass
class Layer:
    """All arrays against one target.

    If only some `rules` are wanted, plays only situations about one of them. `in_time` raises when the run is over;
    `finished` receives each scenario; `lost` raises if a target that did not respond is gone altogether.
    """

    target: Target
    document: Document
    seed: int
    depth: str = "default"
    rules: frozenset[str] | None = None
    in_time: Callable[[], None] = lambda: None
    finished: Callable[[Scenario], None] = lambda _: None
    lost: Callable[[Scenario, NotReachable, int], None] = lambda *_: None
    progress: Callable[[int, int], None] = lambda *_: None
    parallel: int = PARALLEL
    _seen: list[_Seen] = field(default_factory=list)
    _elsewhere: set[tuple[str, str]] = field(default_factory=set)  # aspects and rules that fail without a refusal
    _ignored: frozenset[tuple[str, str, str]] = frozenset()
    _counts: Counter[str] = field(default_factory=Counter)
    _probes: set[Probe] = field(default_factory=set)
    _remarks: set[tuple[str, str]] = field(default_factory=set)
    _broken: set[str] = field(default_factory=set)
    _doubts: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._plainest = Plainest(self._play, self.in_time)
        self._attribution = Attribution(self.document, self.target, self._play)

    def run(self) -> list[Finding]:
        """One finding for each failure that is not part of another, and how often each rule was confirmed."""
        judged: list[tuple[Kind, Finding]] = []
        arrays = list(arrays_for(self.document, self.target, self.depth))
        for array in arrays:
            judged += self._plain_failures(array) if not array.refusing and self._wants(array) else ()
        rows = [
            (array, row)
            for array in arrays
            if array.refusing or self._wants(array)
            for row in (self._suspects(array) if array.refusing else array.rows)
        ]
        for _ in range(ROUNDS):
            failed = self._play_all(rows)
            judged += self._judge_all(failed)
            if not self._ignores_more():
                break
            rows = [job for job, _, _ in failed]
        findings = self._without_special_cases(judged)
        broken = {each.rule for each in findings}
        covered = {rule: "; ".join(words) for rule, words in self._covered(arrays).items()}
        counted = [
            Finding(rule, observations=count, remark=covered.get(rule), probes=self._of(rule))
            for rule, count in self._counts.items()
            if rule not in broken and self._is_possible(rule)
        ]
        remarks = [
            Finding(rule, remark=f"remark: {told}") for rule, told in sorted(self._remarks) if rule not in broken
        ]
        doubts = [
            Finding(window, doubt=each)
            for each in self._doubts
            for window in sorted({each.rule for each in self.document.mutability.windows})
        ]
        return findings + counted + remarks + doubts

    def _is_possible(self, rule: str) -> bool:
        """Whether the target has everything that the rule needs: without a clock, one side of a deadline says
        nothing.
        """
        known = self.document.verifiable.get(rule)
        return known is not None and self.target.capabilities.issuperset(known.needs)

    def _plain_failures(self, array: Array) -> Iterator[tuple[Kind, Finding]]:
        """What is wrong even in the plainest situation, one thing after the other."""
        more = True
        while more:
            yield from self._judge_all(self._play_all([(array, array.rows[0])]))
            more = self._ignores_more()

    def _ignores_more(self) -> bool:
        """Ignores from now on what fails everywhere, because it hides what lies behind it; returns whether that is
        more.
        """
        before = self._ignored
        self._ignored = frozenset(each.kind for each in self._seen if not each.remaining and each.kind[0] != "status")
        return self._ignored != before

    def _covered(self, arrays: Sequence[Array]) -> Mapping[str, list[str]]:
        """By rule, what the arrays about it cover."""
        windows = [window.rule for window in self.document.mutability.windows]
        covered: dict[str, list[str]] = {}
        for array in arrays:
            refused = [KINDS[name].rule for name in array.dimensions[0].values if name in KINDS]
            for rule in dict.fromkeys(refused) if array.refusing else windows:
                covered.setdefault(rule, []).append(array.words)
        return covered

    def _of(self, rule: str) -> tuple[Probe, ...]:
        """The probes of a window."""
        return tuple(sorted((each for each in self._probes if each.window == rule), key=lambda each: each.earliest))

    def _without_special_cases(self, judged: Sequence[tuple[Kind, Finding]]) -> list[Finding]:
        """Without those that report for a special case what another one reports for all cases."""
        said = {(kind[1:], finding.rule) for kind, finding in judged}
        windows = self.document.mutability.windows
        feedback = [window.rule for window in windows if window.base.startswith("feedback")]
        general = {
            "overwrite-window-fixed": feedback,
            UNKNOWN: feedback,
            "retry-safe": [*feedback, UNKNOWN, "any-credentials-overwrite", "dsn"],
            "exact-values": ["overwrite"],
            "submission": ["known-event"],
            "project-isolation": [
                "submission",
                "unknown-event",
                "known-event",
                UNKNOWN,
                "list-known-events",
            ],
        }
        return [
            finding
            for kind, finding in judged
            if not any((kind[1:], rule) in said for rule in general.get(finding.rule, ()))
        ]

    def _play_all(self, rows: Sequence[Job]) -> list[tuple[Job, Failure, Sequence[Step]]]:
        """The failing rows, in order."""
        failed = []
        for job, (failure, steps) in zip(rows, self._in_parallel(self._play, rows), strict=True):
            if failure is not None:
                failed.append((job, failure, steps))
        return failed

    def _in_parallel(self, do: Callable[[J], T], jobs: Sequence[J]) -> Iterator[T]:
        """The result of each job, in the order of the jobs."""
        slow = WHILE_LAGGING if self.target.settling.lags else 1  # most of the time is spent waiting
        workers = self.parallel * slow if self.target.sandboxes and "parallel" in self.target.capabilities else 1
        with ThreadPoolExecutor(workers) as pool:
            try:
                for number, result in enumerate(pool.map(do, jobs)):
                    self.in_time()
                    self.progress(number, len(jobs))
                    yield result
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def _judge_all(self, failed: Sequence[tuple[Job, Failure, Sequence[Step]]]) -> Iterator[tuple[Kind, Finding]]:
        # A window that never ends does not end after a refusal either: that comes last.
        for (array, situation), failure, steps in sorted(failed, key=_is_after_a_refusal):
            if self._explained(failure, array.remaining(situation)) or self._is_known_elsewhere(array, failure):
                continue
            plain, plainer, shorter = situation, failure, steps
            if len(self._seen) < MOST_FAILURES:
                plain, plainer, shorter = self._plainest.of(array, situation, failure, steps)
            elif (
                not failure.blamed
                or failure.blamed in self._broken
                or self._attribution.fails_anyway(array, situation, failure)
            ):
                continue
            remaining = array.remaining(plain)
            if self._explained(plainer, remaining):
                continue
            others = bool(self._seen)
            self._seen.append(_Seen(plainer.mismatch.kind, remaining))
            if not array.refusing:
                self._elsewhere.add((plainer.mismatch.aspect, plainer.mismatch.rule))
            if array.refusing and plain["refusal"] == NOTHING and others and plain["connection"] != IN_TURN:
                continue  # other arrays know more about what is unrelated to refusals
            told = ", ".join(f"{name}: {value}" for name, value in sorted(remaining))
            message = f"{plainer.mismatch.message} ({told or 'in the simplest case'})"
            rule = self._attribution.rule_of(array, plain, plainer)
            self._broken.add(rule)
            kind = plainer.mismatch.kind
            about = (*kind[:2], f"{kind[2]} (refused)") if plain.get("refusal", NOTHING) != NOTHING else kind
            yield about, Finding(rule, 1, message, steps=tuple(shorter), probes=self._of(rule), kind=kind)

    def _explained(self, failure: Failure, remaining: frozenset[tuple[str, str]]) -> bool:
        return any(each.explains(failure, remaining) for each in self._seen)

    def _is_known_elsewhere(self, array: Array, failure: Failure) -> bool:
        """Whether what follows a refusal fails in the same way if nothing is refused."""
        mismatch = failure.mismatch
        known = (mismatch.aspect, mismatch.rule) in self._elsewhere
        return array.refusing and known and mismatch.aspect != "records" and mismatch.rule != failure.blamed

    def _suspects(self, array: Array) -> list[Situation]:
        """The rows that fail, or may have failed, with those that share a past played together."""
        wanted = [row for row in array.rows if self._wants_refused(row)]
        return [row for rows in self._in_parallel(self._play_together, together(wanted)) for row in rows]

    def _wants(self, array: Array) -> bool:
        """Whether the situations of an array of accepted submissions can be about a wanted rule."""
        spoken = {rule for each in array.dimensions for rule in each.rules.values()} | SPOKEN
        rules = self.document.verifiable
        return self.rules is None or any(each in spoken or rules[each].group in GROUPS for each in self.rules)

    def _wants_refused(self, row: Situation) -> bool:
        kind = KINDS.get(row["refusal"])
        spoken = {"response-schema", "no-server-error", *((kind.rule,) if kind else ())}
        return self.rules is None or not spoken.isdisjoint(self.rules)

    def _play_together(self, situations: Sequence[Situation]) -> list[Situation]:
        random = Random(f"{self.seed} {situations}" if self.target.sandboxes else None)
        with Scenario(self.target, self.document, random) as scenario:
            refused = RefusedBatch(scenario, situations, self._ignored)
            try:
                refused.run()
            except (Failure, Trouble):
                return list(situations)
            except NotReachable as lost:
                self.lost(scenario, lost, 0)
                return list(situations)
            self._take(refused, scenario)
            return refused.suspects

    def _take(self, played: Play | RefusedBatch, scenario: Scenario) -> None:
        with self._lock:
            self._counts.update(played.counted)
            self._remarks |= played.remarks
            self._probes.update(scenario.probes)
            self.finished(scenario)

    def _play(self, job: Job, *, again: bool = False, lost_at: tuple[Place, ...] = ()) -> Played:
        """What was wrong, and the steps; None if nothing was, or if nothing can be said.

        Again if the connection was lost, which a proxy or a restart may cause, `lost_at` are the numbers of responses
        before that; once more if there was trouble.
        """
        array, situation = job
        start, began = start_of(self.document, situation, self.target.step) if array.timed else (None, 0)
        start = start if self.target.calendar else None
        names = " ".join(f"{name}={value}" for name, value in situation.items())
        random = Random(f"{self.seed} {names}" if self.target.sandboxes else None)
        with Scenario(self.target, self.document, random, start=start) as scenario:
            play: Play | RefusedBatch = (
                RefusedBatch(scenario, (situation,), self._ignored)
                if array.refusing
                else Play(scenario, situation, -began, self._ignored)
            )
            failure = unseen = None
            spoken = [rule for each in array.dimensions if (rule := each.rules.get(situation[each.name]))]
            try:
                play.run()
            except Failure as found:
                failure = found
            except Intercepted as interception:
                unseen = str(interception)
            except Trouble as trouble:
                if not again:
                    return self._play(job, again=True)
                self._doubts.append(str(trouble))
                unseen = str(trouble)
            except NotReachable as lost:
                self.lost(scenario, lost, len(lost_at))
                always = loses_always(lost_at, scenario.place)
                if not always and len(lost_at) < TRIES:
                    return self._play(job, again=again, lost_at=(*lost_at, scenario.place))
                # A server may close a kept connection at any time, but not a fresh one.
                if not always:
                    self._doubts.append(f"{lost.what}, at different points")
                elif situation["connection"] == "fresh":
                    failure = Failure(Mismatch("status", "no-server-error", lost.what, lost.what), None, None, "")
                unseen = lost.what
            if unseen is None:
                play.counted += spoken
            else:
                windows = () if array.refusing else (each.rule for each in self.document.mutability.windows)
                play.remarks |= {(rule, f"not all of it was seen: {unseen}") for rule in (*spoken, *windows)}
                play.counted = []
            self._take(play, scenario)
            return failure, scenario.steps


def _is_after_a_refusal(failed: tuple[Job, Failure, Sequence[Step]]) -> bool:
    expected = failed[1].expected
    return expected is not None and expected.refused_before
