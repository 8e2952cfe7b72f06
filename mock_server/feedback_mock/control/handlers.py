"""The control protocol's handlers for projects, clocks and stored feedback. Not for clients of the API.

Each gets a checked request. The reason of a refusal is one sentence, and its rule one of `control.rendering`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from feedback_spec.bodies import Unreadable
from feedback_spec.instants import FIRST_INSTANT, LAST_INSTANT, format_instant, parse_duration, parse_instant
from feedback_spec.operations import Operation

from feedback_mock.control.pieces import Rows
from feedback_mock.result import Done, Refused, Result
from feedback_mock.store import Event, Feedback, Project, Store

PREFIX = "/_control/"
"""The prefix of all paths of the protocol."""
PROJECTS = f"{PREFIX}projects/"
"""The prefix of a project's path, followed by its organization and its own slug."""
HEALTH = "controlHealth"
MADE_UP = "made-up"
"""The organization of projects that are created without a name."""
DURATIONS = frozenset({"duration", "lease", "lifetime", "saved_ago", "timestamp_ago"})
INSTANTS = frozenset({"from", "until", "now", "saved_at", "timestamp"})


@dataclass(frozen=True, slots=True)
class ControlRequest:
    """What a handler gets: the parameters of path and query, the body ({} for none), and our origin for the client.

    `origin` is scheme, host and port, such as `http://127.0.0.1:8080`.
    """

    path: dict[str, str]
    body: dict[str, Any]
    origin: str
    query: dict[str, Any]


ControlHandler = Callable[[ControlRequest], Result]
ProjectHandler = Callable[[ControlRequest, Project], Result]


def package_version() -> str:
    """The version of this package."""
    # Not at the top: reading the package's metadata is slow, and no start should wait for it.
    from importlib.metadata import version  # noqa: PLC0415 (see above)

    return version("sentry-feedback-contract")


def project_shown(project: Project, origin: str) -> dict[str, Any]:
    """A project in the protocol's format; `origin` is the one in its DSN."""
    credentials, (scheme, _, host) = project.credentials, origin.partition("://")
    return {
        "organization": project.organization,
        "project": project.slug,
        "id": project.id,
        "dsn": f"{scheme}://{credentials.public_key}@{host}/{project.id}",
        "tokens": credentials.tokens,
        "clock": clock_shown(project),
        "redact": project.redact,
    }


def _project_listed(project: Project) -> dict[str, Any]:
    return {
        "organization": project.organization,
        "project": project.slug,
        "id": project.id,
        "clock": clock_shown(project),
        "events": len(project.events),
        "feedback": len(project.feedback),
        "requests": project.journal.last,
    }


def clock_shown(project: Project) -> dict[str, Any]:
    """A project's clock in the protocol's format; `follow` is included only if it is true."""
    clock = project.clock
    return {
        "now": format_instant(clock.now()),
        "running": clock.running,
        **({"follow": True} if project.follow else {}),
    }


class ControlHandlers:
    """The operations of the protocol, by operationId in `table`."""

    def __init__(
        self, store: Store, profile: str, operations: Iterable[Operation], more: Mapping[str, ProjectHandler]
    ) -> None:
        """`operations` are all of them; `more` are the handlers in other modules that work on a project."""
        self._store, self._profile = store, profile
        self._listed = [
            {"method": each.method.upper(), "path": each.path, "summary": each.summary} for each in operations
        ]
        self.table: dict[str, ControlHandler] = {
            "controlIndex": self.index,
            HEALTH: self.health,
            "controlListProjects": self.list_projects,
            "controlMakeProject": self.make_project,
            "controlPutProject": self.put_project,
            "controlGetProject": self._of_project(self.get_project),
            "controlDeleteProject": self._of_project(self.delete_project),
            "controlResetProject": self._of_project(self.reset_project),
            "controlPutClock": self._of_project(self.put_clock),
            "controlAdvanceClock": self._of_project(self.advance_clock),
            "controlListFeedback": self._of_project(self.list_feedback),
            **{name: self._of_project(handler) for name, handler in more.items()},
        }

    def _of_project(self, handler: ProjectHandler) -> ControlHandler:
        def run(request: ControlRequest) -> Result:
            organization, slug = request.path["organization_slug"], request.path["project_slug"]
            project = self._store.project(organization, slug)
            if project is None:
                return Refused(
                    "project",
                    f"There is no project {organization}/{slug}; create it with PUT {PROJECTS}{organization}/{slug}.",
                )
            return handler(request, project)

        return run

    def health(self, _: ControlRequest) -> Result:
        """Confirms that requests are served, with version and profile."""
        return Done({"status": "ok", "version": package_version(), "profile": self._profile})

    def index(self, _: ControlRequest) -> Result:
        """Lists the operations."""
        return Done({"operations": self._listed})

    def list_projects(self, _: ControlRequest) -> Result:
        """All projects, in the order in which they were created, without their credentials."""
        # A tuple, because tests create projects from other threads meanwhile.
        return Done({"projects": Rows(_project_listed(each) for each in tuple(self._store.projects.values()))})

    def make_project(self, request: ControlRequest) -> Result:
        """Creates an empty project with an unused slug."""
        organization = request.body.get("organization", MADE_UP)
        return self._put(organization, self._store.free_slug(organization), request, 201)

    def put_project(self, request: ControlRequest) -> Result:
        """Creates an empty project, replacing one of the same name."""
        return self._put(request.path["organization_slug"], request.path["project_slug"], request, 200)

    def _put(self, organization: str, slug: str, request: ControlRequest, status: int) -> Result:
        setting = request.body.get("clock", {})
        now = instant(setting, "now", "clock.") if "now" in setting else None
        clock = self._store.new_clock(now, setting.get("running"))
        project = self._store.put_project(
            organization,
            slug,
            clock,
            redact=request.body.get("redact", True),
            seed=request.body.get("seed", 0),
            follow=setting.get("follow", False),
        )
        if project is None:
            return full(f"The server has {self._store.limits.projects} projects, the maximum; delete some.")
        return Done(project_shown(project, request.origin), status)

    def get_project(self, request: ControlRequest, project: Project) -> Result:
        """The project's credentials and clock."""
        return Done(project_shown(project, request.origin))

    def delete_project(self, _: ControlRequest, project: Project) -> Result:
        """Removes the project and everything in it."""
        self._store.delete_project(project)
        return Done(None, 204)

    def reset_project(self, request: ControlRequest, project: Project) -> Result:
        """Empties the project."""
        project.empty()
        return Done(project_shown(project, request.origin))

    def put_clock(self, request: ControlRequest, project: Project) -> Result:
        """Sets, freezes or starts the clock; settings that are not given stay the same."""
        now = instant(request.body, "now") if "now" in request.body else None
        moved = project.sleepers.move(to=now, running=request.body.get("running"))
        if moved:
            project.follow = request.body.get("follow", project.follow)
        return _moved(project, moved, backwards=now is not None and now < project.clock.now())

    def advance_clock(self, request: ControlRequest, project: Project) -> Result:
        """Moves the clock forward by exactly the duration."""
        moved = project.sleepers.move(by=parse_duration(request.body["duration"]))
        return _moved(project, moved, backwards=False)

    def list_feedback(self, _: ControlRequest, project: Project) -> Result:
        """Every record, oldest first."""
        # A tuple, because the list may grow meanwhile: tests read it from other threads.
        return Done(Rows(record_shown(record) for record in tuple(project.feedback.values())))


def record_shown(record: Feedback) -> dict[str, Any]:
    """A feedback record in the protocol's format."""
    return {
        "id": record.id,
        "event_id": record.event_id,
        "name": record.name,
        "email": record.email,
        "comments": record.comments,
        "first_submitted_at": format_instant(record.first_submitted_at),
        "last_submitted_at": format_instant(record.last_submitted_at),
    }


def event_shown(event: Event) -> dict[str, Any]:
    """An event in the protocol's format."""
    return {
        "event_id": event.event_id,
        "saved_at": format_instant(event.saved_at),
        "timestamp": format_instant(event.timestamp),
        "title": event.title,
        "environment": event.environment,
        "issue_status": event.issue_status,
    }


def _moved(project: Project, moved: bool, *, backwards: bool) -> Result:
    if moved:
        return Done(clock_shown(project))
    stands = format_instant(project.clock.now())
    if backwards:
        return Refused("clock", f"The clock moves forward only; it stands at {stands}.")
    return Refused("clock", f"The clock cannot go beyond {format_instant(LAST_INSTANT)}; it stands at {stands}.")


def instant(body: Mapping[str, Any], name: str, place: str = "") -> int:
    """The instant with this name in the body, at this place. Raises Unreadable if the time does not exist."""
    try:
        value = parse_instant(body[name])
    except ValueError as error:
        raise Unreadable(f"{place}{name}: {error}") from None
    if not FIRST_INSTANT <= value <= LAST_INSTANT:
        raise Unreadable(out_of_calendar(f"{place}{name}").reason)
    return value


def out_of_calendar(field: str) -> Refused:
    """The refusal of an instant that the mock cannot represent."""
    return Refused(
        "request", f"{field}: is before {format_instant(FIRST_INSTANT)} or after {format_instant(LAST_INSTANT)}."
    )


def full(detail: str) -> Refused:
    """The refusal if there is no room, with how to make some."""
    return Refused("room", detail)
