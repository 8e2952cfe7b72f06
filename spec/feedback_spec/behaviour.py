"""What servers do differently from each other beyond shapes and windows: the document's `x-behaviour`.

The base document says what the page's reader would expect; profiles say what real servers do. Every fact of a profile
has its source beside it, in `spec/profiles/`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from feedback_spec.rules import Base

ALL_FIELDS = ("event_id", "name", "email", "comments")


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One key each of `x-behaviour`; what is not given is as in the base document."""

    trim: tuple[str, ...] = ALL_FIELDS
    """Fields of which surrounding white space is cut off before they are looked at."""
    coerce: frozenset[str] = frozenset()
    """JSON types that are taken as text: `number`, `boolean`, `array`, `object`."""
    nul: str = "accepted"
    """Whether a text may hold the character NUL: `accepted` or `refused`."""
    failures: tuple[str, ...] = ()
    """Rules whose messages on one field stand together, in this order; otherwise a field has its first alone."""
    email_pattern: str | None = None
    """What a whole address must match beyond its format; a regular expression for the engine of `openapi.schemas`."""
    event_id_form: str = "field"
    """When an event id's form is checked: `field`, with its other failures; `last`, once all fields are right."""
    event_reference: str = "event-id"
    """What `event.id` is in an answer: `event-id` or `none`."""
    date_created: Base = Base.FIRST_SUBMITTED
    """The submission that `dateCreated` tells."""
    date_fraction: str = "microseconds"
    """`microseconds`, `microseconds-unless-zero` (no fraction in a whole second) or `milliseconds`."""
    dsn_success: str = "object"
    """What a submission by DSN is answered with: `object` or `empty`."""
    ids_in_path: bool = False
    """Whether numbers stand for the slugs in the path."""
    scope_first: bool = False
    """Whether the scope of a token is looked at before the project that the path names."""
    origins: str = "any"
    """`any`, or `checked`: a token is refused from any origin, a DSN's answer names the origin."""
    methods: Mapping[str, tuple[str, ...]] | None = None
    """The scopes that other methods ask for before they are 405; one that is not named is 403. None: 405 at once."""
    alias: str | None = None
    """The last segment of a path that is the same endpoint."""
    rate_limit: bool = False
    """Whether the server can limit the rate of requests, with headers on every answer and 429."""

    def is_trimmed(self, field: str) -> bool:
        """Whether white space around this field's value does not count."""
        return field in self.trim


def read_behaviour(openapi: Mapping[str, Any]) -> Behaviour:
    """The `x-behaviour` of a document whose extensions were checked against their schema."""
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
