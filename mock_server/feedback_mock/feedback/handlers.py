"""The feedback document's handlers: the result of a submission, a listing and a preflight.

They get an exchange with checked credentials and checked values. Nothing here awaits, so each is atomic without a lock.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from feedback_spec.document import LIST, PREFLIGHT, SUBMIT, Document
from feedback_spec.instants import format_duration, in_short
from feedback_spec.rules import Base, Decision

from feedback_mock.asgi import base_url
from feedback_mock.exchange import Exchange
from feedback_mock.feedback.listing import CURSOR_RULE, NEEDED, PAGE_RULES, select
from feedback_mock.feedback.shape import Shape
from feedback_mock.feedback.submission import Submissions
from feedback_mock.result import Done, Refused, Result, Values

_SINCE = {
    Base.EVENT_SAVED: "event saved",
    Base.EVENT_TIMESTAMP: "event happened",
    Base.FIRST_SUBMITTED: "feedback first submitted",
    Base.LAST_SUBMITTED: "feedback last submitted",
}
_PREFLIGHT_RULE = "preflight"
_LIST_RULE = "list"


@dataclass(frozen=True, slots=True)
class Handler:
    """The code of an operation and the rules with which it may refuse.

    `query_rules` by parameter name, None for one that allows any text; `query_needs`: what the schemas of some must
    state, `type` or `default`.
    """

    run: Callable[[Exchange, Values], Result]
    rules: tuple[str, ...] = ()
    query_rules: Mapping[str, str | None] = field(default_factory=dict)
    query_needs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


class FeedbackHandlers:
    """The three operations on feedback, by operationId in `table`."""

    def __init__(self, document: Document) -> None:
        self._submissions, self._shape = Submissions(document), Shape(document)
        self._orders_by = document.behaviour.date_created
        self._shown_to_dsn = document.behaviour.dsn_success == "object"
        windows = {window.rule for window in document.mutability.windows}
        self.table = {
            SUBMIT: Handler(self.submit, tuple(sorted(windows))),
            LIST: Handler(self.list, query_rules=PAGE_RULES, query_needs=NEEDED),
            PREFLIGHT: Handler(self.preflight),
        }

    def submit(self, exchange: Exchange, values: Values) -> Result:
        """Stores the feedback, overwrites existing feedback, or refuses because of a window."""
        project = exchange.project
        assert project is not None
        event_id = values["event_id"].lower()
        decision, record = self._submissions.submit(
            project, event_id, values["name"], values["email"], values["comments"], exchange.now
        )
        if record is None:
            return Refused(decision.rule, arithmetic(decision))
        silent = exchange.by_dsn and not self._shown_to_dsn
        return Done(None if silent else self._shape.shown(project, record), decision.status, decision.rule)

    def list(self, exchange: Exchange, values: Values) -> Result:
        """A page of the project's feedback, newest first (docs/sentry.md, facts 77 to 82)."""
        project = exchange.project
        assert project is not None
        page = select(project, values, base_url(exchange.scope, exchange.headers), self._orders_by)
        if page is None:
            return Refused(CURSOR_RULE, "cursor is not one from the Link header of a page")
        shown = [self._shape.shown(project, record) for record in page.records]
        return Done(shown, 200, _LIST_RULE, ((b"link", page.link.encode("latin-1")),))

    def preflight(self, _exchange: Exchange, _values: Values) -> Result:
        """States in headers what is allowed."""
        return Done(None, 200, _PREFLIGHT_RULE)


def arithmetic(decision: Decision) -> str:
    """Why a window refused, such as `event saved 31m02s ago, window PT30M`."""
    window = decision.window
    assert window is not None
    return f"{_SINCE[window.base]} {in_short(decision.age)} ago, window {format_duration(window.limit)}"
