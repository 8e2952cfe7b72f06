"""Saves an event in the example: `python -m tests.targets.seed_event URL EVENT_ID SAVED_AGO TIMESTAMP_AGO`."""

import sys

import httpx

if __name__ == "__main__":
    url, event_id, saved_ago, timestamp_ago = sys.argv[1:]
    body = {"saved_ago": saved_ago, "timestamp_ago": timestamp_ago}
    httpx.put(f"{url}/_control/projects/acme/shop/events/{event_id}", json=body, trust_env=False).raise_for_status()
