"""A sample of what `make mutation-units` runs, a different one for each commit, and how a unit's tests are run."""

from typing import Any

import pytest

from tests.drawn import drawn
from tests.mutation.campaign import Campaign, judge_all
from tests.mutation.changes import Change, changes
from tests.mutation.processes import Fate, Judgement, judge
from tests.mutation.survivors import read_units
from tests.mutation.unit_campaign import REASONS, offered_changes
from tests.mutation.units import UNITS

SAMPLE = drawn(list(UNITS.values()), 2)
CHANGES = 3
CLOCK = UNITS["clock"]


def told(source: str) -> Judgement:
    """What the clock's tests say about this source."""
    ((_, judgement),) = judge([CLOCK.task(Change("", "", "", "", source, source))], 1)
    return judgement


@pytest.mark.parametrize("unit", SAMPLE, ids=lambda unit: unit.module)
def test_changes_of_a_module_fail_its_tests(unit: Any) -> None:
    reasons = read_units(REASONS)[unit.path.stem]
    made = changes(drawn(offered_changes(unit), CHANGES))
    campaign = Campaign()
    judge_all(campaign, [each for each in made if not reasons.of(each)], unit.task, reasons, jobs=2)

    assert campaign.problems == []


def test_unchanged_source_survives() -> None:
    assert told(CLOCK.source).fate is Fate.SURVIVED


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("present <= target", "present < target", Fate.KILLED),
        ("present = self.now()", "while True: pass", Fate.KILLED),
        ("def elapsed_time", "def no_time", Fate.BROKEN),
    ],
)
def test_changed_source_is_what_the_tests_import(old: str, new: str, expected: Fate) -> None:
    """Not the installed one; and a loop without end is detected."""
    assert told(CLOCK.source.replace(old, new)).fate is expected


def test_reasons_speak_of_modules_that_there_are() -> None:
    assert set(read_units(REASONS)) <= set(UNITS)


def test_reasons_speak_of_code_that_there_is() -> None:
    """As far as can be known without making every change."""
    reasons = read_units(REASONS)

    assert [each for name in reasons for each in reasons[name].code if each.line not in UNITS[name].source] == []
