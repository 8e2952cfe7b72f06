"""The client, tested against the mock. `feedback_mock` is a new project for each test, with a frozen clock."""

import httpx
import pytest
from feedback_client import FeedbackClient, Invalid, TooLate

EVENT = "7167980ca1db42cdba8d5284e7f81c66"
JANE = {"name": "Jane Smith", "email": "jane@example.com", "comments": "It broke!"}


@pytest.fixture
def client(feedback_mock):
    """The client, with a token of the test's own project."""
    project = (feedback_mock.organization, feedback_mock.project)
    return FeedbackClient(feedback_mock.url, *project, f"Bearer {feedback_mock.token}")


def test_feedback_is_stored_with_the_issue_of_its_event(client, feedback_mock):
    feedback_mock.save_event(EVENT, title="TypeError: undefined is not a function")

    stored = client.submit(EVENT, **JANE)

    assert stored["comments"] == "It broke!"
    assert stored["issue"]["title"] == "TypeError: undefined is not a function"


def test_dsn_may_submit(client, feedback_mock):
    with_dsn = FeedbackClient(client.base_url, client.organization, client.project, f"DSN {feedback_mock.dsn}")

    assert with_dsn.submit(EVENT, **JANE)["name"] == "Jane Smith"


def test_later_submission_overwrites(client, feedback_mock):
    first = client.submit(EVENT, **JANE)

    second = client.submit(EVENT, **{**JANE, "comments": "The button does nothing."})

    assert second["id"] == first["id"]
    assert [each.comments for each in feedback_mock.feedback] == ["The button does nothing."]


class LosesTheFirstAnswer(httpx.HTTPTransport):
    """The request arrives, but its response does not: then the client must retry."""

    lost = False

    def handle_request(self, request):
        response = super().handle_request(request)
        if not self.lost:
            self.lost = True
            response.close()
            raise httpx.ReadTimeout("The answer was lost.", request=request)
        return response


def test_retry_after_a_lost_answer_leaves_one_record(client, feedback_mock):
    with httpx.Client(transport=LosesTheFirstAnswer()) as http:
        FeedbackClient(client.base_url, client.organization, client.project, client.authorization, http).submit(
            EVENT, **JANE
        )

    assert len(feedback_mock.feedback) == 1


def test_event_window_ends_after_exactly_30_minutes(client, feedback_mock):
    feedback_mock.save_event(EVENT)
    feedback_mock.advance("PT30M")
    client.submit(EVENT, **JANE)

    feedback_mock.advance("PT0.000001S")

    with pytest.raises(TooLate):
        client.submit(EVENT, **JANE)


def test_overwrite_window_ends_after_exactly_5_minutes(client, feedback_mock):
    client.submit(EVENT, **JANE)
    feedback_mock.advance("PT5M")
    client.submit(EVENT, **JANE)

    feedback_mock.advance("PT0.000001S")

    with pytest.raises(TooLate):
        client.submit(EVENT, **JANE)


def test_invalid_fields_are_named(client):
    with pytest.raises(Invalid) as refused:
        client.submit(EVENT, **{**JANE, "email": "nobody"})

    assert refused.value.errors == {"email": ["Enter a valid email address."]}
