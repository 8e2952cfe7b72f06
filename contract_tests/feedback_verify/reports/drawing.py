"""Draws the steps of a violation as a timeline: one row each, top to bottom, farther apart for longer waits. Pure."""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from feedback_spec.instants import in_short

from feedback_verify.reports.timeline import Moment

LETTERS = 44  # that fit in a row of 360 user units; the font is 11 to 16 of them
LINE, TOP, BETWEEN = 17.0, 68.0, 14.0
PER_DIGIT, LABELLED = (
    4.0,
    26.0,
)  # what each digit of a wait in microseconds adds, and from which wait on there is a label
MOST = 24  # rows; the JSON report has all of them


@dataclass(frozen=True)
class Row:
    """One moment as drawn: `y` is its first line, `wait` is the time that passed before it, at `wait_y`."""

    y: float
    when: str
    lines: tuple[str, ...]
    answer: str
    wrong: bool
    wait: str
    wait_y: float

    @property
    def answer_y(self) -> float:
        """The position of the response."""
        return self.y + LINE * (len(self.lines) + 1)


@dataclass(frozen=True)
class Drawing:
    """A timeline with a title, a smaller subtitle, and the text for screen readers in `words`."""

    id: str
    title: str
    subtitle: str
    rows: tuple[Row, ...]
    height: float
    words: str


def draw_timeline(rule: str, moments: Sequence[Moment]) -> Drawing:
    """The drawing of at least one moment; only the last ones if there are very many."""
    shown = moments[-MOST:]
    rows: list[Row] = []
    bottom = TOP
    for number, moment in enumerate(shown):
        gap = BETWEEN if number else 0.0
        waited = number > 0 and moment.later > 0
        gap += PER_DIGIT * math.log10(moment.later + 1) if waited else 0.0
        labelled = waited and gap >= LABELLED
        answer = moment.told
        lines = tuple(textwrap.wrap(moment.what, LETTERS)) or ("",)
        middle = bottom + gap / 2 - 1
        rows.append(
            Row(
                bottom + gap,
                moment.when,
                lines,
                answer,
                moment.wrong,
                f"{in_short(moment.later)} later" if labelled else "",
                middle,
            )
        )
        bottom += gap + LINE * (len(lines) + 1 + bool(answer))
    return Drawing(
        id=f"timeline-{rule}",
        title=rule.replace("-", " ").capitalize(),
        subtitle=_subtitle(shown, len(moments)),
        rows=tuple(rows),
        height=bottom + 4,
        words="; ".join(f"{each.when} {each.what} {each.told}".strip() for each in shown),
    )


def _subtitle(shown: Sequence[Moment], count: int) -> str:
    if count > len(shown):
        return f"the last {len(shown)} of {count} steps"
    return "1 step" if count == 1 else f"{count} steps"
