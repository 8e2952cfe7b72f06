"""The requests to a project and its responses, as raw facts, bounded in number and bytes. Renders nothing.

An entry exists from the moment a request is received, and is completed with its response. Entries are numbered without
gaps, so readers can see where some were dropped.
"""

from collections import deque
from collections.abc import Hashable
from itertools import chain
from operator import itemgetter
from typing import Any

import orjson
from feedback_spec.bodies import event_ids

from feedback_mock.asgi import HEAD_SIZE, Answer, Headers
from feedback_mock.room import Room

OVERHEAD = 2_048  # bytes that an entry counts beyond its texts: about what Python needs for it
MOST_OF_A_BODY = 256 * 1024
MOST_SEARCHED = 1024 * 1024  # bytes of a truncated body in which event ids are looked for, which means to parse it
PENDING, ANSWERED, LOST = "pending", "answered", "lost"
"""The states of an entry: no response yet, a complete response, or none because a fault or the client ended it."""
Sent = tuple[str, bytes, bytes, str, Headers, dict[str, str], int]
"""A request as sent: method, path, query, version, headers, the path's parameters, and the bytes of target and
headers.
"""
_sent = itemgetter("method", "raw_path", "query_string", "http_version", "headers", "path_params", HEAD_SIZE)


class Entry:
    """One exchange, with as little work as possible: it refers to facts, which are formatted when they are read, and
    has no attributes of its own for what is as usual.

    `began` and `ended` are on the machine's clock, `now` on the project's, all in microseconds; with `left`, it ended
    when the client left. `operation` is the document's, if the request reached one. `body` is None if the server has
    not read it, `answer` if there is no response; `cut` are the numbers of bytes truncated from the two bodies,
    `event_ids` those in the whole body if it was truncated, is not encoded and has at most MOST_SEARCHED bytes. With
    a fault, `restarts` is the journal's when it struck.
    """

    state = PENDING
    now = size = 0
    left = False
    body: bytes | None = None
    answer: Answer | None = None
    cut = (0, 0)
    event_ids: list[str] | None = None
    rule = reason = ""
    fault: Any = None
    restarts: int | None = None
    har: dict[str, Any] | None = None

    def __init__(self, number: int, sent: Sent, operation: str | None, began: int) -> None:
        self.number, self.sent, self.operation, self.began = number, sent, operation, began
        self.ended, self.kept = 0, True

    @classmethod
    def restored(cls, har: dict[str, Any], now: int) -> "Entry":
        """An entry of another journal, as shown there: it is shown the same way, and has no raw facts."""
        facts, size = har["_feedback"], len(orjson.dumps(har))
        sent: Sent = har["request"]["method"], b"", b"", "1.1", (), {}, size
        entry = cls(facts["number"], sent, facts["operation"], 0)
        entry.har, entry.now = har, now
        # A request still waiting for its response there does not get one here.
        entry.state = facts["state"] = LOST if facts["state"] == PENDING else facts["state"]
        entry.answer = Answer(har["response"]["status"], (), b"")
        entry.rule, entry.reason = facts["rule"] or "", facts["reason"] or ""
        return entry

    def facts(self) -> dict[str, Any]:
        """The entry as JSON data; bytes become text with the same code points."""
        return {name: _shown(value) for name, value in vars(self).items()}

    @classmethod
    def of(cls, facts: dict[str, Any]) -> "Entry":
        """The entry with these `facts`."""
        method, path, query, version, headers, *others = facts["sent"]
        entry = cls.__new__(cls)
        vars(entry).update(facts)
        entry.sent = (method, _bytes(path), _bytes(query), version, _headers(headers), *others)
        if entry.body is not None:
            entry.body = _bytes(facts["body"])
        if entry.answer is not None:
            status, headers, body = facts["answer"]
            entry.answer = Answer(status, _headers(headers), _bytes(body))
        return entry

    @property
    def method(self) -> str:
        """The request's method."""
        return self.sent[0]

    @property
    def target(self) -> bytes:
        """Path and query as sent."""
        _, path, query, *_ = self.sent
        return path + b"?" + query if query else path

    @property
    def version(self) -> str:
        """The version of HTTP, such as `1.1`."""
        return self.sent[3]

    @property
    def headers(self) -> Headers:
        """Those of the request, in order."""
        return self.sent[4]

    @property
    def path(self) -> dict[str, str]:
        """The path's parameters."""
        return self.sent[5]

    @property
    def unread(self) -> bool:
        """Whether the request has a body, according to its head, that the server has not read (RFC 9112, 6.3)."""
        announced = any(
            name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0"))
            for name, value in self.headers
        )
        return self.body is None and announced

    @property
    def status(self) -> int:
        """That of the response, 0 without one."""
        return 0 if self.answer is None else self.answer.status

    def measure(self) -> int:
        """Its size in bytes, after truncating long bodies.

        The headers of responses are the mock's own, and most of them are shared.
        """
        size = OVERHEAD + self.sent[6] + len(self.reason)
        if self.body is not None:
            size += len(self.body)
        if self.answer is not None:
            size += len(self.answer.body)
        return size if size <= MOST_OF_A_BODY else size - self._truncate()

    def _truncate(self) -> int:
        """Truncates long bodies; returns by how many bytes."""
        body, answer = self.body or b"", self.answer or Answer(0, (), b"")
        of_body, of_answer = (max(len(each) - MOST_OF_A_BODY, 0) for each in (body, answer.body))
        if of_body:
            headers = dict(self.headers)
            if len(body) <= MOST_SEARCHED and not headers.get(b"content-encoding"):
                self.event_ids = sorted(event_ids(body, headers.get(b"content-type", b"").decode("latin-1")))
            self.body = body[:MOST_OF_A_BODY]
        if of_answer:
            self.answer = answer._replace(body=answer.body[:MOST_OF_A_BODY])
        self.cut = of_body or self.cut[0], of_answer or self.cut[1]
        return of_body + of_answer


def _sent_to_another_server(scope: Any) -> Sent:
    path, headers = scope.get("raw_path") or scope["path"].encode(), scope["headers"]
    query: bytes = scope["query_string"]
    size = len(path) + bool(query) + len(query) + sum(map(len, chain.from_iterable(headers)))
    return scope["method"], path, query, scope["http_version"], headers, scope.get("path_params", {}), size


def _shown(value: Any) -> Any:
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).decode("latin-1")
    if isinstance(value, (list, tuple)):
        return [_shown(each) for each in value]
    return value


def _bytes(text: str) -> bytes:
    return text.encode("latin-1")


def _headers(pairs: list[list[str]]) -> Headers:
    return [(_bytes(name), _bytes(value)) for name, value in pairs]


class Journal:
    """The entries of one project, oldest first: at most `count`, of `size` bytes together.

    `told` is what listeners have been sent lately.
    """

    def __init__(self, count: int, size: int, room: Room) -> None:
        self._most, self._most_bytes, self._room = count, size, room
        self.entries: deque[Entry] = deque()
        self.told: dict[Hashable, bytes] = {}
        self.last = self.size = self.restarts = self.cleared = 0

    @property
    def first(self) -> int:
        """The number of the oldest kept entry; that of the next one if there is none."""
        return self.entries[0].number if self.entries else self.last + 1

    @property
    def dropped(self) -> int:
        """How many entries were dropped since the journal began or was cleared."""
        return self.first - 1 - self.cleared

    def begin(self, scope: Any, operation: str | None, began: int) -> Entry:
        """Adds an entry for the request of an ASGI scope."""
        try:
            sent = _sent(scope)
        except KeyError:  # not from our own server
            sent = _sent_to_another_server(scope)
        self.last = number = self.last + 1
        entry = Entry(number, sent, operation, began)
        self.entries.append(entry)
        return entry

    def complete(self, entry: Entry) -> None:
        """Counts an entry, and drops the oldest if there are too many or they are too large.

        One that was dropped meanwhile is added again: what its request did, it did after that. But nothing is left of
        one that a fault delayed until the project had been reset.
        """
        entries, room = self.entries, self._room
        more = entry.size = entry.measure()
        if not entry.kept:
            if entry.restarts not in (None, self.restarts):
                return
            self.last = entry.number = self.last + 1
            entry.kept = True
            entries.append(entry)
        if len(entries) > self._most:
            oldest = entries.popleft()
            oldest.kept = False
            more -= oldest.size
        if more:
            self.size += more
            room.used += more
            while self.size > self._most_bytes:
                self._drop()
            if room.used > room.most:
                room.make()

    def restore(self, entries: list[Entry], last: int, dropped: int) -> None:
        """Adds the entries of another journal, whose latest number was `last`."""
        self.restart()
        self.last = last
        self.cleared = last - len(entries) - dropped
        for entry in entries:
            self.entries.append(entry)
            self.complete(entry)

    def take_back(self, entry: Entry) -> None:
        """Adds an entry back as the latest; the counts are restored separately."""
        self.entries.append(entry)
        self.size += entry.size
        self._room.used += entry.size

    def clear(self) -> None:
        """Removes all entries; the next one gets the next number."""
        while self.entries:
            self._oldest_goes()
        self._room.used -= self.size
        self.size, self.cleared = 0, self.last

    def restart(self) -> None:
        """Removes all entries and numbers them from 1."""
        self.clear()
        self.told.clear()
        self.restarts += 1
        self.last = self.cleared = 0

    def give_half(self) -> None:
        """Drops the older half of the bytes."""
        half = self.size // 2
        while self.entries and self.size > half:
            self._drop()

    def _drop(self) -> None:
        size = self._oldest_goes()
        self.size -= size
        self._room.used -= size

    def _oldest_goes(self) -> int:
        oldest = self.entries.popleft()
        oldest.kept = False
        return oldest.size
