"""The result of a request: it was done, or a rule refused it. Pure values.

They are the same in every protocol of the mock; each protocol has its own renderer, which turns them into a response.
"""

from typing import Any, NamedTuple

from feedback_mock.asgi import Header


class Done(NamedTuple):
    """The request was done: JSON data (None for no body), the status, the rule if the document names one, further
    headers.
    """

    value: object
    status: int = 200
    rule: str = ""
    headers: tuple[Header, ...] = ()
    reason: str = ""


class Refused(NamedTuple):
    """A rule refuses the request; `reason` says why in this case, in one clause or sentence.

    The rule is in the document's catalogue or, if a protocol has none, in its renderer's table. `value` replaces the
    body of the rule's example; `word` fills in the `{word}` in the rule's message.
    """

    rule: str
    reason: str = ""
    value: object = None
    word: str | None = None


Result = Done | Refused
Values = dict[str, Any]
"""The fields of a body or the parameters of a query, as their schemas allow them."""
