"""Every broken implementation is rejected by the rule that it breaks, and a correct one is not.

`make broken` tests all of them; otherwise, the commit determines a sample, so every one has its turn.
"""

import pytest
from feedback_spec.document import Document
from feedback_verify.run import Run
from feedback_verify.targets import ControlTarget
from feedback_verify.verdicts import Result, Verdict

from tests.broken.mutants import MUTANTS, Mutant
from tests.broken.server import Implementation
from tests.broken.serving import serving
from tests.drawn import drawn

PART = 3


def verdicts(implementation: type[Implementation], document: Document, seed: int) -> dict[str, Result]:
    """All hand-written scenarios against the implementation."""
    with serving(implementation().app()) as url, ControlTarget(url, url) as target:
        return Run(document, target, seed, frozenset(document.rules)).execute()


@pytest.mark.parametrize("mutant", drawn(MUTANTS, PART), ids=lambda mutant: mutant.name)
def test_broken_implementation_is_rejected_by_its_rule(mutant: Mutant, document: Document) -> None:
    """Exactly the rules that it breaks."""
    results = verdicts(mutant.implementation, document, seed=1)

    # What every response is checked for breaks with many rules; it has mutants of its own.
    crossing = {"response-schema", "no-server-error"} - {mutant.rule}
    violated = {rule for rule, result in results.items() if result.verdict is Verdict.VIOLATED}
    assert violated - crossing == {mutant.rule, *mutant.also}, {rule: results[rule].detail for rule in violated}


def test_sound_second_implementation_conforms(document: Document) -> None:
    """The verifier is not tailored to the mock."""
    results = verdicts(Implementation, document, seed=1)

    assert {result.verdict for result in results.values()} == {Verdict.VERIFIED}
