"""A shared clock: when it jumps, who is dropped, and the limits. No server, no real time."""

import json
from typing import Any

import pytest
from feedback_mock.clock import Clock
from feedback_mock.result import Refused
from feedback_mock.sleepers import LEASE, MOST_PARTICIPANTS, MOST_SLEEPS, PAUSE, Sleep, Sleepers


class Shared:
    """A clock that starts at 0 with its sleepers; `real` is the real time, in microseconds."""

    def __init__(self, running: bool = False) -> None:
        self.real = 0
        self.clock = Clock(lambda: self.real, 0, running)
        self.sleepers = Sleepers(self.clock, lambda: self.real)

    def sleep(self, until: int, name: str | None = None) -> Sleep:
        begun = self.sleepers.sleep(until, name)
        assert isinstance(begun, Sleep), begun
        return begun

    def due_after(self, *steps: int) -> list[bool]:
        """Whether anything is due after each of these steps of real time."""
        found = []
        for each in steps:
            self.real += each
            found.append(self.sleepers.due)
        return found

    def pass_by(self, real: int) -> None:
        self.real += real
        self.sleepers.look_again()


@pytest.fixture
def shared() -> Shared:
    return Shared()


def came(sleep: Sleep) -> Any:
    """The instant at which it ended, why it ended otherwise, or None while it lasts."""
    return sleep.woken.result() if sleep.woken.done() else None


def refusal(result: Any) -> tuple[str, str]:
    assert isinstance(result, Refused)
    return result.rule, result.reason


@pytest.mark.parametrize("running", [False, True])
def test_the_clock_jumps_to_the_earliest_waking_when_all_sleep(running: bool) -> None:
    shared = Shared(running)
    shared.sleepers.join("server")
    client = shared.sleep(500, "client")
    assert (came(client), shared.clock.now()) == (None, 0)

    server = shared.sleep(300, "server")
    assert (came(client), came(server), shared.clock.now()) == (None, 300, 300)

    shared.sleep(900, "server")
    assert (came(client), shared.clock.now()) == (500, 500)


def test_all_that_are_due_at_one_instant_wake_at_it(shared: Shared) -> None:
    shared.sleepers.join("b")
    sleeps = [shared.sleep(7, "a"), shared.sleep(7), shared.sleep(7, "b")]

    assert [came(each) for each in sleeps] == [7, 7, 7]


def test_a_sleep_that_is_over_already_ends_at_once_and_takes_part(shared: Shared) -> None:
    assert came(shared.sleep(0, "a")) == 0
    assert shared.sleepers.shown() == {"a": None}


def test_who_does_not_take_part_waits_for_others_and_holds_nobody(shared: Shared) -> None:
    watcher = shared.sleep(100)
    shared.pass_by(10 * PAUSE)
    assert (came(watcher), shared.clock.now()) == (None, 0)

    client = shared.sleep(500, "client")
    assert (came(watcher), came(client), shared.clock.now()) == (100, 500, 500)


def test_a_clock_that_is_moved_wakes_who_is_due(shared: Shared) -> None:
    shared.sleepers.join("test")
    client = shared.sleep(500, "client")

    assert shared.sleepers.move(by=499)
    assert came(client) is None
    assert shared.sleepers.move(by=2)
    assert came(client) == 501


def test_a_running_clock_wakes_who_is_due_in_time(shared: Shared) -> None:
    shared = Shared(running=True)
    client = shared.sleep(PAUSE + 1)

    shared.pass_by(PAUSE)
    assert came(client) is None
    shared.pass_by(PAUSE)
    assert came(client) == 2 * PAUSE


def test_who_leaves_holds_nobody(shared: Shared) -> None:
    shared.sleepers.join("test")
    client = shared.sleep(500, "client")

    assert shared.sleepers.leave("test")
    assert came(client) == 500
    assert not shared.sleepers.leave("test")


def test_who_leaves_asleep_is_woken_with_a_refusal(shared: Shared) -> None:
    shared.sleepers.join("test")
    client = shared.sleep(500, "client")
    shared.sleepers.leave("client")

    assert refusal(came(client)) == ("clock", "The participant client left while it slept.")


def test_who_is_awake_for_longer_than_its_lease_is_dropped(shared: Shared) -> None:
    shared.sleepers.join("hangs", lease=3 * PAUSE)
    client = shared.sleep(500, "client")

    shared.pass_by(3 * PAUSE - 1)
    assert (came(client), shared.sleepers.shown()) == (None, {"hangs": None, "client": 500})
    shared.pass_by(PAUSE)
    assert (came(client), shared.sleepers.shown()) == (500, {"client": None})


def test_a_lease_does_not_run_during_a_sleep_and_begins_with_the_waking(shared: Shared) -> None:
    shared.sleepers.join("test", lease=10 * LEASE)
    client = shared.sleep(500, "client")
    shared.pass_by(2 * LEASE)
    assert came(client) is None

    shared.sleepers.move(by=500)
    shared.pass_by(LEASE - 1)
    assert shared.sleepers.shown() == {"test": None, "client": None}
    shared.pass_by(1)
    assert shared.sleepers.shown() == {"test": None}


def test_joining_again_begins_the_lease_anew(shared: Shared) -> None:
    shared.sleepers.join("test", lease=1_000)
    shared.pass_by(999)
    shared.sleepers.join("test")
    shared.pass_by(999)
    assert shared.sleepers.shown() == {"test": None}
    shared.pass_by(1)
    assert shared.sleepers.shown() == {}


def test_a_sleep_that_is_given_up_leaves_its_participant_awake_with_its_lease(shared: Shared) -> None:
    given_up = shared.sleep(500, "gone") if shared.sleepers.join("client") is None else None
    assert given_up is not None
    shared.sleepers.settle(given_up.number)
    shared.sleepers.settle(given_up.number)
    client = shared.sleep(900, "client")
    assert (came(client), shared.sleepers.shown()) == (None, {"client": 900, "gone": None})

    shared.pass_by(LEASE)
    assert came(client) == 900


def test_a_sleep_whose_future_was_cancelled_is_no_hindrance(shared: Shared) -> None:
    shared.sleepers.join("other")
    cancelled = shared.sleep(500, "client")
    cancelled.woken.cancel()

    assert came(shared.sleep(500, "other")) == 500


def test_a_participant_sleeps_once_at_a_time(shared: Shared) -> None:
    shared.sleepers.join("test")
    shared.sleep(500, "client")

    assert refusal(shared.sleepers.sleep(600, "client")) == (
        "clock",
        "The participant client is already asleep; each can have one sleep at a time.",
    )


def test_there_is_room_for_so_many_participants(shared: Shared) -> None:
    for number in range(MOST_PARTICIPANTS):
        assert shared.sleepers.join(f"p{number}") is None

    assert refusal(shared.sleepers.join("one-more"))[0] == "room"
    assert refusal(shared.sleepers.sleep(5, "one-more"))[0] == "room"
    assert shared.sleepers.join("p0") is None


def test_there_is_room_for_so_many_sleeps(shared: Shared) -> None:
    for _ in range(MOST_SLEEPS):
        shared.sleep(5)
    assert refusal(shared.sleepers.sleep(5))[0] == "room"

    shared.sleepers.move(by=5)
    assert came(shared.sleep(5)) == 5


@pytest.mark.parametrize("running", [False, True])
def test_something_is_due_when_a_lease_is_over_or_a_running_clock_gets_there(running: bool) -> None:
    shared = Shared(running)
    shared.sleepers.join("hangs", lease=3_000)
    client = shared.sleep(1_000, "client")

    assert shared.due_after(999, 1, 1_999, 1) == [False, running, running, True]
    shared.sleepers.settle()
    assert came(client) == (3_000 if running else 1_000)
    assert shared.due_after(LEASE - 1, 1) == [False, True]


def test_nothing_is_due_on_a_frozen_clock_without_leases(shared: Shared) -> None:
    shared.sleep(1_000)

    assert shared.due_after(10 * LEASE) == [False]


def test_sleepers_with_the_same_state_continue_alike(shared: Shared) -> None:
    shared.sleepers.join("test", lease=3 * LEASE)
    shared.sleepers.join("hangs", lease=LEASE)
    sleeps = [shared.sleep(500, "client"), shared.sleep(400)]
    other = Shared()
    other.sleepers.state = json.loads(json.dumps(shared.sleepers.state))
    found = [other.sleepers.find(each.number) for each in sleeps]
    assert other.due_after(0) == [False]
    for each in (shared, other):
        each.pass_by(LEASE)
        each.sleep(600, "test")

    assert other.sleepers.shown() == shared.sleepers.shown() == {"test": 600, "client": None}
    assert [came(each) for each in found if each] == [came(each) for each in sleeps] == [500, 400]
    assert other.sleepers.state == shared.sleepers.state


def test_sleeps_have_numbers_of_their_own_also_in_a_project_that_replaces_another(shared: Shared) -> None:
    numbers = [shared.sleep(500).number for _ in range(3)]
    shared.real += 10
    numbers.append(Sleepers(shared.clock, lambda: shared.real).sleep(500).number)  # type: ignore[union-attr]

    assert len(set(numbers)) == 4


@pytest.mark.parametrize("for_good", [False, True])
def test_an_end_wakes_everybody_with_its_reason(shared: Shared, for_good: bool) -> None:
    shared.sleepers.join("awake")
    sleeps = [shared.sleep(500, "client"), shared.sleep(500)]
    shared.sleepers.end("It was reset.", for_good=for_good)

    assert [refusal(came(each)) for each in sleeps] == [("clock", "It was reset.")] * 2
    assert shared.sleepers.shown() == {}
    refused = [shared.sleepers.join("client"), shared.sleepers.sleep(0), shared.sleepers.sleep(0, "client")]
    assert [isinstance(each, Refused) for each in refused] == [for_good] * 3
