"""Captures one exception with Sentry's SDK for Python and prints what it was, as JSON. Argument: the DSN."""

# mypy: disable-error-code="import-not-found"

import json
import sys

import sentry_sdk

sentry_sdk.init(dsn=sys.argv[1], environment="test", shutdown_timeout=10)
event_id = sentry_sdk.capture_exception(ValueError("It broke in Python"))
sentry_sdk.flush(timeout=30)
print(json.dumps({"version": sentry_sdk.VERSION, "event_id": event_id}))
