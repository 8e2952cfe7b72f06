"""What a check is: one rule, and a function that drives one scenario."""

from collections.abc import Callable
from dataclasses import dataclass

from feedback_verify.scenario import Scenario


@dataclass(frozen=True)
class Check:
    """A scenario that tests one rule; `needs` if it requires more than the rule itself."""

    rule: str
    run: Callable[[Scenario], None]
    needs: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the function, as words."""
        return getattr(self.run, "__name__", type(self.run).__name__).replace("_", " ")
