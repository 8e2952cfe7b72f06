"""What a request gives, once checked, and what it comes to: it was done, or a rule says no. Pure values.

They are the same in every protocol of the mock; each has a renderer of its own, which makes an answer of them.
"""

from dataclasses import dataclass
from typing import Any

from feedback_mock.asgi import Header


@dataclass(frozen=True, slots=True)
class Done:
    """It was done: JSON data (None for no body), the status, the rule where the document names one, more headers."""

    value: object
    status: int = 200
    rule: str = ""
    headers: tuple[Header, ...] = ()

    @property
    def reason(self) -> str:
        """Nothing needs one."""
        return ""


@dataclass(frozen=True, slots=True)
class Refused:
    """A rule says no; `reason` is why in this case, in one clause or sentence.

    The rule is one of the document's catalogue or, where a protocol has none, one of its renderer's table. `value`
    stands in for the body of the rule's example; `word` for the `{word}` in the rule's message.
    """

    rule: str
    reason: str = ""
    value: object = None
    word: str | None = None


Result = Done | Refused
Values = dict[str, Any]
"""The fields of a body or the parameters of a query, as their schemas allow them."""
