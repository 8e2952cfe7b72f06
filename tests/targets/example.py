"""An implementation on the real clock, as an ASGI and as a WSGI application, with one project and a way to save events.

`--app`, `--command` and plain URLs are tested on it: the second implementation of `tests.broken`, reading the time
itself.
"""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

from a2wsgi import ASGIMiddleware

from tests.broken.server import Event, Implementation, Project

ORGANIZATION, PROJECT = "acme", "shop"


class OnTheRealClock(Implementation):
    """Reads the time of the process; the environment can scale its limits, in seconds."""

    event_limit = timedelta(seconds=float(os.environ.get("EVENT_LIMIT", "1800")))
    overwrite_limit = timedelta(seconds=float(os.environ.get("OVERWRITE_LIMIT", "300")))

    def __init__(self) -> None:
        super().__init__()
        for number, slug in enumerate((PROJECT, "other"), 1):
            self.projects[ORGANIZATION, slug] = Project(ORGANIZATION, slug, str(number), datetime.now(UTC))

    def now(self, project: Project) -> datetime:
        """The time as Python reads it."""
        return datetime.now(UTC)

    def save_event(self, project: Project, event_id: str, body: dict[str, Any]) -> None:
        """Ages count from now."""
        project.now = datetime.now(UTC)
        super().save_event(project, event_id, body)


implementation = OnTheRealClock()
app = implementation.app()
asgi: Any = app
wsgi_app = ASGIMiddleware(asgi)
shop = implementation.projects[ORGANIZATION, PROJECT]
TOKEN, READ_TOKEN = shop.token("write"), shop.token("read")
DSN = f"http://{shop.key}@127.0.0.1/{shop.id}"
other = implementation.projects[ORGANIZATION, "other"]
OTHER_DSN = f"http://{other.key}@127.0.0.1/{other.id}"


def seed(event_id: str, saved_at: datetime, timestamp: datetime) -> None:
    """Saves an event, as one of this application's own tests would."""
    shop.events[event_id] = Event(saved_at, timestamp, None, "unresolved", len(shop.events) + 1)
