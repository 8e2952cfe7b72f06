"""Draws the windows of `x-mutability`: what is accepted, what is refused, and on which side the limit is. Pure.

All windows share one linear scale. A window too short to be seen next to the longest is drawn wider than it is, and the
drawing then says that it is not to scale.
"""

from dataclasses import dataclass

from feedback_spec.document import Document
from feedback_spec.instants import format_duration, in_words
from feedback_spec.rules import Base, Window

WIDTH = 360.0  # user units; the font is 11 to 13 of them, which a phone shows at about one pixel each
LEFT, RIGHT = 14.0, 346.0
LONGEST = 0.70  # the longest window's share of the axis
SHORTEST = 0.10  # below this share, a window could not show its status
LANE_HEIGHT = 96.0
TOP = 12.0
LETTER = 6.4  # width of a label's letter, generously

FROM = {
    Base.EVENT_SAVED: "the instant the event was saved",
    Base.EVENT_TIMESTAMP: "the timestamp that the event carries",
    Base.FIRST_SUBMITTED: "the first submission of the feedback",
    Base.LAST_SUBMITTED: "the last submission of the feedback",
}


@dataclass(frozen=True, slots=True)
class Lane:
    """One window as drawn: positions in user units, labels as text."""

    title: str
    since: str
    y: float
    limit_x: float
    label_x: float
    limit: str
    inclusive: bool
    accepted: str
    refused: str


@dataclass(frozen=True, slots=True)
class WindowDrawing:
    """The whole drawing."""

    lanes: tuple[Lane, ...]
    height: float
    to_scale: bool
    width: float = WIDTH
    left: float = LEFT
    right: float = RIGHT


def draw_windows(document: Document) -> WindowDrawing:
    """The windows of a document, in the order in which they are checked."""
    windows = document.mutability.windows
    longest = max(window.limit for window in windows) or 1
    shares = [window.limit / longest * LONGEST for window in windows]
    lanes = tuple(
        _lane(document, window, max(share, SHORTEST), TOP + index * LANE_HEIGHT)
        for index, (window, share) in enumerate(zip(windows, shares, strict=True))
    )
    to_scale = all(share >= SHORTEST or share == 0 for share in shares)
    return WindowDrawing(lanes, TOP + len(lanes) * LANE_HEIGHT + 16, to_scale)


def title(window: Window) -> str:
    """The name of a window in prose: its rule id as words."""
    return window.rule.replace("-", " ").capitalize()


def accepted_status(document: Document, window: Window) -> int:
    """The status of a submission inside this window, if all other windows allow it."""
    outcomes = document.mutability
    before_feedback = window.base in (Base.EVENT_SAVED, Base.EVENT_TIMESTAMP)
    return (outcomes.stored if before_feedback else outcomes.overwritten).status


def _lane(document: Document, window: Window, share: float, y: float) -> Lane:
    limit_x = LEFT + share * (RIGHT - LEFT)
    words = in_words(window.limit)
    label = words if len(words) <= 20 else format_duration(window.limit)
    half = len(label) * LETTER / 2
    status = str(accepted_status(document, window))
    return Lane(
        title=title(window),
        since=f"from {FROM[window.base]}",
        y=y,
        limit_x=round(limit_x, 1),
        label_x=round(min(max(limit_x, LEFT + half), RIGHT - half), 1),
        limit=label,
        inclusive=window.limit_accepted,
        accepted=f"accepted · {status}" if limit_x - LEFT > 15 * LETTER else status,
        refused=f"refused · {window.status}",
    )
