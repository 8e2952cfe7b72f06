"""Judges many changes, remembers the results, and summarises them; does not judge a server itself."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

from tests.mutation.changes import Change
from tests.mutation.documents import DocumentChange
from tests.mutation.processes import Fate, Judgement, Task, judge
from tests.mutation.survivors import Kind, Reason, Reasons

UNEXPLAINED = "unexplained"
C = TypeVar("C", Change, DocumentChange)


@dataclass(frozen=True)
class Judged:
    """A change with its judgement, and its reason in the file of survivors, if any."""

    change: Change | DocumentChange
    judgement: Judgement
    reason: Reason | None

    @property
    def end(self) -> str:
        """Its fate; if it survived, why."""
        if self.judgement.fate is not Fate.SURVIVED:
            return self.judgement.fate
        return self.reason.kind if self.reason else UNEXPLAINED

    @property
    def problem(self) -> str | None:
        """What is wrong with it, in one sentence; None if everything is as it should be."""
        told = self.judgement
        match told.fate, self.reason:
            case (Fate.FAILED | Fate.HANGS) as fate, _:
                return f"{fate}: {told.detail}"
            case Fate.BROKEN, _ if isinstance(self.change, DocumentChange):
                return f"not a document that the mock takes: {told.detail}"
            case Fate.OTHERWISE, None:
                return f"seen, but only by {', '.join(told.rules)}: {told.detail}"
            case Fate.SURVIVED, None:
                return "nobody saw it, and no reason is given"
            case (Fate.SURVIVED | Fate.OTHERWISE, _) | (_, None) | (_, Reason(kind=Kind.BLIND)):
                return None
            case fate, Reason(kind=kind):
                return f"said to be {kind}, but: {fate} ({', '.join(told.rules)})"


@dataclass
class Campaign:
    """The results of all changes."""

    judged: list[Judged] = field(default_factory=list)

    @property
    def fates(self) -> Counter[str]:
        """How many changes ended in which way; for those that survived, why."""
        return Counter(each.end for each in self.judged)

    @property
    def share(self) -> float:
        """The share of changes that were detected, of those that change what clients can see."""
        unseen = [each for each in self.judged if not each.judgement.fate.seen]
        excused = [each for each in unseen if each.reason and each.reason.kind is not Kind.BLIND]
        counted = len(self.judged) - len(excused)
        return (counted - (len(unseen) - len(excused))) / counted if counted else 1.0

    @property
    def problems(self) -> list[str]:
        """What is wrong, one sentence each."""
        return [f"{each.change}: {each.problem}" for each in self.judged if each.problem]


class Memory:
    """A file with a line for each judgement, so that a campaign can continue after it was stopped.

    Detected changes stay detected. Others are tested again with a different verifier.
    """

    def __init__(self, path: Path, verifier: str) -> None:
        self._path, self._verifier = path, verifier
        self._known: dict[str, Judgement] = {}
        for line in path.read_text("utf-8").splitlines() if path.exists() else ():
            entry = json.loads(line)
            told = Judgement(Fate(entry["fate"]), tuple(entry["rules"]), entry["detail"], entry["depth"])
            self._known.pop(entry["key"], None)
            if told.fate.seen or entry["verifier"] == verifier:
                self._known[entry["key"]] = told

    def of(self, key: str) -> Judgement | None:
        """What is known about it."""
        return self._known.get(key)

    def keep(self, change: Change | DocumentChange, told: Judgement) -> None:
        """Writes it immediately."""
        entry = {"key": change.key, **asdict(told), "change": str(change), "verifier": self._verifier}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")


def judge_all(
    campaign: Campaign,
    changes: Iterable[C],
    task_of: Callable[[C], Task],
    reasons: Reasons,
    jobs: int,
    memory: Memory | None = None,
) -> None:
    """Adds every change to the campaign, judged now or remembered; what was added stays after an interruption."""
    made: dict[str, C] = {}

    def left() -> Iterator[Task]:
        for change in changes:
            known = memory.of(change.key) if memory else None
            if known:
                campaign.judged.append(Judged(change, known, reasons.of(change)))
            else:
                made[change.key] = change
                yield task_of(change)

    for task, told in judge(left(), jobs):
        change = made.pop(task.key)
        campaign.judged.append(Judged(change, told, reasons.of(change)))
        if memory:
            memory.keep(change, told)
