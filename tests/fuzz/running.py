"""Runs the kinds of random input with Hypothesis, a batch at a time, each with a seed that reproduces it.

Hypothesis draws a case well, and slowly; each is followed by variants of it, which cost little more than to judge them.
"""

from random import Random

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.kinds import Kind

PHASES = (Phase.generate, Phase.shrink)


def batch(kind: Kind, number: int, cases: int, variants: int) -> int:
    """Draws this many cases with this seed, each with variants if it has any, and returns how many there were.

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
    @given(kind.strategy)
    def judging(case: object) -> None:
        nonlocal judged
        judged += 1
        kind.judge(case)
        judged += kind.vary(case, Random(f"{number} {case!r}"), variants)

    judging()
    return judged
