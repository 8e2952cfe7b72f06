"""The mock's state: projects with their events and feedback, in memory, bounded. Decides nothing.

If a project has as much feedback as `Limits` allows, a new record replaces its oldest, with one warning in the log: the
document has no response to a submission that would say "full". If all projects together have too much, the largest
lose their older halves until an eighth is free. Projects and events are refused instead, because the control protocol
has a response for that.

Feedback and issues are numbered across the projects of a server, as in Sentry, and are the same on every run: each
project has a block of `IDS` numbers. The first project of a store, the page's own, has the block that begins with 1;
any other has the one given by a hash of its name, or the next free one if two names give the same.
"""

import logging
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from operator import attrgetter

from feedback_mock.clock import Clock, Source, elapsed_time
from feedback_mock.credentials import TOKEN_SCOPES, Credentials, derive
from feedback_mock.faults import Faults
from feedback_mock.journal import Journal
from feedback_mock.room import Room
from feedback_mock.sleepers import Sleepers
from feedback_mock.tally import Tally

log = logging.getLogger(__name__)
RECORD = 768  # bytes that Python needs for a record beyond its texts, about
MAX_ENVIRONMENT = 64  # characters; Sentry keeps no environment for an event with a longer one
IDS = 10_000_000
BLOCKS = 2**53 // IDS  # so that every id is exact in a double, as which JavaScript reads numbers


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a store accepts; `feedback_characters` counts a project's names, emails and comments.

    `requests` and `request_bytes` bound the journal of each project. Names that begin with `all` are for all projects
    together; feedback counts its characters there, plus RECORD each.
    """

    projects: int = 10_000
    events: int = 100_000
    all_events: int = 500_000
    feedback: int = 100_000
    feedback_characters: int = 256 * 1024 * 1024
    all_feedback: int = 512 * 1024 * 1024
    requests: int = 1_000
    request_bytes: int = 16 * 1024 * 1024
    all_request_bytes: int = 128 * 1024 * 1024


@dataclass(slots=True)
class Event:
    """A saved event; instants in microseconds since 1970 UTC, `issue` numbers the project's issues from 1."""

    event_id: str
    saved_at: int
    timestamp: int
    title: str
    environment: str | None
    issue_status: str
    issue: int


@dataclass(slots=True)
class Feedback:
    """One record: first and last submission in microseconds since 1970 UTC."""

    id: str
    event_id: str
    name: str
    email: str
    comments: str
    first_submitted_at: int
    last_submitted_at: int

    @property
    def size(self) -> int:
        """The number of characters in its texts."""
        return len(self.name) + len(self.email) + len(self.comments)


@dataclass(slots=True, eq=False)
class Project:
    """A sandbox. Event ids are lower-case keys; feedback is in the order of first submission. `block`: its ids.
    `moved` is the feedback that is elsewhere in the order of last submission, in that order; `oldest` is all feedback
    again, the oldest first.

    `journal` records its requests, `redact` says whether they are shown without secrets; `faults` are those of its
    requests; `counts` are those of the rate limit; `saved` is how often an event was saved; `sleepers` are asleep on
    its clock, and `follow` says whether that follows its clients. `gone` means that it was deleted or replaced, which a
    request must check if it found the project before its body had arrived. `room` and `event_room` are shared by all
    projects.
    """

    organization: str
    slug: str
    id: str
    credentials: Credentials
    clock: Clock
    limits: Limits
    block: int
    journal: Journal
    faults: Faults
    sleepers: Sleepers
    room: Room
    event_room: Room
    redact: bool = True
    follow: bool = False
    events: dict[str, Event] = field(default_factory=dict)
    feedback: dict[str, Feedback] = field(default_factory=dict)
    moved: dict[str, Feedback] = field(default_factory=dict)
    # The first one of a dict is found by scanning the places of all those already removed.
    oldest: deque[Feedback] = field(default_factory=deque)
    size: int = 0
    last_feedback: int = 0
    last_issue: int = 0
    saved: int = 0
    warned: bool = False
    gone: bool = False
    counts: dict[str, tuple[int, int]] = field(default_factory=dict)

    def empty(self) -> None:
        """Removes events, feedback, requests, faults and sleepers, and numbers them from 1 again."""
        self.forget_events()
        self.clear()
        self.counts.clear()
        self.journal.restart()
        self.faults.clear()
        self.sleepers.end(f"The project {self.organization}/{self.slug} was reset during this sleep.")
        self.last_feedback = self.last_issue = 0

    def id_of(self, number: int) -> str:
        """The id of the project's feedback or issue with this number, which no other project of the server uses.

        A project uses an id twice only after numbering `IDS` records, long after it has dropped the first.
        """
        return str(self.block * IDS + (number - 1) % IDS + 1)

    def number_of(self, id_text: str) -> int:
        """The number for which `id_of` returns this id."""
        return int(id_text) - self.block * IDS

    def issue_of(self, event_id: str) -> int:
        """The number of the event's issue: its existing one, else the next."""
        known = self.events.get(event_id)
        if known is None:
            self.last_issue += 1
            return self.last_issue
        return known.issue

    def save_event(self, event: Event) -> bool:
        """Stores the event, replacing one with its id. False if the project, or all together, already have the
        maximum.
        """
        if event.event_id not in self.events:
            if len(self.events) >= self.limits.events or self.event_room.used >= self.event_room.most:
                return False
            self.event_room.used += 1
        self.events[event.event_id] = event
        self.saved += 1
        return True

    def delete_event(self, event_id: str) -> bool:
        """Removes the event. False if it was never saved."""
        found = self.events.pop(event_id, None) is not None
        self.event_room.used -= found
        return found

    def forget_events(self) -> None:
        """Removes all events."""
        self.event_room.used -= len(self.events)
        self.events.clear()

    def store(self, event_id: str, name: str, email: str, comments: str, now: int) -> Feedback:
        """Stores the event's feedback: as a new record, or as new values of the existing one."""
        record, more = self.feedback.get(event_id), RECORD + len(name) + len(email) + len(comments)
        if record is None:
            self.last_feedback += 1
            record = Feedback(self.id_of(self.last_feedback), event_id, name, email, comments, now, now)
            self.feedback[event_id] = record
            self.oldest.append(record)
        else:
            more -= RECORD + record.size
            record.name, record.email, record.comments = name, email, comments
            record.last_submitted_at = now
            self.moved.pop(event_id, None)
            self.moved[event_id] = record
        self.size += more
        self.room.used += more
        self._make_room(record)
        return record

    def restore(
        self, events: list[Event], feedback: list[tuple[int, Feedback]], last_feedback: int, last_issue: int
    ) -> None:
        """Fills an empty project; records bring their numbers and get the ids that those have here."""
        self.events = {each.event_id: each for each in events}
        self.event_room.used += len(events)
        self.saved += len(events)
        self.last_feedback, self.last_issue = last_feedback, last_issue
        for number, record in feedback:
            record.id = self.id_of(number)
            self.take_back(record)
        # Any instants may be restored, so any record may have moved.
        latest = sorted(self.feedback.values(), key=attrgetter("last_submitted_at"))
        self.moved.update((record.event_id, record) for record in latest)
        if feedback:
            self._make_room(feedback[-1][1])

    def take_back(self, record: Feedback) -> None:
        """Adds a record as the newest."""
        self.feedback[record.event_id] = record
        self.oldest.append(record)
        self.size += RECORD + record.size
        self.room.used += RECORD + record.size

    def give_half(self) -> None:
        """Discards the older half of the feedback."""
        half = self.size // 2
        while self.size > half:
            self._forget(0)

    def clear(self) -> None:
        """Discards all feedback."""
        self.room.used -= self.size
        self.feedback.clear()
        self.moved.clear()
        self.oldest.clear()
        self.size = 0

    def _make_room(self, newest: Feedback) -> None:
        while (
            len(self.feedback) > self.limits.feedback
            or self.size - RECORD * len(self.feedback) > self.limits.feedback_characters
        ):
            place = 1 if self.oldest[0] is newest else 0
            if place == len(self.oldest):
                break
            self._forget(place)
        if self.room.used > self.room.most:
            self.room.make()

    def _forget(self, place: int) -> None:
        oldest = self.oldest[place]
        del self.oldest[place], self.feedback[oldest.event_id]
        self.moved.pop(oldest.event_id, None)
        self.size -= RECORD + oldest.size
        self.room.used -= RECORD + oldest.size
        if not self.warned:
            self.warned = True
            log.warning("%s/%s is full: its oldest feedback makes room for new.", self.organization, self.slug)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a known token gives access to."""

    project: Project
    scopes: frozenset[str]


class Store:
    """All projects, found by name, by token and by public key.

    `made_at` is the path below which clients create them, followed by both slugs; "" if they cannot. `secret` is part
    of all credentials; `room` is shared by all journals, `feedback_room` and `event_room` by all projects; `tally`
    counts all requests. The time of a lookup reveals nothing about a token: Python's string hashes are keyed.
    """

    shared = False
    """Whether other processes have the same projects."""
    elapsed: Source = staticmethod(elapsed_time)
    """Real time, for leases."""
    round_trips: Tally | None = None
    """The round trips to the projects, if they are elsewhere."""

    def __init__(
        self,
        source: Source,
        *,
        running: bool = True,
        limits: Limits | None = None,
        made_at: str = "",
        secret: str = "",
    ) -> None:
        self.source, self.made_at, self.secret = source, made_at, secret
        self.running = running
        self.limits = limits or Limits()
        self.projects: dict[tuple[str, str], Project] = {}
        self.grants: dict[str, Grant] = {}
        self.by_key: dict[str, Project] = {}
        self.organizations: dict[str, str] = {}
        self._organization_names: dict[str, str] = {}
        self._members: Counter[str] = Counter()
        self._by_id: dict[str, Project] = {}
        self._last_project_id = self._last_organization_id = self._last_made_up = 0
        self._first: tuple[str, str] | None = None
        self._blocks: set[int] = set()
        self.room = Room(self.limits.all_request_bytes)
        self.feedback_room, self.event_room = Room(self.limits.all_feedback), Room(self.limits.all_events)
        self.tally = self.counted = Tally()

    def __iter__(self) -> Iterator[Project]:
        return iter(self.projects.values())

    def project(self, organization: str, slug: str) -> Project | None:
        """The project with that name."""
        return self.projects.get((organization, slug))

    def project_by_ids(self, organization: str, project: str) -> Project | None:
        """The project with that number in the organization with that number; either may be the slug instead."""
        for name in (organization, self._organization_names.get(organization, organization)):
            found = self.projects.get((name, project)) or self._by_id.get(project)
            if found is not None and found.organization == name:
                return found
        return None

    def project_of_path(self, path: Mapping[str, str]) -> Project | None:
        """The project named by a path's parameters, with slugs or numbers."""
        try:
            names = path["organization_slug"], path["project_slug"]
        except KeyError:
            return self._by_id.get(path.get("project_id", ""))
        return self.projects.get(names) or self.project_by_ids(*names)

    def put_project(
        self, organization: str, slug: str, clock: Clock, *, redact: bool = True, seed: int = 0, follow: bool = False
    ) -> Project | None:
        """Creates an empty project, replacing one of the same name and keeping its number. None if there is no room."""
        replaced = self.projects.get((organization, slug))
        if replaced is None and len(self.projects) >= self.limits.projects:
            return None
        number, block = (
            (replaced.id, replaced.block) if replaced else (self._next_id(), self._free_block(organization, slug))
        )
        project = self._made(organization, slug, number, block, clock, redact, seed, follow)
        self.enter(project)
        return project

    def _made(
        self, organization: str, slug: str, number: str, block: int, clock: Clock, redact: bool, seed: int, follow: bool
    ) -> Project:
        """An empty project, which is not in the store yet."""
        return Project(
            organization,
            slug,
            number,
            derive(organization, slug, self.secret),
            clock,
            self.limits,
            block,
            Journal(self.limits.requests, self.limits.request_bytes, self.room),
            Faults(seed),
            Sleepers(clock, self.elapsed),
            self.feedback_room,
            self.event_room,
            redact,
            follow,
        )

    def enter(self, project: Project, number: str | None = None) -> None:
        """Adds a project, replacing one of the same name; `number` is the number of its organization, if known."""
        replaced = self.projects.get((project.organization, project.slug))
        if replaced is None:
            self._join(project.organization, number)
        else:
            self._end(replaced, "replaced")
        self.room.enter(project.journal)
        self.feedback_room.enter(project)
        self._blocks.add(project.block)
        self.projects[project.organization, project.slug] = self._by_id[project.id] = project
        self.by_key[project.credentials.public_key] = project
        for kind, token in project.credentials.tokens.items():
            self.grants[token] = Grant(project, TOKEN_SCOPES[kind])

    def free_slug(self, organization: str) -> str:
        """A slug that no project of the organization has: the same in the same order of requests on every server."""
        while True:
            self._last_made_up += 1
            slug = f"project-{self._last_made_up}"
            if (organization, slug) not in self.projects:
                return slug

    def delete_project(self, project: Project) -> None:
        """Removes the project with its credentials."""
        del self.projects[project.organization, project.slug], self._by_id[project.id]
        self._leave(project.organization)
        self._end(project, "deleted")
        del self.by_key[project.credentials.public_key]
        self._blocks.remove(project.block)
        for token in project.credentials.tokens.values():
            del self.grants[token]

    def _end(self, project: Project, what: str) -> None:
        """Notes that a project no longer exists, discards its contents and releases everyone waiting for something in
        it.
        """
        project.gone = True
        self.room.leave(project.journal)
        self.feedback_room.leave(project)
        project.forget_events()
        project.faults.clear()
        project.sleepers.end(
            f"The project {project.organization}/{project.slug} was {what} during this sleep.", for_good=True
        )

    def new_clock(self, now: int | None = None, running: bool | None = None) -> Clock:
        """A clock with the settings that this store gives its projects, except for those given."""
        return Clock(self.source, now, self.running if running is None else running)

    def _join(self, organization: str, number: str | None = None) -> None:
        if organization not in self.organizations:
            if number is None:
                self._last_organization_id += 1
                number = str(self._last_organization_id)
            self.organizations[organization] = number
            self._organization_names[number] = organization
        self._members[organization] += 1

    def _leave(self, organization: str) -> None:
        """Removes an organization with its last project, so that nothing grows with the number that ever existed."""
        self._members[organization] -= 1
        if not self._members[organization]:
            del self._members[organization], self._organization_names[self.organizations.pop(organization)]

    def _next_id(self) -> str:
        self._last_project_id += 1
        return str(self._last_project_id)

    def _free_block(self, organization: str, slug: str) -> int:
        self._first = self._first or (organization, slug)
        if self._first == (organization, slug):
            return 0
        block = int.from_bytes(sha256(f"{organization}/{slug}/ids".encode()).digest())
        while (block := block % (BLOCKS - 1) + 1) in self._blocks:
            pass
        return block
