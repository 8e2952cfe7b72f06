"""What an episode shows about each rule for clients. Pure: runs nothing.

A rule is judged only if the client could have broken it, and observations count only then.
"""

from collections.abc import Iterator, Mapping

from feedback_verify.clients.judges import answers, retries, secrets, sent, told
from feedback_verify.clients.judges.case import Case, Judge
from feedback_verify.verdicts import Finding

JUDGES: Mapping[str, Judge] = {
    rule: judge for part in (sent, secrets, answers, retries, told) for rule, judge in part.JUDGES.items()
}
"""For each rule id, what judges it."""


def findings(case: Case) -> Iterator[Finding]:
    """What the episode shows about each rule, if anything."""
    for rule, judge in JUDGES.items():
        if rule in case.rules:
            yield from judge(case, case.rules[rule])
