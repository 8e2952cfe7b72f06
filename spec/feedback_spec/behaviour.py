"""How servers differ beyond shapes and windows: the document's `x-behaviour`.

The base document says what a reader of the page would expect; profiles say what real servers do. In `spec/profiles/`,
every fact has its source next to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from feedback_spec.rules import Base

ALL_FIELDS = ("event_id", "name", "email", "comments")


@dataclass(frozen=True, slots=True)
class Behaviour:
    """The keys of `x-behaviour`; the defaults are those of the base document."""

    trim: tuple[str, ...] = ALL_FIELDS
    """Fields whose surrounding white space is trimmed before they are checked."""
    coerce: frozenset[str] = frozenset()
    """JSON types that are accepted as text: `number`, `boolean`, `array`, `object`."""
    nul: str = "accepted"
    """Whether a string may contain the character NUL: `accepted` or `refused`."""
    failures: tuple[str, ...] = ()
    """Rules whose messages about one field are reported together, in this order; otherwise only the first is."""
    email_pattern: str | None = None
    """What a whole address must match beyond its format; a regular expression for the engine of `openapi.schemas`."""
    event_id_form: str = "field"
    """When the form of an event id is checked: `field`, with its other failures; `last`, once all fields are valid."""
    event_reference: str = "event-id"
    """What `event.id` is in a response: `event-id` or `none`."""
    date_created: Base = Base.FIRST_SUBMITTED
    """The submission that `dateCreated` is the instant of."""
    date_fraction: str = "microseconds"
    """`microseconds`, `microseconds-unless-zero` (no fraction in a whole second) or `milliseconds`."""
    dsn_success: str = "object"
    """The response to a submission by DSN: `object` or `empty`."""
    ids_in_path: bool = False
    """Whether the path may contain numbers in place of slugs."""
    scope_first: bool = False
    """Whether a token's scope is checked before the project named in the path."""
    origins: str = "any"
    """`any`, or `checked`: a token is refused from every origin, and the response to a DSN names the origin."""
    methods: Mapping[str, tuple[str, ...]] | None = None
    """The scopes that other methods require before they are 405; a method not listed is 403. None: 405 at once."""
    alias: str | None = None
    """The last segment of another path to the same endpoint."""
    rate_limit: bool = False
    """Whether the server can limit the rate of requests, with 429 and headers on every response."""

    def is_trimmed(self, field: str) -> bool:
        """Whether white space around this field's value is trimmed."""
        return field in self.trim


def read_behaviour(openapi: Mapping[str, Any]) -> Behaviour:
    """The `x-behaviour` of a document whose extensions have been checked against their schema."""
    given = dict(openapi.get("x-behaviour", {}))
    for key in ("trim", "failures"):
        if key in given:
            given[key] = tuple(given[key])
    if "coerce" in given:
        given["coerce"] = frozenset(given["coerce"])
    if "date_created" in given:
        given["date_created"] = Base(given["date_created"])
    if given.get("methods") is not None:
        given["methods"] = {method: tuple(scopes) for method, scopes in given["methods"].items()}
    return Behaviour(**given)
