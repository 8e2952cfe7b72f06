"""A first look, before anything is judged: whether URL, project and credentials are what they should be.

It ends a run only for what is surely not the server's fault. A server that stores nothing, or answers 500, passes here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit
from uuid import uuid4

from feedback_spec.document import Document

from feedback_verify.between import headers_of_all
from feedback_verify.exchange import Credential, Exchange, Project, Request
from feedback_verify.measuring import measure
from feedback_verify.scenario import JSON, VALUES
from feedback_verify.settings import SettingsError
from feedback_verify.targets import ControlTarget, Target

FLAGS = {"write": "--token", "dsn": "--dsn", "read": "--read-token"}
REDIRECTS = (301, 302, 303, 307, 308)
GATEWAY = (501, 502, 503, 504)  # 5xx that a server in front answers, where there is none behind it


@dataclass(frozen=True)
class Look:
    """What was answered: plain submissions by kind of credentials, and lists."""

    submitted: Mapping[str, Exchange]
    listed: Mapping[str, Exchange]

    @property
    def answers(self) -> tuple[Exchange, ...]:
        """All answers."""
        return (*self.submitted.values(), *self.listed.values())


def look(target: Target, document: Document) -> list[str]:
    """Submits once by each of the credentials and lists once; then measures what the target is like.

    Answers notes, in sentences, on what looks odd.

    Raises SettingsError, in one sentence with the remedy, where the target cannot be judged with these settings, and
    NotReachable.
    """
    check_url(target.base_url, document)
    project, _ = target.open()
    try:
        seen = _look(target, document, project)
        reason = _elsewhere(target, seen) or _refused(target, project, seen)
    finally:
        target.close(project)
    if reason is not None:
        raise SettingsError(reason)
    target.usual = headers_of_all(seen.answers)
    measure(target, document, seen.answers[0])
    return _notes(seen)


def check_url(url: str, document: Document) -> None:
    """Raises SettingsError where the URL has the endpoint's own path in it."""
    prefix = document.submit.path.partition("{")[0]
    if prefix.rstrip("/") in urlsplit(url).path:
        bare = url[: url.index(prefix.rstrip("/"))]
        raise SettingsError(
            f"The URL is that of the server, without the endpoint's path: give {bare} instead of {url}."
        )


def _look(target: Target, document: Document, project: Project) -> Look:
    path = document.submit.path.format_map({"organization_slug": project.organization, "project_slug": project.slug})

    def ask(method: str, kind: str, content: bytes = b"") -> Exchange:
        headers: dict[str, str | Credential] = {"Authorization": project.credentials[kind]}
        headers |= {"Content-Type": JSON} if content else {}
        return target.exchange(Request(method, target.base_url + path, headers, content))

    submitted, listed = {}, {}
    for kind in ("write", "dsn"):
        if kind in project.credentials:
            body = {"event_id": uuid4().hex, **VALUES}
            submitted[kind] = ask("POST", kind, json.dumps(body).encode())
    for kind in ("write", "read"):
        if kind in project.credentials:
            listed[kind] = ask("GET", kind)
    return Look(submitted, listed)


def _elsewhere(target: Target, seen: Look) -> str | None:
    """What says that the endpoint is not here at all."""
    url, answers = target.base_url, tuple(seen.submitted.values())
    if all(each.status in REDIRECTS for each in answers):
        place = urljoin(answers[0].request.url, answers[0].headers.get("location", ""))
        path = urlsplit(answers[0].request.url).path
        if place.endswith(path) and place != answers[0].request.url:
            return f"{url} redirects to {place.removesuffix(path)}: give that as the URL."
        return f"{url} redirects a plain submission to {place or 'nowhere'}: the endpoint is not at this URL."
    pages = [each for each in seen.answers if each.json is None and each.content]
    ours = any(each.json is not None or each.status == 500 for each in seen.answers)
    if pages and not ours and all(each.status < 500 or each.status in GATEWAY for each in seen.answers):
        kind, status = pages[0].media_type or "something", pages[0].status
        if status in GATEWAY[1:]:
            return f"{url} answers everything with {status}: what is in front of the server does not reach it."
        hint = " It speaks https there." if b"HTTPS port" in pages[0].content else ""
        return f"{url} is not the endpoint: it answers a submission with {status} and {kind} instead of JSON.{hint}"
    lost = all(each.status in (401, 403, 404) for each in answers)
    if lost and isinstance(target, ControlTarget) and target.is_elsewhere:
        return f"{url} does not know the project that --control made there: do both belong to the same server?"
    return None


def _refused(target: Target, project: Project, seen: Look) -> str | None:
    """What says that the credentials or the project are wrong; not where the target itself gave them."""
    if isinstance(target, ControlTarget):
        return None
    statuses = {FLAGS[kind]: each.status for kind, each in seen.submitted.items()}
    told = ", ".join(f"{flag}: {status}" for flag, status in statuses.items())
    place = f"{project.organization}/{project.slug}"
    match set(statuses.values()):
        case found if found == {404}:
            return f"{target.base_url} has no project {place} ({told}): are --organization and --project right?"
        case found if found == {401}:
            return f"No credentials are accepted ({told}): are they of the project {place} and of this server?"
        case found if found == {403}:
            return (
                f"No credentials may submit ({told}): does the token have the scope project:write, "
                f"and do they belong to {place}?"
            )
        case found if found <= {401, 403, 404}:
            return f"A plain submission to {place} is refused whatever the credentials ({told}): are they its own?"
    return None


def _notes(seen: Look) -> list[str]:
    """What may be a wrong setting, and may be the server's fault: the run says so and goes on."""
    answers = {**seen.submitted, **{kind: each for kind, each in seen.listed.items() if kind == "read"}}
    return [
        f"{FLAGS[kind]} is refused with {each.status}, other credentials are not: is it of this project?"
        for kind, each in answers.items()
        if each.status in (401, 403, 404)
    ]
