"""What comes first if two things are wrong at once: each pair of reasons that statuses distinguish."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from feedback_spec.document import Document
from feedback_spec.instants import SECOND

from feedback_verify.arrays.credentials import FOREIGN, NAMES
from feedback_verify.bodies import JSON, encode
from feedback_verify.checks.base import Check
from feedback_verify.exchange import Exchange, Project, Secret
from feedback_verify.scenario import Scenario

LATE = "late"


@dataclass(frozen=True)
class Reason:
    """One thing that is wrong with a request, the step that checks it, and what is needed to try it.

    `foreign` is the kind of another project's credentials; `also` are other statuses that the rule allows.
    """

    words: str
    step: str
    rule: str
    needs: tuple[str, ...] = ()
    authorization: str | None = None
    by: str | None = None
    project: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    media_type: str | None = None
    content: bytes | None = None
    foreign: str = ""
    also: tuple[int, ...] = ()


REASONS = (
    Reason("no credentials", "credentials", "credentials-required", by="none"),
    Reason("an unknown token", "credentials", "credentials-known", authorization=f"Bearer {'0' * 64}"),
    Reason("no such project", "project", "project-exists", project="no-such-project"),
    Reason("a token that may only read", "permission", "scope", ("read-token",), by="read"),
    Reason("another project's token", "access", "project-token", ("second-project",), foreign="write"),
    Reason("another project's DSN", "access", "dsn-other-project", ("foreign-dsn",), foreign="dsn", also=FOREIGN),
    Reason("another media type", "media type", "media-type", media_type="text/plain"),
    Reason("broken JSON", "syntax", "body-syntax", content=b"{"),
    Reason("a bad email", "fields", "email-format", values={"email": "nope"}),
    Reason("an event past its window", "windows", LATE, ("aged-event",)),
)


def steps(document: Document) -> tuple[str, ...]:
    """The steps in which a submission is checked."""
    beginning = ("permission", "project") if document.behaviour.scope_first else ("project", "permission")
    return ("credentials", *beginning, "access", "media type", "syntax", "fields", "windows")


@dataclass(frozen=True)
class Pair:
    """Two reasons at once: the response is that of the first."""

    first: Reason
    second: Reason

    @property
    def __name__(self) -> str:
        """What is tried, in words."""
        return f"{self.first.words}, and {self.second.words}"

    def __call__(self, s: Scenario) -> None:
        """Each alone, then both. Another status that the rule allows does not tell in which step it was checked."""
        alone, clear = [], True
        for each in (self.first, self.second):
            if each.foreign in s.project.credentials:  # otherwise, it may be refused for being a token or a DSN at all
                s.accepted(s.submit(by=each.foreign), f"a submission with the project's own {NAMES[each.foreign]}")
            status, reply = status_of(s.document, each), _send(s, each)
            told = f"{each.words} alone is answered {reply.status}, not {status}"
            s.given(reply.status == status or reply.status in each.also, told)
            alone.append(reply.status)
            clear = clear and reply.status == status
        if clear and alone[0] != alone[1]:
            s.expect_status(_send(s, self.first, self.second), alone[0], self.__name__)


def checks(document: Document) -> Iterator[Check]:
    """A check for each pair that statuses distinguish."""
    order = steps(document)
    known = [each for each in REASONS if status_of(document, each) is not None]
    for first, second in combinations(sorted(known, key=lambda each: order.index(each.step)), 2):
        if _go_together(first, second) and status_of(document, first) != status_of(document, second):
            yield Check("check-order", Pair(first, second), (*first.needs, *second.needs))


def _go_together(first: Reason, second: Reason) -> bool:
    """An unreadable body has neither fields nor an event, and a request has one kind of credentials."""
    both_credentials = _is_about_credentials(first) and _is_about_credentials(second)
    return first.step not in (second.step, "syntax") and not both_credentials


def _is_about_credentials(reason: Reason) -> bool:
    return bool(reason.by or reason.authorization or reason.foreign)


def status_of(document: Document, reason: Reason) -> int | None:
    """The status for the reason alone; None if the document does not refuse it."""
    if reason.rule == LATE:
        return next((each.status for each in document.mutability.windows if each.base.startswith("event")), None)
    rule = document.verifiable.get(reason.rule)
    return rule.refusal.status if rule is not None and rule.refusal is not None else None


def _send(s: Scenario, *reasons: Reason) -> Exchange:
    event_id = s.new_event_id()
    values: dict[str, Any] = {}
    authorization: Secret | str | None = None
    project, by, media_type, content = None, None, JSON, None
    for each in reasons:
        if each.rule == LATE:
            s.save_event(event_id, saved_ago=s.limit("event") + SECOND)
        if each.foreign:
            authorization = s.foreign_dsn() if each.foreign == "dsn" else s.other_project().credentials[each.foreign]
        values |= dict(each.values)
        project, by = each.project or project, each.by or by
        authorization, media_type = each.authorization or authorization, each.media_type or media_type
        content = content if each.content is None else each.content
    return s.send(
        "POST",
        by=by,
        authorization=authorization,
        path=s.path(Project(s.project.organization, project, {})) if project else None,
        headers={"Content-Type": media_type},
        content=encode(s.submission(event_id, **values)).content if content is None else content,
    )
