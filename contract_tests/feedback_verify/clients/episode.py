"""What a client did in one situation, as values: its requests from a journal, and how it ended. Pure."""

import json
import re
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from feedback_spec.document import SUBMIT, Document
from feedback_spec.instants import FIRST_INSTANT, LAST_INSTANT, SECOND, parse_instant
from feedback_spec.operations import operation_at
from feedback_spec.validity import Sent, Validity

FORM = "application/x-www-form-urlencoded"
_FINER = re.compile(r"(?<=\.[0-9]{6})[0-9]+")  # what some write beyond microseconds
_LONGEST = 365 * 86_400 * SECOND  # the most that the schema of a journal allows between request and response
MULTIPART = "multipart/form-data"
SHORTEST_SECRET = 16  # characters; a shorter one may be in a text by chance
REDACTED = "[redacted]"
"""What the mock's journal has in place of a secret."""
LOST = 0
"""The status of a request without a response."""


@dataclass(frozen=True)
class Attempt:
    """One request, from a HAR 1.2 entry; instants in microseconds since 1970.

    `now` is the instant on the project's clock, `sent` and `answered` are on the machine's; `operation` is None for a
    request to no documented path. `fault` is what the mock was told to do, None if it followed the document; `rule`
    decided then.
    """

    number: int
    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: str | None = field(repr=False)
    status: int
    answer_headers: Mapping[str, str] = field(repr=False)
    answer: str = field(repr=False)
    operation: str | None
    now: int
    sent: int
    answered: int
    rule: str | None = None
    fault: Mapping[str, Any] | None = None
    pending: bool = False  # there was no response yet when the journal was read
    problems: tuple[str, ...] | None = None  # None if it was not validated

    def header(self, name: str) -> str | None:
        """The first header of this name."""
        return next((value for each, value in self.headers if each.lower() == name), None)

    @property
    def submits(self) -> bool:
        """Whether it is a submission."""
        return self.operation == SUBMIT

    @property
    def by_document(self) -> bool:
        """Whether it was answered by the document, at once or later."""
        return self.fault is None or set(self.fault["effect"]) == {"delay"}

    @property
    def media_type(self) -> str:
        """The media type of the body, empty where none is named."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    @cached_property
    def fields(self) -> Mapping[str, Any] | None:
        """The fields of the body by name, read as JSON or as a form, according to its media type; None if it is
        neither.
        """
        if self.body is None:
            return None
        try:
            content = json.loads(self.body)
        except (ValueError, RecursionError):
            if self.media_type == MULTIPART:
                return _parts(self.header("content-type") or "", self.body)
            return dict(parse_qsl(self.body, keep_blank_values=True)) if self.media_type == FORM else None
        return content if isinstance(content, dict) else None

    @property
    def event_id(self) -> str | None:
        """The event that it is about, as written."""
        event_id = (self.fields or {}).get("event_id")
        return event_id if isinstance(event_id, str) else None


@dataclass(frozen=True)
class Episode:
    """What a client did in a situation.

    `ended` says when we ended it, None if it exited, with this `exit_code`, negative if a signal ended it. `given` are
    the values to submit and `secrets` what it must keep; `elsewhere` has all requests to another origin, `records` what
    is stored at the end. `over` is the instant of the end, on the machine's clock in microseconds; `told_time` says
    whether the client's time is the project's, including any moves; `lag` is how long one look at the client took at
    most, and `waited` how long one of its threads waited for a processor between two looks, in microseconds: much on a
    busy machine. `cut` says whether it printed more than was kept.
    """

    situation: str
    attempts: Sequence[Attempt]
    exit_code: int | None = 0
    output: str = field(default="", repr=False)
    errors: str = field(default="", repr=False)
    records: Sequence[Mapping[str, Any]] = ()
    elsewhere: Sequence[str] = field(default=(), repr=False)
    given: Mapping[str, str] = field(default_factory=dict)
    secrets: Sequence[str] = field(default=(), repr=False)
    over: int = 0
    told_time: bool = False
    lag: int = 0
    waited: int = 0
    cut: bool = False
    ended: str | None = None
    recorded: bool = False  # from a journal: how the client ended is unknown

    @property
    def submissions(self) -> list[Attempt]:
        """The submissions, in order."""
        return [each for each in self.attempts if each.submits]

    @property
    def ending(self) -> str:
        """How the command ended, with its last words: `exited with code 1, saying: no luck`."""
        lines = [line for line in (self.output + self.errors).splitlines() if line.strip()]
        last = f", saying: {lines[-1].strip()[:200]}" if lines else ""
        if self.ended is None:
            return f"exited with code {self.exit_code}{last}"
        return f"was stopped {self.ended} (--patience){last}"


def attempts_of(entries: Sequence[Mapping[str, Any]], document: Document) -> list[Attempt]:
    """The entries of a HAR file or of a journal, valid by `journal.schema.json`, in the order in which they were sent;
    a journal has them in order, a HAR file need not.

    Raises ValueError for a URL, a date or base64 that is not one.
    """
    if not all("number" in (each.get("_feedback") or {}) for each in entries):
        entries = sorted(entries, key=lambda each: _instant(each["startedDateTime"]))
    validity = Validity([document.openapi])
    return [_attempt(number, entry, document, validity) for number, entry in enumerate(entries, 1)]


def _attempt(number: int, entry: Mapping[str, Any], document: Document, validity: Validity) -> Attempt:
    request, response, ours = entry["request"], entry["response"], entry.get("_feedback") or {}
    sent = _instant(entry["startedDateTime"])
    status = LOST if ours.get("state") in ("lost", "pending") else max(int(response["status"]), LOST)
    operation = ours["operation"] if "operation" in ours else operation_of(request["method"], request["url"], document)
    headers, body = tuple((each["name"], each["value"]) for each in request["headers"]), _body(request)
    by_name = {name.lower(): value for name, value in reversed(headers)}
    query = urlsplit(request["url"]).query
    sent_body = None if body is None else body.encode("utf-8", "replace")
    as_sent = Sent(operation, {}, query, by_name, sent_body, whole=body is not None)
    return Attempt(
        number=ours.get("number", number),
        method=request["method"],
        url=request["url"],
        headers=headers,
        body=body,
        status=status,
        answer_headers={each["name"].lower(): each["value"] for each in response["headers"]},
        answer=response["content"].get("text") or "",
        operation=operation,
        now=_instant(ours["now"]) if ours.get("now") else sent,
        sent=sent,
        answered=sent + round(max(entry["time"], 0) * 1000),
        rule=ours.get("rule"),
        fault=ours.get("fault"),
        pending=ours.get("state") == "pending",
        problems=_problems(ours.get("request"), lambda: validity.of_request(as_sent), status),
    )


def _problems(
    told: Mapping[str, Any] | None, find: Callable[[], Mapping[str, Any]], status: int
) -> tuple[str, ...] | None:
    """What is wrong with a request, as the mock has told or, without it, as the document says: but only where the
    server that was recorded agrees, which may follow another profile.
    """
    verdict = find() if told is None else told
    problems = tuple(f"{each['pointer']} {each['detail']}" for each in verdict["problems"])
    wrong = any(each.startswith("/body") for each in problems)
    if verdict.get("valid", True) is None or (told is None and wrong is not (status == HTTPStatus.BAD_REQUEST)):
        return None
    return problems


def secrets_of(attempts: Sequence[Attempt]) -> list[str]:
    """The tokens and the keys of DSNs in the Authorization headers of these requests; no more of a DSN is secret."""
    values = {value for each in attempts for name, value in each.headers if name.lower() == "authorization"}
    credentials = {value.partition(" ")[2].strip() for value in values}
    secrets = {each.partition("://")[2].partition("@")[0] if "://" in each else each for each in credentials}
    return sorted(each for each in secrets if len(each) >= SHORTEST_SECRET and REDACTED not in each)


def _instant(text: str) -> int:
    """An instant that can be shown in UTC, with the time that a request may take. Raises ValueError."""
    instant = parse_instant(_FINER.sub("", text))
    if not FIRST_INSTANT <= instant <= LAST_INSTANT - _LONGEST:
        raise ValueError(f'"{text}" is a time in no year from 1 to 9998')
    return instant


def _parts(content_type: str, body: str) -> Mapping[str, str]:
    """The fields of a multipart form by name."""
    form = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n{body}".encode())
    fields = {}
    for part in form.walk():
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            name = str(part.get_param("name", header="content-disposition"))
            fields[name] = content.decode("utf-8", "replace")
    return fields


def _body(request: Mapping[str, Any]) -> str | None:
    """The body as text; if it is not UTF-8, which the journal has in base64, with replacement characters.

    None if it is unknown, empty if there was none.
    """
    data = request.get("postData") or {}
    text = data.get("text", "" if request.get("bodySize") == 0 else None)
    return b64decode(text).decode("utf-8", "replace") if text and data.get("_encoding") == "base64" else text


def operation_of(method: str, url: str, document: Document) -> str | None:
    """The operation of the document that a URL on any server belongs to."""
    found = operation_at(document.operations.values(), method, urlsplit(url).path)
    return found[0].id if found else None
