"""Runs through 31 minutes on a faked clock with Sentry's SDK for Python, and prints what it saw, as JSON.

Arguments: the DSN, where to submit feedback, a token, and the initial instant.
"""

# mypy: disable-error-code="import-not-found"

import json
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

import sentry_sdk
import time_machine

dsn, url, token, start = sys.argv[1:]
told: list[tuple[str, int]] = []


def submit(event_id: str, comments: str) -> None:
    """Feedback by REST, with the client's time."""
    now = datetime.now(UTC).isoformat()
    body = {"event_id": event_id, "name": "Jane Smith", "email": "jane@example.com", "comments": comments}
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "X-Feedback-Now": now}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request) as answer:
            status = answer.status
    except urllib.error.HTTPError as error:
        status = error.code
    told.append((now, status))


def capture(text: str) -> Any:
    """The id of an event that has arrived."""
    event_id = sentry_sdk.capture_exception(ValueError(text))
    sentry_sdk.flush(timeout=30)
    return event_id


with time_machine.travel(datetime.fromisoformat(start), tick=False) as clock:
    # With a rate, version 1 sends envelopes; what it sends to the older endpoint has no time.
    sentry_sdk.init(dsn=dsn, release="sdk@1", traces_sample_rate=0.0)
    broke = capture("It broke")
    clock.shift(timedelta(minutes=1))
    old = capture("It is old")
    clock.shift(timedelta(minutes=23))
    submit(broke, "It broke!")
    submit(broke, "It broke!")
    clock.shift(timedelta(minutes=5))
    submit(broke, "It broke again!")
    clock.shift(timedelta(microseconds=1))
    submit(broke, "Too late.")
    clock.shift(timedelta(minutes=2) - timedelta(microseconds=1))
    submit(old, "As old as can be.")
    clock.shift(timedelta(microseconds=1))
    submit(old, "It is.")
    submit(broke, "Much too late.")
print(json.dumps({"version": sentry_sdk.VERSION, "told": told}))
