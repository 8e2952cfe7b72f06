"""The two windows at their limits, and one microsecond past them, on a clock that the test moves."""

from pathlib import Path
from typing import Any

import pytest
from feedback_mock.app import create_app
from feedback_spec.document import load
from feedback_spec.instants import format_duration
from feedback_spec.rules import Mutability

from tests.mock.conftest import EVENT, FIRST_ID

DOCUMENT = load()
ROWS = DOCUMENT.examples


def told(api: Any, row: Any, outcomes: Mutability = DOCUMENT.mutability) -> Any:
    """The response to the submission in a row.

    A row's feedback is submitted first, at its instants, and its event is then saved with its own.
    """
    oldest = row.first_submitted_ago or 0
    if row.first_submitted_ago is not None:
        assert api.submit().status_code == outcomes.stored.status
        if row.last_submitted_ago != oldest:
            api.advance(format_duration(oldest - row.last_submitted_ago))
            assert api.submit().status_code == outcomes.overwritten.status
        api.advance(format_duration(row.last_submitted_ago))
    if row.event_saved_ago is not None:
        ago = {"saved_ago": row.event_saved_ago, "timestamp_ago": row.event_timestamp_ago}
        api.save_event(**{name: format_duration(each) for name, each in ago.items()})
    return api.submit(name="The last")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.case)
def test_every_literal_row_of_the_document_holds(api: Any, row: Any) -> None:
    answer = told(api, row)

    assert answer.status_code == row.status
    if row.status == 409:
        assert answer.json() == {"detail": "Feedback for this event cannot be modified."}
        assert [each["name"] for each in api.stored() if each["name"] == "The last"] == []
    else:
        assert [each["name"] for each in api.stored()] == ["The last"]


def test_feedback_at_exactly_thirty_minutes_is_accepted_and_a_microsecond_later_refused(api: Any) -> None:
    api.save_event(saved_ago="PT30M")
    other = "b" * 32
    api.save_event(other, saved_ago="PT30M")

    assert api.submit().status_code == 200
    api.advance("PT0.000001S")
    assert api.submit(event_id=other).status_code == 409


def test_an_overwrite_at_exactly_five_minutes_is_accepted_and_a_microsecond_later_refused(api: Any) -> None:
    api.submit()
    api.advance("PT5M")

    assert api.submit(name="In time").json()["name"] == "In time"
    api.advance("PT0.000001S")
    assert api.submit(name="Too late").status_code == 409
    assert api.stored()[0]["name"] == "In time"


def test_a_refusal_says_its_arithmetic(api: Any) -> None:
    api.save_event(saved_ago="PT31M2S")
    by_event = api.submit().headers["x-feedback-rule"]
    api.submit(event_id="b" * 32)
    api.advance("PT5M0.000001S")
    by_feedback = api.submit(event_id="b" * 32).headers["x-feedback-rule"]

    assert by_event == 'event-window; reason="event saved 31m02s ago, window PT30M"'
    assert by_feedback == 'overwrite-window; reason="feedback first submitted 5m00.000001s ago, window PT5M"'


def test_an_overwrite_keeps_id_and_date_and_replaces_the_three_values(api: Any) -> None:
    first = api.submit().json()
    api.advance("PT1M")
    second = api.submit(name="John", email="john@example.com", comments="Still.").json()

    assert (second["id"], second["dateCreated"]) == (first["id"], first["dateCreated"])
    assert (second["name"], second["email"], second["comments"]) == ("John", "john@example.com", "Still.")
    assert api.stored()[0]["last_submitted_at"] == "2026-01-01T00:01:00.000000Z"


def test_the_page_example_is_answered_as_on_the_page(api: Any) -> None:
    api.project = api.make_project("the-interstellar-jurisdiction", "plain-proxy")
    answer = api.submit(headers=api.dsn())

    assert answer.headers["content-length"] == "289"
    assert list(answer.json()) == [
        *("comments", "dateCreated", "email", "event", "eventID", "id", "issue", "name", "user"),
    ]
    assert answer.json()["dateCreated"] == "2026-01-01T00:00:00.000000Z"
    assert answer.json()["id"] == "1"


def test_feedback_for_a_known_event_carries_its_issue(api: Any) -> None:
    api.save_event(title="TypeError")

    assert api.submit().json()["issue"] == {
        "id": FIRST_ID,
        "shortId": "WEB-1",
        "title": "TypeError",
        "status": "unresolved",
        "permalink": f"https://sentry.io/organizations/acme/issues/{FIRST_ID}/",
    }


def test_an_event_that_is_saved_after_its_feedback_is_linked_to_it(api: Any) -> None:
    assert api.submit().json()["issue"] is None
    api.save_event()

    assert api.submit().json()["issue"]["id"] == FIRST_ID


def test_event_ids_in_both_cases_are_one_event(api: Any) -> None:
    api.submit(event_id=EVENT.upper())

    assert api.submit().json()["eventID"] == EVENT
    assert len(api.stored()) == 1


def test_projects_do_not_see_each_other(api: Any) -> None:
    api.save_event(saved_ago="PT1H")
    api.submit()
    api.project = api.make_project("acme", "other")

    assert api.submit().json()["issue"] is None
    assert len(api.stored()) == 1


def test_limits_follow_the_document(make_api: Any, tmp_path: Path) -> None:
    packaged = Path(__file__).parents[2] / "spec" / "openapi.yaml"
    changed = tmp_path / "openapi.yaml"
    changed.write_text(packaged.read_text("utf-8").replace("PT30M", "PT10M").replace("PT5M", "PT2M"), "utf-8")
    api = make_api(create_app(load(changed)))
    api.save_event(saved_ago="PT10M")
    api.save_event("b" * 32, saved_ago="PT10M0.000001S")

    assert api.submit().status_code == 200
    assert api.submit(event_id="b" * 32).status_code == 409
    api.submit(event_id="c" * 32)
    api.advance("PT2M")
    assert api.submit(event_id="c" * 32).status_code == 200
    api.advance("PT0.000001S")
    assert api.submit(event_id="c" * 32).status_code == 409
