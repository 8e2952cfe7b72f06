"""Which covering arrays a target allows, by what it can do. Plays nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from feedback_spec.document import Document

from feedback_verify.arrays.covering import Values, covering
from feedback_verify.arrays.dimensions import (
    Dimension,
    Situation,
    by_window,
    condensed,
    submission_dimensions,
    window_dimensions,
)
from feedback_verify.arrays.refusing import IN_TURN, THE_ONLY, refusal_dimensions
from feedback_verify.targets import Target


@dataclass(frozen=True)
class Array:
    """Situations that cover all `strength`-tuples of values of the dimensions."""

    dimensions: tuple[Dimension, ...]
    strength: int
    varied: Values
    plain: Situation

    @cached_property
    def rows(self) -> tuple[Situation, ...]:
        """The plainest situation, then the covering ones."""
        return (self.plain, *({**self.plain, **row} for row in covering(self.varied, self.strength)))

    @property
    def timed(self) -> bool:
        """Whether time passes in its situations."""
        return any(each.name == "calendar" for each in self.dimensions)

    @property
    def refusing(self) -> bool:
        """Whether its situations are about refusals."""
        return any(each.name == "refusal" for each in self.dimensions)

    @property
    def words(self) -> str:
        """What is covered, in words."""
        return f"{('every value', 'all pairs', 'all triples')[self.strength - 1]} of {len(self.varied)} dimensions"

    def is_of_several(self, situation: Situation) -> bool:
        """Whether a refusal occurs among two projects, or two users of one connection: they may be mixed up without
        it.
        """
        return self.refusing and (situation["connection"] == IN_TURN or situation["project"] != THE_ONLY)

    def remaining(self, situation: Situation) -> frozenset[tuple[str, str]]:
        """The values that are not plain."""
        return frozenset(
            (each.name, situation[each.name])
            for each in self.dimensions
            if each.shown and situation[each.name] != each.plain
        )


def arrays_for(document: Document, target: Target, depth: str) -> Iterator[Array]:
    """The arrays that the target allows: about windows on an exact clock, else about plain submissions."""
    capable = target.capabilities | ({"calendar"} if target.calendar else set())
    if target.clock == "exact" and "clock" in capable:
        dimensions = tuple(each.possible(capable) for each in window_dimensions(document, target.step))
        quick = depth == "quick"
        if depth != "default":
            yield _array(dimensions, 1 if quick else 2)
        for each in by_window(document, dimensions, target.step) if not quick else ():
            yield _array(each, 2, dimensions)
        few = (
            quick and target.step == 1
        )  # a clock that counts in steps is not tested with the literal rows at the limits
        yield _array(condensed(document, dimensions, target.step), 2 if few else 3, dimensions)
    else:
        yield _array(tuple(each.possible(capable) for each in submission_dimensions()), 3 if depth == "full" else 2)
    yield _array(tuple(each.possible(capable) for each in refusal_dimensions(document, frozenset(capable))), 2)


def _array(dimensions: tuple[Dimension, ...], strength: int, whole: tuple[Dimension, ...] = ()) -> Array:
    """The array over these dimensions; all other dimensions in `whole` stay plain."""
    varied = tuple((each.name, each.values) for each in dimensions if len(each.values) > 1)
    plain = {each.name: each.plain for each in (*whole, *dimensions)}
    return Array(whole or dimensions, strength, varied, plain)
