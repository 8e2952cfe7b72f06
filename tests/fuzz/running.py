"""Runs the kinds of random input with Hypothesis, a batch at a time, each with a seed that reproduces it."""

from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.fuzz.kinds import Judge

PHASES = (Phase.generate, Phase.shrink)


def batch(strategy: st.SearchStrategy[Any], judge: Judge, number: int, cases: int) -> int:
    """Draws this many cases with this seed, and returns how many there were; fewer if there are no more.

    Raises what the judge does, for the smallest case that Hypothesis finds, which it prints.
    """
    judged = 0

    @seed(number)
    @settings(
        max_examples=cases,
        deadline=None,
        database=None,
        phases=PHASES,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(strategy)
    def judging(case: Any) -> None:
        nonlocal judged
        judged += 1
        judge(case)

    judging()
    return judged
