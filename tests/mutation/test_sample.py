"""A sample of what `make mutation` runs, a different one for each commit: everything without a reason is detected."""

from collections.abc import Callable, Iterable
from functools import partial

import pytest

from tests.drawn import drawn
from tests.mutation.__main__ import SURVIVORS, all_documents, offered_code
from tests.mutation.campaign import C, Campaign, judge_all
from tests.mutation.changes import changes
from tests.mutation.judging import code_task, document_task
from tests.mutation.processes import Task
from tests.mutation.survivors import Reasons, read_reasons

CODE, DOCUMENTS = 4, 3
JOBS = 2


@pytest.fixture(scope="module")
def reasons() -> Reasons:
    """The reasons for going undetected."""
    return read_reasons(SURVIVORS)


def problems(made: Iterable[C], task_of: Callable[[C], Task], reasons: Reasons) -> list[str]:
    """What is wrong with changes that must be detected."""
    campaign = Campaign()
    judge_all(campaign, [each for each in made if not reasons.of(each)], task_of, reasons, JOBS)
    return campaign.problems


def test_changed_implementations_are_seen(reasons: Reasons) -> None:
    """By any rule."""
    made = changes(drawn(offered_code(), CODE))

    assert problems(made, partial(code_task, reasons=reasons), reasons) == []


def test_changed_documents_are_seen_by_the_right_rule(reasons: Reasons) -> None:
    """The mock with a changed document does not conform to ours."""
    assert problems(drawn(all_documents(), DOCUMENTS), document_task, reasons) == []
