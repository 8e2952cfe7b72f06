"""The dimensions of a refusal: what is refused, for which feedback, where, in which form, on which connection. Pure."""

from collections.abc import Sequence
from itertools import groupby

from feedback_spec.document import Document

from feedback_verify.arrays import credentials, refusals
from feedback_verify.arrays.dimensions import BY, CLIENT, FORM, SPELLING, Dimension, Situation

KINDS = {kind.name: kind for kind in (*credentials.KINDS, *refusals.KINDS)}
NOTHING = "nothing"
OPEN = ("open", "open, event known", "event resolved")
TOGETHER = 12
IN_TURN = "two users in turn"
EVERY = "every"
THE_ONLY = "the only project"
PLACES = (
    THE_ONLY,
    "first of its organization",
    "second of its organization",
    "first of its name",
    "second of its name",
)


def refusal_dimensions(document: Document, capabilities: frozenset[str]) -> tuple[Dimension, ...]:
    """What can be varied. In the plain situation nothing is refused: what fails there too is not about a refusal."""
    refused = [
        kind.name
        for kind in KINDS.values()
        if kind.rule in document.verifiable and {*document.rules[kind.rule].needs, *kind.needs} <= capabilities
    ]
    families = {window.base.partition(".")[0] for window in document.mutability.windows}
    states: tuple[str, ...] = ("no feedback", *OPEN)
    states += ("closing", "closed") if "feedback" in families else ()
    states += ("event expired",) if "event" in families else ()
    needs = {
        "open, event known": "event",
        "event resolved": "event-details",
        "event expired": "aged-event",
        **dict.fromkeys(("closing", "closed"), "clock"),
    }
    isolation = {IN_TURN: "project-isolation"} if "second-project" in capabilities else {}
    return (
        Dimension("refusal", (NOTHING, *refused)),
        Dimension("way", (EVERY,), shown=False),
        Dimension("feedback", states, {}, needs),
        Dimension("project", PLACES, {}, dict.fromkeys(PLACES[1:], "second-project")),
        BY,
        FORM.only(("json", "form", "multipart", "chunked", "escaped")),
        SPELLING.only(("lower case", "upper case", "zeros in front")),
        Dimension("connection", ("fresh", "kept", IN_TURN), isolation),
        CLIENT,
    )


def together(rows: Sequence[Situation]) -> list[tuple[Situation, ...]]:
    """The rows in groups that share a project's past."""

    def past(row: Situation) -> tuple[str, str]:
        return row["feedback"], row["project"]

    groups = [tuple(group) for _, group in groupby(sorted(rows, key=past), past)]
    return [group[start : start + TOGETHER] for group in groups for start in range(0, len(group), TOGETHER)]
