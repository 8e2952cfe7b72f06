"""Simplifies a situation in which something fails, for as long as the same fails. Plays it through `play`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from feedback_verify.arrays.array import Array
from feedback_verify.arrays.dimensions import EVERY_WAY, Dimension, Situation
from feedback_verify.arrays.play import Failure
from feedback_verify.arrays.refusing import EVERY, NOTHING
from feedback_verify.steps import Step

Job = tuple[Array, Situation]
Played = tuple[Failure | None, Sequence[Step]]


@dataclass
class Plainest:
    """`play` returns what fails in a situation, and the steps; `in_time` raises when the run is over."""

    play: Callable[[Job], Played]
    in_time: Callable[[], None]

    def of(
        self, array: Array, situation: Situation, failure: Failure, steps: Sequence[Step]
    ) -> tuple[Situation, Failure, Sequence[Step]]:
        """The plainest situation that fails in the same way, with its failure and steps."""
        plain, plainer, shorter = self._plainest(
            array, *self._narrowed(array, *self._among_others(array, situation, failure, steps))
        )
        if plain.get("ways") == "every":  # the plainer it is, the more it can try at once
            return self._plainest(array, *self._narrowed(array, plain, plainer, shorter))
        return plain, plainer, shorter

    def _among_others(
        self, array: Array, situation: Situation, failure: Failure, steps: Sequence[Step]
    ) -> tuple[Situation, Failure, Sequence[Step]]:
        """The result of two projects, or two users on one connection, without a refusal, if that fails already."""
        if array.is_of_several(situation) and situation["refusal"] != NOTHING:
            plainer = {**situation, "refusal": NOTHING}
            again, shorter = self.play((array, plainer))
            if again is not None:
                return plainer, again, shorter
        return situation, failure, steps

    def _narrowed(
        self, array: Array, situation: Situation, failure: Failure, steps: Sequence[Step]
    ) -> tuple[Situation, Failure, Sequence[Step]]:
        """With only the one way of refusing, or of submitting, that fails in the same way, if it is one."""
        ones = [{"way": str(way)} for way in range(failure.ways if situation.get("way") == EVERY else 0)]
        if situation.get("ways") == "every":
            ones = [{"ways": "one"}, *_each_way()]
        for each in ones:
            self.in_time()
            one = {**situation, **each}
            again, shorter = self.play((array, one))
            if again is None:
                continue
            # Everything is submitted in that one way, so the same failure may come with a different expectation.
            alike = again.mismatch.aspect == failure.mismatch.aspect and again.status == failure.status
            if again.mismatch.kind == failure.mismatch.kind or (alike and "ways" in each):
                return one, again, shorter
        return situation, failure, steps

    def _plainest(
        self, array: Array, situation: Situation, failure: Failure, steps: Sequence[Step]
    ) -> tuple[Situation, Failure, Sequence[Step]]:
        """Makes one dimension after another plain, as long as the same failure remains."""
        changed = True
        while changed:
            changed = False
            for dimension in array.dimensions:
                for value in _plainer(dimension, situation[dimension.name]):
                    self.in_time()
                    plainer = {**situation, dimension.name: value}
                    again, shorter = self.play((array, plainer))
                    if again is not None and again.mismatch.kind == failure.mismatch.kind:
                        situation, failure, steps, changed = plainer, again, shorter, True
                        break
        return situation, failure, steps


def _each_way() -> list[dict[str, str]]:
    """Submits in only one of the ways: everything, or what comes after the first submission."""
    ones = [{"ways": "one", "form": form, "by": by} for form, by in EVERY_WAY]
    ones += [{**each, "first by": each["by"]} for each in ones]
    return ones + [{**each, "afterwards": "again"} for each in ones]


def _plainer(dimension: Dimension, value: str) -> tuple[str, ...]:
    """The values plainer than this one, plainest first."""
    order = [each for each in (dimension.plain, dimension.next_plain) if each in dimension.values]
    return tuple(order[: order.index(value)] if value in order else order) if dimension.shown else ()
