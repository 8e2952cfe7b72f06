"""Who may list, and which project: with the same kinds of refusals as for submissions, one request each."""

from collections.abc import Callable, Iterator
from functools import cache

from feedback_spec.document import LIST, Document

from feedback_verify.arrays import credentials, refusals
from feedback_verify.arrays.refusals import Attempt, Kind, Setting, statuses
from feedback_verify.checks.base import Check
from feedback_verify.exchange import Project
from feedback_verify.scenario import Scenario

DSN_MAY_NOT = "list-credentials"
OF_READERS = "scope"  # who may not submit may list


def checks(document: Document) -> Iterator[Check]:
    """One for each kind of credentials, and for unknown projects."""
    if LIST not in document.operations:
        return
    for kind in (*credentials.KINDS, *refusals.KINDS):
        if kind.rule not in (OF_READERS, "dsn") and (kind in credentials.KINDS or kind.rule == "project-exists"):
            yield Check(kind.rule, _asked_for_the_list(kind), kind.needs)


def _asked_for_the_list(kind: Kind) -> Callable[[Scenario], None]:
    def a_list_is_refused_alike(s: Scenario) -> None:
        @cache
        def beside(same_organization: bool) -> Project:
            return s.other_project(same_organization=same_organization)

        setting = Setting(s, s.project, s.default_credentials, "name", s.submission(), beside)
        for attempt in kind.attempts(setting):
            allowed = _allowed(s.document, kind, attempt)
            if not allowed:
                continue
            reply = s.send(
                "GET",
                by="none" if attempt.anonymous else None,
                authorization=attempt.authorization,
                path=attempt.path,
                headers=attempt.headers,
            )
            s.expect_status(reply, allowed, f"the list {attempt.words}")

    return a_list_is_refused_alike


def _allowed(document: Document, kind: Kind, attempt: Attempt) -> tuple[int, ...]:
    """The allowed statuses of a list; none if the document leaves it open."""
    refused = statuses(document, kind, attempt)
    if attempt.by == "dsn" or kind.rule.startswith("dsn"):
        refusal = document.rules[DSN_MAY_NOT].refusal if DSN_MAY_NOT in document.rules else None
        return (*refused, *((refusal.status,) if refusal else ()))
    if attempt.taken:
        return (document.listing.success,)
    return () if attempt.maybe else refused
