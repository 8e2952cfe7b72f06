"""Captures exceptions with Sentry's SDK for Python, sends everything else that it has, and prints what it captured, as
JSON.

Arguments: the DSN, then the message of each exception.
"""

# mypy: disable-error-code="import-not-found"

import json
import sys
from typing import Any

import sentry_sdk
from sentry_sdk.crons import capture_checkin

dsn, *texts = sys.argv[1:]
new = not sentry_sdk.VERSION.startswith("1.")


def keep(event: Any, _hint: Any) -> Any:
    """A client report mentions what is not kept."""
    return None if event.get("message") == "Not sent" else event


sentry_sdk.init(
    dsn=dsn,
    environment="test",
    release="sdk@1",
    before_send=keep,
    shutdown_timeout=30,
    traces_sample_rate=1.0,
    **({"enable_logs": True} if new else {}),
)
sessions = sentry_sdk.get_isolation_scope() if new else sentry_sdk.Hub.current
sessions.start_session()
sentry_sdk.capture_message("Not sent")
with (
    sentry_sdk.start_transaction(name="a transaction", op="test"),
    sentry_sdk.start_span(op="test"),
    sentry_sdk.new_scope() if new else sentry_sdk.push_scope() as scope,
):
    scope.add_attachment(bytes=bytes(range(256)) * 256, filename="every-byte")
    captured = [sentry_sdk.capture_exception(ValueError(text)) for text in texts]
sessions.end_session()
capture_checkin(monitor_slug="nightly", status="ok")
if new:
    sentry_sdk.logger.info("a log")
    sentry_sdk.metrics.count("a metric", 1)
sentry_sdk.flush(timeout=30)
print(json.dumps({"version": sentry_sdk.VERSION, "captured": captured}))
