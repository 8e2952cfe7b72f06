"""A clock that follows its clients: reads the time that they report, and says what is wrong with it. Decides nothing
else.
"""

import re
from collections.abc import Mapping

from feedback_spec.instants import FIRST_INSTANT, LAST_INSTANT, parse_instant

from feedback_mock.result import Refused
from feedback_mock.store import Project

HEADER = b"x-feedback-now"
FOLLOW = "follow"
"""The rule that refuses an invalid time."""
_FINER = re.compile(r"(?<=\.[0-9]{6})[0-9]+")


def follow_header(project: Project, headers: Mapping[bytes, bytes]) -> Refused | None:
    """Moves the clock of a following project to X-Feedback-Now if that is later; returns the reason if it cannot."""
    text = headers.get(HEADER)
    if text is None:
        return None
    try:
        follow(project, text.decode("latin-1"))
    except ValueError as error:
        return Refused(FOLLOW, f"X-Feedback-Now: {error}")
    return None


def follow(project: Project, text: str) -> None:
    """Moves the clock to this instant (RFC 3339), but never back. Raises ValueError for an invalid instant."""
    said = parse_instant(_FINER.sub("", text[:100]))
    if not FIRST_INSTANT <= said <= LAST_INSTANT:
        raise ValueError(f'"{text[:100]}" is beyond the years that the clock can represent.')
    project.sleepers.move(to=said)
