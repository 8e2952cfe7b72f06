"""Shows entries of a journal as HAR 1.2 with an additional `_feedback`, and hides the credentials in them.

Pure: nothing here runs until somebody reads a journal.
"""

import base64
import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from feedback_spec.bodies import event_ids
from feedback_spec.instants import format_instant
from feedback_spec.validity import SUCCESS, Sent

from feedback_mock.asgi import Answer
from feedback_mock.journal import PENDING, Entry
from feedback_mock.store import Project

Decode = Callable[[bytes, str], bytes]
"""Decodes a body's Content-Encoding; raises ValueError if that is impossible."""
HIDDEN = "[redacted]"
_SECRET = re.compile(r"authorization|x-sentry-auth|cookie|token|secret|password|api-?key", re.IGNORECASE)
"""What is in the name of a header with credentials, of Sentry or of anything on the way."""
_USER_OF_URL = re.compile(r"(?<=://)[^/@\s\"\\]{1,200}(?=@)")
_ID = re.compile(r"[0-9a-f]{32}")
_WORTH_HIDING = 6  # a shorter secret protects nothing, and hiding it would mutilate ordinary words
_SCHEME = re.compile(r"(Bearer|DSN|Basic|Sentry)\s", re.IGNORECASE)


class Shown:
    """An entry of a project for display: with decoded text, and without secrets unless the project shows them."""

    def __init__(self, entry: Entry, project: Project, decode: Decode) -> None:
        self.entry, self._redact, self._clock = entry, project.redact, project.clock
        self.headers = _pairs(entry.headers)
        self._by_name = {name.lower(): value for name, value in reversed(self.headers)}
        self.body, self._encoded = self._decoded(decode)
        self._secrets = sorted(set(self._found(project)), key=len, reverse=True) if self._redact else []

    @property
    def content_type(self) -> str:
        """The request's media type, as sent."""
        return self._by_name.get("content-type", "")

    def event_ids(self) -> set[str]:
        """The event ids in the request, in lower case and without dashes."""
        if self.entry.har is not None:
            return set(self.entry.har["_feedback"]["event_ids"])
        if self.entry.event_ids is not None:
            return set(self.entry.event_ids)
        return event_ids(self.body, self.content_type)

    @property
    def misses_event_ids(self) -> bool:
        """Whether there may be other event ids, in what was not read or not kept of the body."""
        entry = self.entry
        if entry.har is not None:
            return bool(entry.har["request"]["bodySize"] < 0)
        return entry.unread or (entry.cut[0] > 0 and entry.event_ids is None)

    def sent(self) -> Sent:
        """The request, as the documents judge it."""
        entry = self.entry
        return Sent(
            operation=entry.operation,
            path=entry.path,
            query=entry.target.partition(b"?")[2].decode("latin-1"),
            headers=self._by_name,
            body=None if entry.body is None else self.body,
            whole=not entry.unread and not entry.cut[0],
            rule=entry.rule,
            reason=entry.reason,
            accepted=entry.status in SUCCESS,
        )

    def har(self, origin: str, verdicts: dict[str, Any]) -> dict[str, Any]:
        """The entry in HAR format; `origin` is our origin for the reader; `verdicts` are added to `_feedback`."""
        if self.entry.har is not None:
            return self.entry.har
        entry = self.entry
        waited = 0 if entry.state == PENDING else ((entry.ended or entry.began) - entry.began) / 1000
        return {
            "startedDateTime": format_instant(entry.began),
            "time": waited,
            "request": self._request(origin),
            "response": self._response(),
            "cache": {},
            "timings": {"send": 0, "wait": waited, "receive": 0},
            "_feedback": {
                "number": entry.number,
                "now": format_instant(entry.now or self._clock.now()),
                "state": entry.state,
                "operation": entry.operation,
                "event_ids": sorted(each for each in self.event_ids() if _ID.fullmatch(self.hide(each))),
                "rule": entry.rule or None,
                "reason": self.hide(entry.reason) or None,
                "fault": entry.fault,
                **verdicts,
            },
        }

    def hide(self, text: str) -> str:
        """The text without secrets."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return _USER_OF_URL.sub(HIDDEN, text) if self._redact else text

    def _request(self, origin: str) -> dict[str, Any]:
        entry = self.entry
        target = self.hide(entry.target.decode("latin-1"))
        scheme, _, host = origin.partition("://")
        shown: dict[str, Any] = {
            "method": entry.method,
            "url": f"{scheme}://{self._by_name.get('host') or host}{target}",
            "httpVersion": f"HTTP/{entry.version}",
            "cookies": self._cookies(),
            "headers": self._headers(self.headers),
            "queryString": [
                {"name": name, "value": value}
                for name, value in parse_qsl(target.partition("?")[2], keep_blank_values=True)
            ],
            "headersSize": -1,
            "bodySize": -1 if entry.unread else len(entry.body or b"") + entry.cut[0],
        }
        if entry.body:
            comment = self._encoded or _cut(entry.body, entry.cut[0])
            shown["postData"] = {"mimeType": self.content_type, **self._text(self.body, "_encoding"), **comment}
        return shown

    def _response(self) -> dict[str, Any]:
        entry = self.entry
        answer, (_, cut) = entry.answer or Answer(0, (), b""), entry.cut
        if entry.method == "HEAD":
            answer, cut = answer._replace(body=b""), 0
        headers = _pairs(answer.headers)
        kind = next((value for name, value in headers if name.lower() == "content-type"), "")
        return {
            "status": answer.status,
            "statusText": _phrase(answer.status),
            "httpVersion": f"HTTP/{entry.version}",
            "cookies": [],
            "headers": self._headers(headers),
            "content": {
                "size": len(answer.body) + cut,
                "mimeType": kind,
                **self._text(answer.body, "encoding"),
                **_cut(answer.body, cut),
            },
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": -1 if entry.state == PENDING else len(answer.body) + cut,
        }

    def _cookies(self) -> list[dict[str, str]]:
        pairs = (each.strip().partition("=") for each in self._by_name.get("cookie", "").split(";") if each.strip())
        return [{"name": self.hide(name), "value": HIDDEN if self._redact else value} for name, _, value in pairs]

    def _headers(self, headers: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
        return [{"name": name, "value": self._header(name.lower(), value)} for name, value in headers]

    def _header(self, name: str, value: str) -> str:
        if not self._redact or _SECRET.search(name) is None:
            return self.hide(value)
        scheme = _SCHEME.match(value)
        return f"{scheme[1]} {HIDDEN}" if scheme else HIDDEN

    def _text(self, data: bytes, encoding: str) -> dict[str, str]:
        if not data:
            return {"text": ""}
        try:
            return {"text": self.hide(data.decode())}
        except UnicodeDecodeError:
            if self._secrets and any(each.encode() in data for each in self._secrets):
                return {"text": HIDDEN}
            return {"text": base64.b64encode(data).decode(), encoding: "base64"}

    def _decoded(self, decode: Decode) -> tuple[bytes, dict[str, str]]:
        """The request's body without its Content-Encoding, and a comment that says so."""
        body, encoding = self.entry.body or b"", self._by_name.get("content-encoding", "")
        if not body or encoding.strip().lower() in ("", "identity"):
            return body, {}
        try:
            return decode(body, encoding), {"comment": f"shown without its Content-Encoding: {encoding[:100]}"}
        except ValueError:
            if self._redact:
                return b"", {
                    "comment": "cannot be decompressed; shown only if the project was created with redact: false"
                }
            return body, {"comment": "cannot be decompressed"}

    def _found(self, project: Project) -> Iterable[str]:
        """All credentials: the project's own, and anything that the request sends as such."""
        yield from (project.credentials.public_key, *project.credentials.tokens.values())
        sent = [value for name, value in self.headers if _SECRET.search(name)]
        words = [word.partition("=")[2] or word for value in sent for word in re.split(r"[\s,;]+", value)]
        query = parse_qsl(self.entry.target.partition(b"?")[2].decode("latin-1"))
        words += [value for name, value in query if name == "sentry_key"]
        yield from (word for word in words if len(word) >= _WORTH_HIDING and word.lower() not in ("bearer", "sentry"))


def log(entries: object, version: str, more: dict[str, Any]) -> dict[str, Any]:
    """A whole HAR document with these entries; `more` is its own `_feedback`."""
    creator = {"name": "feedback-mock", "version": version}
    return {"log": {"version": "1.2", "creator": creator, "entries": entries, "_feedback": more}}


def _pairs(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def _cut(kept: bytes, cut: int) -> dict[str, str]:
    return {"comment": f"truncated after {len(kept)} of {len(kept) + cut} bytes"} if cut else {}


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
