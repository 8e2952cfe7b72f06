"""A store whose projects are replicas, listed by the directory in Redis and filled by processing each one's log.

Processes nothing itself. Outside processing, creating and deleting change nothing: the wish is recorded in `asked`, for
the code that changes the directory.
"""

import secrets
import sys
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from feedback_mock.clock import Clock
from feedback_mock.faults import Faults
from feedback_mock.journal import Journal
from feedback_mock.room import Room
from feedback_mock.sleepers import Sleep, Sleepers
from feedback_mock.store import Project, Store
from feedback_mock.tally import Tally

MOST_LOADED = 1_000
"""How many projects one process keeps in memory; it reads others again when needed."""
Name = tuple[str, str]


@dataclass(slots=True, eq=False)
class Replica:
    """A project as one process knows it: its entry in the directory, and how far its log has been processed.

    `position` entries have been, the last of them at the instant `stamp`; `incarnation` is part of its keys' names.
    `settling` says whether this process is appending that something is due on the project's clock.
    """

    name: Name
    meta: bytes
    incarnation: bytes
    position: int = 0
    stamp: bytes = b""
    settling: bool = False


class Change(NamedTuple):
    """A change of the directory: a project's new entry, b"" for none, and the new counts."""

    name: Name
    meta: bytes
    numbers: bytes
    incarnation: bytes
    replaced: bytes


class Replicas(Store):
    """The existing projects, of which those that this process needed are filled.

    `instant` is Redis' own, which all clocks and leases follow; `begun` is the sleep that began last, with its project.
    """

    shared = True

    def __init__(self, like: Store) -> None:
        self.instant = 0
        self.elapsed = lambda: self.instant
        super().__init__(
            self.elapsed,
            running=like.running,
            limits=like.limits,
            made_at=like.made_at,
            secret=like.secret,
        )
        # Journals of different processes must agree, so no process makes room on its own. It drops whole projects.
        self.room, self.feedback_room, self.event_room = Room(sys.maxsize), Room(sys.maxsize), Room(sys.maxsize)
        self.tally = Tally()  # counted by handlers, which may process requests that another process answers
        self.epoch = self.version = b""
        self.replicas: dict[Name, Replica] = {}
        self.asked: Change | None = None
        self.begun: tuple[Sleep, Project] | None = None
        self.filling: Name | None = None
        self.full = False
        self.holding = 0
        self._loaded: OrderedDict[Replica, None] = OrderedDict()

    # --- the directory

    def of_path(self, path: Mapping[str, str]) -> Replica | None:
        """The project named by a path's parameters."""
        project = self.project_of_path(path)
        return None if project is None else self.replicas[project.organization, project.slug]

    def project_of(self, replica: Replica) -> Project:
        """The project, as far as its log has been processed."""
        return self.projects[replica.name]

    def rebuild(self, directory: Mapping[bytes, bytes]) -> None:
        """Replaces all projects by those in this directory."""
        metas = {_name(field): meta for field, meta in directory.items() if b"/" in field}
        for name in self.replicas.keys() - metas.keys():
            self.adopt(name, b"")
        for name in sorted(metas, key=lambda each: int(orjson.loads(metas[each])[0])):
            self.adopt(name, metas[name])
        self._count(directory.get(b"numbers"))
        self.epoch, self.version = directory.get(b"epoch", b""), directory.get(b"version", b"")

    def update(self, version: bytes, names: list[bytes], values: list[bytes | None]) -> None:
        """Updates these projects to this version of the directory; `values` begin with its counts."""
        for field, meta in zip(names, values[1:], strict=True):
            self.adopt(_name(field), meta or b"")
        self._count(values[0])
        self.version = version

    def adopt(self, name: Name, meta: bytes) -> None:
        """Adds an empty project as in the directory, or removes it."""
        known = self.replicas.get(name)
        if known is not None and known.meta == meta:
            return
        if known is not None:
            self._loaded.pop(known, None)
        if meta:
            number, block, organization, incarnation = orjson.loads(meta)
            self.replicas[name] = Replica(name, meta, incarnation.encode())
            self.enter(self._made(*name, number, block, Clock(self.source, 0), True, 0, False), organization)
        elif known is not None:
            super().delete_project(self.projects[name])
            del self.replicas[name]

    def empty(self, replica: Replica) -> Project:
        """Discards the contents of the project; its log must be processed again from the first entry."""
        replica.position, replica.stamp = 0, b""
        self._loaded.pop(replica, None)
        known = self.projects[replica.name]
        project = self._made(*replica.name, known.id, known.block, Clock(self.source, 0), True, 0, False)
        self.enter(project)
        return project

    def use(self, replica: Replica) -> None:
        """Notes that the project was needed."""
        self._loaded[replica] = None
        self._loaded.move_to_end(replica)

    def make_room(self) -> None:
        """Empties the least recently used projects if there are too many, except those that someone is `holding`."""
        while not self.holding and self._are_too_much():
            self.empty(next(iter(self._loaded)))

    def _are_too_much(self) -> bool:
        limits = self.limits
        return len(self._loaded) > MOST_LOADED or (
            len(self._loaded) > 1
            and (
                self.room.used > limits.all_request_bytes
                or self.feedback_room.used > limits.all_feedback
                or self.event_room.used > limits.all_events
            )
        )

    # --- for handlers

    def put_project(
        self, organization: str, slug: str, clock: Clock, *, redact: bool = True, seed: int = 0, follow: bool = False
    ) -> Project | None:
        """Replaces the project that is being filled; otherwise records the wish, and returns the possible result."""
        name = organization, slug
        if self.filling == name:
            project = self.projects[name]
            project.clock, project.sleepers, project.faults = clock, Sleepers(clock, self.elapsed), Faults(seed)
            project.redact, project.follow = redact, follow
            return project
        if name not in self.projects and len(self.projects) >= self.limits.projects:
            self.full = True
            return None
        self.asked = self._change(name)
        project = self._made(organization, slug, "0", 0, clock, redact, seed, follow)
        project.room = project.event_room = room = Room(sys.maxsize)
        project.journal = Journal(self.limits.requests, self.limits.request_bytes, room)
        return project

    def delete_project(self, project: Project) -> None:
        """Records the wish."""
        name = project.organization, project.slug
        numbers, replaced = self._numbers(), self.replicas[name].incarnation
        self.asked = Change(name, b"", orjson.dumps(numbers), b"", replaced)

    def free_slug(self, organization: str) -> str:
        """The slug of the project that is being filled; otherwise an unused one, chosen as in any store."""
        if self.filling is not None:
            return self.filling[1]
        return super().free_slug(organization)

    def _change(self, name: Name) -> Change:
        """The change that adds a project with this name, with the numbers that any store would give it."""
        organization, known, numbers = self.organizations.get(name[0]), self.replicas.get(name), self._numbers()
        if known is not None:
            number, block, organization, _ = orjson.loads(known.meta)
        else:
            numbers["projects"] += 1
            first, self._first = self._first, self._first or name
            number, block, numbers["first"] = str(numbers["projects"]), self._free_block(*name), self._first
            self._first = first
        if organization is None:
            numbers["organizations"] += 1
            organization = str(numbers["organizations"])
        incarnation = secrets.token_hex(8)
        meta = orjson.dumps([number, block, organization, incarnation])
        replaced = b"" if known is None else known.incarnation
        return Change(name, meta, orjson.dumps(numbers), incarnation.encode(), replaced)

    def _numbers(self) -> dict[str, Any]:
        """The directory's counts."""
        return {
            "projects": self._last_project_id,
            "organizations": self._last_organization_id,
            "made_up": self._last_made_up,
            "first": self._first,
        }

    def _count(self, numbers: bytes | None) -> None:
        counted = orjson.loads(numbers or b"{}")
        self._last_project_id, self._last_organization_id = counted.get("projects", 0), counted.get("organizations", 0)
        self._last_made_up, first = counted.get("made_up", 0), counted.get("first")
        self._first = None if first is None else (first[0], first[1])


def _name(field: bytes) -> Name:
    organization, _, slug = field.decode().partition("/")
    return organization, slug
