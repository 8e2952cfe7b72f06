"""What a scenario makes of a response that is not the one expected."""

from dataclasses import replace
from random import Random

import pytest
from feedback_spec.document import Document
from feedback_verify.scenario import CannotTell, Scenario, Violated
from feedback_verify.targets import ControlTarget

from tests.broken.server import Implementation
from tests.broken.serving import serving


@pytest.mark.parametrize(
    ("clock", "window", "beyond", "outcome"),
    [
        ("real", "feedback", 0, Violated),
        ("real", "feedback", 1, CannotTell),
        ("exact", "feedback", 1, Violated),
    ],
)
def test_window_that_may_have_ended_meanwhile_says_nothing_about_other_rules(
    clock: str, window: str, beyond: int, outcome: type[Exception], document: Document
) -> None:
    """On a busy machine, between two requests; on a clock that is moved, nothing ends by itself."""
    with serving(Implementation().app()) as url, ControlTarget(url, url) as target:
        target.clock = clock  # type: ignore[assignment] # one of its values
        with Scenario(target, document, Random(1)) as scenario:
            first = scenario.submit()
            late = first.sent + scenario.limit(window) + beyond
            refused = next(each.status for each in document.mutability.windows)

            with pytest.raises(outcome):
                scenario.expect_accepted(replace(first, status=refused, received=late), "an overwrite")
