"""A clock, read and moved at each of its limits and one microsecond past it. No real time except where it is named."""

import time
from collections.abc import Callable

import pytest
from feedback_mock.clock import Clock, elapsed_time, system_time
from feedback_spec.instants import LAST_INSTANT


class Machine:
    """A source that the test sets."""

    def __init__(self, at: int = 1_000) -> None:
        self.at = at

    def __call__(self) -> int:
        return self.at


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.mark.parametrize("read", [system_time, elapsed_time])
def test_time_is_in_microseconds(read: Callable[[], int]) -> None:
    clock = {system_time: time.time_ns, elapsed_time: time.monotonic_ns}[read]
    before, now, after = clock(), read(), clock()

    assert before // 1_000 <= now <= after // 1_000
    assert isinstance(now, int)


def test_clock_runs_along_with_its_source_from_where_it_was_set(machine: Machine) -> None:
    as_the_machine, elsewhere = Clock(machine), Clock(machine, 50)
    assert (as_the_machine.now(), elsewhere.now(), as_the_machine.running) == (1_000, 50, True)

    machine.at += 1

    assert (as_the_machine.now(), elsewhere.now()) == (1_001, 51)


def test_instant_zero_is_an_instant(machine: Machine) -> None:
    clock = Clock(machine, 0)
    assert clock.now() == 0

    machine.at = 2_000
    frozen = Clock(machine, 0, running=False)

    assert frozen.now() == 0
    assert clock.move(0) is False
    assert frozen.move(0) is True


def test_frozen_clock_stands_whatever_its_source_does(machine: Machine) -> None:
    clock = Clock(machine, 50, running=False)
    machine.at += 7

    assert clock.now() == 50
    assert clock.running is False


def test_clock_never_goes_back_with_its_source(machine: Machine) -> None:
    clock = Clock(machine)
    machine.at = 1_005
    assert clock.now() == 1_005

    machine.at = 900
    assert clock.now() == 1_005

    machine.at = 1_006
    assert clock.now() == 1_006


def test_clock_ends_at_the_last_instant(machine: Machine) -> None:
    clock = Clock(machine, LAST_INSTANT - 1)
    seen = []
    for _ in range(3):
        seen.append(clock.now())
        machine.at += 1

    assert seen == [LAST_INSTANT - 1, LAST_INSTANT, LAST_INSTANT]


@pytest.mark.parametrize("running", [True, False])
def test_move_goes_forward_only_and_no_further_than_the_last_instant(machine: Machine, running: bool) -> None:
    clock = Clock(machine, 50, running)

    assert clock.move(49) is False
    assert clock.move(by=-1) is False
    assert clock.now() == 50
    assert clock.move(50) is True
    assert clock.move(by=0) is True
    assert clock.now() == 50
    assert clock.move(51) is True
    assert clock.move(by=2) is True
    assert clock.move(60, 1) is True
    assert clock.now() == 61
    assert clock.move(LAST_INSTANT + 1) is False
    assert clock.move(by=LAST_INSTANT) is False
    assert (clock.now(), clock.running) == (61, running)
    assert clock.move(LAST_INSTANT) is True
    assert clock.now() == LAST_INSTANT


def test_move_that_is_refused_changes_nothing(machine: Machine) -> None:
    clock = Clock(machine, 50)
    before = clock.setting

    assert clock.move(49, running=False) is False
    assert clock.setting == before


def test_moved_clock_runs_on_from_there(machine: Machine) -> None:
    clock = Clock(machine, 50)
    machine.at += 10
    assert clock.move(by=40)
    assert clock.now() == 100

    machine.at += 1

    assert clock.now() == 101


def test_clock_is_frozen_and_started_where_it_is(machine: Machine) -> None:
    clock = Clock(machine, 50)
    machine.at += 10
    assert clock.move(running=False)
    machine.at += 10
    assert (clock.now(), clock.running) == (60, False)

    assert clock.move(running=True)
    machine.at += 3

    assert (clock.now(), clock.running) == (63, True)


def test_move_without_a_word_about_running_leaves_it(machine: Machine) -> None:
    frozen, running = Clock(machine, 50, running=False), Clock(machine, 50)
    for clock in (frozen, running):
        assert clock.move(by=1)

    assert (frozen.running, running.running) == (False, True)


def test_setting_changes_only_if_the_clock_is_moved_frozen_or_started(machine: Machine) -> None:
    clock = Clock(machine, 50)
    seen = [clock.setting]
    machine.at += 5
    clock.now()
    seen.append(clock.setting)
    clock.move(by=1)
    seen.append(clock.setting)
    clock.move(running=False)
    seen.append(clock.setting)

    assert seen == [(-950, True), (-950, True), (-949, True), (-949, False)]


@pytest.mark.parametrize("running", [True, False])
def test_clock_with_the_state_of_another_continues_like_it(machine: Machine, running: bool) -> None:
    clock = Clock(machine, 50, running)
    machine.at += 5
    clock.now()
    clock.move(by=10)
    machine.at += 2
    clock.now()
    machine.at -= 3  # behind what was read: the state must know the last reading
    other = Clock(machine, 0, not running)
    other.state = clock.state

    expected = (-940, 67, True) if running else (-945, 60, False)
    assert clock.state == other.state == expected
    assert other.now() == clock.now() == expected[1]
    machine.at += 4
    assert other.now() == clock.now() == expected[1] + running
    assert other.running is running


def test_late_reading_does_not_set_a_frozen_clock_back(machine: Machine) -> None:
    """Another thread may freeze and move the clock while a reading of the running clock is on its way."""
    clock: Clock

    def reading() -> int:
        if armed:
            armed.clear()
            assert clock.move(500, running=False)
            return machine.at + 7
        return machine.at

    armed: list[bool] = []
    clock = Clock(reading, 50)
    armed.append(True)
    clock.now()

    assert clock.now() == 500
    assert clock.state[1] == 500
