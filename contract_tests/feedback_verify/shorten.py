"""Drops unnecessary steps from a violation: replays it without some of them, and keeps what still fails.

It makes no verdicts: the replay must fail with a mismatch of the same kind, or with a response that is wrong on its
own.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from random import Random

from feedback_spec.document import Document

from feedback_verify.replaying import Replayed, Replayer
from feedback_verify.scenario import CannotTell, Scenario
from feedback_verify.steps import Advance, Open, SaveEvent, Send, Step, Wait
from feedback_verify.targets import NotReachable, ProtocolError, Target, Trouble, Unsendable
from feedback_verify.verdicts import Finding

SECONDS = 6.0  # for all violations of a run together
Again = Callable[[Replayed], int | None]


def shorten(target: Target, document: Document, findings: Sequence[Finding], seed: int) -> Iterator[Finding]:
    """Each violation with only the necessary steps, as far as the allowed time permits."""
    deadline = time.monotonic() + SECONDS
    for finding in findings:
        yield _Shortening(target, document, finding, seed, deadline).run()


@dataclass
class _Shortening:
    target: Target
    document: Document
    finding: Finding
    seed: int
    deadline: float
    played: int = 0

    def run(self) -> Finding:
        """The finding unchanged if it cannot be replayed: real waits, concurrent requests, a random failure."""
        if any(isinstance(step, Wait) or (isinstance(step, Send) and step.at_once) for step in self.finding.steps):
            return self.finding
        acts: list[Step] = [step for step in self.finding.steps if not isinstance(step, Open)]
        try:
            whole = self._play(acts)
            again = self._criterion(acts, whole)
            end = again(whole)
            if end is None:
                return self.finding
            acts, shown = self._fewest(acts[: end + 1], whole, again)
            joined = self._play(list(_joined(acts)))
            return replace(self.finding, steps=tuple((shown if again(joined) is None else joined).steps))
        except (NotReachable, ProtocolError, Unsendable, CannotTell, Trouble):
            return self.finding

    def _criterion(self, acts: Sequence[Step], whole: Replayed) -> Again:
        """Decides which act makes the same thing fail again."""
        finding, last = self.finding, len(acts) - 1
        kind = next(
            (kind for at, kind in whole.kinds if kind == finding.kind or (not finding.kind and at == last)), None
        )
        if kind is not None:
            return lambda replayed: next((at for at, each in replayed.kinds if each == kind), None)
        final = acts[last] if acts else None
        wrong = (
            final.exchange.status if isinstance(final, Send) and final.exchange and self._is_refusal(final) else None
        )
        fault = finding.fault or (lambda reply: reply.status == wrong)
        return lambda replayed: replayed.end if replayed.last is not None and fault(replayed.last) else None

    def _is_refusal(self, final: Send) -> bool:
        """Whether the response should have refused the request itself, whatever came before it."""
        windows = {window.status for window in self.document.mutability.windows}
        return bool(final.expected) and all(status >= 400 and status not in windows for status in final.expected)

    def _fewest(self, acts: list[Step], shown: Replayed, again: Again) -> tuple[list[Step], Replayed]:
        """Drops what is about other events; then half of the acts, then a quarter, and in the end single ones, until no
        more can be dropped.
        """
        own = [act for act in acts if isinstance(act, Advance) or _event_of(act) == _event_of(acts[-1])]
        if len(own) < len(acts) and (end := again(replayed := self._play(own))) is not None:
            acts, shown = own[: end + 1], replayed
        size = max(len(acts) // 2, 1)
        while True:
            shorter, shown = self._without_some(acts, size, shown, again)
            if len(shorter) == len(acts) and size == 1:
                return shorter, shown
            acts, size = shorter, max(size // 2, 1)

    def _without_some(self, acts: list[Step], size: int, shown: Replayed, again: Again) -> tuple[list[Step], Replayed]:
        """Goes backwards through the acts, this many at a time; the last one, which shows the failure, stays."""
        for at in range(len(acts) - 1 - size, -size, -size):
            fewer = acts[: max(at, 0)] + acts[at + size :]
            if time.monotonic() > self.deadline:
                break
            replayed = self._play(fewer)
            end = again(replayed)
            if end is not None:
                acts, shown = fewer[: end + 1], replayed
        return acts, shown

    def _play(self, acts: Sequence[Step]) -> Replayed:
        opened = [step for step in self.finding.steps if isinstance(step, Open)]
        self.played += 1
        # The same on every run; but a target that keeps its data needs other events each time.
        random = Random(f"{self.seed} {self.finding.rule} {self.played}" if self.target.sandboxes else None)
        start = opened[0].start if opened else None
        with Scenario(self.target, self.document, random, start=start) as scenario, ExitStack() as stack:
            if any(isinstance(act, Send) and act.kept for act in acts):
                scenario.channel = stack.enter_context(self.target.connection())
            return Replayer(scenario, [step.project for step in opened], self.finding.kind, random).play(acts)


def _event_of(act: Step) -> str | None:
    return (act.event_id or "").lower() if isinstance(act, (SaveEvent, Send)) else None


def _joined(acts: Sequence[Step]) -> Iterator[Step]:
    """The acts, with two successive clock movements merged into one."""
    moved: Advance | None = None
    for act in acts:
        if moved is not None and isinstance(act, Advance) and act.project is moved.project:
            moved = replace(moved, microseconds=moved.microseconds + act.microseconds)
            continue
        if moved is not None:
            yield moved
        moved = act if isinstance(act, Advance) else None
        if moved is None:
            yield act
