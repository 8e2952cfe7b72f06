"""GET on the path lists a project's feedback, as real servers do (docs/sentry.md, facts 77 to 82)."""

import re
from dataclasses import replace
from typing import Any

import pytest
from feedback_mock.feedback.listing import select
from feedback_mock.store import Event, Feedback, Limits, Project, Store
from feedback_spec.rules import Base

from tests.mock.test_http import PAGE_HEADERS, assert_refused


def event_id(number: int) -> str:
    return f"{number:032x}"


def fill(api: Any, count: int) -> None:
    for number in range(count):
        api.save_event(event_id(number))
        assert api.submit(event_id=event_id(number)).status_code == 200
        api.advance("PT1S")


def links(answer: Any) -> dict[str, dict[str, str]]:
    found = re.findall(r'<([^>]*)>; rel="(\w+)"; results="(\w+)"; cursor="([^"]*)"', answer.headers["link"])
    return {rel: {"url": url, "results": results, "cursor": cursor} for url, rel, results, cursor in found}


def ids(answer: Any) -> list[int]:
    assert answer.status_code == 200
    return [int(each["eventID"], 16) for each in answer.json()]


def test_the_newest_comes_first_in_the_same_form_as_it_was_answered(api: Any) -> None:
    fill(api, 2)
    api.save_event()
    submitted = api.submit().json()

    assert api.listed().json()[0] == submitted
    assert ids(api.listed())[1:] == [1, 0]


def test_an_overwrite_does_not_move_feedback_up(api: Any) -> None:
    fill(api, 2)
    api.submit(event_id=event_id(0), name="Again")

    assert ids(api.listed()) == [1, 0]


def test_feedback_for_unknown_events_and_resolved_issues_is_not_listed_unless_asked_for(api: Any) -> None:
    api.submit(event_id=event_id(0))
    for number, status in ((1, "unresolved"), (2, "resolved")):
        api.save_event(event_id(number), issue_status=status)
        api.submit(event_id=event_id(number))

    assert ids(api.listed()) == [1]
    assert ids(api.listed("?status=unresolved")) == [1]
    assert ids(api.listed("?status=")) == [2, 1]


def test_an_environment_lists_its_own(api: Any) -> None:
    for number, environment in enumerate(["production", None, "staging"]):
        api.save_event(event_id(number), environment=environment)
        api.submit(event_id=event_id(number))

    assert ids(api.listed("?environment=production")) == [0]
    assert ids(api.listed("?environment=")) == [1]
    assert ids(api.listed("?environment=prod")) == []


def project_of(*submitted: int, most: int) -> Project:
    """A project to which these events were submitted, one per microsecond, and which keeps so many records."""
    store = Store(lambda: 0, limits=replace(Limits(), feedback=most))
    project = store.put_project("acme", "web", store.new_clock())
    assert project is not None
    for now, number in enumerate(submitted):
        project.save_event(Event(event_id(number), 0, 0, "TypeError", None, "unresolved", 1))
        project.store(event_id(number), "Jane", "jane@example.com", "It broke!", now)
    return project


def listed_by_last_submission(project: Project) -> list[int]:
    page = select(
        project, {"cursor": None, "per_page": 100, "status": "", "environment": None}, "", Base.LAST_SUBMITTED
    )
    assert page is not None
    return [int(each.event_id, 16) for each in page.records]


@pytest.mark.parametrize(
    ("submitted", "most", "listed"),
    [
        ((1, 2, 3), 9, [3, 2, 1]),
        ((1, 2, 3, 1), 9, [1, 3, 2]),
        ((1, 2, 3, 4, 2, 1, 5, 3, 2, 6), 9, [6, 2, 3, 5, 1, 4]),
        ((1, 2, 1, 2, 1), 9, [1, 2]),
        ((1, 2, 3, 1, 4, 2, 5), 3, [5, 4, 3]),  # the first submitted make room
    ],
)
def test_where_an_overwrite_moves_the_date_the_last_submitted_comes_first(
    submitted: tuple[int, ...], most: int, listed: list[int]
) -> None:
    assert listed_by_last_submission(project_of(*submitted, most=most)) == listed


def test_restored_feedback_is_listed_by_its_last_submission_whatever_its_numbers() -> None:
    project = project_of(most=9)
    events = [Event(event_id(each), 0, 0, "TypeError", None, "unresolved", 1) for each in (1, 2, 3, 4)]
    records = [
        Feedback("", event_id(each), "", "", "", first, last) for each, first, last in ((1, 5, 7), (2, 0, 9), (3, 1, 1))
    ]
    project.restore(events, list(enumerate(records, 1)), 3, 1)
    project.store(event_id(4), "Jane", "jane@example.com", "It broke!", 10)
    project.store(event_id(3), "Jane", "jane@example.com", "It broke!", 11)

    assert listed_by_last_submission(project) == [3, 4, 2, 1]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8])
def test_the_links_lead_through_all_feedback_each_once_and_back(api: Any, size: int) -> None:
    fill(api, 7)
    answer, seen = api.listed(f"?per_page={size}"), []
    assert links(answer)["previous"]["results"] == "false"
    while True:
        assert ids(answer)
        seen += ids(answer)
        if links(answer)["next"]["results"] == "false":
            break
        answer = api.send("GET", links(answer)["next"]["url"], headers=api.bearer("read"))
    while links(answer)["previous"]["results"] == "true":
        answer = api.send("GET", links(answer)["previous"]["url"], headers=api.bearer("read"))

    assert seen == [6, 5, 4, 3, 2, 1, 0]
    assert ids(answer)[0] == 6


def test_the_page_before_a_short_way_in_begins_at_the_first(api: Any) -> None:
    fill(api, 3)
    previous = links(api.listed("?per_page=2&cursor=0:1:0"))["previous"]

    assert (previous["results"], previous["cursor"]) == ("true", "0:0:1")
    assert ids(api.send("GET", previous["url"], headers=api.bearer("read"))) == [2, 1]


def test_links_keep_the_filter_and_are_absolute(api: Any) -> None:
    link = links(api.listed("?status=&environment=a%26b&per_page=5"))["next"]

    assert link["url"].startswith(f"http://127.0.0.1:8080{api.path}?")
    assert "status=&environment=a%26b&per_page=5&cursor=" in link["url"]


def test_a_page_holds_a_hundred_at_most(api: Any) -> None:
    fill(api, 101)

    assert len(api.listed().json()) == 100
    assert links(api.listed())["next"]["results"] == "true"


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        ("status=nope", "list-status"),
        ("status=resolved", "list-status"),
        ("per_page=0", "list-pages"),
        ("per_page=101", "list-pages"),
        ("per_page=-1", "list-pages"),
        ("per_page=ten", "list-pages"),
        ("per_page=", "list-pages"),
        ("per_page=" + "9" * 5_000, "list-pages"),
        ("per_page=%D9%A3", "list-pages"),
        ("cursor=", "list-cursor"),
        ("cursor=nope", "list-cursor"),
        ("cursor=0:1:2", "list-cursor"),
        ("cursor=0:-1:0", "list-cursor"),
        ("cursor=0:1:0%0A", "list-cursor"),
    ],
)
def test_values_that_the_document_does_not_allow_are_400(api: Any, query: str, rule: str) -> None:
    assert_refused(api.listed("?" + query), rule)


@pytest.mark.parametrize(
    "query", ["?cursor=0:999999999999999:0", "?unknown=1", "?%ff=%fe", "?status=&status=unresolved"]
)
def test_odd_but_allowed_queries_list_nothing_here(api: Any, query: str) -> None:
    assert ids(api.listed(query)) == []


def test_head_is_answered_like_get_without_a_body(api: Any) -> None:
    fill(api, 2)
    get = api.listed()
    head = api.send("HEAD", api.path, headers=api.bearer("read"))

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == get.headers
    assert head.headers.items() >= {name.lower(): value for name, value in PAGE_HEADERS.items()}.items()


@pytest.mark.parametrize("kind", ["read", "write", "admin"])
def test_every_token_may_list(api: Any, kind: str) -> None:
    assert api.listed(kind=kind).status_code == 200


@pytest.mark.parametrize("header", ["DSN {dsn}", "dsn {dsn}"])
def test_a_dsn_does_not_open_the_list_and_gets_no_body(api: Any, header: str) -> None:
    answer = api.send("GET", api.path, headers={"Authorization": header.format(dsn=api.project["dsn"])})

    assert_refused(answer, "list-credentials")
    assert answer.content == b""
