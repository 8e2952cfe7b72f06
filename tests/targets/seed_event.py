"""Saves an event in the example: `python -m tests.targets.seed_event URL EVENT_ID SAVED_AGO TIMESTAMP_AGO`.

Standard library only: it is started for every event, and importing httpx would take longer than everything else.
"""

import json
import sys
from urllib.request import ProxyHandler, Request, build_opener

if __name__ == "__main__":
    url, event_id, saved_ago, timestamp_ago = sys.argv[1:]
    body = json.dumps({"saved_ago": saved_ago, "timestamp_ago": timestamp_ago}).encode()
    place = f"{url}/_control/projects/acme/shop/events/{event_id}"
    request = Request(place, body, {"Content-Type": "application/json"}, method="PUT")
    build_opener(ProxyHandler({})).open(request).close()
