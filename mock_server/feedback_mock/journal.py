"""The requests to a project and its responses, as raw facts, bounded in number and bytes. Renders nothing.

An entry exists from the moment a request is received, and is completed with its response. Entries are numbered without
gaps, so readers can see where some were dropped.
"""

from collections import deque
from collections.abc import Callable, Hashable
from itertools import chain
from sys import intern
from typing import Any

import orjson

from feedback_mock.asgi import HEAD_SIZE
from feedback_mock.room import Room

Headers = list[tuple[bytes, bytes]] | tuple[tuple[bytes, bytes], ...]
OVERHEAD = 2_048  # bytes that an entry counts beyond its texts: about what Python needs for it
MOST_OF_A_BODY = 256 * 1024
_NO_PARAMETERS: dict[str, str] = {}
PENDING, ANSWERED, LOST = "pending", "answered", "lost"
"""The states of an entry: no response yet, a complete response, or none because a fault or the client ended it."""


class Entry:
    """One exchange, with as little work as possible: it refers to facts, which are formatted when they are read.

    `began` and `ended` are on the machine's clock, `now` on the project's, all in microseconds; with `left`, it ended
    when the client left. `path` contains the path's parameters; `operation` is the document's, if the request reached
    one. `body` is None if the server has not read it. Bodies are truncated after MOST_OF_A_BODY; `body_size` and
    `answer_size` are their full lengths.
    """

    __slots__ = (
        *("number", "began", "ended", "left", "now", "state", "size", "method", "_path", "_query", "version"),
        *("headers", "head_size", "path", "operation", "body", "body_size", "status", "answer_headers", "answer"),
        *("answer_size", "rule", "reason", "fault", "kept", "har"),
    )

    def __init__(self, scope: Any, operation: str | None, began: int) -> None:
        self.state, self.size, self.began, self.ended, self.now = PENDING, 0, began, began, 0
        self.left = False
        self.method: str = intern(scope["method"])
        self._path: bytes | str = scope.get("raw_path") or scope["path"]
        self._query: bytes = scope["query_string"]
        self.version: str = scope["http_version"]
        self.headers: Headers = scope["headers"]
        size: int | None = scope.get(HEAD_SIZE)
        self.head_size = sum(map(len, chain.from_iterable(self.headers))) if size is None else size
        self.path: dict[str, str] = scope.get("path_params", _NO_PARAMETERS)
        self.operation = operation
        self.body: bytes | None = None
        self.rule = self.reason = ""
        self.status = self.body_size = self.answer_size = 0
        self.answer_headers: Headers = ()
        self.answer = b""
        self.fault: Any = None
        self.number, self.kept = 0, True
        self.har: dict[str, Any] | None = None

    @classmethod
    def restored(cls, har: dict[str, Any], now: int) -> "Entry":
        """An entry of another journal, as shown there: it is shown the same way, and has no raw facts."""
        request, facts = har["request"], har["_feedback"]
        scope = {"method": request["method"], "path": "", "query_string": b"", "http_version": "1.1", "headers": ()}
        entry = cls(scope, facts["operation"], 0)
        entry.har, entry.now, entry.number = har, now, facts["number"]
        # A request still waiting for its response there does not get one here.
        entry.state = facts["state"] = LOST if facts["state"] == PENDING else facts["state"]
        entry.status, entry.rule, entry.reason = har["response"]["status"], facts["rule"] or "", facts["reason"] or ""
        return entry

    def facts(self) -> dict[str, Any]:
        """The entry as JSON data; bytes become text with the same code points."""
        return {name: _shown(getattr(self, name)) for name in self.__slots__}

    @classmethod
    def of(cls, facts: dict[str, Any]) -> "Entry":
        """The entry with these `facts`."""
        entry = cls.__new__(cls)
        for name, value in facts.items():
            read = _FROM_TEXT.get(name)
            setattr(entry, name, value if read is None or value is None else read(value))
        return entry

    @property
    def target(self) -> bytes:
        """Path and query as sent."""
        path = self._path if isinstance(self._path, bytes) else self._path.encode()
        return path + b"?" + self._query if self._query else path

    def answered(self, body: bytes | None, answer: tuple[int, Headers, bytes] | None) -> None:
        """Sets the response, None if it was lost; `body` is the request's, if it was read."""
        if answer is None:
            self.state = LOST
        else:
            self.state = ANSWERED
            self.status, self.answer_headers, self.answer = answer
            self.answer_size = len(self.answer)
            if self.answer_size > MOST_OF_A_BODY:
                self.answer = self.answer[:MOST_OF_A_BODY]
        if body is not None:
            self.received(body)

    def received(self, body: bytes) -> None:
        """Sets the request's body."""
        self.body, self.body_size = body, len(body)
        if self.body_size > MOST_OF_A_BODY:
            self.body = body[:MOST_OF_A_BODY]

    def measure(self) -> int:
        """Its size in bytes. The headers of responses are the mock's own, and most of them are shared."""
        if self.har is not None:
            return OVERHEAD + len(orjson.dumps(self.har))
        size = OVERHEAD + self.head_size + len(self._path) + len(self._query) + len(self.reason) + len(self.answer)
        return size if self.body is None else size + len(self.body)


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


_FROM_TEXT: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("_path", "_query", "body", "answer"), _bytes),
    **dict.fromkeys(("headers", "answer_headers"), _headers),
}
"""What is text in an entry's facts, and bytes in the entry."""


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

    def begin(self, entry: Entry) -> Entry:
        """Adds an entry, and returns it with its number."""
        self.last = entry.number = self.last + 1
        self.entries.append(entry)
        return entry

    def complete(self, entry: Entry) -> None:
        """Counts an entry, and drops the oldest if there are too many or they are too large."""
        entries, more = self.entries, 0
        if entry.kept:
            more = entry.size = entry.measure()
        if len(entries) > self._most:
            more -= self._oldest_goes()
        self.size += more
        self._room.used += more
        while self.size > self._most_bytes:
            self._drop()
        if self._room.used > self._room.most:
            self._room.make()

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
