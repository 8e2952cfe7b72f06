"""A preflight check, before anything is judged: whether URL, project and credentials look right.

It ends a run only if the cause cannot be the server. A server that stores nothing, or answers 500, passes.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit
from uuid import uuid4

from feedback_spec.document import Document
from tenacity import Retrying, retry_if_exception, stop_after_attempt

from feedback_verify.between import headers_of_all
from feedback_verify.exchange import Credential, Exchange, Project, Request
from feedback_verify.measuring import measure
from feedback_verify.scenario import JSON, TRIES, VALUES
from feedback_verify.settings import SettingsError
from feedback_verify.targets import LATE, ControlTarget, NotReachable, Target

FLAGS = {"write": "--token", "dsn": "--dsn", "read": "--read-token"}
REDIRECTS = (301, 302, 303, 307, 308)
GATEWAY = (501, 502, 503, 504)  # the 5xx that a server in front sends if it reaches none behind it


@dataclass(frozen=True)
class Look:
    """The responses to plain submissions, by kind of credentials, and to requests for the list."""

    submitted: Mapping[str, Exchange]
    listed: Mapping[str, Exchange]

    @property
    def answers(self) -> tuple[Exchange, ...]:
        """All responses."""
        return (*self.submitted.values(), *self.listed.values())


def look(target: Target, document: Document) -> list[str]:
    """Submits once with each kind of credentials and lists once; then measures the target.

    Returns notes, in sentences, on what looks odd.

    Raises SettingsError, with a sentence that includes the remedy, if the target cannot be judged with these settings,
    and NotReachable.
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
    target.sender.usual = headers_of_all(seen.answers)
    measure(target, document, seen.answers[0])
    return [] if isinstance(target, ControlTarget) else _notes(seen)


def check_url(url: str, document: Document) -> None:
    """Raises SettingsError if the URL includes the endpoint's own path."""
    prefix = document.submit.path.partition("{")[0]
    if prefix.rstrip("/") in urlsplit(url).path:
        bare = url[: url.index(prefix.rstrip("/"))]
        raise SettingsError(
            f"URL is the base URL of the server, without the endpoint's path: use {bare} instead of {url}."
        )


def _look(target: Target, document: Document, project: Project) -> Look:
    path = document.submit.path.format_map({"organization_slug": project.organization, "project_slug": project.slug})

    def ask(method: str, kind: str, content: bytes = b"") -> Exchange:
        headers: dict[str, str | Credential] = {"Authorization": project.credentials[kind]}
        headers |= {"Content-Type": JSON} if content else {}
        return again(target.exchange, Request(method, target.base_url + path, headers, content))

    again = Retrying(retry=retry_if_exception(_is_lost), stop=stop_after_attempt(TRIES), reraise=True)
    submitted, listed = {}, {}
    for kind in ("write", "dsn"):
        if kind in project.credentials:
            body = {"event_id": uuid4().hex, **VALUES}
            submitted[kind] = ask("POST", kind, json.dumps(body).encode())
    for kind in ("write", "read"):
        if kind in project.credentials:
            listed[kind] = ask("GET", kind)
    return Look(submitted, listed)


def _is_lost(error: BaseException) -> bool:
    """Whether the connection was lost, which a restart may cause; nothing is judged yet, so what was sent can be sent
    again.
    """
    return isinstance(error, NotReachable) and error.what != LATE


def _elsewhere(target: Target, seen: Look) -> str | None:
    """Evidence that the endpoint is not here at all."""
    url, answers = target.base_url, tuple(seen.submitted.values())
    if all(each.status in REDIRECTS for each in answers):
        place = urljoin(answers[0].request.url, answers[0].headers.get("location", ""))
        path = urlsplit(answers[0].request.url).path
        if place.endswith(path) and place != answers[0].request.url:
            return f"{url} redirects to {place.removesuffix(path)}: use that as the URL."
        return f"{url} redirects a plain submission to {place or 'nowhere'}: the endpoint is not at this URL."
    pages = [each for each in seen.answers if each.json is None and each.content]
    ours = any(each.json is not None or each.status == 500 for each in seen.answers)
    if pages and not ours and all(each.status < 500 or each.status in GATEWAY for each in seen.answers):
        kind, status = pages[0].media_type or "something", pages[0].status
        if status in GATEWAY[1:]:
            return f"{url} answers everything with {status}: the proxy in front does not reach the server."
        hint = " The server speaks HTTPS there." if b"HTTPS port" in pages[0].content else ""
        return f"{url} is not the endpoint: it answers a submission with {status} and {kind} instead of JSON.{hint}"
    lost = all(each.status in (401, 403, 404) for each in answers)
    if lost and isinstance(target, ControlTarget) and target.is_elsewhere:
        return (
            f"{url} answers a submission to the project that --control created with {answers[0].status}: do both "
            "belong to the same server, and is the path in URL right?"
        )
    return None


def _refused(target: Target, project: Project, seen: Look) -> str | None:
    """Evidence that the credentials or the project are wrong; never if the target supplied them itself."""
    if isinstance(target, ControlTarget):
        return None
    statuses = {FLAGS[kind]: each.status for kind, each in seen.submitted.items()}
    told = ", ".join(f"{flag}: {status}" for flag, status in statuses.items())
    place = f"{project.organization}/{project.slug}"
    match set(statuses.values()):
        case found if found == {404}:
            return f"{target.base_url} has no project {place} ({told}): are --organization and --project right?"
        case found if found == {401}:
            return f"No credentials are accepted ({told}): do they belong to the project {place} and to this server?"
        case found if found == {403}:
            return (
                f"No credentials may submit ({told}): does the token have the scope project:write, "
                f"and do they belong to {place}?"
            )
        case found if found <= {401, 403, 404}:
            return f"A plain submission to {place} is refused with any credentials ({told}): do they belong to it?"
    return None


def _notes(seen: Look) -> list[str]:
    """What may be a wrong setting or the server's fault: the run reports it and continues."""
    answers = {**seen.submitted, **{kind: each for kind, each in seen.listed.items() if kind == "read"}}
    return [
        f"{FLAGS[kind]} is refused with {each.status}, but other credentials are not: does it belong to this project?"
        for kind, each in answers.items()
        if each.status in (401, 403, 404)
    ]
