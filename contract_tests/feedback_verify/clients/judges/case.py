"""One episode with what it is judged by, and the words of findings. Judges nothing."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus

from feedback_spec.client_rules import ClientRule
from feedback_spec.document import Document
from feedback_spec.instants import in_short

from feedback_verify.clients.episode import Attempt, Episode
from feedback_verify.clients.situations import BROKEN_SUCCESS, Situation
from feedback_verify.clients.telling import Beginning, told
from feedback_verify.steps import Send, Step
from feedback_verify.verdicts import Finding

BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
"""The statuses that may come with Retry-After."""
AT_ONCE = ("at once", "", "")
HARDLY = 20_000  # microseconds


@dataclass(frozen=True)
class Case:
    """One episode with what it is judged by.

    `plain` is the episode in which everything worked, None for a recorded journal; `situation` is None there, too.
    """

    episode: Episode
    document: Document
    rules: Mapping[str, ClientRule]
    plain: Episode | None = None
    situation: Situation | None = None

    @property
    def endless(self) -> bool:
        """Whether the problem never goes away."""
        return self.situation is not None and self.situation.endless

    @property
    def single(self) -> bool:
        """Whether the client submits one feedback, so that everything it sends is about that one."""
        return self.plain is not None and len(self.plain.submissions) == 1

    @cached_property
    def groups(self) -> list[list[Attempt]]:
        """The submissions of each feedback, in order."""
        if self.single:
            return [self.episode.submissions] if self.episode.submissions else []
        groups: dict[str, list[Attempt]] = {}
        for each in self.episode.submissions:
            groups.setdefault((each.event_id or "").lower(), []).append(each)
        return list(groups.values())

    @cached_property
    def windows(self) -> frozenset[str]:
        """The rules of the windows."""
        return frozenset(window.rule for window in self.document.mutability.windows)

    @cached_property
    def statuses(self) -> frozenset[int]:
        """Their statuses."""
        return frozenset(window.status for window in self.document.mutability.windows)

    def held(self, rule: str, count: int = 1, upto: Attempt | None = None) -> Finding:
        """The rule was confirmed this often."""
        return Finding(rule, observations=count, steps=self._told(upto))

    def broken(
        self, rule: str, what: str, upto: Attempt | None = None, kind: tuple[str, str, str] | None = None
    ) -> Finding:
        """The rule is broken, finally by this attempt."""
        place = "" if self.situation is None else f"{self.situation.name}: "
        return Finding(rule, violation=f"{place}{what}", steps=self._told(upto), kind=kind)

    def unclear(self, rule: str, why: str) -> Finding:
        """The observations decide nothing."""
        place = "" if self.situation is None else f"{self.situation.name}: "
        return Finding(rule, doubt=f"{place}{why}", steps=self._told())

    @cached_property
    def _steps(self) -> tuple[Step, ...]:
        return told(self.episode)

    @cached_property
    def _ends(self) -> dict[int, int]:
        """How many steps there are up to each attempt, by its identity."""
        ends = (number for number, step in enumerate(self._steps, 1) if isinstance(step, Send))
        return {id(attempt): end for attempt, end in zip(self.episode.attempts, ends, strict=True)}

    def _told(self, upto: Attempt | None = None) -> Beginning:
        return Beginning(self._steps, len(self._steps) if upto is None else self._ends[id(upto)])


Judge = Callable[[Case, ClientRule], Iterator[Finding]]
"""What an episode shows about one rule."""


def after(answered: Attempt, others: Sequence[Attempt]) -> Iterator[Attempt]:
    """Those that were sent after the response was known."""
    return (each for each in others if each.sent >= answered.answered)


def at_once(answered: Attempt, again: Attempt) -> tuple[str, str, str] | None:
    """A special kind for what was sent so early that the response was hardly known: see `ClientRun`."""
    return AT_ONCE if again.sent - answered.answered < HARDLY else None


def gap(one: Attempt, other: Attempt) -> str:
    return in_short(max(other.now - one.now, 0))


def is_delivered(attempt: Attempt) -> bool:
    """Whether the client was fully informed that the feedback is stored."""
    broken = "broken_body" in (attempt.fault or {}).get("effect", {})
    return attempt.status in range(200, 300) and not broken


def is_success_at_first(attempt: Attempt) -> bool:
    """Whether the response broke off after its status, which rightly says that the feedback is stored."""
    fault = attempt.fault or {}
    return fault.get("phase") == "after" and fault.get("effect", {}).get("connection") == BROKEN_SUCCESS
