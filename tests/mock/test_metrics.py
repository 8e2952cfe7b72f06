"""What the metrics count: every request to the API, once, by the deciding rule and by status."""

from typing import Any

import pytest
from feedback_mock.app import create_app
from feedback_mock.store import RECORD
from prometheus_client.parser import text_string_to_metric_families

from tests.mock.conftest import Api


def metrics(api: Api) -> dict[Any, float]:
    """Every value by its name and labels."""
    answer = api.send("GET", "/_control/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    samples = (sample for family in text_string_to_metric_families(answer.text) for sample in family.samples)
    return {(sample.name, *sample.labels.values()): sample.value for sample in samples}


def test_requests_are_counted_by_rule_and_status(api: Api) -> None:
    """Including those to no project, but not those of the control protocol."""
    api.submit()
    api.submit()
    api.advance("PT5M0.000001S")
    late = api.submit()
    api.send("POST", "/api/0/projects/acme/nobody/user-feedback/")
    counted = {key[1:]: value for key, value in metrics(api).items() if key[0] == "feedback_mock_requests_total"}

    assert late.status_code == 409
    assert sum(counted.values()) == 4
    assert counted[late.headers["x-feedback-rule"].partition(";")[0], "409"] == 1
    assert counted["credentials-required", "401"] == 1


def test_how_long_requests_took_is_counted(make_api: Any) -> None:
    """On the server's clock, which here takes a millisecond per reading."""
    instants = iter(range(0, 1_000_000_000, 1_000))
    api = make_api(create_app(clock=lambda: next(instants)))
    api.submit()
    values = metrics(api)

    assert values["feedback_mock_request_seconds_count",] == 1
    assert values["feedback_mock_request_seconds_sum",] > 0
    assert values["feedback_mock_request_seconds_bucket", "0.00025"] == 0
    assert values["feedback_mock_request_seconds_bucket", "+Inf"] == 1


def test_what_there_is_is_measured(api: Api) -> None:
    api.submit()
    api.control("POST", "/faults", json={"faults": [{"effect": {"status": 503}}]})
    values = metrics(api)

    assert values["feedback_mock_projects",] == 2
    assert values["feedback_mock_journal_requests",] == 1
    assert values["feedback_mock_journal_bytes",] > 0
    assert values["feedback_mock_feedback_records",] == 1
    assert values["feedback_mock_feedback_bytes",] == RECORD + len("Jane Smith" + "jane@example.com" + "It broke!")
    assert values["feedback_mock_faults",] == 1


@pytest.mark.parametrize("token", [None, "Bearer wrong"])
def test_metrics_take_the_control_token(make_api: Any, token: str | None) -> None:
    mock = create_app()
    guarded = create_app(control_token="a-token-of-control")
    api = make_api(mock)
    api.send_through(guarded)
    answer = api.send("GET", "/_control/metrics", headers={"Authorization": token} if token else {})

    assert answer.status_code == 401
