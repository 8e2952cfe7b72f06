"""Renders the responses of the control protocol: JSON, and for a refusal `{"detail": …}` with one sentence."""

from collections.abc import Mapping

from feedback_mock.asgi import Answer, Header, json_answer, rule_header
from feedback_mock.result import Done, Result

STATUSES: Mapping[str, int] = {
    "host": 400,
    "request": 400,
    "token": 401,
    "origin": 403,
    "host-known": 403,
    "path": 404,
    "project": 404,
    "event": 404,
    "participant": 404,
    "method": 405,
    "clock": 409,
    "size": 413,
    "room": 507,
}
"""The status of each rule with which the protocol refuses."""
_NOT_FOR_OTHER_SITES: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


def render(result: Result, *headers: Header) -> Answer:
    """The response, with additional headers if given."""
    if isinstance(result, Done):
        return json_answer(result.status, result.value, *_NOT_FOR_OTHER_SITES, *headers)
    rule = (b"x-feedback-rule", rule_header(result.rule, result.reason))
    return json_answer(STATUSES[result.rule], {"detail": result.reason}, rule, *_NOT_FOR_OTHER_SITES, *headers)
