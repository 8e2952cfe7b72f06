"""What an episode says of each rule for clients. Pure: plays nothing, and knows no situation that it need not know.

A rule is judged where the client could have broken it; an observation counts there only.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cached_property
from http import HTTPStatus
from itertools import pairwise

from feedback_spec.client_rules import ClientRule
from feedback_spec.document import Document
from feedback_spec.instants import EPOCH, MICROSECOND, SECOND, in_short

from feedback_verify.clients.episode import LOST, Attempt, Episode
from feedback_verify.clients.situations import TEXTS, Situation
from feedback_verify.clients.telling import told
from feedback_verify.verdicts import Finding

TEXT_FIELDS = ("name", "email", "comments")
EARLY = 20_000  # microseconds by which a timer may fire too soon
AT_ONCE = 5_000  # microseconds that two requests must overlap by
JSON, FORMS = "application/json", ("application/x-www-form-urlencoded", "multipart/form-data")
BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


@dataclass(frozen=True)
class Case:
    """One episode with what it is judged by.

    `plain` is the episode in which everything worked, None for a recorded journal; `situation` is None there too.
    """

    episode: Episode
    document: Document
    rules: Mapping[str, ClientRule]
    plain: Episode | None = None
    situation: Situation | None = None

    @property
    def endless(self) -> bool:
        """Whether what went wrong does not pass."""
        return self.situation is not None and self.situation.endless

    @property
    def single(self) -> bool:
        """Whether the client submits one feedback, so that whatever it sends is about that one."""
        return self.plain is not None and len(self.plain.submissions) == 1

    @cached_property
    def groups(self) -> list[list[Attempt]]:
        """The submissions of each feedback, in their order."""
        if self.single:
            return [self.episode.submissions] if self.episode.submissions else []
        groups: dict[str, list[Attempt]] = {}
        for each in self.episode.submissions:
            groups.setdefault((each.event_id or "").lower(), []).append(each)
        return list(groups.values())

    @cached_property
    def windows(self) -> frozenset[str]:
        """The rules of the windows."""
        return frozenset(window.rule for window in self.document.mutability.windows)

    def held(self, rule: str, count: int = 1, upto: Attempt | None = None) -> Finding:
        """The rule held so often."""
        return Finding(rule, observations=count, steps=told(self.episode, upto))

    def broken(self, rule: str, what: str, upto: Attempt | None = None) -> Finding:
        """The rule is broken, last by this attempt."""
        place = "" if self.situation is None else f"{self.situation.name}: "
        return Finding(rule, violation=f"{place}{what}", steps=told(self.episode, upto))

    def unclear(self, rule: str, why: str) -> Finding:
        """What was seen does not tell."""
        place = "" if self.situation is None else f"{self.situation.name}: "
        return Finding(rule, doubt=f"{place}{why}")


Judge = Callable[[Case, ClientRule], Iterator[Finding]]


def findings(case: Case) -> Iterator[Finding]:
    """What the episode says of each rule, as far as it says something."""
    for rule, judge in JUDGES.items():
        if rule in case.rules:
            yield from judge(case, case.rules[rule])


# What is sent


def _endpoint(case: Case, rule: ClientRule) -> Iterator[Finding]:
    for each in case.episode.attempts:
        if each.operation is None and not case.episode.recorded:
            yield case.broken(rule.rule.id, f"{each.method} {each.url} is not a documented path", each)
        elif each.submits:
            yield case.held(rule.rule.id, upto=each)


def _content_type(case: Case, rule: ClientRule) -> Iterator[Finding]:
    for each in case.episode.submissions:
        if each.body is None:
            continue
        is_json = _object(each.body) is not None
        if (each.media_type == JSON) is not is_json or (not is_json and each.media_type not in FORMS):
            what = "JSON" if is_json else "not JSON"
            said = f"says {each.media_type!r}" if each.media_type else "is missing"
            yield case.broken(rule.rule.id, f"the body is {what}, and its Content-Type {said}", each)
        else:
            yield case.held(rule.rule.id, upto=each)


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
        if each.problems is None:
            continue
        problems = [problem for problem in each.problems if problem.startswith("/body")]
        if problems:
            yield case.broken(rule.rule.id, f"the request is not valid: {problems[0]}", each)
        else:
            yield case.held(rule.rule.id, upto=each)


def _event_id(case: Case, rule: ClientRule) -> Iterator[Finding]:
    wanted = case.episode.given.get("event_id")
    for each in case.episode.submissions:
        named = each.event_id
        if named is None or (wanted is not None and _bare(named) != wanted and not _names_events_given(case)):
            continue
        if not case.single and wanted is not None and _bare(named) != wanted:
            continue
        if named != (wanted or _bare(named)):
            said = f", which is {wanted}" if wanted and _bare(named) == wanted else ""
            yield case.broken(rule.rule.id, f"event_id is {named!r}{said or f', not {wanted}'}", each)
        else:
            yield case.held(rule.rule.id, upto=each)


def _names_events_given(case: Case) -> bool:
    """Whether the plain run was about the event that it was given: otherwise the client has events of its own."""
    plain = case.plain
    return plain is not None and any(_bare(each.event_id or "") == plain.given["event_id"] for each in plain.submissions)


def _bare(event_id: str) -> str:
    return event_id.replace("-", "").strip().lower()


def _values(case: Case, rule: ClientRule) -> Iterator[Finding]:
    if case.plain is None or not takes_values(case.plain):
        return
    given = case.episode.given
    for each in case.episode.submissions:
        for name in TEXT_FIELDS:
            said = (each.fields or {}).get(name)
            if not isinstance(said, str) or said.strip() != given[name].strip():
                yield case.broken(rule.rule.id, f"{name} is {said!r}, not {given[name]!r}", each)
                break
        else:
            # Letters of one alphabet hardly ever come to harm.
            yield case.held(rule.rule.id, int(case.episode.situation == TEXTS), each)


def takes_values(plain: Episode) -> bool:
    """Whether the client submits the texts that it is given, and none of its own."""
    return any(all((each.fields or {}).get(name) == plain.given[name] for name in TEXT_FIELDS) for each in plain.submissions)


# Secrets


def _authorization(case: Case, rule: ClientRule) -> Iterator[Finding]:
    for each in case.episode.submissions:
        given = [value for name, value in each.headers if name.lower() == "authorization"]
        if len(given) != 1:
            yield case.broken(rule.rule.id, f"there are {len(given)} Authorization headers", each)
        elif given[0].partition(" ")[0].lower() not in ("bearer", "dsn"):
            yield case.broken(rule.rule.id, f"Authorization is neither Bearer nor DSN: {given[0].partition(' ')[0]!r}", each)
        elif each.fault is None and each.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            yield case.broken(rule.rule.id, f"the credentials were refused with {each.status} ({each.rule})", each)
        else:
            yield case.held(rule.rule.id, upto=each)


def _secret_in_header(case: Case, rule: ClientRule) -> Iterator[Finding]:
    if not case.episode.secrets:
        return
    for each in case.episode.submissions:
        others = [value for name, value in each.headers if name.lower() != "authorization"]
        places = {"URL": each.url, "body": each.body or "", "other headers": "\n".join(others)}
        found = [place for place, text in places.items() if any(secret in text for secret in case.episode.secrets)]
        if found:
            yield case.broken(rule.rule.id, f"the {' and the '.join(found)} held a secret", each)
        else:
            yield case.held(rule.rule.id, upto=each)


def _secret_elsewhere(case: Case, rule: ClientRule) -> Iterator[Finding]:
    redirected = [each for each in case.episode.submissions if each.status == HTTPStatus.TEMPORARY_REDIRECT]
    if redirected and not case.episode.recorded:
        if any(secret in text for text in case.episode.elsewhere for secret in case.episode.secrets):
            yield case.broken(rule.rule.id, "the redirect was followed to another origin with a secret", redirected[0])
        else:
            yield case.held(rule.rule.id, upto=redirected[0])


def _secret_printed(case: Case, rule: ClientRule) -> Iterator[Finding]:
    if not case.episode.recorded:
        said = case.episode.output + case.episode.errors
        if any(secret in said for secret in case.episode.secrets):
            yield case.broken(rule.rule.id, "the output held a secret")
        else:
            yield case.held(rule.rule.id)


# Answers


def _final(statuses: Callable[[Case], frozenset[int]], same: Callable[[Attempt], object]) -> Judge:
    """Judges that nothing that is the same is sent after an answer with one of these statuses."""

    def judge(case: Case, rule: ClientRule) -> Iterator[Finding]:
        for group in case.groups:
            for number, each in enumerate(group):
                if each.status not in statuses(case):
                    continue
                again = next((other for other in _after(each, group[number + 1 :]) if same(other) == same(each)), None)
                if again is not None:
                    what = f"{each.status} was answered, and the same was sent again {_gap(each, again)} later"
                    yield case.broken(rule.rule.id, what, again)
                    break
                yield case.held(rule.rule.id, upto=each)

    return judge


def _after(answered: Attempt, others: Sequence[Attempt]) -> Iterator[Attempt]:
    """Those that were sent when the answer was known."""
    return (each for each in others if each.sent >= answered.answered)


def _gap(one: Attempt, other: Attempt) -> str:
    return in_short(max(other.now - one.now, 0))


def _only(status: int) -> Callable[[Case], frozenset[int]]:
    return lambda _: frozenset({status})


def _of_windows(case: Case) -> frozenset[int]:
    return frozenset(window.status for window in case.document.mutability.windows)


def _success_final(case: Case, rule: ClientRule) -> Iterator[Finding]:
    for group in case.groups:
        for number, each in enumerate(group):
            if not _is_delivered(each):
                continue
            later = [other for other in _after(each, group[number + 1 :]) if case.single or other.fields == each.fields]
            if later:
                yield case.broken(rule.rule.id, f"200 was answered, and it was sent again {_gap(each, later[0])} later", later[0])
                break
            yield case.held(rule.rule.id, upto=each)


def _is_delivered(attempt: Attempt) -> bool:
    """Whether the client was told in full that the feedback is stored."""
    broken = "broken_body" in (attempt.fault or {}).get("effect", {})
    return attempt.status in range(200, 300) and not broken


def _unreadable(case: Case, rule: ClientRule) -> Iterator[Finding]:
    broken = [each for each in case.episode.submissions if "broken_body" in (each.fault or {}).get("effect", {})]
    if broken:
        ended = case.episode.ended
        if ended is not None:
            yield case.broken(rule.rule.id, f"the answer was broken, and the client had to be ended {ended}", broken[0])
        elif (case.episode.exit_code or 0) < 0:
            yield case.broken(rule.rule.id, f"the answer was broken, and signal {-(case.episode.exit_code or 0)} ended the client", broken[0])
        else:
            yield case.held(rule.rule.id, upto=broken[0])


def _slow(case: Case, rule: ClientRule) -> Iterator[Finding]:
    waiting = [each for each in case.episode.submissions if (each.fault or {}).get("effect") == {"delay": "until_released"}]
    for each, end in zip(waiting, [*(each.sent for each in waiting[1:]), case.episode.over], strict=False):
        waited, most = end - each.sent, rule.within or 0
        if waited > most:
            yield case.broken(rule.rule.id, f"the client waited for {in_short(waited)} for an answer that did not come", each)
        elif case.episode.ended is not None and end == case.episode.over:
            yield case.unclear(rule.rule.id, f"the client was ended {case.episode.ended}, still waiting; give it more --patience")
        else:
            yield case.held(rule.rule.id, upto=each)


# Retries


def _is_lost(attempt: Attempt, case: Case) -> bool:
    """Whether the network failed on this attempt, and at once."""
    effect = (attempt.fault or {}).get("effect", {})
    return attempt.status == LOST and (case.episode.recorded or ("connection" in effect and "delay" not in effect))


def _retry_lost(case: Case, rule: ClientRule) -> Iterator[Finding]:
    for group in case.groups:
        lost = next((each for each in group if _is_lost(each, case)), None)
        if lost is None:
            continue
        if group[-1] is not lost:
            yield case.held(rule.rule.id, upto=group[group.index(lost) + 1])
        elif case.episode.ended is not None:
            yield case.unclear(rule.rule.id, f"the client was ended {case.episode.ended}, and had not tried again yet")
        elif not case.episode.recorded or case.episode.attempts[-1].sent > lost.sent:
            yield case.broken(rule.rule.id, "the answer was lost, and the feedback was not sent again", lost)


def _retry_same(case: Case, rule: ClientRule) -> Iterator[Finding]:
    for group in case.groups:
        for before, again in pairwise(group):
            if before.status in range(200, 500) and before.status not in BUSY:
                continue
            first, second = before.fields or {}, again.fields or {}
            differing = [name for name in {**first, **second} if first.get(name) != second.get(name)]
            if differing:
                yield case.broken(rule.rule.id, f"the retry has another {', '.join(sorted(differing))}", again)
                break
            yield case.held(rule.rule.id, upto=again)
        else:
            if case.single and len(case.episode.records) > 1:
                yield case.broken(rule.rule.id, f"one feedback became {len(case.episode.records)}", group[-1])


def _retry_in_window(case: Case, rule: ClientRule) -> Iterator[Finding]:
    """By the project's clock; a client that cannot know it is judged by what it does of itself."""
    episode = case.episode
    for group in case.groups:
        late = next((each for each in group[1:] if _is_late(case, group[0], each)), None)
        if late is not None and (episode.told_time or episode.recorded or not (case.situation and case.situation.hold)):
            yield case.broken(rule.rule.id, f"it was sent again {_gap(group[0], late)} after it was first sent, when a window was over", late)
        elif late is None and case.situation is not None and (episode.told_time or case.endless):
            if case.situation.hold and not episode.told_time:
                continue
            if episode.ended is None:
                yield case.held(rule.rule.id, upto=group[-1])
            elif not case.situation.calm:
                yield case.unclear(rule.rule.id, f"the client was ended {episode.ended}, and may try again later; give it more --patience")


def _is_late(case: Case, first: Attempt, again: Attempt) -> bool:
    """Whether a window was over when it was sent again."""
    if case.episode.recorded:
        return again.rule in case.windows and again.fields == first.fields
    stored = any((each.fault or {}).get("phase") == "after" or _is_delivered(each) for each in case.episode.submissions)
    age = again.now - first.now
    return any(
        age > window.limit and (window.base.startswith("event") or stored) for window in case.document.mutability.windows
    )


def _retry_after(statuses: Sequence[int], *, dated: bool) -> Judge:
    def judge(case: Case, rule: ClientRule) -> Iterator[Finding]:
        for group in case.groups:
            for number, each in enumerate(group):
                said = each.answer_headers.get("retry-after", "").strip()
                if each.status not in statuses or not said or said.isdigit() is dated:
                    continue
                told_at = each.now + each.answered - each.sent
                until = _instant(said) if dated else told_at + int(said) * SECOND
                again = next(_after(each, group[number + 1 :]), None)
                if until is not None and again is not None and again.now < until - EARLY:
                    early = f"{each.status} with Retry-After: {said} was answered, and it was sent again {in_short(max(again.now - told_at, 0))} later"
                    yield case.broken(rule.rule.id, early, again)
                elif until is not None:
                    yield case.held(rule.rule.id, upto=again or each)

    return judge


def _instant(date: str) -> int | None:
    try:
        return int((parsedate_to_datetime(date) - EPOCH) // MICROSECOND)
    except (ValueError, TypeError):
        return None


def _pace(case: Case, rule: ClientRule) -> Iterator[Finding]:
    most, within = rule.at_most or 1, rule.within or SECOND
    for group in case.groups:
        for first, last in zip(group, group[most:], strict=False):
            # On both clocks: a client that sleeps on the project's is done in no time on the machine's.
            if max(last.sent - first.sent, last.now - first.now) < within:
                yield case.broken(rule.rule.id, f"it was sent {most + 1} times within {in_short(max(last.sent - first.sent, 1))}", last)
                break
        else:
            if case.endless:
                yield case.held(rule.rule.id, upto=group[-1])


def _bounded(case: Case, rule: ClientRule) -> Iterator[Finding]:
    for group in case.groups:
        if len(group) > (rule.at_most or 1):
            yield case.broken(rule.rule.id, f"it was sent {len(group)} times", group[rule.at_most or 1])
        elif case.endless and case.situation is not None and not case.situation.calm:
            if case.episode.ended is None:
                yield case.held(rule.rule.id, upto=group[-1])
            else:
                yield case.unclear(rule.rule.id, f"the client was ended {case.episode.ended}, still trying; give it more --patience")


def _one_at_a_time(case: Case, rule: ClientRule) -> Iterator[Finding]:
    for group in case.groups:
        for one, other in pairwise(group):
            if one.status != LOST and one.answered - other.sent > AT_ONCE:
                yield case.broken(rule.rule.id, f"it was sent again {in_short(max(other.sent - one.sent, 0))} after it was sent, before the answer came", other)
                break
        else:
            slow = next((each for each in group if each.status != LOST and each.answered - each.sent > 10 * AT_ONCE), None)
            if slow is not None:
                yield case.held(rule.rule.id, upto=slow)


# What the client reports


def _reports(rule_of: Callable[[Case], bool]) -> Judge:
    def judge(case: Case, rule: ClientRule) -> Iterator[Finding]:
        episode = case.episode
        if episode.recorded or not episode.submissions or not rule_of(case):
            return
        last = episode.submissions[-1]
        if episode.ended is not None:
            if case.situation is None or not case.situation.calm:
                yield case.unclear(rule.rule.id, f"the client was ended {episode.ended}; give it more --patience")
        elif _says_so(case):
            yield case.held(rule.rule.id, upto=last)
        else:
            said = "no answer came" if last.status == LOST else f"{last.status} was answered"
            yield case.broken(rule.rule.id, f"{said}, and the client ended with exit code 0 and said nothing of it", last)

    return judge


def _is_refused(case: Case) -> bool:
    """Whether the last word was a refusal. After a lost answer the feedback may be stored, whatever is said later."""
    statuses = [each.status for each in case.episode.submissions]
    refusal = statuses[-1] in range(400, 500) and statuses[-1] not in BUSY
    return refusal and not any(status == LOST or status in range(200, 300) for status in statuses)


def _is_outage(case: Case) -> bool:
    statuses = [each.status for each in case.episode.submissions]
    failed = statuses[-1] == LOST or statuses[-1] >= HTTPStatus.INTERNAL_SERVER_ERROR or statuses[-1] in BUSY
    return failed and not any(status in range(200, 300) for status in statuses)


def _says_so(case: Case) -> bool:
    """By an exit code, or by last words that it does not have where everything works."""
    if case.episode.exit_code != 0:
        return True
    plain = case.plain
    if plain is None:
        return False
    return any(
        _last_line(now) not in ("", _last_line(before))
        for now, before in ((case.episode.output, plain.output), (case.episode.errors, plain.errors))
    )


def _last_line(text: str) -> str:
    """The last words, without what differs from one time to the next."""
    lines = [line for line in text.splitlines() if line.strip()]
    return "".join("#" if each.isdigit() else each for each in lines[-1]) if lines else ""


def _reports_success(case: Case, rule: ClientRule) -> Iterator[Finding]:
    episode = case.episode
    if episode.recorded or not episode.submissions or episode.ended is not None:
        return
    if all(_is_delivered(group[-1]) for group in case.groups):
        last = episode.submissions[-1]
        if episode.exit_code == 0:
            yield case.held(rule.rule.id, upto=last)
        else:
            yield case.broken(rule.rule.id, f"200 was answered, and the exit code is {episode.exit_code}", last)


def _ends(case: Case, rule: ClientRule) -> Iterator[Finding]:
    episode = case.episode
    if episode.recorded:
        return
    if episode.ended is None:
        if (episode.exit_code or 0) < 0:
            yield case.broken(rule.rule.id, f"signal {-(episode.exit_code or 0)} ended the client")
        else:
            yield case.held(rule.rule.id)
    elif not case.endless and not any(each.status == LOST for each in episode.submissions[-1:]):
        yield case.broken(rule.rule.id, f"the client did not end by itself; it was ended {episode.ended}")


def _object(text: str) -> dict[str, object] | None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _body(attempt: Attempt) -> object:
    return attempt.body


def _credentials(attempt: Attempt) -> object:
    return attempt.header("authorization")


JUDGES: Mapping[str, Judge] = {
    "endpoint": _endpoint,
    "content-type": _content_type,
    "required-fields": _required_fields,
    "valid-body": _valid_body,
    "event-id": _event_id,
    "values": _values,
    "authorization": _authorization,
    "secret-in-header": _secret_in_header,
    "secret-elsewhere": _secret_elsewhere,
    "secret-printed": _secret_printed,
    "conflict-final": _final(_of_windows, lambda _: None),
    "invalid-final": _final(_only(HTTPStatus.BAD_REQUEST), _body),
    "unauthorized-final": _final(_only(HTTPStatus.UNAUTHORIZED), _credentials),
    "forbidden-final": _final(_only(HTTPStatus.FORBIDDEN), _credentials),
    "not-found-final": _final(_only(HTTPStatus.NOT_FOUND), lambda attempt: attempt.url),
    "too-large-final": _final(_only(HTTPStatus.REQUEST_ENTITY_TOO_LARGE), _body),
    "success-final": _success_final,
    "unreadable-answer": _unreadable,
    "slow-answer": _slow,
    "retry-lost": _retry_lost,
    "retry-same": _retry_same,
    "retry-in-window": _retry_in_window,
    "retry-after-429": _retry_after(BUSY[:1], dated=False),
    "retry-after-503": _retry_after(BUSY[1:], dated=False),
    "retry-after-date": _retry_after(BUSY, dated=True),
    "retry-pace": _pace,
    "retry-bounded": _bounded,
    "one-at-a-time": _one_at_a_time,
    "reports-refusal": _reports(_is_refused),
    "reports-outage": _reports(_is_outage),
    "reports-success": _reports_success,
    "ends": _ends,
}
"""By the id of each rule what judges it."""
