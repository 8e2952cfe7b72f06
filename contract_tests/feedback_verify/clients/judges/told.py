"""Judges what a client reports, and how it ends."""

import re
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus

from feedback_spec.client_rules import ClientRule

from feedback_verify.clients.episode import LOST, Episode
from feedback_verify.clients.judges.case import BUSY, Case, Judge, is_delivered, is_success_at_first
from feedback_verify.verdicts import Finding

_VARYING = re.compile(r"\S+://\S+|[\w.-]*\d[\w.-]*")
"""Words that differ from run to run: URLs, and everything with a digit in it."""


def _reports(when: Callable[[Case], bool]) -> Judge:
    def judge(case: Case, rule: ClientRule) -> Iterator[Finding]:
        episode = case.episode
        if episode.recorded or not episode.submissions or not when(case):
            return
        last = episode.submissions[-1]
        if episode.ended is not None:
            if case.situation is None or not case.situation.calm:
                yield case.unclear(rule.rule.id, f"the client was stopped {episode.ended}; give it more --patience")
        elif _says_so(case):
            yield case.held(rule.rule.id, upto=last)
        else:
            said = "no response came" if last.status == LOST else f"the response was {last.status}"
            yield case.broken(rule.rule.id, f"{said}, but the client exited with code 0 and reported nothing", last)

    return judge


def _is_refused(case: Case) -> bool:
    """Whether the last response was a refusal. After a lost response, the feedback may be stored, whatever comes
    later.
    """
    statuses = [each.status for each in case.episode.submissions]
    refusal = statuses[-1] in range(400, 500) and statuses[-1] not in BUSY
    return refusal and not any(status == LOST or status in range(200, 300) for status in statuses)


def _is_outage(case: Case) -> bool:
    statuses = [each.status for each in case.episode.submissions]
    last = statuses[-1]
    failed = last in (LOST, *BUSY, *range(300, 400)) or last >= HTTPStatus.INTERNAL_SERVER_ERROR
    accepted = any(each.status in range(200, 300) or is_success_at_first(each) for each in case.episode.submissions)
    return failed and not accepted


def _says_so(case: Case) -> bool:
    """By an exit code, or by last words on stderr that are not there if everything works: other words, or the status
    of the last response.
    """
    if case.episode.exit_code != 0:
        return True
    lines = [line for line in case.episode.errors.splitlines() if line.strip()]
    if case.plain is None or not lines:
        return False
    if re.search(rf"\b{case.episode.submissions[-1].status}\b", lines[-1]):
        return True
    usual = {_without_values(line, case.plain) for line in case.plain.errors.splitlines()}
    return _without_values(lines[-1], case.episode) not in usual


def _without_values(line: str, episode: Episode) -> str:
    """The line without what differs from run to run."""
    for value in sorted(episode.given.values(), key=len, reverse=True):
        line = line.replace(value, "#")
    return _VARYING.sub("#", line).strip()


def _reports_success(case: Case, rule: ClientRule) -> Iterator[Finding]:
    episode = case.episode
    if episode.recorded or not episode.submissions or episode.ended is not None:
        return
    if all(is_delivered(group[-1]) for group in case.groups):
        last = episode.submissions[-1]
        if episode.exit_code == 0:
            yield case.held(rule.rule.id, upto=last)
        else:
            yield case.broken(rule.rule.id, f"the response was 200, but the exit code is {episode.exit_code}", last)


def _ends(case: Case, rule: ClientRule) -> Iterator[Finding]:
    episode = case.episode
    if episode.recorded or (case.situation is not None and case.situation.calm):
        return
    if episode.ended is None and (episode.exit_code or 0) < 0:
        yield case.broken(rule.rule.id, f"signal {-(episode.exit_code or 0)} killed the client")
    elif episode.ended is None:
        yield case.held(rule.rule.id)
    elif not episode.attempts:  # no situation makes a difference before the first request
        yield case.unclear(
            rule.rule.id, f"the client was stopped {episode.ended}, and had sent nothing; give it more --patience"
        )
    elif case.endless or (case.situation is not None and case.situation.hold):
        yield case.unclear(rule.rule.id, f"the client was stopped {episode.ended}; give it more --patience")
    else:
        yield case.broken(rule.rule.id, f"the client did not exit; it was stopped {episode.ended}")


JUDGES: Mapping[str, Judge] = {
    "reports-refusal": _reports(_is_refused),
    "reports-outage": _reports(_is_outage),
    "reports-success": _reports_success,
    "ends": _ends,
}
