"""A project of its own for one test, on a running server: its addresses, credentials, events, feedback and clock.

Speaks to the store directly, not over HTTP; meant for tests in Python. Other languages have the control protocol.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from feedback_spec.instants import EPOCH, MICROSECOND, format_duration

from feedback_mock.control import ControlHandlers, ControlRequest, Done, project_shown
from feedback_mock.server import Server
from feedback_mock.store import Feedback, Project


@dataclass(frozen=True, slots=True)
class Sandbox:
    """One project of a server. Durations are ISO 8601 texts, such as `PT5M0.000001S`, or timedeltas."""

    server: Server
    project: Project

    @classmethod
    def on(cls, server: Server, organization: str, slug: str) -> "Sandbox":
        """A new, empty project with a clock that stands still at the present instant."""
        store = server.app.store
        project = store.put_project(organization, slug, store.new_clock(running=False))
        if project is None:
            raise RuntimeError(f"The server holds {store.limits.projects} projects, which is all it takes.")
        return cls(server, project)

    @property
    def url(self) -> str:
        """Where the server listens."""
        return self.server.url

    @property
    def feedback_url(self) -> str:
        """Where feedback for this project is submitted and listed."""
        path = self.server.app.document.submit.path
        return self.url + path.format(organization_slug=self.project.organization, project_slug=self.project.slug)

    @property
    def token(self) -> str:
        """A bearer token that may submit and list."""
        return self.project.credentials.tokens["write"]

    @property
    def dsn(self) -> str:
        """The project's DSN, which may submit."""
        return str(project_shown(self.project, self.server.address)["dsn"])

    @property
    def now(self) -> datetime:
        """The instant of the project's clock, aware, in UTC."""
        return EPOCH + self.project.clock.now() * MICROSECOND

    @property
    def feedback(self) -> list[Feedback]:
        """All that is stored, oldest first."""
        return list(self.project.feedback.values())

    def advance(self, duration: str | timedelta) -> None:
        """Moves the clock forward by exactly that. Raises ValueError for what is no duration or no way forward."""
        self._do("controlAdvanceClock", {}, {"duration": _text(duration)})

    def save_event(self, event_id: str, saved_ago: str | timedelta = "PT0S", **event: Any) -> None:
        """Says that an event was saved; `event` are further keys of the control protocol, such as `title`."""
        self._do("controlPutEvent", {"event_id": event_id}, {"saved_ago": _text(saved_ago), **event})

    def delete(self) -> None:
        """Removes the project from the server, unless the test did."""
        store = self.server.app.store
        if store.project(self.project.organization, self.project.slug) is self.project:
            store.delete_project(self.project)

    def _do(self, operation: str, path: dict[str, str], body: dict[str, Any]) -> None:
        names = {"organization_slug": self.project.organization, "project_slug": self.project.slug}
        handler = ControlHandlers(self.server.app.store, "").table[operation]
        done = handler(ControlRequest({**names, **path}, body, self.server.address))
        if not isinstance(done, Done):
            raise ValueError(done.detail)  # noqa: TRY004 (a value was wrong, not a type)


def _text(duration: str | timedelta) -> str:
    if isinstance(duration, str):
        return duration
    if duration < timedelta(0):
        raise ValueError("a duration is not negative.")
    return format_duration(duration // MICROSECOND)
