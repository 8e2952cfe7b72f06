"""Judges what a client sends."""

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from itertools import pairwise

from feedback_spec.client_rules import ClientRule

from feedback_verify.clients.episode import Attempt, Episode, operation_of
from feedback_verify.clients.judges.case import Case, Judge, is_delivered
from feedback_verify.clients.situations import PLAIN
from feedback_verify.verdicts import Finding

TEXT_FIELDS = ("name", "email", "comments")
JSON = "application/json"


def _endpoint(case: Case, rule: ClientRule) -> Iterator[Finding]:
    for each in case.episode.attempts:
        # A recording has requests to anywhere else, too.
        wrong = not case.episode.recorded or operation_of(each.method, f"{each.url.partition('?')[0]}/", case.document)
        if each.operation is None and wrong:
            yield case.broken(rule.rule.id, f"{each.method} {each.url} is not a documented path", each)
        elif each.submits:
            yield case.held(rule.rule.id, upto=each)


def _content_type(case: Case, rule: ClientRule) -> Iterator[Finding]:
    body = case.document.submit.body
    for each in case.episode.submissions:
        said = f"says {each.header('content-type')!r}" if each.media_type else "is missing"
        refused = each.by_document and each.status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE
        is_json = _looks_like_json(each.body) if each.body else None
        if refused or (body is not None and each.media_type not in body.content):
            yield case.broken(rule.rule.id, f"the Content-Type {said}, which is not accepted", each)
        elif is_json is not None and is_json is not (each.media_type == JSON):
            what = "JSON" if is_json else "not JSON"
            yield case.broken(rule.rule.id, f"the body is {what}, and its Content-Type {said}", each)
        elif is_json is not None:
            yield case.held(rule.rule.id, upto=each)


def _looks_like_json(body: str) -> bool:
    """Whether it is meant as JSON, even if it is cut off."""
    return body.lstrip("\ufeff \t\r\n")[:1] in ("{", "[")


def _required_fields(case: Case, rule: ClientRule) -> Iterator[Finding]:
    body = case.document.submit.body
    wanted = [each.name for each in body.fields if each.required] if body else []
    for each in case.episode.submissions:
        if each.fields is not None:
            missing = [name for name in wanted if name not in each.fields]
            if missing:
                yield case.broken(rule.rule.id, f"the body has no {', '.join(missing)}", each)
            else:
                yield case.held(rule.rule.id, upto=each)


def _valid_body(case: Case, rule: ClientRule) -> Iterator[Finding]:
    for each in case.episode.submissions:
        if each.body == "":
            yield case.broken(rule.rule.id, "the request has no body", each)
            continue
        refused = each.status == HTTPStatus.BAD_REQUEST
        if each.problems is None or each.body is None or (each.media_type == JSON and not _looks_like_json(each.body)):
            continue
        problems = [problem for problem in each.problems if problem.startswith("/body")]
        if not problems and each.by_document and refused:
            problems = [f"it was refused with {each.status} ({each.rule})"]
        if problems:
            yield case.broken(rule.rule.id, f"the request is not valid: {problems[0]}", each)
        else:
            yield case.held(rule.rule.id, upto=each)


def _event_id(case: Case, rule: ClientRule) -> Iterator[Finding]:
    """Of the first try; that a retry names the same event is a different rule."""
    wanted = case.episode.given.get("event_id")
    for each in (group[0] for group in case.groups):
        named = each.event_id
        if named is None or (wanted is not None and not _names_events_given(case)):
            continue
        if named != (_bare(named) if wanted is None else wanted):
            yield case.broken(rule.rule.id, f"event_id is {named!r}, not {wanted or _bare(named)!r}", each)
        else:
            yield case.held(rule.rule.id, upto=each)


def _names_events_given(case: Case) -> bool:
    """Whether the undisturbed run was about the given event: otherwise, the client uses its own events."""
    plain = case.plain
    return plain is not None and any(
        _bare(each.event_id or "") == plain.given["event_id"] for each in plain.submissions
    )


def _bare(event_id: str) -> str:
    return event_id.replace("-", "").strip().lower()


def _values(case: Case, rule: ClientRule) -> Iterator[Finding]:
    """Of the first try, and of what overwrites it; that a retry has the same values is a different rule."""
    if case.plain is None or not takes_values(case.plain):
        return
    given = case.episode.given
    for each in (each for group in case.groups for each in _no_retries(group)):
        fields = each.fields or {}
        found = {name: fields[name] for name in TEXT_FIELDS if name in fields}
        wrong = [
            name for name, said in found.items() if not isinstance(said, str) or said.strip() != given[name].strip()
        ]
        if wrong:
            name = wrong[0]
            yield case.broken(rule.rule.id, f"{name} is {found[name]!r}, not {given[name]!r}", each)
        elif found:
            yield case.held(rule.rule.id, int(case.episode.situation != PLAIN), each)


def _no_retries(group: Sequence[Attempt]) -> Iterator[Attempt]:
    """The first try, and what is sent although the client knows that the feedback is stored."""
    yield group[0]
    yield from (again for before, again in pairwise(group) if is_delivered(before))


def takes_values(plain: Episode) -> bool:
    """Whether the client submits the given texts, and not its own."""
    return any((each.fields or {}).get(name) == plain.given[name] for each in plain.submissions for name in TEXT_FIELDS)


JUDGES: Mapping[str, Judge] = {
    "endpoint": _endpoint,
    "content-type": _content_type,
    "required-fields": _required_fields,
    "valid-body": _valid_body,
    "event-id": _event_id,
    "values": _values,
}
