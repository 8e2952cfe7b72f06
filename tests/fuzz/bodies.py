"""Bodies of control requests, in which each property of their schemas occurs, so that each is among what changes."""

import copy
from collections.abc import Mapping
from typing import Any

from feedback_spec.document import load_control
from feedback_spec.operations import Operation

_EVENT = "7167980ca1db42cdba8d5284e7f81c66"
_RULES: list[dict[str, Any]] = [
    {
        "match": {"operation": "submitUserFeedback", "method": "POST", "event_id": _EVENT, "nth": 2},
        "effect": {"status": 429, "headers": {"X-One": "1"}, "body": {"detail": "x"}, "retry_after": 1},
        "every": 2,
        "skip": 1,
        "times": 3,
        "lifetime": "PT1H",
    },
    {"effect": {"broken_body": "truncated"}, "from": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z"},
    {"effect": {"dribble": {"pieces": 2, "duration": "PT0.01S"}}, "phase": "after", "probability": 0.5},
    {"effect": {"delay": {"median": "PT0.01S", "sigma": 0.4}}},
    {"effect": {"connection": "EMPTY_RESPONSE"}},
]
_EXAMPLES: Mapping[str, Any] = load_control()["components"]["examples"]
_SNAPSHOT: Mapping[str, Any] = _EXAMPLES["snapshot"]["value"]


def _entry() -> Any:
    entry = copy.deepcopy(_EXAMPLES["journal"]["value"]["entries"][0])
    entry["request"]["queryString"] = [{"name": "a", "value": "b"}]
    entry["request"]["postData"] |= {"text": "/w==", "_encoding": "base64", "comment": "x"}
    entry["response"]["content"] |= {"text": "/w==", "encoding": "base64", "comment": "x"}
    entry["_feedback"]["answer"] = {"valid": False, "problems": [{"pointer": "/body", "detail": "type string"}]}
    return entry


_MORE: Mapping[str, list[Any]] = {
    "controlMakeProject": [{"clock": {"follow": True}, "redact": False, "seed": 7}],
    "controlPutProject": [{"clock": {"follow": True}, "redact": False, "seed": 7}],
    "controlPutEvent": [
        {"environment": "production", "title": "It broke", "timestamp": "2026-01-01T00:00:00Z"},
        {"timestamp_ago": "PT1H"},
    ],
    "controlVerifyRequests": [{"match": {"rule": "stored", "since": 1, "valid": True}, "at_most": 1}],
    "controlAddFaults": [{"faults": _RULES}],
    "controlPutSnapshot": [
        {
            **_SNAPSHOT,
            "clock": {**_SNAPSHOT["clock"], "follow": True},
            "faults": [
                {"number": number, "matched": 3, "applied": 1, "rule": each} for number, each in enumerate(_RULES, 1)
            ],
            "journal": {"first": 1, "last": 1, "dropped": 0},
            "requests": [_entry()],
        }
    ],
}


def bodies(operation: Operation) -> list[Any]:
    """Valid bodies of the operation: the document's examples, and what these leave out."""
    examples = [each.value for each in operation.body.examples.values()] if operation.body else []
    return [*examples, *_MORE.get(operation.id, [])]
