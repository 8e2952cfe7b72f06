"""What makes implementations differ, as dimensions with a few values each. Pure; limits come from the document.

The first value of a dimension is the plain one. A failure that disappears when a value is made plain is attributed to
the rule that the value names; a value without a rule of its own leaves it to the rule that decided the response.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from feedback_spec.document import Document
from feedback_spec.instants import SECOND, in_short

Situation = Mapping[str, str]
DAY = 86_400 * SECOND
HOUR = DAY // 24
AHEAD = "an hour ahead"
# Feedback with the same values for other events of the same issue, half of it older than the window.
ALIKE = "ten alike"

# Instants just before which, or across which, time is often calculated incorrectly (UTC). None is before 1970: no
# server's clock ever shows that, and many a correct one cannot store it.
CALENDAR = {
    "mid-hour": datetime(2026, 5, 13, 10, 30, tzinfo=UTC),
    "summer time in Europe": datetime(2026, 3, 29, 1, tzinfo=UTC),
    "winter time in Europe": datetime(2026, 10, 25, 1, tzinfo=UTC),
    "summer time in New York": datetime(2026, 3, 8, 7, tzinfo=UTC),
    "winter time in New York": datetime(2026, 11, 1, 6, tzinfo=UTC),
    "winter time in Chicago": datetime(2026, 11, 1, 7, tzinfo=UTC),
    "winter time in Los Angeles": datetime(2026, 11, 1, 9, tzinfo=UTC),
    "summer time in Sydney": datetime(2026, 10, 3, 16, tzinfo=UTC),
    "winter time in Sydney": datetime(2026, 4, 4, 16, tzinfo=UTC),
    "noon": datetime(2026, 5, 13, 12, tzinfo=UTC),
    "midnight": datetime(2026, 5, 14, tzinfo=UTC),
    "month": datetime(2026, 5, 1, tzinfo=UTC),
    "year": datetime(2027, 1, 1, tzinfo=UTC),
    "leap day": datetime(2028, 2, 29, tzinfo=UTC),
    "after the leap day": datetime(2028, 3, 1, tzinfo=UTC),
    "2038": datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC),
    "1970": datetime(1970, 1, 1, tzinfo=UTC),
}
# Microseconds after which a counter wraps: bits of microseconds, milliseconds, seconds and minutes, and the parts of a
# clock's display. An age just beyond looks recent.
WRAPS = (
    *(2**bits for bits in (31, 32)),
    *(2**bits * SECOND // 1000 for bits in (31, 32)),
    *(2**bits * SECOND for bits in (15, 16)),
    2**8 * 60 * SECOND,
    *(hours * 3600 * SECOND for hours in (1, 12, 24, 7 * 24)),
)
FRACTIONS = {".0": 0, ".000001": 1, ".5": 500_000, ".999999": 999_999}


@dataclass(frozen=True)
class Dimension:
    """`values`, the plain one first; `rules` names the rule about a value, `needs` what it requires.

    `next_plain` is tried if the plain one hides a failure. One that is not `shown` only selects one of several similar
    cases: a failure's own words describe it better.
    """

    name: str
    values: tuple[str, ...]
    rules: Mapping[str, str] = field(default_factory=dict)
    needs: Mapping[str, str] = field(default_factory=dict)
    shown: bool = True
    next_plain: str | None = None

    @property
    def plain(self) -> str:
        """The ordinary value."""
        return self.values[0]

    def possible(self, capabilities: frozenset[str]) -> "Dimension":
        """The dimension with the values that a target allows."""
        return self.only(tuple(each for each in self.values if self.needs.get(each) in (None, *capabilities)))

    def only(self, values: tuple[str, ...]) -> "Dimension":
        """The dimension with fewer values."""
        return replace(self, values=values)


def ages(document: Document, family: str, step: int = 1) -> dict[str, int]:
    """Ages in microseconds by name: `near` the limits of the windows that count from `family`, and beyond."""
    found = near(document, family, step)
    limits = [window.limit for window in document.mutability.windows if window.base.startswith(family)]
    beyond = (*(2 * limit for limit in limits), *(wrap + SECOND for wrap in WRAPS), 31 * DAY, 365 * DAY, 366 * DAY)
    return found | {in_short(age): age for age in beyond if limits and age > max(limits)}


def near(document: Document, family: str, step: int = 1) -> dict[str, int]:
    """Ages in microseconds by name, on both sides of every limit of the windows that count from `family`.

    If a clock counts in steps larger than a microsecond, it is tested a step beside the limit, not at it.
    """
    found = {"2s": 2 * SECOND}
    for window in document.mutability.windows:
        if window.base.startswith(family):
            limit = window.limit
            beside = (limit // 2, limit - SECOND, *at_limit(limit, step), limit + SECOND - 1, limit + SECOND)
            found |= {in_short(age): age for age in beside if age > 0}
    return found


def at_limit(limit: int, step: int) -> tuple[int, ...]:
    """The ages next to a limit that a clock with such a step can distinguish; the last one is beyond it."""
    return (limit - 1, limit, limit + 1) if step == 1 else (limit - step, limit + step)


_KINDS = {"write": "token", "dsn": "dsn"}
BY = Dimension("by", ("write", "dsn"), {}, _KINDS)
FIRST_BY = Dimension("first by", ("write", "dsn"), {}, _KINDS)
FORM = Dimension(
    "form",
    ("json", "form", "multipart", "chunked", "charset", "capitals", "escaped", "indented"),
    {"form": "form-bodies", "multipart": "form-bodies", "charset": "media-type", "capitals": "media-type"}
    | dict.fromkeys(("chunked", "escaped", "indented"), "valid-accepted"),
)
# The last submission again, in each of these forms and with these credentials: at the same instant, all must agree.
WAYS = Dimension("ways", ("one", "every"))
EVERY_WAY = (("form", "write"), ("json", "dsn"), ("multipart", "dsn"))
SPELLING = Dimension(
    "event id",
    ("lower case", "upper case", "upper, then lower case", "digits", "zeros in front", "as a power"),
    dict.fromkeys(("upper case", "upper, then lower case"), "event-id-case")
    | dict.fromkeys(("digits", "zeros in front", "as a power"), "valid-accepted"),
)


def spelled(event_id: str, how: str) -> str:
    """An event id, 32 hex digits in lower case, in one of these spellings."""
    match how:
        case "upper case" | "upper, then lower case":
            return event_id.upper()
        case "digits":
            return event_id.translate(str.maketrans("abcdef", "123456"))
        case "zeros in front":
            return "0000" + event_id[4:]
        case "as a power":  # a number to languages that read strings as numbers, and the same one with any digits
            return "0e" + spelled(event_id, "digits")[2:]
        case _:
            return event_id


VALUES = Dimension(
    "values",
    ("plain", "other scripts", "markup", "padded", "longest", "large", "numeric", "capitals"),
    {"padded": "trimmed"}
    | dict.fromkeys(("other scripts", "markup", "longest", "large", "numeric", "capitals"), "exact-values"),
)
CONNECTION = Dimension(
    "connection", ("fresh", "kept", "kept after a refusal"), {"kept after a refusal": "credentials-required"}
)

MOZILLA = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
HEADERS_OF = {
    "nameless": {},
    "curl": {"User-Agent": "curl/8.5.0", "Accept": "*/*"},
    "sentry-python": {"User-Agent": "sentry.python/2.30.0", "Accept-Encoding": "identity"},
    "@sentry/browser": {"User-Agent": MOZILLA, "Accept": "*/*", "Accept-Language": "de-AT,en;q=0.5"},
    "a browser's form": {
        "User-Agent": MOZILLA,
        "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    },
}
# Headers that a browser adds to a page's request to another site.
OF_A_PAGE = {"Origin": "https://app.example", "Referer": "https://app.example/"}
BROWSERS = ("@sentry/browser", "a browser's form")


def headers_of(client: str, document: Document) -> dict[str, str]:
    """The headers that the client sends besides the message; nothing of a page if origins are allowed individually."""
    page = OF_A_PAGE if client in BROWSERS and document.behaviour.origins == "any" else {}
    return {**HEADERS_OF[client], **page}


CLIENT = Dimension("client", tuple(HEADERS_OF), dict.fromkeys(list(HEADERS_OF)[1:], "submission"))


def submission_dimensions() -> tuple[Dimension, ...]:
    """What can be varied without time passing."""
    between = Dimension("between", ("nothing", *BETWEEN_AT_ONCE), RULE_OF_BETWEEN)
    event = Dimension("event", ("before", "never"), {"never": "unknown-event"}, {"before": "event"})
    return event, between, BY, FIRST_BY, FORM, SPELLING, VALUES, CONNECTION, CLIENT


BETWEEN_AT_ONCE = ("overwrite", "the same again", "an invalid one", "one without credentials", "list")
RULE_OF_BETWEEN = {
    "an invalid one": "invalid-refused",
    "one without credentials": "credentials-required",
    "the same again": "retry-safe",
}
# Where on the time line something happens: if it fails in another place too, it is the same failure.
PLACES = frozenset({"event age", "first submitted", "afterwards", "calendar", "fraction", "between"})


def window_dimensions(document: Document, step: int = 1) -> tuple[Dimension, ...]:
    """What can be varied around the limits of the windows, on an exact clock."""
    elsewhere = ("in another project", "in another organization")
    others = ("another project", "another organization")
    near = ("an id with the same beginning", "an id with the same end", ALIKE)
    isolation = dict.fromkeys((*elsewhere, *others), "project-isolation")
    confused = dict.fromkeys(near[:2], "submission")
    second = dict.fromkeys((*elsewhere, *others), "second-project")
    base = dict.fromkeys(("long before", "just now", AHEAD), "event-window-base")
    skewed = dict.fromkeys(base, "aged-event") | {AHEAD: "event-details"}
    return (
        Dimension(
            "event",
            ("before", "never", "later", "later, and old", *elsewhere),
            isolation,
            {"before": "event", "later": "event", "later, and old": "aged-event", **second},
            next_plain="never",
        ),
        Dimension("event age", tuple(ages(document, "event", step))),
        Dimension("first submitted", ("never", *ages(document, "feedback", step))),
        Dimension(
            "saved",
            ("in time", "afterwards", "anew, older", "anew, newer"),
            {},
            {"afterwards": "aged-event", **dict.fromkeys(("anew, older", "anew, newer"), "event-details")},
        ),
        Dimension("timestamp", ("when saved", *base), base, skewed),
        Dimension(
            "issue",
            ("unresolved", "resolved", "production", "environment without a name"),
            {},
            dict.fromkeys(("resolved", "production", "environment without a name"), "event-details"),
        ),
        Dimension("between", ("nothing", *BETWEEN_AT_ONCE, "overwrite at the limit"), RULE_OF_BETWEEN),
        Dimension(
            "afterwards", ("nothing", "again", "at the limit", "past the limit", "the same, too late", "a day later")
        ),
        Dimension("beside", ("nothing", *near, *others), isolation | confused, second),
        Dimension("calendar", tuple(CALENDAR), {}, dict.fromkeys(list(CALENDAR)[1:], "calendar")),
        Dimension("fraction", tuple(FRACTIONS), {}, dict.fromkeys(list(FRACTIONS)[1:], "calendar")),
        BY,
        FIRST_BY,
        FORM,
        WAYS,
        SPELLING,
        VALUES,
        CONNECTION,
        CLIENT,
    )


def by_window(document: Document, dimensions: tuple[Dimension, ...], step: int = 1) -> Iterator[tuple[Dimension, ...]]:
    """The dimensions for the windows of an event, and for those of feedback, with the others open so that they hide
    nothing.

    Once near the limits and through the calendar, and once far beyond the limits.
    """
    events, feedback = near(document, "event", step), near(document, "feedback", step)
    beyond_events = tuple(each for each in ages(document, "event", step) if each not in events)
    beyond_feedback = tuple(each for each in ages(document, "feedback", step) if each not in feedback)
    at_once = {"calendar": tuple(CALENDAR)[:1], "fraction": tuple(FRACTIONS)[:1], "saved": ("in time", "afterwards")}
    known = {"event": ("before", "later", "later, and old"), "first submitted": ("never", "2s")}
    young = {"event age": tuple(events)[:2], "first submitted": ("never", *feedback)}
    chosen: list[Mapping[str, tuple[str, ...]]] = []
    every_way = {"ways": ("every",)}
    if len(events) > 1:
        chosen.append({**known, **every_way, "event age": tuple(events)})
    chosen.append({**young, **every_way})  # also if no window counts from feedback: then it never ends
    if beyond_events:
        chosen.append({**known, **at_once, "event age": beyond_events})
    if beyond_feedback:
        chosen.append({**young, **at_once, "event age": ("2s",), "first submitted": beyond_feedback})
    for each in chosen:
        yield tuple(
            dimension.only(tuple(value for value in each[dimension.name] if value in dimension.values))
            if dimension.name in each
            else dimension
            for dimension in dimensions
        )


def condensed(document: Document, dimensions: tuple[Dimension, ...], step: int = 1) -> tuple[Dimension, ...]:
    """The dimensions that matter to time, with only the two sides of each limit: small enough for all triples."""
    sides: dict[str, tuple[str, ...]] = {}
    for family, name in (("event", "event age"), ("feedback", "first submitted")):
        limits = [window.limit for window in document.mutability.windows if window.base.startswith(family)]
        beside = [in_short(age) for limit in limits for age in at_limit(limit, step)[-2:]]
        sides[name] = ("2s", *beside) if family == "event" else ("never", "2s", *beside)
    kept: dict[str, tuple[str, ...] | None] = {
        **sides,
        "event": None,
        "between": ("nothing", "overwrite", "the same again", "an invalid one", "overwrite at the limit"),
        "afterwards": ("nothing", "again", "past the limit"),
        "beside": ("nothing", "an id with the same beginning", "another project", "another organization"),
        "calendar": ("mid-hour", "summer time in Europe", "winter time in New York", "midnight"),
        "form": ("json", "form", "multipart"),
        "event id": ("lower case", "upper, then lower case"),
        "by": None,
        "first by": None,
        "timestamp": ("when saved", "long before"),
        "connection": ("fresh", "kept after a refusal"),
    }
    chosen = ((each, kept[each.name] or each.values) for each in dimensions if each.name in kept)
    return tuple(each.only(tuple(value for value in values if value in each.values)) for each, values in chosen)


def later(instant: datetime, microseconds: int) -> datetime:
    """The instant this many microseconds later."""
    return instant + timedelta(microseconds=microseconds)
