"""Attributes a failure to the rule that it breaks. What the situation leaves open is found by playing others."""

from collections.abc import Callable
from dataclasses import dataclass

from feedback_spec.document import Document

from feedback_verify.arrays.array import Array
from feedback_verify.arrays.dimensions import Situation, ages, near
from feedback_verify.arrays.plainest import Job, Played
from feedback_verify.arrays.play import Failure
from feedback_verify.arrays.refusing import NOTHING
from feedback_verify.model import OVERWRITTEN, REFUSED, STORED
from feedback_verify.targets import Target

UNKNOWN = "overwrite-window-unknown-event"


@dataclass
class Attribution:
    """`play` returns what fails in a situation."""

    document: Document
    target: Target
    play: Callable[[Job], Played]

    def rule_of(self, array: Array, situation: Situation, failure: Failure) -> str:
        """The rule that a failure breaks: one named by a value in it, else the one that decided the response."""
        if array.refusing and situation["refusal"] != NOTHING:
            return failure.blamed or failure.mismatch.rule
        spoken = _spoken_of(array, situation, failure) or self._window_of(array, situation, failure)
        decided = failure.expected.rule if failure.expected is not None else None
        return self.document.first_rule(spoken, failure.mismatch.rule, decided)

    def _window_of(self, array: Array, situation: Situation, failure: Failure) -> str | None:
        """The window that a wrong status is about, if there could be several: found by playing without the other."""
        expected, windows = failure.expected, self.document.mutability.windows
        if expected is None or failure.mismatch.aspect != "status" or not array.timed:
            return None
        if not expected.known_event:
            # Saved too late to be known then; if it had been known in time, the same age shows whether the window
            # works.
            unknown = expected.outcome == REFUSED and not self._fails(array, self._known_in_time(situation))
            return UNKNOWN if unknown else None
        if expected.outcome == REFUSED:
            first = {**situation, "first submitted": "never", "between": "nothing"}
            firsts = [first]
            if situation["first submitted"] == "never":  # the later submission is what fails, when the event is older
                known = ages(self.document, "event", self.target.step)
                beyond = (tuple(near(self.document, "event", self.target.step))[-1], max(known, key=known.__getitem__))
                firsts = [{**first, "afterwards": "nothing", "event age": each} for each in beyond]
            if expected.ordered and not any(self._fails(array, each) for each in firsts):
                return "window-order"
            return None
        if failure.status not in {window.status for window in windows} or expected.outcome != OVERWRITTEN:
            return None
        # A first submission for the same event shows whether the event's window refuses.
        alone = {**situation, "first submitted": "never", "between": "nothing", "afterwards": "nothing"}
        if situation["first submitted"] == "never":  # the later submission fails, when the event is older
            known = ages(self.document, "event", self.target.step)
            age = known[situation["event age"]]
            older = (each for each in known if known[each] > age)
            alone["event age"] = min(older, key=known.__getitem__, default=situation["event age"])
        family = "event" if self._fails(array, alone) else "feedback"
        return next((window.rule for window in windows if window.base.startswith(family)), None)

    def _known_in_time(self, situation: Situation) -> Situation:
        """Feedback just past its window, for an event that was saved before it and is still open."""
        ages_of = {name: tuple(near(self.document, name, self.target.step)) for name in ("event", "feedback")}
        plain = {"event": "before", "saved": "in time", "between": "nothing", "afterwards": "nothing"}
        return {**situation, **plain, "event age": ages_of["event"][:2][-1], "first submitted": ages_of["feedback"][-1]}

    def fails_anyway(self, array: Array, situation: Situation, failure: Failure) -> bool:
        """Whether the same fails if nothing is refused."""
        again, _ = self.play((array, {**situation, "refusal": NOTHING}))
        if again is None:
            return False
        return again.mismatch.kind == failure.mismatch.kind or array.is_of_several(situation)

    def _fails(self, array: Array, situation: Situation) -> bool:
        return self.play((array, situation))[0] is not None


# Dimensions whose rule takes precedence in explaining a failure.
_FIRST = ("connection", "between", "beside", "timestamp", "event id", "form", "values", "client")


def _spoken_of(array: Array, situation: Situation, failure: Failure) -> str | None:
    """The rule that the non-plain values name; None if they leave it to the oracle."""
    needed = dict(array.remaining(situation))
    expected, about_status = failure.expected, failure.mismatch.aspect == "status"
    rules = {each.name: each.rules.get(needed.get(each.name, "")) for each in array.dimensions}
    if needed.get("event", "").startswith("in another") and not rules.get("beside"):
        return "project-isolation"
    if rules.get("between") == "retry-safe" and failure.during != "between":
        del rules["between"]  # the retry itself went well
    spoken = next((rule for name in _FIRST if (rule := rules.get(name))), None)
    if spoken is not None or expected is None:
        return spoken
    if {"by", "first by"} & set(needed):
        return "any-credentials-overwrite" if expected.mixed and failure.mismatch.rule != "dsn" else "dsn"
    if about_status and not expected.known_event and (needed.get("event") == "never" or expected.outcome == STORED):
        return "unknown-event" if expected.outcome == STORED else UNKNOWN
    return None
