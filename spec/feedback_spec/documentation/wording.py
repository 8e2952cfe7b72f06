"""The reference's own words for windows, rows and rules. Pure; every number comes from the document."""

from dataclasses import dataclass

from feedback_spec.catalogue import CAPABILITIES
from feedback_spec.document import Document
from feedback_spec.documentation.timeline import FROM, accepted_status, title
from feedback_spec.instants import format_duration, in_words
from feedback_spec.rules import Base, Window
from feedback_spec.windows import Example

_ABSENT = {
    Base.EVENT_SAVED: "an event that the server does not know",
    Base.EVENT_TIMESTAMP: "an event that the server does not know",
    Base.FIRST_SUBMITTED: "a first submission",
    Base.LAST_SUBMITTED: "a first submission",
}


@dataclass(frozen=True, slots=True)
class WindowText:
    """One window in words; `at_limit` and `after` say what happens to a submission then."""

    rule: str
    title: str
    limit: str
    iso: str
    since: str
    at_limit: str
    after: str
    absent: str
    sentence: str
    page: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """A literal example row: ages in words, empty if the row has none or it repeats the previous one."""

    case: str
    event_saved: str
    event_timestamp: str
    first_submitted: str
    last_submitted: str
    outcome: str
    rule: str


def window_texts(document: Document) -> tuple[WindowText, ...]:
    """The windows, in the order in which they are checked."""
    return tuple(_window_text(document, window) for window in document.mutability.windows)


def _window_text(document: Document, window: Window) -> WindowText:
    limit, accepted = in_words(window.limit), f"accepted, {accepted_status(document, window)}"
    taken = f"up to and including {limit}" if window.limit_accepted else f"for less than {limit}"
    refused = "after that" if window.limit_accepted else f"from exactly {limit} on"
    return WindowText(
        rule=window.rule,
        title=title(window),
        limit=limit,
        iso=format_duration(window.limit),
        since=FROM[window.base],
        at_limit=accepted if window.limit_accepted else f"refused, {window.status}",
        after=f"refused, {window.status}",
        absent=_ABSENT[window.base],
        sentence=f"Counted from {FROM[window.base]}, a submission is accepted {taken}; {refused} it is refused "
        f"with {window.status}. The window does not apply to {_ABSENT[window.base]}.",
        page=document.rules[window.rule].page,
    )


def rows(document: Document) -> tuple[Row, ...]:
    """The literal example rows of `x-mutability`."""
    return tuple(_row(each) for each in document.examples)


def _row(example: Example) -> Row:
    def words(age: int | None, known: int | None = None) -> str:
        return "" if age is None or age == known else in_words(age)

    return Row(
        case=example.case,
        event_saved=words(example.event_saved_ago),
        event_timestamp=words(example.event_timestamp_ago, example.event_saved_ago),
        first_submitted=words(example.first_submitted_ago),
        last_submitted=words(example.last_submitted_ago, example.first_submitted_ago),
        outcome=f"{example.outcome.value}, {example.status}",
        rule=example.rule,
    )


def needs_words(needs: tuple[str, ...]) -> str:
    """What a target must be able to do or have."""
    return "; ".join(CAPABILITIES[each].can for each in needs) or "nothing else"
