"""Replays the steps of a scenario, in fresh projects and with fresh event ids, checked by the oracle."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from feedback_verify.exchange import Altered, Credential, Exchange, Part, Project, Request, Secret, as_data
from feedback_verify.oracle import Mismatch
from feedback_verify.scenario import Scenario
from feedback_verify.steps import Advance, SaveEvent, Send, Step

FIELDS = ("event_id", "name", "email", "comments")
Kind = tuple[str, str, str]


@dataclass
class Replayed:
    """The result: the steps as replayed, which act led to a mismatch of which kind, the last response."""

    steps: list[Step]
    kinds: list[tuple[int, Kind]] = field(default_factory=list)
    last: Exchange | None = None
    end: int = 0


class Replayer:
    """Replays acts (steps without those that open a project) in a fresh scenario; `projects` are those of the old one.

    Event ids are new each time, even in a fresh project: a target may not keep projects apart. It ends at the first
    mismatch of the wanted kind, if one is given.
    """

    def __init__(self, scenario: Scenario, projects: Iterable[Project], wanted: Kind | None, random: Random) -> None:
        self._scenario, self._wanted = scenario, wanted
        self._old = list(projects)
        self._new: dict[tuple[str, str], Project] = {}
        self._spelling = another_spelling(random)
        self._ids: set[str] = set()

    def play(self, acts: Sequence[Step]) -> Replayed:
        """Raises NotReachable, Unsendable or ProtocolError if that is impossible."""
        replayed = Replayed(self._scenario.steps)
        self._ids = {act.event_id.lower() for act in acts if isinstance(act, (SaveEvent, Send)) and act.event_id}
        for at, act in enumerate(acts):
            problems = list(self._do(act, replayed))
            if "records" in self._scenario.target.capabilities and (self._wanted or ("",))[0] in ("", "records"):
                problems += self._stored()
            replayed.end = at
            replayed.kinds += [(at, each.kind) for each in problems]
            if any(each.kind == self._wanted for each in problems):
                if problems[-1].aspect == "records":
                    self._scenario.show_records()
                break
        return replayed

    def _do(self, act: Step, replayed: Replayed) -> Iterator[Mismatch]:
        match act:
            case SaveEvent():
                self._scenario.save_event(self._id(act.event_id), project=self._project(act.project), **act.facts)
            case Advance():
                self._scenario.advance(act.microseconds, project=self._project(act.project))
            case Send():
                yield from self._send(act, replayed)

    def _send(self, act: Send, replayed: Replayed) -> Iterator[Mismatch]:
        project, scenario = self._project(act.project), self._scenario
        request = self._request(act.request, act.project, project)
        reply = replayed.last = scenario.repeat(project, request)
        scenario.note(reply, expected=act.expected)
        submission = self._submission(act, project, request)
        if submission is not None:
            yield from scenario.judge(project, *submission, reply)[1]
        elif request.method == "GET" and urlsplit(request.url).path.endswith(scenario.path(project)):
            yield from self._listed(project, dict(parse_qsl(urlsplit(request.url).query)), reply)

    def _submission(self, act: Send, project: Project, request: Request) -> tuple[Mapping[str, str], str] | None:
        """The values and the kind of credentials of a submission known to be valid."""
        if act.values is not None:
            return {**act.values, "event_id": self._id(act.values["event_id"])}, act.by
        mutability, body = self._scenario.document.mutability, as_data(request.content)
        valid = {mutability.stored.status, *(window.status for window in mutability.windows)} & {*act.expected}
        texts = isinstance(body, dict) and all(isinstance(body.get(name), str) for name in FIELDS)
        by = [kind for kind, each in project.credentials.items() if each in request.headers.values()]
        return ({name: body[name] for name in FIELDS}, by[0]) if valid and texts and by else None

    def _stored(self) -> list[Mismatch]:
        """The stored records, if those of the first project are not as expected."""
        for project in self._new.values():
            records = self._scenario.records(project=project)
            if problems := self._scenario.oracle.record_problems(project, records):
                return problems
        return []

    def _listed(self, project: Project, filters: Mapping[str, str], reply: Exchange) -> Iterator[Mismatch]:
        """The problems of a plain list; other checks request pages and the like."""
        if set(filters) <= {"status", "environment"}:
            entries: Any = reply.json
            if isinstance(entries, list) and not self._scenario.target.sandboxes:
                known = self._scenario.oracle.sandbox(project).submitted()
                entries = [each for each in entries if isinstance(each, dict) and each.get("eventID") in known]
            yield from self._scenario.oracle.list_problems(
                project, entries, self._scenario.oracle.listed(project, **filters)
            )

    # --- what is different this time

    def _project(self, old: Project) -> Project:
        """The fresh project for an old one: the scenario's own for the first, further ones for the others."""
        key = (old.organization, old.slug)
        if key not in self._new:
            first = next(iter(self._new), None)
            self._new[key] = (
                self._scenario.project
                if first is None
                else self._scenario.other_project(same_organization=first[0] == old.organization)
            )
        return self._new[key]

    def _request(self, request: Request, old: Project, new: Project) -> Request:
        place = f"/{old.organization}/{old.slug}"
        headers = {name: self._value(each) for name, each in request.headers.items()}
        url = self._text(request.url.replace(place, f"/{new.organization}/{new.slug}"))
        content = self._text(request.content.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        in_query = None if request.in_query is None else self._altered(request.in_query)
        return replace(request, url=url, headers=headers, content=content, in_query=in_query)

    def _value(self, value: str | Secret) -> str | Secret:
        """A header's value, with the new secret in place of the old one."""
        match value:
            case Credential():
                return self._credential(value)
            case Altered():
                return self._altered(value)
            case _:
                return value

    def _altered(self, altered: Altered) -> Altered:
        return Altered(tuple(self._part(each) if isinstance(each, Part) else each for each in altered.parts))

    def _part(self, part: Part) -> Part:
        return replace(part, credential=self._credential(part.credential))

    def _credential(self, credential: Credential) -> Credential:
        for old in self._old:
            for kind, each in old.credentials.items():
                if each.secret == credential.secret:
                    return replace(self._project(old).credentials[kind], prefix=credential.prefix)
        return credential

    def _id(self, event_id: str) -> str:
        return event_id.translate(self._spelling)

    def _text(self, text: str) -> str:
        """A text with every event id of the scenario replaced."""
        for event_id in self._ids:
            for written in (event_id, event_id.upper()):
                text = text.replace(written, self._id(written))
        return text


def another_spelling(random: Random) -> dict[int, int]:
    """Other digits for those of an event id; letters become letters and zeros zeros, so equal things stay equal."""
    spelling: dict[int, int] = {}
    for alphabet in ("abcdef", "123456789"):
        others = "".join(random.sample(alphabet, len(alphabet)))
        spelling |= str.maketrans(alphabet + alphabet.upper(), others + others.upper())
    return spelling
