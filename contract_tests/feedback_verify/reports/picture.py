"""Draws the probes of a window beside its documented limit, and says between which ages the limit is. Pure.

The axis is the age of a submission. It is logarithmic in the distance from the limit, on both sides, so one picture can
show a microsecond, a second and a day beside it.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from feedback_spec.instants import SECOND, in_short, in_words
from feedback_spec.rules import Mutability, Window

from feedback_verify.verdicts import Probe

WIDTH, LEFT, RIGHT = 360.0, 12.0, 348.0  # user units; the font is 10 to 13 of them
LETTER = 5.8  # width of a tick label's letter, generously
LANES = {"accepted": 73.0, "refused": 99.0, "other": 125.0}
SHORTEST_BAR = 4.0
SPAN_OF_TICKS = (
    (1, "1 µs"),
    (1_000, "1 ms"),
    (30_000, "30 ms"),
    (SECOND, "1 s"),
    (60 * SECOND, "1 min"),
    (3_600 * SECOND, "1 h"),
    (86_400 * SECOND, "1 d"),
)
SINCE = {
    "event.saved": "since the event was saved",
    "event.timestamp": "by the event's timestamp",
    "feedback.first_submitted": "since the first submission",
    "feedback.last_submitted": "since the last submission",
}


@dataclass(frozen=True)
class Mark:
    """One response, or several similar ones: a point at `x`, or a bar from `x` to `end`. `wrong` ones contradict the
    limit.
    """

    kind: str
    x: float
    end: float | None
    y: float
    label: str
    wrong: bool


@dataclass(frozen=True)
class Tick:
    """A labelled place on the axis."""

    x: float
    label: str


@dataclass(frozen=True)
class Picture:
    """What the template draws, and `bracket`, the same in words."""

    id: str
    title: str
    since: str
    limit: str
    limit_x: float
    limit_label_x: float
    marks: tuple[Mark, ...]
    ticks: tuple[Tick, ...]
    lanes: tuple[tuple[str, float], ...]
    bracket: str

    @property
    def axis_y(self) -> float:
        """The position of the axis."""
        return max(y for _, y in self.lanes) + 18

    @property
    def has_wrong(self) -> bool:
        """Whether any mark is ringed."""
        return any(mark.wrong for mark in self.marks)


class _Scale:
    def __init__(self, window: Window, probes: Sequence[Probe]) -> None:
        self.limit = window.limit
        distances = [abs(age - window.limit) for probe in probes for age in (probe.earliest, probe.latest)]
        nearest = min((each for each in distances if each), default=1)
        self.unit: int = 10 ** int(math.log10(nearest))
        furthest = max([probe.latest - window.limit for probe in probes], default=0)
        self.before = max(self.units(window.limit), 1.0)
        self.after = max(self.units(furthest), 2.0) + 0.5
        self.limit_x = LEFT + (RIGHT - LEFT) * self.before / (self.before + self.after)

    def units(self, distance: int) -> float:
        if distance <= self.unit:
            return max(distance, 0) / self.unit
        return 1 + math.log10(distance / self.unit)

    def x(self, age: int) -> float:
        per_unit = (RIGHT - LEFT) / (self.before + self.after)
        distance = max(age, 0) - self.limit
        return round(self.limit_x + math.copysign(self.units(abs(distance)) * per_unit, distance), 1)


def draw_window(mutability: Mutability, window: Window, probes: Sequence[Probe], rule: str) -> Picture:
    """The picture of these probes of the window, made for a rule. There must be at least one probe."""
    scale = _Scale(window, probes)
    limit = in_words(window.limit)
    half = len(limit) * 6.4 / 2
    marks = [_mark(mutability, window, scale, probe, count) for probe, count in Counter(probes).items()]
    lanes = {"accepted", "refused", *(mark.kind for mark in marks)}
    return Picture(
        id=f"{rule}-{window.rule}",
        title=window.rule.replace("-", " ").capitalize(),
        since=SINCE[window.base],
        limit=limit,
        limit_x=round(scale.limit_x, 1),
        limit_label_x=round(min(max(scale.limit_x, LEFT + half), RIGHT - half), 1),
        marks=tuple(sorted(marks, key=lambda mark: (mark.wrong, mark.x))),
        ticks=_ticks(scale),
        lanes=tuple((lane, y) for lane, y in LANES.items() if lane in lanes),
        bracket=bracket(mutability, window, probes),
    )


def kind_of(mutability: Mutability, window: Window, probe: Probe) -> str:
    """Whether the submission was accepted, refused with the window's status, or answered with something else."""
    if probe.status in (mutability.stored.status, mutability.overwritten.status):
        return "accepted"
    return "refused" if probe.status == window.status else "other"


def bracket(mutability: Mutability, window: Window, probes: Sequence[Probe]) -> str:
    """Between which ages the limit is, as far as the responses show: the greatest age accepted, the smallest refused.

    Of an interval, the end that proves less counts.
    """
    ages: dict[str, list[Probe]] = {"accepted": [], "refused": [], "other": []}
    for probe in probes:
        ages[kind_of(mutability, window, probe)].append(probe)
    greatest = max((probe.earliest for probe in ages["accepted"]), default=None)
    smallest = min((probe.latest for probe in ages["refused"]), default=None)
    documented = f"documented: {in_short(window.limit)}"
    if greatest is None and smallest is None:
        return f"Nothing was accepted or refused; {documented}."
    if smallest is None:
        return f"Accepted up to an age of {in_short(greatest or 0)}, and nothing was refused; {documented}."
    if greatest is None:
        return f"Refused from an age of {in_short(smallest)} on, and nothing was accepted; {documented}."
    if greatest >= smallest:
        return (
            f"No single limit explains these answers: accepted at an age of {in_short(greatest)}, refused at "
            f"{in_short(smallest)}; {documented}."
        )
    return (
        f"The limit lies between {in_short(greatest)}, the greatest age accepted, and {in_short(smallest)}, "
        f"the smallest refused; {documented}."
    )


def _mark(mutability: Mutability, window: Window, scale: _Scale, probe: Probe, count: int) -> Mark:
    kind = kind_of(mutability, window, probe)
    x, end = scale.x(probe.earliest), scale.x(probe.latest)
    age = in_short(probe.earliest) + (f" to {in_short(probe.latest)}" if probe.latest != probe.earliest else "")
    first_refused = window.limit + window.limit_accepted
    wrong = (
        kind == "other"
        or (kind == "accepted" and probe.earliest >= first_refused)
        or (kind == "refused" and probe.latest < first_refused)
    )
    label = f"age {age}: {kind}, {probe.status}" + (f", {count} times" if count > 1 else "")
    label += ", not as documented" if wrong else ""
    return Mark(kind, x, end if end - x >= SHORTEST_BAR else None, LANES[kind], label, wrong)


def _ticks(scale: _Scale) -> tuple[Tick, ...]:
    """As many as fit without touching, from the limit outwards."""
    taken: list[tuple[float, float]] = []
    ticks = []
    wanted = [
        (scale.limit - distance, f"\N{MINUS SIGN}{label}")
        for distance, label in SPAN_OF_TICKS
        if distance < scale.limit
    ]
    wanted += [(scale.limit + distance, f"+{label}") for distance, label in SPAN_OF_TICKS]
    for age, label in [(scale.limit, "limit"), (0, "0"), *wanted]:
        x, half = scale.x(age), len(label) * LETTER / 2
        free = all(x + half < start or x - half > stop for start, stop in taken)
        near = abs(age - scale.limit) < scale.unit and age != scale.limit
        if free and not near and x + half <= WIDTH and x - half >= 0:
            taken.append((x - half, x + half))
            ticks.append(Tick(x, label))
    return tuple(sorted(ticks, key=lambda tick: tick.x))
