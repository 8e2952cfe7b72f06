"""Submits one feedback and reports the outcome in its exit code: for `feedback-verify client -- python submit.py`."""

import os
import sys

import httpx
from feedback_client import FeedbackClient, FeedbackError

given = {name.removeprefix("FEEDBACK_").lower(): value for name, value in os.environ.items()}
place = given["url"], given["organization"], given["project"]
client = FeedbackClient(*place, f"Bearer {given['token']}", httpx.Client(timeout=2))
try:
    client.submit(given["event_id"], given["name"], given["email"], given["comments"])
except (FeedbackError, httpx.HTTPError, ValueError) as error:
    sys.exit(f"The feedback was not delivered: {error}")
