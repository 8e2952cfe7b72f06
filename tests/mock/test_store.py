"""Projects and what they store, at each bound and one past it; and the room that projects share."""

import logging
from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest
from feedback_mock.clock import Clock
from feedback_mock.credentials import TOKEN_SCOPES, derive
from feedback_mock.result import Refused
from feedback_mock.room import Room
from feedback_mock.store import BLOCKS, IDS, MAX_ENVIRONMENT, RECORD, Event, Feedback, Limits, Project, Store
from feedback_mock.tally import Tally

DEFAULT = Limits()
SIZE = len("Jane") + len("j@x.io") + len("It broke!")


def store_with(**limits: int) -> Store:
    return Store(lambda: 1_000, limits=replace(DEFAULT, **limits))


def put(store: Store, organization: str = "acme", slug: str = "web", **options: Any) -> Project:
    made = store.put_project(organization, slug, store.new_clock(), **options)
    assert made is not None
    return made


def event(event_id: str, issue: int = 1) -> Event:
    return Event(event_id, 10, 20, "TypeError", None, "unresolved", issue)


def submit(project: Project, event_id: str, now: int = 100, comments: str = "It broke!") -> Feedback:
    return project.store(event_id, "Jane", "j@x.io", comments, now)


REQUEST = {"method": "GET", "path": "/", "query_string": b"", "http_version": "1.1", "headers": ()}


def request(project: Project) -> None:
    project.journal.complete(project.journal.begin(REQUEST, None, began=0))


# --- what a server accepts unless it is told otherwise


def test_limits_are_those_of_the_documentation() -> None:
    assert (
        Limits(
            projects=10_000,
            events=100_000,
            all_events=500_000,
            feedback=100_000,
            feedback_characters=2**28,
            all_feedback=2**29,
            requests=1_000,
            request_bytes=2**24,
            all_request_bytes=2**27,
        )
        == DEFAULT
    )
    assert store_with().limits == Store(lambda: 0).limits == DEFAULT
    with pytest.raises(FrozenInstanceError):
        DEFAULT.projects = 1  # type: ignore[misc]


def test_store_starts_empty_and_of_one_process() -> None:
    store = Store(lambda: 7)

    assert (list(store), store.shared, store.round_trips, store.made_at, store.secret) == ([], False, None, "", "")
    assert (store.source(), store.running, store.organizations) == (7, True, {})
    assert isinstance(store.tally, Tally)
    assert store.counted is store.tally


def test_rooms_have_the_size_that_the_limits_say() -> None:
    store = store_with(all_request_bytes=1, all_feedback=2, all_events=3)

    assert (store.room.most, store.feedback_room.most, store.event_room.most) == (1, 2, 3)
    assert (store.room.used, store.feedback_room.used, store.event_room.used) == (0, 0, 0)


# --- projects


def test_project_has_what_it_was_made_with() -> None:
    store = Store(lambda: 1_000, secret="s")
    clock = Clock(lambda: 5)
    made = store.put_project("acme", "web", clock)
    assert made is not None

    assert (made.organization, made.slug, made.id, made.block) == ("acme", "web", "1", 0)
    assert made.clock is clock
    assert made.credentials == derive("acme", "web", "s") != derive("acme", "web")
    assert (made.redact, made.follow, made.gone, made.warned, made.faults.seed) == (True, False, False, False, 0)
    assert (made.size, made.saved, made.last_feedback, made.last_issue) == (0, 0, 0, 0)
    assert made.limits is store.limits
    assert made.room is store.feedback_room
    assert made.event_room is store.event_room
    assert made.sleepers.move(by=3)
    assert clock.now() == 8
    assert (made.events, list(made.feedback), made.counts) == ({}, [], {})


def test_options_of_a_project_are_kept() -> None:
    made = put(store_with(), redact=False, seed=7, follow=True)

    assert (made.redact, made.faults.seed, made.follow) == (False, 7, True)


def test_project_is_found_by_name_token_and_key() -> None:
    store = store_with()
    made, other = put(store), put(store, slug="ios")

    assert store.project("acme", "web") is made
    assert store.project("acme", "no") is store.project("no", "web") is None
    assert list(store) == [made, other]
    assert store.by_key[made.credentials.public_key] is made
    for kind, token in made.credentials.tokens.items():
        grant = store.grants[token]
        assert grant.project is made
        assert grant.scopes == TOKEN_SCOPES[kind]
        with pytest.raises(FrozenInstanceError):
            grant.project = other  # type: ignore[misc]
    assert len(store.grants) == 2 * len(TOKEN_SCOPES)


def test_projects_and_organizations_are_numbered_from_one() -> None:
    store = store_with()
    ids = [put(store, *names).id for names in (("a", "x"), ("a", "y"), ("b", "x"))]

    assert ids == ["1", "2", "3"]
    assert store.organizations == {"a": "1", "b": "2"}


def test_numbers_are_not_used_again_after_a_project_is_gone() -> None:
    store = store_with()
    for slug in ("x", "y"):
        store.delete_project(put(store, "a", slug))

    assert put(store, "b", "z").id == "3"
    assert store.organizations == {"b": "3"}


def test_organization_ends_with_its_last_project() -> None:
    store = store_with()
    first, second = put(store, slug="a"), put(store, slug="b")
    store.delete_project(first)
    assert store.organizations == {"acme": "1"}
    assert store.project_by_ids("1", "b") is second

    store.delete_project(second)

    assert store.organizations == {}
    assert store.project_by_ids("1", "b") is None


def test_project_that_is_replaced_keeps_its_number_block_and_place() -> None:
    store = store_with(projects=2)
    first, other = put(store, slug="ios"), put(store)
    submit(other, "a")
    again = put(store)

    assert (again.id, again.block) == (other.id, other.block)
    assert again is not other
    assert (other.gone, again.gone, first.gone) == (True, False, False)
    assert list(store) == [first, again]
    assert store.grants[again.credentials.tokens["write"]].project is again
    assert store.by_key[again.credentials.public_key] is store.project_by_ids("acme", again.id) is again
    store.delete_project(again)
    assert store.organizations == {"acme": "1"}
    store.delete_project(first)
    assert store.organizations == {}


def test_there_is_room_for_as_many_projects_as_the_limit_says() -> None:
    store = store_with(projects=2)
    put(store, slug="a")
    last = put(store, slug="b")

    assert store.put_project("acme", "c", store.new_clock()) is None
    assert put(store, slug="b") is not last
    store.delete_project(put(store, slug="a"))
    put(store, slug="c")
    assert store.put_project("acme", "d", store.new_clock()) is None


def test_there_is_room_for_many_projects_too() -> None:
    store = store_with(projects=300)
    for number in range(300):
        put(store, slug=f"p{number}")

    assert store.put_project("acme", "web", store.new_clock()) is None


def test_deleted_project_is_found_nowhere() -> None:
    store = store_with()
    other, made = put(store, slug="ios"), put(store)
    made.save_event(event("a"))
    submit(made, "a")
    request(made)
    made.faults.add([{"effect": {"drop": True}}], [(None, None)])
    store.delete_project(made)

    assert made.gone
    assert store.project("acme", "web") is store.project_by_ids("acme", made.id) is None
    assert list(store.by_key.values()) == [other]
    assert {each.project for each in store.grants.values()} == {other}
    assert (store.room.used, store.feedback_room.used, store.event_room.used) == (0, 0, 0)
    assert (made.events, len(made.feedback), made.faults.rules) == ({}, 0, [])


@pytest.mark.parametrize("what", ["deleted", "replaced"])
def test_end_of_a_project_ends_its_sleeps_for_good(what: str) -> None:
    store = store_with()
    made = store.put_project("acme", "web", store.new_clock(running=False))
    assert made is not None
    sleep = made.sleepers.sleep(2_000)
    assert not isinstance(sleep, Refused)
    if what == "deleted":
        store.delete_project(made)
    else:
        put(store)
    ended = Refused("clock", f"The project acme/web was {what} during this sleep.")

    assert sleep.woken.result(0) == ended
    assert made.sleepers.join("late") == ended


def test_project_of_another_name_may_have_the_block_of_one_that_is_gone() -> None:
    store = store_with()
    put(store, "a", "first")
    made = put(store, "a", "b")
    store.delete_project(made)

    assert put(store, "a", "b").block == made.block
    assert made.block != 0


def test_free_slug_is_the_next_that_nobody_has() -> None:
    store = store_with()
    put(store, slug="project-2")
    put(store, "other", "project-3")

    assert [store.free_slug("acme") for _ in range(3)] == ["project-1", "project-3", "project-4"]


def test_path_names_a_project_by_slugs_or_numbers() -> None:
    store = store_with()
    web, ios = put(store), put(store, slug="ios")
    other = put(store, "umbrella", "web")

    def found(**path: str) -> Project | None:
        return store.project_of_path(path)

    assert found(organization_slug="acme", project_slug="web") is web
    assert found(organization_slug="acme", project_slug=ios.id) is ios
    assert found(organization_slug="1", project_slug="ios") is ios
    assert found(organization_slug="acme", project_slug="no") is None
    assert found(organization_slug="ACME".lower(), project_slug=ios.id) is ios
    assert found(organization_slug="umbrella", project_slug=web.id) is None
    assert found(organization_slug="acme", project_slug=other.id) is None
    assert found(project_id=ios.id) is ios
    assert found(project_id="99") is found() is None


def test_slug_that_is_a_number_comes_before_the_project_with_it() -> None:
    store = store_with()
    first, named = put(store), put(store, slug="1")

    assert store.project_by_ids("acme", "1") is named
    assert store.project_by_ids("acme", "2") is named
    assert store.project_by_ids("1", "web") is first


def test_project_enters_with_the_number_of_its_organization() -> None:
    """As from another process; the next organization here is still the first one."""
    store, elsewhere = store_with(), store_with()
    store.enter(put(elsewhere), "17")
    put(store, "umbrella")

    assert store.organizations == {"acme": "17", "umbrella": "1"}
    assert store.project_by_ids("17", "web") is store.project("acme", "web")


def test_new_clock_has_the_settings_of_the_store_unless_told() -> None:
    running, frozen = Store(lambda: 9), Store(lambda: 9, running=False)

    assert [(each.now(), each.running) for each in (running.new_clock(), frozen.new_clock())] == [(9, True), (9, False)]
    clocks = running.new_clock(0, False), frozen.new_clock(5, True)
    assert [(each.now(), each.running) for each in clocks] == [(0, False), (5, True)]


# --- numbers of feedback and issues


def test_ids_begin_with_one_in_the_first_project_and_elsewhere_in_any_other() -> None:
    store = store_with()
    first, other = put(store, "the", "page"), put(store)

    assert [first.id_of(number) for number in (1, 2, IDS, IDS + 1)] == ["1", "2", str(IDS), "1"]
    assert other.id_of(1) == "1239804060000001"
    assert other.number_of("1239804060000001") == 1
    assert [other.number_of(other.id_of(number)) for number in (1, 2, IDS)] == [1, 2, IDS]


def test_block_depends_on_the_name_alone_and_begins_the_ids() -> None:
    seen = []
    for others in (["a"], ["a", "b", "c"]):
        store = store_with()
        for slug in others:
            put(store, slug=slug)
        seen.append(put(store).block)

    assert seen == [123_980_406] * 2
    assert BLOCKS == 900_719_925
    assert BLOCKS * IDS <= 2**53 < (BLOCKS + 1) * IDS


@pytest.mark.parametrize(("taken", "next_one"), [(123_980_406, 123_980_407), (0, 123_980_406)])
def test_names_with_the_same_block_get_the_next_free_one(taken: int, next_one: int) -> None:
    store = store_with()
    put(store, slug="first")
    other = put(store, slug="other")
    other.block = taken
    store.enter(other)

    assert put(store).block == next_one


def test_blocks_are_numbered_from_one_again_after_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """And none but the first project has block 0."""
    monkeypatch.setattr("feedback_mock.store.BLOCKS", 4)
    store = store_with()

    assert [put(store, slug=slug).block for slug in ("a", "b", "c", "d")] == [0, 2, 3, 1]


def test_first_project_has_its_block_again() -> None:
    store = store_with()
    first = put(store)
    put(store, slug="ios")
    store.delete_project(first)

    assert put(store).block == 0


# --- events


def test_event_is_saved_replaced_and_deleted() -> None:
    store = store_with()
    made = put(store)

    assert made.save_event(event("a"))
    assert made.save_event(event("a", issue=5))
    assert (made.events["a"].issue, made.saved, store.event_room.used) == (5, 2, 1)
    assert made.delete_event("a") is True
    assert made.delete_event("a") is False
    assert (made.events, made.saved, store.event_room.used) == ({}, 2, 0)


@pytest.mark.parametrize("limit", ["events", "all_events"])
def test_there_is_room_for_as_many_events_as_the_limit_says(limit: str) -> None:
    made = put(store_with(**{limit: 2}))
    assert [made.save_event(event(each)) for each in "aab"] == [True] * 3

    assert made.save_event(event("c")) is False
    assert "c" not in made.events
    assert made.save_event(event("b", issue=9)) is True
    assert made.saved == 4
    made.delete_event("a")
    assert made.save_event(event("c")) is True


def test_there_is_room_for_many_events_too() -> None:
    store = store_with(all_events=1_000)
    made = put(store)
    store.event_room.used = 999

    assert made.save_event(event("a")) is True
    assert made.save_event(event("b")) is False


@pytest.mark.parametrize("limit", ["events", "all_events"])
def test_there_is_no_room_beyond_the_limit_either(limit: str) -> None:
    """A snapshot may bring more."""
    made = put(store_with(**{limit: 300}))
    made.restore([event(str(each)) for each in range(301)], [], 0, 0)

    assert made.save_event(event("a")) is False


def test_event_that_is_deleted_gives_back_its_own_room() -> None:
    made = put(store_with())
    for event_id in "abc":
        made.save_event(event(event_id))
    made.delete_event("b")

    assert (list(made.events), made.event_room.used) == (["a", "c"], 2)


def test_events_of_all_projects_share_their_room() -> None:
    store = store_with(all_events=2)
    web, ios = put(store), put(store, slug="ios")
    assert web.save_event(event("a"))
    assert ios.save_event(event("a"))
    assert ios.save_event(event("b")) is False

    web.forget_events()

    assert ios.save_event(event("b"))
    assert (web.events, store.event_room.used) == ({}, 2)


def test_issues_are_numbered_from_one_and_belong_to_their_event() -> None:
    made = put(store_with())
    numbers = [made.issue_of("a"), made.issue_of("b")]
    made.save_event(event("c", issue=2))

    assert numbers == [1, 2]
    assert (made.issue_of("c"), made.last_issue) == (2, 2)
    assert made.issue_of("d") == 3


# --- feedback


def test_record_is_new_or_gets_new_values() -> None:
    made = put(store_with())
    first = made.store("a", "Jane", "j@x.io", "It broke!", 100)
    assert first == Feedback("1", "a", "Jane", "j@x.io", "It broke!", 100, 100)
    assert (made.size, made.room.used) == (RECORD + SIZE, RECORD + SIZE)

    again = made.store("a", "J", "", "", 105)

    assert again is first
    assert again == Feedback("1", "a", "J", "", "", 100, 105)
    assert (made.size, made.room.used, made.last_feedback) == (RECORD + 1, RECORD + 1, 1)
    assert submit(made, "b").id == "2"
    assert (made.size, made.room.used) == (2 * RECORD + 1 + SIZE, 2 * RECORD + 1 + SIZE)
    assert list(made.feedback) == ["a", "b"]


def test_what_has_moved_is_in_the_order_of_its_last_submission_until_it_is_dropped() -> None:
    made = put(store_with(feedback=2))
    for event_id in "abaaba":
        submit(made, event_id)
    assert made.moved == {"b": made.feedback["b"], "a": made.feedback["a"]}
    assert list(made.moved) == ["b", "a"]

    submit(made, "c")

    assert list(made.moved) == ["b"]


def test_long_texts_that_are_overwritten_give_their_room_back() -> None:
    made = put(store_with())
    submit(made, "a", comments="a" * 2 * RECORD)
    submit(made, "a")

    assert (made.size, made.room.used) == (RECORD + SIZE, RECORD + SIZE)


def test_oldest_record_makes_room_for_one_more_than_the_limit(caplog: pytest.LogCaptureFixture) -> None:
    made = put(store_with(feedback=2))
    for event_id in "ab":
        submit(made, event_id)
    assert (list(made.feedback), made.warned, caplog.messages) == (["a", "b"], False, [])

    with caplog.at_level(logging.WARNING):
        for event_id in "cd":
            submit(made, event_id)

    assert list(made.feedback) == ["c", "d"]
    assert (made.size, made.room.used) == (2 * (RECORD + SIZE),) * 2
    assert caplog.messages == ["acme/web is full: its oldest feedback makes room for new."]
    assert [each.name for each in caplog.records] == ["feedback_mock.store"]
    assert made.warned is True


def test_record_that_goes_gives_back_all_that_it_took() -> None:
    made = put(store_with(feedback=1))
    submit(made, "a", comments="a" * RECORD)
    submit(made, "b")

    assert made.size == made.room.used == RECORD + SIZE


def test_environment_of_an_event_is_bounded() -> None:
    assert MAX_ENVIRONMENT == 64


def test_characters_of_a_project_are_bounded_without_what_python_needs() -> None:
    made = put(store_with(feedback_characters=2 * SIZE))
    for event_id in "ab":
        submit(made, event_id)
    assert list(made.feedback) == ["a", "b"]

    submit(made, "b", comments="It broke!!")

    assert list(made.feedback) == ["b"]
    assert made.size == made.room.used == RECORD + SIZE + 1


def test_newest_record_is_kept_however_large_it_is() -> None:
    made = put(store_with(feedback_characters=10))
    submit(made, "a")
    submit(made, "b")
    submit(made, "a")

    assert list(made.feedback) == ["a"]


def test_characters_are_counted_in_all_records() -> None:
    made = put(store_with(feedback_characters=700))
    for event_id in "ab":
        made.store(event_id, "", "", "a" * 300, 0)

    assert list(made.feedback) == ["a", "b"]


def test_room_of_all_is_looked_after_when_a_project_can_give_no_more() -> None:
    store = store_with(feedback_characters=1, all_feedback=4 * RECORD)
    other, made = put(store, slug="other"), put(store)
    for event_id in "abcd":
        other.store(event_id, "", "", "", 0)
    submit(made, "a")

    assert (list(other.feedback), list(made.feedback)) == (["c", "d"], ["a"])


def test_largest_project_loses_its_older_half_when_all_have_too_much() -> None:
    each = RECORD + SIZE
    store = store_with(all_feedback=6 * each)
    small, large = put(store, slug="small"), put(store, slug="large")
    for event_id in "ab":
        submit(small, event_id)
    for event_id in "abcd":
        submit(large, event_id)
    assert store.feedback_room.used == 6 * each

    submit(small, "c")

    assert (list(small.feedback), list(large.feedback)) == (["a", "b", "c"], ["c", "d"])
    assert store.feedback_room.used == 5 * each == small.size + large.size
    assert (large.warned, small.warned) == (True, False)


def test_half_is_given_in_bytes_and_the_rest_is_at_most_half() -> None:
    made = put(store_with())
    for event_id in "abc":
        submit(made, event_id)
    made.give_half()

    assert list(made.feedback) == ["c"]


def test_clearing_discards_all_feedback_and_gives_its_room_back() -> None:
    store = store_with()
    made, other = put(store), put(store, slug="ios")
    for project in (made, other):
        submit(project, "a")
    made.clear()

    assert (len(made.feedback), made.size, made.last_feedback) == (0, 0, 1)
    assert store.feedback_room.used == other.size > 0


def test_empty_project_is_like_a_new_one() -> None:
    store = store_with()
    made = put(store)
    made.save_event(event("a", made.issue_of("a")))
    submit(made, "a")
    request(made)
    made.faults.add([{"effect": {"drop": True}}], [(None, None)])
    made.counts["a"] = (1, 1)
    made.clock.move(running=False)
    sleep = made.sleepers.sleep(made.clock.now() + 1)
    assert not isinstance(sleep, Refused)
    made.empty()

    assert (made.events, len(made.feedback), made.faults.rules, made.counts) == ({}, 0, [], {})
    assert (len(made.journal.entries), made.journal.last, made.last_feedback, made.last_issue) == (0, 0, 0, 0)
    assert (store.room.used, store.feedback_room.used, store.event_room.used) == (0, 0, 0)
    assert sleep.woken.result(0) == Refused("clock", "The project acme/web was reset during this sleep.")
    assert made.sleepers.join("next") is None
    assert made.gone is False


def test_restored_project_continues_where_the_other_was() -> None:
    store = store_with()
    put(store, slug="first")
    made = put(store)
    records = [(3, Feedback("?", "a", "Jane", "", "", 1, 2)), (7, Feedback("?", "b", "", "", "a" * RECORD, 3, 4))]
    made.restore([event("a", 4), event("b", 5)], records, 9, 6)

    assert [each.id for each in made.feedback.values()] == [made.id_of(3), made.id_of(7)]
    assert list(made.feedback) == list(made.events) == ["a", "b"]
    assert made.size == store.feedback_room.used == 2 * RECORD + 4 + RECORD
    assert (made.saved, store.event_room.used) == (2, 2)
    assert submit(made, "c").id == made.id_of(10)
    assert made.issue_of("c") == 7
    made.restore([], [], 0, 0)
    assert (made.saved, store.event_room.used) == (2, 2)


def test_restored_project_makes_room_too() -> None:
    made = put(store_with(feedback=1))
    made.restore([], [(each, Feedback("?", str(each), "", "", "", 0, 0)) for each in (1, 2, 3)], 3, 0)

    assert list(made.feedback) == ["3"]


def test_newest_restored_record_is_kept_however_large_it_is() -> None:
    made = put(store_with(feedback_characters=1))
    made.restore([], [(each, Feedback("?", str(each), "Jane", "", "", 0, 0)) for each in (1, 2)], 2, 0)

    assert list(made.feedback) == ["2"]


def test_an_emptied_project_has_room_again() -> None:
    made = put(store_with(feedback=2))
    for event_id in "ab":
        submit(made, event_id)
    made.empty()
    for event_id in "cda":
        submit(made, event_id)

    assert list(made.feedback) == ["d", "a"]


def test_journals_share_their_room() -> None:
    store = store_with(requests=2, all_request_bytes=10_000_000)
    web, ios = put(store), put(store, slug="ios")
    for project in (web, web, web, ios):
        request(project)

    assert (len(web.journal.entries), len(ios.journal.entries)) == (2, 1)
    assert store.room.used == web.journal.size + ios.journal.size > 0


def test_largest_journal_gives_when_all_have_too_much() -> None:
    store = store_with(all_request_bytes=10_000)
    web, ios = put(store), put(store, slug="ios")
    for project in (ios, web, web, web, web):
        request(project)

    assert (len(ios.journal.entries), len(web.journal.entries)) == (1, 2)
    assert store.room.used == web.journal.size + ios.journal.size <= 10_000


def test_journal_has_the_bytes_that_the_limit_says() -> None:
    made = put(store_with(request_bytes=5_000))
    for _ in range(3):
        request(made)

    assert len(made.journal.entries) == 2


def test_a_request_that_is_answered_after_its_entry_was_dropped_counts_no_more() -> None:
    made = put(store_with(requests=1))
    early = made.journal.begin(REQUEST, None, began=0)
    request(made)
    size = made.journal.size
    made.journal.complete(early)

    assert (len(made.journal.entries), made.journal.size) == (1, size)


# --- a room


class Holding:
    """A holder whose bytes the test sets; it gives half, rounded up."""

    def __init__(self, room: Room, size: int) -> None:
        self.room, self.size = room, size
        room.enter(self)
        room.used += size

    def give_half(self) -> None:
        half = (self.size + 1) // 2
        self.size -= half
        self.room.used -= half

    def clear(self) -> None:
        self.room.used -= self.size
        self.size = 0


@pytest.mark.parametrize("size", [40, 35])
def test_room_that_is_just_full_or_nearly_is_left_alone(size: int) -> None:
    room = Room(80)
    first, second = Holding(room, 40), Holding(room, size)
    room.make()

    assert (first.size, second.size, room.used) == (40, size, 40 + size)


def test_who_is_still_the_largest_gives_again() -> None:
    room = Room(10)
    first, second = Holding(room, 64), Holding(room, 3)
    room.make()

    assert (first.size, second.size, room.used) == (4, 3, 7)


def test_largest_gives_half_until_all_have_room() -> None:
    room = Room(10)
    first, second = Holding(room, 11), Holding(room, 8)
    room.make()

    assert (first.size, second.size, room.used) == (5, 4, 9)


def test_room_is_made_until_an_eighth_is_free() -> None:
    room = Room(80)
    holders = [Holding(room, 2) for _ in range(41)]
    room.make()

    assert room.used == 70
    assert sorted(each.size for each in holders) == [1] * 12 + [2] * 29


def test_who_leaves_gives_everything_back_and_is_asked_no_more() -> None:
    room = Room(3)
    gone, other = Holding(room, 9), Holding(room, 4)
    room.leave(gone)
    assert (gone.size, room.used) == (0, 4)
    gone.size = 100
    room.make()

    assert (gone.size, other.size) == (100, 2)
