"""What a client does when the network or the server fails: seven requirements for retries, one test each."""

import httpx
import pytest
from feedback_client import FeedbackClient

EVENT = "7167980ca1db42cdba8d5284e7f81c66"
JANE = {"name": "Jane Smith", "email": "jane@example.com", "comments": "It broke!"}


@pytest.fixture
def client(feedback_mock):
    """The client, with a token of the test's own project."""
    project = (feedback_mock.organization, feedback_mock.project)
    with httpx.Client() as http:
        yield FeedbackClient(feedback_mock.url, *project, f"Bearer {feedback_mock.token}", http)


def test_attempts_are_counted(client, feedback_mock):
    feedback_mock.fail("EMPTY_RESPONSE", times=1)

    client.submit(EVENT, **JANE)

    assert [request.status for request in feedback_mock.requests] == [0, 200]


def test_every_attempt_has_the_same_headers_and_body(client, feedback_mock):
    feedback_mock.fail("EMPTY_RESPONSE", times=1)

    client.submit(EVENT, **JANE)

    first, second = feedback_mock.requests
    assert first.json() == second.json() == {"event_id": EVENT, **JANE}
    assert first.headers == second.headers
    assert first.headers["authorization"] == "Bearer [redacted]"


def test_server_errors_are_told_until_it_works(client, feedback_mock):
    feedback_mock.fail({"status": 503}, times=2)

    for _ in range(2):
        with pytest.raises(httpx.HTTPStatusError):
            client.submit(EVENT, **JANE)

    assert client.submit(EVENT, **JANE)["name"] == "Jane Smith"


@pytest.mark.parametrize("phase", ["before", "after"])
def test_connection_reset_before_or_after_storing_leaves_one_record(client, feedback_mock, phase):
    feedback_mock.fail("CONNECTION_RESET_BY_PEER", phase=phase, times=1)

    client.submit(EVENT, **JANE)

    rules = [request.rule for request in feedback_mock.requests]
    assert rules == [None if phase == "before" else "submission", "submission" if phase == "before" else "overwrite"]
    assert len(feedback_mock.feedback) == 1


def test_rate_limit_says_when_to_come_back(client, feedback_mock):
    feedback_mock.fail({"status": 429, "retry_after": 60}, times=1)

    with pytest.raises(httpx.HTTPStatusError) as refused:
        client.submit(EVENT, **JANE)

    assert refused.value.response.headers["retry-after"] == "60"
    assert len(feedback_mock.requests) == 1


def test_slow_answer_is_given_up_and_retried(client, feedback_mock):
    feedback_mock.fail({"delay": "until_released"}, phase="after", times=1)
    client.http.timeout = 1

    client.submit(EVENT, **JANE)

    assert [request.number for request in feedback_mock.requests] == [1, 2]
    assert len(feedback_mock.feedback) == 1


@pytest.mark.parametrize("how", ["truncated", "wrong"])
def test_broken_answer_is_not_taken_for_a_refusal(client, feedback_mock, how):
    feedback_mock.fail({"broken_body": how}, times=1)

    if how == "truncated":
        with pytest.raises(ValueError, match="line 1 column"):
            client.submit(EVENT, **JANE)
    else:
        assert "id" not in client.submit(EVENT, **JANE)

    assert len(feedback_mock.feedback) == 1
