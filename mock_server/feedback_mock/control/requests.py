"""The control protocol's handlers for a project's journal: read, clear, export and count requests.

Each gets a checked request. Nothing is judged or rendered before one of them is called.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from feedback_spec.spelling import meant
from feedback_spec.validity import Validity

from feedback_mock.control.handlers import ControlRequest, package_version
from feedback_mock.control.har import Decode, Shown, log
from feedback_mock.control.pieces import Rows
from feedback_mock.journal import ANSWERED, PENDING, Entry, Journal
from feedback_mock.result import Done, Refused, Result
from feedback_mock.store import Project

_OF_BODY = frozenset({"event_id", "valid"})
_OF_ANSWER = frozenset({"status", "rule", "valid"})
_COUNTS = ("exactly", "at_least", "at_most")


class RequestHandlers:
    """The operations on journals, by operationId in `table`; `rules` are those that can decide about a request."""

    def __init__(self, validity: Validity, decode: Decode, rules: frozenset[str]) -> None:
        self._validity, self._decode, self._rules = validity, decode, rules
        self.table = {
            "controlListRequests": self.list,
            "controlClearRequests": self.clear,
            "controlExportRequests": self.export,
            "controlVerifyRequests": self.verify,
        }

    def list(self, request: ControlRequest, project: Project) -> Result:
        """The entries that match the query, oldest first."""
        unknown = self._unknown_rule(request.query, project)
        if unknown is not None:
            return Refused("request", unknown)
        entries = Rows(self._har(each, request.origin) for each in self._matching(project, request.query))
        return Done({**extent(project.journal), "entries": entries})

    def shown(self, entry: Entry, project: Project, origin: str) -> dict[str, Any]:
        """An entry of the project's journal in the protocol's format."""
        return self._har(Shown(entry, project, self._decode), origin)

    def clear(self, _: ControlRequest, project: Project) -> Result:
        """Removes the entries."""
        project.journal.clear()
        return Done(None, 204)

    def export(self, request: ControlRequest, project: Project) -> Result:
        """The entries that match the query as a HAR document."""
        unknown = self._unknown_rule(request.query, project)
        if unknown is not None:
            return Refused("request", unknown)
        entries = Rows(self._har(each, request.origin) for each in self._matching(project, request.query))
        more = {"organization": project.organization, "project": project.slug, **extent(project.journal)}
        return Done(log(entries, package_version(), more))

    def verify(self, request: ControlRequest, project: Project) -> Result:
        """Whether that many requests match; `unknown` if entries that might have matched are gone."""
        wanted = [name for name in _COUNTS if name in request.body]
        if len(wanted) != 1:
            return Refused("request", f"The request body needs exactly one of {', '.join(_COUNTS)}.")
        match, journal = request.body.get("match", {}), project.journal
        unknown = self._unknown_rule(match, project)
        if unknown is not None:
            return Refused("request", f"match.{unknown}")
        count = sum(1 for _ in self._matching(project, match))
        gone = max(journal.dropped - max(match.get("since", 0) - (journal.first - 1 - journal.dropped), 0), 0)
        rest = {name: value for name, value in match.items() if name not in _OF_ANSWER}
        open_ = 0
        if rest != match:
            open_ = sum(1 for each in self._matching(project, rest) if each.entry.state == PENDING)
        others = {name: value for name, value in match.items() if name not in _OF_BODY}
        unread = 0
        if others != match:
            unread = sum(1 for each in self._matching(project, others) if self._might_match(each, match))
        verdict = _judged(wanted[0], request.body[wanted[0]], count, count + gone + open_ + unread)
        detail = _sentence(count, gone, open_, unread)
        return Done({"verdict": verdict, "count": count, "detail": detail, **extent(journal)})

    def _unknown_rule(self, wanted: Mapping[str, Any], project: Project) -> str | None:
        """What is wrong with the wanted rule: with a misspelt one, that nothing matches would say nothing.

        A restored journal may have rules of another document.
        """
        rule = wanted.get("rule")
        if rule is None or rule in self._rules or any(each.rule == rule for each in tuple(project.journal.entries)):
            return None
        return f'rule: there is no rule "{rule[:100]}"{meant(rule[:100], self._rules)}'

    def _matching(self, project: Project, wanted: Mapping[str, Any]) -> Iterator[Shown]:
        since, method, status = wanted.get("since", 0), wanted.get("method"), wanted.get("status")
        rule, event_id, valid = wanted.get("rule"), wanted.get("event_id"), wanted.get("valid")
        for entry in tuple(project.journal.entries):  # which may grow: tests read it from other threads
            if (
                entry.number <= since
                or (method is not None and entry.method != method.upper())
                or (status is not None and entry.status != status)
                or (rule is not None and entry.rule != rule)
            ):
                continue
            shown = Shown(entry, project, self._decode)
            if event_id is not None and event_id.lower() not in shown.event_ids():
                continue
            if valid is not None and (str(valid).lower() == "true") is not self._is_valid(shown):
                continue
            yield shown

    def _might_match(self, shown: Shown, wanted: Mapping[str, Any]) -> bool:
        """Whether it may match, by what was not read or kept of its body."""
        unknown = False
        if "event_id" in wanted and wanted["event_id"].lower() not in shown.event_ids():
            if not shown.misses_event_ids:
                return False
            unknown = True
        if "valid" in wanted and shown.entry.state != PENDING:  # which are counted apart
            valid = self._is_valid(shown)
            if valid not in (None, wanted["valid"]):
                return False
            unknown = unknown or valid is None
        return unknown

    def _is_valid(self, shown: Shown) -> bool | None:
        """Whether the request is valid, None if that is not known; the response is the server's business."""
        valid: bool | None = self._verdict(shown)["valid"]
        return valid

    def _verdict(self, shown: Shown) -> dict[str, Any]:
        """What is valid in the request, and what is not."""
        if shown.entry.har is not None:
            verdict: dict[str, Any] = shown.entry.har["_feedback"]["request"]
            return verdict
        return self._validity.of_request(shown.sent())

    def _har(self, shown: Shown, origin: str) -> dict[str, Any]:
        entry, answer = shown.entry, None
        if entry.answer is not None and entry.state == ANSWERED:
            body = b"" if entry.cut[1] or entry.method == "HEAD" else entry.answer.body
            answer = self._validity.of_answer(entry.operation, entry.status, body)
        return shown.har(origin, {"request": self._verdict(shown), "answer": answer})


def extent(journal: Journal) -> dict[str, int]:
    """Which entries a journal has, and how many are missing."""
    return {"first": journal.first, "last": journal.last, "dropped": journal.dropped}


def _judged(name: str, wanted: int, least: int, most: int) -> str:
    """Whether a count between `least` and `most` is as expected."""
    if name == "at_least":
        sure, possible = least >= wanted, most >= wanted
    elif name == "at_most":
        sure, possible = most <= wanted, least <= wanted
    else:
        sure, possible = least == most == wanted, least <= wanted <= most
    return "yes" if sure else "unknown" if possible else "no"


def _sentence(count: int, gone: int, open_: int, unread: int) -> str:
    said = f"{count} of the kept requests {'matches' if count == 1 else 'match'}"
    for number, one, many in (
        (gone, "that might have matched was dropped", "that might have matched were dropped"),
        (open_, "that might match is not answered yet", "that might match are not answered yet"),
        (
            unread,
            "may match, by what was not read or kept of its body",
            "may match, by what was not read or kept of their bodies",
        ),
    ):
        said += f"; {number} {one if number == 1 else many}" if number else ""
    return f"{said}."
