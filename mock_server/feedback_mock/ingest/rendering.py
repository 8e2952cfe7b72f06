"""Renders the responses of the ingest: for a refusal `{"detail": …}`, with `causes` if there is one, as Relay does."""

from collections.abc import Mapping

from feedback_mock.asgi import Answer, Header, json_answer, rule_header
from feedback_mock.result import Done, Result

SAID: Mapping[str, tuple[int, str]] = {
    "project-number": (400, "bad project path parameter"),
    "key-form": (400, "bad sentry DSN public key"),
    "empty": (400, "empty request body"),
    "envelope": (400, "invalid event envelope"),
    "event": (400, "invalid event data"),
    "key-header": (401, "bad x-sentry-auth header"),
    "key-missing": (401, "missing authorization information"),
    "key-twice": (401, "multiple authorization payloads detected"),
    "key-known": (403, "event submission rejected with_reason: ProjectId"),
    "size": (413, "envelope exceeded size limits for type 'event'"),
    "encoding": (415, "unsupported content encoding"),
}
"""The response of each rule with which the ingest refuses, in the words of Sentry's Relay."""
_OURS = frozenset({"key-known", "key-missing"})  # with reasons of the mock's own, shown only in X-Feedback-Rule
_CORS: tuple[Header, ...] = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"x-sentry-error, x-sentry-rate-limits, retry-after, x-feedback-rule"),
)


def render(result: Result) -> Answer:
    """The response, which a page of any origin may read."""
    if isinstance(result, Done):
        return json_answer(result.status, result.value, *_CORS)
    status, detail = SAID[result.rule]
    causes = {"causes": [result.reason]} if result.reason and result.rule not in _OURS else {}
    rule = (b"x-feedback-rule", rule_header(result.rule, result.reason))
    return json_answer(status, {"detail": detail, **causes}, rule, *_CORS)
