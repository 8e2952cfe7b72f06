"""Judges how a client treats a response."""

from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus

from feedback_spec.client_rules import ClientRule
from feedback_spec.instants import in_short

from feedback_verify.clients.episode import Attempt
from feedback_verify.clients.judges.case import Case, Judge, after, at_once, gap, is_delivered
from feedback_verify.verdicts import Finding


def _final(statuses: Callable[[Case], frozenset[int]], same: Callable[[Attempt], object]) -> Judge:
    """Judges that nothing identical is sent after a response with one of these statuses."""

    def judge(case: Case, rule: ClientRule) -> Iterator[Finding]:
        for group in case.groups:
            for number, each in enumerate(group):
                if each.status not in statuses(case):
                    continue
                again = next((other for other in after(each, group[number + 1 :]) if same(other) == same(each)), None)
                if again is not None:
                    what = f"after a {each.status}, the same was sent again {gap(each, again)} later"
                    yield case.broken(rule.rule.id, what, again, at_once(each, again))
                    break
                yield case.held(rule.rule.id, upto=each)

    return judge


def _only(status: int) -> Callable[[Case], frozenset[int]]:
    return lambda _: frozenset({status})


def _success_final(case: Case, rule: ClientRule) -> Iterator[Finding]:
    for group in case.groups:
        for number, each in enumerate(group):
            if not is_delivered(each):
                continue
            later = [other for other in after(each, group[number + 1 :]) if case.single or other.fields == each.fields]
            if later:
                what = f"after a 200, it was sent again {gap(each, later[0])} later"
                yield case.broken(rule.rule.id, what, later[0], at_once(each, later[0]))
                break
            yield case.held(rule.rule.id, upto=each)


def _unreadable(case: Case, rule: ClientRule) -> Iterator[Finding]:
    episode = case.episode
    broken = [each for each in episode.submissions if "broken_body" in (each.fault or {}).get("effect", {})]
    if not broken:
        return
    if episode.ended is not None and len(episode.submissions) > 1:
        yield case.unclear(
            rule.rule.id, f"the client was stopped {episode.ended}, still retrying; give it more --patience"
        )
    elif episode.ended is not None:
        what = f"the response was broken, and the client had to be stopped {episode.ended}"
        yield case.broken(rule.rule.id, what, broken[0])
    elif (episode.exit_code or 0) < 0:
        what = f"the response was broken, and signal {-(episode.exit_code or 0)} killed the client"
        yield case.broken(rule.rule.id, what, broken[0])
    else:
        yield case.held(rule.rule.id, upto=broken[-1])


def _slow(case: Case, rule: ClientRule) -> Iterator[Finding]:
    waiting = [
        each for each in case.episode.submissions if (each.fault or {}).get("effect") == {"delay": "until_released"}
    ]
    for each, end in zip(waiting, [*(each.sent for each in waiting[1:]), case.episode.over], strict=False):
        waited = end - each.sent
        if rule.within is None:
            return
        if waited > rule.within:
            yield case.broken(
                rule.rule.id, f"the client waited {in_short(waited)} for a response that never came", each
            )
        elif case.episode.ended is not None and end == case.episode.over:
            yield case.unclear(
                rule.rule.id, f"the client was stopped {case.episode.ended}, still waiting; give it more --patience"
            )
        else:
            yield case.held(rule.rule.id, upto=each)


def _body(attempt: Attempt) -> object:
    return attempt.body


def _credentials(attempt: Attempt) -> object:
    return attempt.header("authorization")


JUDGES: Mapping[str, Judge] = {
    "conflict-final": _final(lambda case: case.statuses, lambda _: None),
    "invalid-final": _final(_only(HTTPStatus.BAD_REQUEST), _body),
    "unauthorized-final": _final(_only(HTTPStatus.UNAUTHORIZED), _credentials),
    "forbidden-final": _final(_only(HTTPStatus.FORBIDDEN), _credentials),
    "not-found-final": _final(_only(HTTPStatus.NOT_FOUND), lambda attempt: attempt.url),
    "too-large-final": _final(_only(HTTPStatus.REQUEST_ENTITY_TOO_LARGE), _body),
    "success-final": _success_final,
    "unreadable-answer": _unreadable,
    "slow-answer": _slow,
}
