"""Judges when a client retries, and how often."""

from collections.abc import Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from itertools import pairwise

from feedback_spec.client_rules import ClientRule
from feedback_spec.instants import EPOCH, MICROSECOND, SECOND, in_short

from feedback_verify.clients.episode import LOST, Attempt
from feedback_verify.clients.judges.case import (
    BUSY,
    Case,
    Judge,
    after,
    at_once,
    gap,
    is_delivered,
    is_success_at_first,
)
from feedback_verify.clients.situations import BROKEN_SUCCESS
from feedback_verify.verdicts import Finding

MOST_DIGITS = 12  # of Retry-After
EARLY = 20_000  # microseconds by which a timer may fire early
AT_ONCE = 5_000  # microseconds by which two requests must overlap
LEFT_LATE = 500_000  # the same, if the first one ended when the client left, which the server notices late


def _is_lost(attempt: Attempt, case: Case) -> bool:
    """Whether the network failed on this attempt, and immediately."""
    effect = (attempt.fault or {}).get("effect", {})
    return (
        attempt.status == LOST
        and not attempt.pending
        and (case.episode.recorded or ("connection" in effect and "delay" not in effect))
    )


def _retry_lost(case: Case, rule: ClientRule) -> Iterator[Finding]:
    for group in case.groups:
        lost = next((each for each in group if _is_lost(each, case)), None)
        if lost is None:
            continue
        if group[-1] is not lost:
            yield case.held(rule.rule.id, upto=group[group.index(lost) + 1])
        elif any(each.operation is None for each in case.episode.attempts if each.number > lost.number):
            continue  # it was sent again, though not where it belongs
        elif is_success_at_first(lost) and case.episode.ended is None and case.episode.exit_code == 0:
            continue  # it went by the status
        elif case.episode.ended is not None:
            yield case.unclear(rule.rule.id, f"the client was stopped {case.episode.ended}, and had not retried yet")
        elif case.episode.recorded and not _goes_on(case, lost):
            yield case.unclear(rule.rule.id, "a response was lost, and the recording ends before the window is over")
        else:
            yield case.broken(rule.rule.id, f"{_lost_how(lost)}, and the feedback was not sent again", lost)


def _goes_on(case: Case, lost: Attempt) -> bool:
    """Whether the recording goes on for as long as the feedback could have been sent again."""
    last, windows = case.episode.attempts[-1], case.document.mutability.windows
    limit = max((each.limit for each in windows if each.base.startswith("feedback")), default=0)
    return max(last.sent - lost.sent, last.now - lost.now) > limit


def _lost_how(lost: Attempt) -> str:
    fault = lost.fault or {}
    if fault.get("phase") == "before" and fault["effect"].get("connection") == BROKEN_SUCCESS:
        return "the response broke off after its status 200, which was said too early: nothing is stored"
    return "the response was lost"


def _retry_same(case: Case, rule: ClientRule) -> Iterator[Finding]:
    for group in case.groups:
        for before, again in pairwise(group):
            if before.status in range(200, 500) and before.status not in BUSY:
                continue
            if before.body is None or again.body is None:
                continue
            first, second = before.fields or {}, again.fields or {}
            differing = [name for name in {**first, **second} if first.get(name) != second.get(name)]
            if differing:
                yield case.broken(rule.rule.id, f"the retry has a different {', '.join(sorted(differing))}", again)
                break
            yield case.held(rule.rule.id, upto=again)
        else:
            if case.single and len(case.episode.records) > 1:
                yield case.broken(rule.rule.id, f"one feedback was stored {len(case.episode.records)} times", group[-1])


def _retry_in_window(case: Case, rule: ClientRule) -> Iterator[Finding]:
    """By the project's clock; a client that cannot know it is judged by its own behaviour."""
    episode = case.episode
    for group in case.groups:
        late = next((each for each in group[1:] if _is_late(case, group[0], each)), None)
        if late is not None and (episode.told_time or episode.recorded or not (case.situation and case.situation.hold)):
            yield case.broken(
                rule.rule.id,
                f"it was sent again {gap(group[0], late)} after it was first sent, when a window was over",
                late,
            )
        elif late is None and case.situation is not None and (episode.told_time or case.endless):
            if case.situation.hold and not episode.told_time:
                continue
            if episode.ended is None:
                yield case.held(rule.rule.id, upto=group[-1])
            elif not case.situation.calm:
                yield case.unclear(
                    rule.rule.id,
                    f"the client was stopped {episode.ended}, and may retry later; give it more --patience",
                )


def _is_late(case: Case, first: Attempt, again: Attempt) -> bool:
    """Whether a window was over when it was sent again."""
    age = again.now - first.now
    if case.episode.recorded:
        limit = min((window.limit for window in case.document.mutability.windows), default=0)
        refused = again.rule in case.windows or (again.rule is None and again.status in case.statuses and age > limit)
        return refused and again.fields == first.fields
    before = [each for each in case.episode.submissions if each.number < again.number]
    stored = any((each.fault or {}).get("phase") == "after" or is_delivered(each) for each in before)
    return any(
        age > window.limit and (window.base.startswith("event") or stored)
        for window in case.document.mutability.windows
    )


def _retry_after(statuses: Sequence[int], *, dated: bool) -> Judge:
    """Judges that nothing is sent before the instant in Retry-After."""

    def judge(case: Case, rule: ClientRule) -> Iterator[Finding]:
        for group in case.groups:
            for number, each in enumerate(group):
                said = each.answer_headers.get("retry-after", "").strip()
                in_seconds = said.isascii() and said.isdigit() and len(said) <= MOST_DIGITS
                if each.status not in statuses or not said or in_seconds is dated:
                    continue
                came = each.now + each.answered - each.sent
                until = _instant(said) if dated else came + int(said) * SECOND
                again = next(after(each, group[number + 1 :]), None)
                if until is not None and dated and until <= came:
                    continue  # the client was so slow that the date was over when it read it
                if until is not None and again is not None and _is_early(case, each, again, until):
                    later = in_short(max(again.now - came, again.sent - each.answered, 0))
                    what = f"after a {each.status} with Retry-After: {said}, it was sent again {later} later"
                    yield case.broken(rule.rule.id, what, again, at_once(each, again))
                elif until is not None:
                    yield case.held(rule.rule.id, upto=again or each)

    return judge


def _is_early(case: Case, refused: Attempt, again: Attempt, until: int) -> bool:
    """Whether it was sent again before that instant of the project's clock. A recorded client may have waited by the
    machine's, while the project's was frozen.
    """
    if again.now >= until - EARLY:
        return False
    if not case.episode.recorded:
        return True
    waited, wanted = again.sent - refused.answered, until - refused.now - (refused.answered - refused.sent)
    return waited < wanted - EARLY


def _instant(date: str) -> int | None:
    try:
        return int((parsedate_to_datetime(date) - EPOCH) // MICROSECOND)
    except (ValueError, TypeError):
        return None


def _pace(case: Case, rule: ClientRule) -> Iterator[Finding]:
    most, within = rule.at_most, rule.within
    if most is None or within is None:
        return  # a document without the limits has nothing to hold a client against
    for group in case.groups:
        for first, last in zip(group, group[most:], strict=False):
            # On both clocks: a client that sleeps on the project's takes no time on the machine's.
            if max(last.sent - first.sent, last.now - first.now) < within:
                yield case.broken(
                    rule.rule.id,
                    f"it was sent {most + 1} times within {in_short(max(last.sent - first.sent, 1))}",
                    last,
                )
                break
        else:
            if case.endless:
                yield case.held(rule.rule.id, upto=group[-1])


def _bounded(case: Case, rule: ClientRule) -> Iterator[Finding]:
    most = rule.at_most
    if most is None:
        return
    for group in case.groups:
        if len(group) > most:
            yield case.broken(rule.rule.id, f"it was sent {len(group)} times", group[most])
        elif case.endless and case.situation is not None and not case.situation.calm:
            if case.episode.ended is None:
                yield case.held(rule.rule.id, upto=group[-1])
            else:
                yield case.unclear(
                    rule.rule.id,
                    f"the client was stopped {case.episode.ended}, still retrying; give it more --patience",
                )


def _one_at_a_time(case: Case, rule: ClientRule) -> Iterator[Finding]:
    for group in case.groups:
        for one, other in pairwise(group):
            if one.answered - other.sent > (AT_ONCE if one.status != LOST else LEFT_LATE):
                yield case.broken(
                    rule.rule.id,
                    f"it was sent twice within {in_short(max(other.sent - one.sent, 1))}, before a response came",
                    other,
                )
                break
        else:
            slow = next((each for each in group if each.answered - each.sent > 8 * AT_ONCE), None)
            if slow is not None:
                yield case.held(rule.rule.id, upto=slow)


JUDGES: Mapping[str, Judge] = {
    "retry-lost": _retry_lost,
    "retry-same": _retry_same,
    "retry-in-window": _retry_in_window,
    "retry-after-429": _retry_after(BUSY[:1], dated=False),
    "retry-after-503": _retry_after(BUSY[1:], dated=False),
    "retry-after-date": _retry_after(BUSY, dated=True),
    "retry-pace": _pace,
    "retry-bounded": _bounded,
    "one-at-a-time": _one_at_a_time,
}
