"""The broken servers, each with the rule that it breaks; the neighbouring modules add theirs when imported."""

from dataclasses import dataclass
from typing import Any

from tests.broken.server import Implementation


@dataclass(frozen=True)
class Mutant:
    """A broken implementation, the rule that it breaks and those that break with it."""

    implementation: type[Implementation]
    rule: str
    also: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """The class's name."""
        return self.implementation.__name__


MUTANTS: list[Mutant] = []


def breaks(rule: str, *also: str) -> Any:
    """Registers a broken implementation."""

    def register(implementation: type[Implementation]) -> type[Implementation]:
        MUTANTS.append(Mutant(implementation, rule, frozenset(also)))
        return implementation

    return register
