"""What an episode says of each rule for clients. Pure: plays nothing.

A rule is judged where the client could have broken it; an observation counts there only.
"""

from collections.abc import Iterator, Mapping

from feedback_verify.clients.judges import answers, retries, secrets, sent, told
from feedback_verify.clients.judges.case import Case, Judge
from feedback_verify.verdicts import Finding

JUDGES: Mapping[str, Judge] = {
    rule: judge for part in (sent, secrets, answers, retries, told) for rule, judge in part.JUDGES.items()
}
"""By the id of each rule what judges it."""


def findings(case: Case) -> Iterator[Finding]:
    """What the episode says of each rule, as far as it says something."""
    for rule, judge in JUDGES.items():
        if rule in case.rules:
            yield from judge(case, case.rules[rule])
