"""Selects the fault that applies to a request: a project's rules, tried in order, with their counts. Sends nothing.

Deterministic: all randomness comes from the project's seed, the number of the rule and its counts, and not from what
happened in between.
"""

import asyncio
from dataclasses import dataclass, field
from random import Random
from typing import Any

BEFORE, AFTER = "before", "after"
MOST_RULES = 100


@dataclass(slots=True)
class FaultRule:
    """One rule as given, the instants between which it applies (microseconds, both included), and its counts."""

    number: int
    given: dict[str, Any]
    begins: int | None
    ends: int | None
    matched: int = 0
    applied: int = 0
    event_id: str | None = field(init=False)

    def __post_init__(self) -> None:
        event_id = self.given.get("match", {}).get("event_id")
        self.event_id = event_id.lower() if event_id else None

    @property
    def phase(self) -> str:
        """Before or after the request is handled."""
        return str(self.given.get("phase", BEFORE))

    @property
    def effect(self) -> dict[str, Any]:
        """What happens, by the one key that names its kind."""
        effect: dict[str, Any] = self.given["effect"]
        return effect

    @property
    def answers(self) -> bool:
        """Whether it produces a response of its own."""
        return "status" in self.effect

    @property
    def lasts(self) -> bool:
        """Whether it takes time, in which the client may leave."""
        return "delay" in self.effect or "dribble" in self.effect

    def told(self) -> dict[str, Any]:
        """How a journal describes it."""
        return {"number": self.number, "phase": self.phase, "effect": self.effect}

    def shown(self) -> dict[str, Any]:
        """The rule with its counts."""
        return {"number": self.number, **self.given, "matched": self.matched, "applied": self.applied}

    def meets(self, operation: str | None, method: str, event_ids: set[str], now: int, seed: int) -> bool:
        """Whether it applies to this request; counts a request that matches."""
        given, match = self.given, self.given.get("match", {})
        if (
            ("operation" in match and match["operation"] != operation)
            or ("method" in match and match["method"].upper() != method)
            or (self.event_id is not None and self.event_id not in event_ids)
            or (self.begins is not None and now < self.begins)
            or (self.ends is not None and now > self.ends)
        ):
            return False
        self.matched += 1
        after = self.matched - given.get("skip", 0) - 1
        if (
            ("nth" in match and self.matched != match["nth"])
            or after < 0
            or after % given.get("every", 1)
            or self.applied >= given.get("times", self.applied + 1)
            or ("probability" in given and not self._comes(seed))
        ):
            return False
        self.applied += 1
        return True

    def _comes(self, seed: int) -> bool:
        return Random(f"{seed} {self.number} matched {self.matched}").random() < float(self.given["probability"])


class Faults:
    """The rules of one project, and the requests waiting to be released.

    `held` counts those that wait in any of several processes, which notice by `releases` that they may continue.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.rules: list[FaultRule] = []
        self.last = 0
        self.held = self.releases = 0
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def add(self, given: list[dict[str, Any]], spans: list[tuple[int | None, int | None]]) -> bool:
        """Adds rules with the instants between which each applies. False, and none is added, if there are too many."""
        if len(self.rules) + len(given) > MOST_RULES:
            return False
        for each, (begins, ends) in zip(given, spans, strict=True):
            self.last += 1
            self.rules.append(FaultRule(self.last, each, begins, ends))
        return True

    def restore(self, rules: list[FaultRule]) -> None:
        """Adds rules with their counts."""
        self.clear()
        self.rules, self.last = rules, max((each.number for each in rules), default=0)

    def pick(self, operation: str | None, method: str, event_ids: set[str], now: int) -> FaultRule | None:
        """The first rule that applies to this request."""
        for rule in self.rules:
            if rule.meets(operation, method, event_ids, now, self.seed):
                return rule
        return None

    def chance(self, rule: FaultRule) -> Random:
        """What an effect of the rule takes its chance from."""
        return Random(f"{self.seed} {rule.number} applied {rule.applied}")

    def clear(self) -> None:
        """Removes all rules, releases waiting requests, and numbers rules from 1 again."""
        self.rules, self.last = [], 0
        self.release()

    def release(self) -> int:
        """Releases all waiting requests and returns their number. Callable from any thread."""
        held, self.held, self.releases = self.held, 0, self.releases + 1
        return self.wake() + held

    def wake(self) -> int:
        """Releases those that wait in this process, as when it stops, and returns their number."""
        waiting, self._waiting = self._waiting, []
        for loop, event in waiting:
            loop.call_soon_threadsafe(event.set)
        return len(waiting)

    def wait(self) -> asyncio.Event:
        """An event that is set when this request is released."""
        event = asyncio.Event()
        self._waiting.append((asyncio.get_running_loop(), event))
        return event
