"""What is broken is beyond dispute: each broken server has a witness, to which the correct server responds
differently.
"""

import pytest

from tests.broken.mutants import MUTANTS, Mutant
from tests.broken.server import Implementation
from tests.broken.witness import MOST_IN_A_CROWD, MOST_REQUESTS, answers, requests_in
from tests.broken.witnesses import WITNESSES


def test_every_broken_server_has_a_witness() -> None:
    """And there is no witness for a server that no longer exists."""
    assert set(WITNESSES) == {mutant.name for mutant in MUTANTS}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_witness_tells_the_broken_server_from_the_sound_one(mutant: Mutant) -> None:
    """In a few requests."""
    witness = WITNESSES[mutant.name]

    crowded = mutant.implementation.__module__ == "tests.broken.crowded"
    assert requests_in(witness) <= (MOST_IN_A_CROWD if crowded else MOST_REQUESTS)
    assert answers(mutant.implementation, witness) != answers(Implementation, witness)


@pytest.mark.parametrize("name", WITNESSES)
def test_sound_server_answers_a_witness_twice_alike(name: str) -> None:
    """A witness that differs by chance would prove nothing."""
    assert answers(Implementation, WITNESSES[name]) == answers(Implementation, WITNESSES[name])
