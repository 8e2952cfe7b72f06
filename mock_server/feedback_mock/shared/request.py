"""A request as an entry of a log, and its outcome when processed, the same in every process.

Awaits nothing: everything is in the entry, including the instant.
"""

from collections.abc import Coroutine, Mapping
from typing import Any, NamedTuple, TypeVar

import orjson
from feedback_spec.bodies import event_ids

from feedback_mock.asgi import Answer, Receive, Scope
from feedback_mock.body import Gone
from feedback_mock.effects import UNTIL_RELEASED, changed, decided
from feedback_mock.exchange import Endpoint, Exchange, misled, too_late
from feedback_mock.faults import AFTER, FaultRule
from feedback_mock.following import follow_header
from feedback_mock.journal import LOST, Entry
from feedback_mock.result import Refused, Result
from feedback_mock.store import Project

_T = TypeVar("_T")
_Told = Result | None


class Struck(NamedTuple):
    """A request with a fault: the number of its journal entry, and what is known about its response.

    `restarts` counts how often its project had been reset.
    """

    fault: FaultRule
    restarts: int
    number: int
    began: int
    result: _Told
    answer: Answer | None


class Outcome(NamedTuple):
    """The outcome of a request: a response with its result, a fault to apply, or nothing if the client has
    disconnected.
    """

    result: _Told = None
    answer: Answer | None = None
    struck: Struck | None = None


class Ending(NamedTuple):
    """How a request with a fault ends: without a response, with this one, or, for None, with the outcome of handling
    it.
    """

    fault: FaultRule
    restarts: int
    number: int
    began: int
    lost: bool
    result: _Told
    answer: Answer | None


class Request:
    """One complete request. Its body is None if the client disconnected, `long` if it exceeds the limit.

    `took` is the microseconds from its head until now, `refused` is the result of `Endpoint.admit`: for a refused
    request, only the `ids` of events in its body matter.
    """

    def __init__(self, endpoint: Endpoint, scope: Scope, body: bytes | None, long: bool, took: int) -> None:
        self.endpoint, self.scope, self.body, self.long, self.took = endpoint, scope, body, long, took
        self.refused: Refused | None = None
        self.ids: list[str] | None = None
        self.ending: Ending | None = None

    @property
    def path(self) -> Mapping[str, str]:
        """The parameters of its path."""
        path: Mapping[str, str] = self.scope.get("path_params", {})
        return path

    def admit(self) -> None:
        """Checks it against what is known about all projects now."""
        exchange = Exchange(self.scope)
        exchange.body = self.body
        self.refused = self.endpoint.admit(exchange)

    def carry_out(self, project: Project | None, instant: int) -> Outcome:
        """The outcome, including all changes to the project."""
        exchange = Exchange(self.scope)
        if self.ending is not None:
            return self._end(self.ending, project, exchange)
        if project is None:
            self.refused = None
        if project is None or self.endpoint.journaled is None:
            return self._outcome(exchange)
        entry = project.journal.begin(self.scope, self.endpoint.operation, instant - self.took)
        if self.body is None:
            entry.state, entry.now = LOST, project.clock.now()
            return Outcome()
        if project.follow and (wrong := follow_header(project, exchange.headers)) is not None:
            answer = misled(wrong)
            self.endpoint.complete(entry, project, exchange, wrong, answer)
            return Outcome(wrong, answer)
        if project.faults.rules and (struck := self._strike(entry, project, exchange)) is not None:
            return Outcome(struck=struck)
        outcome = self._outcome(exchange)
        self.endpoint.complete(entry, project, exchange, outcome.result, outcome.answer)
        return outcome

    def answered(self) -> Coroutine[Any, Any, tuple[_Told, Answer]]:
        """The handler, for a request that changes nothing and may have a long response."""
        return self.endpoint.answered(Exchange(self.scope), self._receiving())

    def _outcome(self, exchange: Exchange) -> Outcome:
        if self.refused is not None:
            return Outcome(self.refused, self.endpoint.render(exchange, self.refused))
        try:
            return Outcome(*at_once(self.endpoint.answered(exchange, self._receiving())))
        except Gone:
            return Outcome()

    def _strike(self, entry: Entry, project: Project, exchange: Exchange) -> Struck | None:
        exchange.now = project.clock.now()
        ids = self._event_ids() if self.ids is None else set(self.ids)
        fault = project.faults.pick(self.endpoint.operation, entry.method, ids, exchange.now)
        if fault is None:
            return None
        entry.fault, entry.now = fault.told(), exchange.now
        project.faults.held += fault.effect.get("delay") == UNTIL_RELEASED
        outcome = self._outcome(exchange) if fault.phase == AFTER else Outcome()
        restarts = project.journal.restarts
        return Struck(fault, restarts, entry.number, entry.began, outcome.result, outcome.answer)

    def _event_ids(self) -> set[str]:
        kind = Exchange(self.scope).headers.get(b"content-type", b"")
        return event_ids(self.body or b"", kind.decode("latin-1"))

    def _end(self, ending: Ending, project: Project | None, exchange: Exchange) -> Outcome:
        """The same, also recorded in the journal, unless the project was reset meanwhile."""
        fault, restarts, number, began, lost, result, answer = ending
        was_reset = project is None or project.journal.restarts != restarts
        entries = () if project is None or was_reset else project.journal.entries
        entry = next((each for each in entries if (each.number, each.began) == (number, began)), None)
        exchange.now, exchange.body = 0 if entry is None else entry.now, self.body
        if not lost and answer is None:
            if was_reset:
                return Outcome(*too_late())
            result, handled, _ = self._outcome(exchange)
            answer = changed(fault, handled)
        elif fault.answers and not lost:
            result = decided(fault)
        if project is not None and not was_reset:
            if entry is None:  # dropped meanwhile
                entry = project.journal.begin(self.scope, self.endpoint.operation, began)
                entry.fault = fault.told()
            self.endpoint.complete(entry, project, exchange, result, answer)
        return Outcome(result, answer)

    def _receiving(self) -> Receive:
        body = bytes(self.endpoint.most_body + 1) if self.long else self.body
        messages = [{"type": "http.request", "body": body, "more_body": False}] if body is not None else []

        async def receive() -> Any:
            return messages.pop() if messages else {"type": "http.disconnect"}

        return receive

    # --- as an entry

    def packed(self, number: int) -> bytes:
        """The entry with everything in it; `number` is its endpoint's."""
        scope, refused, ending = self.scope, self.refused, self.ending
        facts: dict[str, Any] = {
            "endpoint": number,
            "method": scope["method"],
            "path": scope["path"],
            "raw": _text(scope.get("raw_path") or scope["path"].encode()),
            "query": _text(scope["query_string"]),
            "version": scope["http_version"],
            "headers": [(_text(name), _text(value)) for name, value in scope["headers"]],
            "parameters": self.path,
            "scheme": scope.get("scheme", "http"),
            "server": (scope.get("server") or ("",))[0],
            "body": None if self.body is None else "" if self.long else _text(self.body),
            "long": self.long,
            "took": self.took,
        }
        if refused is not None:
            facts["refused"] = [refused.rule, refused.reason, refused.value, refused.word]
            facts |= {"body": facts["body"] and "", "ids": sorted(self._event_ids())}
        if ending is not None:
            facts["ending"] = _packed_ending(ending)
        return orjson.dumps(facts)


def unpacked(facts: Mapping[str, Any], endpoints: list[Endpoint]) -> Request:
    """The request in an entry."""
    scope = {
        "type": "http",
        "method": facts["method"],
        "path": facts["path"],
        "raw_path": _bytes(facts["raw"]),
        "query_string": _bytes(facts["query"]),
        "http_version": facts["version"],
        "headers": [(_bytes(name), _bytes(value)) for name, value in facts["headers"]],
        "path_params": facts["parameters"],
        "scheme": facts["scheme"],
        "server": (facts["server"], None),
    }
    body = None if facts["body"] is None else _bytes(facts["body"])
    request = Request(endpoints[facts["endpoint"]], scope, body, facts["long"], facts["took"])
    if "refused" in facts:
        request.refused, request.ids = Refused(*facts["refused"]), facts["ids"]
    if "ending" in facts:
        told, restarts, number, began, lost, result, answer = facts["ending"]
        fault = FaultRule(told["number"], {"phase": told["phase"], "effect": told["effect"]}, None, None)
        headers = () if answer is None else [(_bytes(name), _bytes(value)) for name, value in answer[1]]
        told_answer = None if answer is None else Answer(answer[0], headers, _bytes(answer[2]))
        told_result = None if result is None else Refused(*result)
        request.ending = Ending(fault, restarts, number, began, lost, told_result, told_answer)
    return request


def at_once(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """The result of a coroutine that waits for nothing but its turn."""
    try:
        while True:
            coroutine.send(None)
    except StopIteration as end:
        value: _T = end.value
        return value


def _packed_ending(ending: Ending) -> list[Any]:
    result, answer = ending.result, ending.answer
    headers = [] if answer is None else [(_text(name), _text(value)) for name, value in answer.headers]
    return [
        ending.fault.told(),
        ending.restarts,
        ending.number,
        ending.began,
        ending.lost,
        None if result is None else [result.rule, result.reason],
        None if answer is None else [answer.status, headers, _text(answer.body)],
    ]


def _text(data: bytes) -> str:
    return data.decode("latin-1")


def _bytes(text: str) -> bytes:
    return text.encode("latin-1")
