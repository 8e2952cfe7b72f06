"""A project of its own for one test, in Python: its addresses, credentials, events, feedback, requests and clock.

Runs the operations of the control protocol without HTTP, so both refuse the same things with the same messages.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypedDict, Unpack

import orjson
from feedback_spec.instants import EPOCH, FIRST_INSTANT, LAST_INSTANT, MICROSECOND, format_duration, parse_instant

from feedback_mock.control.handlers import DURATIONS, INSTANTS, PREFIX
from feedback_mock.mock import Mock
from feedback_mock.result import Refused

if TYPE_CHECKING:
    from feedback_mock.server import Server

# The address of a mock without a socket: a name that no resolver knows (RFC 6761), so nothing leaves the machine.
IN_PROCESS = "mock.test"
_LONGEST = (LAST_INSTANT - FIRST_INSTANT) * MICROSECOND


class EventFields(TypedDict, total=False):
    """The details of an event for `Sandbox.save_event`; instants are aware datetimes."""

    saved_at: datetime
    timestamp: datetime
    timestamp_ago: str | timedelta
    title: str
    environment: str | None
    issue_status: str


@dataclass(frozen=True, slots=True)
class SavedEvent:
    """An event as stored by the mock; instants are aware datetimes in UTC."""

    event_id: str
    saved_at: datetime
    timestamp: datetime
    title: str
    environment: str | None
    issue_status: str


@dataclass(frozen=True, slots=True)
class StoredFeedback:
    """A record as stored by the mock; instants are aware datetimes in UTC."""

    id: str
    event_id: str
    name: str
    email: str
    comments: str
    first_submitted_at: datetime
    last_submitted_at: datetime


@dataclass(frozen=True, slots=True)
class JournaledRequest:
    """A request to the project and its response, without secrets unless the sandbox shows them.

    `now` is the instant on the project's clock. `headers` are by lower-case name. `status` is 0 and `rule` None if
    there is no response yet; `rule` is also None if the document names none. `problems` say where the request is
    invalid under the document; `valid` is None if that depends on a body that was not read. `har` is the journal's
    whole entry.
    """

    number: int
    now: datetime
    method: str
    url: str
    headers: dict[str, str]
    text: str
    status: int
    rule: str | None
    reason: str | None
    fault: dict[str, Any] | None
    valid: bool | None
    problems: list[dict[str, str]]
    har: dict[str, Any]

    def json(self) -> Any:
        """The request's body as JSON. Raises ValueError if it is not JSON."""
        return orjson.loads(self.text)


class Sandbox:
    """A project on a running `Server`, or on a `Mock` that is called in-process; a context manager that removes it at
    the end.

    Creates the project, replacing one of the same name. Its clock is frozen at `now`, by default the current time,
    unless it is `running`; `follow` moves it to the time that clients report. Durations are timedeltas or ISO 8601
    strings, such as `PT5M0.000001S`; instants are aware datetimes. Anything refused raises ValueError with one
    sentence, the same as in the control protocol.
    """

    def __init__(
        self,
        where: "Server | Mock",
        organization: str,
        project: str,
        *,
        now: datetime | None = None,
        running: bool = False,
        redact: bool = True,
        seed: int = 0,
        follow: bool = False,
    ) -> None:
        self.app = where if isinstance(where, Mock) else where.app
        if self.app.store.shared:
            raise ValueError("Projects in Redis are reached by HTTP only; a Sandbox needs a mock that has its own.")
        self._address = IN_PROCESS if isinstance(where, Mock) else where.address
        if not self._address:
            raise ValueError("The server is not running yet: with Server() as server: Sandbox(server, …).")
        self._names = {"organization_slug": organization, "project_slug": project}
        clock: dict[str, Any] = {"running": running, "follow": follow}
        if now is not None:
            clock["now"] = _instant("now", now)
        self._do("controlPutProject", {"clock": clock, "redact": redact, "seed": seed})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.delete()

    @property
    def organization(self) -> str:
        """The slug of the organization."""
        return self._names["organization_slug"]

    @property
    def project(self) -> str:
        """The slug of the project."""
        return self._names["project_slug"]

    @property
    def url(self) -> str:
        """The address of the mock, such as `http://127.0.0.1:40123`; in-process `http://mock.test`, which does not
        exist.
        """
        return f"http://{self._address}"

    @property
    def feedback_url(self) -> str:
        """Where feedback for this project is submitted and listed."""
        return self.url + self.app.document.submit.path.format(**self._names)

    @property
    def control_url(self) -> str:
        """This project in the control protocol, for tests that use HTTP: `…/events/{event_id}`, `…/clock`."""
        return f"{self.url}{PREFIX}projects/{self.organization}/{self.project}"

    @property
    def tokens(self) -> dict[str, str]:
        """The bearer tokens by what they may do: `write` submits and lists, `read` lists, `admin` does neither."""
        return dict(self._do("controlGetProject")["tokens"])

    @property
    def token(self) -> str:
        """A bearer token that may submit and list."""
        return self.tokens["write"]

    @property
    def dsn(self) -> str:
        """The project's DSN, which may submit, and with which Sentry's SDKs save events."""
        return str(self._do("controlGetProject")["dsn"])

    @property
    def now(self) -> datetime:
        """The instant on the project's clock, aware, in UTC."""
        return _datetime(self._do("controlGetClock")["now"])

    @property
    def running(self) -> bool:
        """Whether the clock is running."""
        return bool(self._do("controlGetClock")["running"])

    @property
    def feedback(self) -> list[StoredFeedback]:
        """All stored feedback, oldest first."""
        return [
            StoredFeedback(**_with_datetimes(record, "first_submitted_at", "last_submitted_at"))
            for record in self._do("controlListFeedback")
        ]

    @property
    def requests(self) -> list[JournaledRequest]:
        """The requests to the project, oldest first; only the latest ones if there are more than `Limits` allows."""
        return [_journaled(entry) for entry in self._do("controlListRequests")["entries"]]

    def fail(self, effect: dict[str, Any] | str, *, phase: str = "before", **rule: Any) -> None:
        """Makes requests fail: `fail({"status": 503}, times=3)`, `fail("CONNECTION_RESET_BY_PEER", phase="after")`.

        `effect` is one of the control protocol's (spec/control.yaml), or just the name of a connection fault; `rule`
        has the other keys of a fault: match, skip, times, every, probability, until, lifetime, and `from_`.
        """
        fault = {name.rstrip("_"): value for name, value in rule.items()}
        for name in fault.keys() & {"from", "until"}:
            fault[name] = _instant(name, fault[name])
        if "lifetime" in fault:
            fault["lifetime"] = _duration("lifetime", fault["lifetime"])
        fault["effect"] = {"connection": effect} if isinstance(effect, str) else effect
        self._do("controlAddFaults", {"faults": [{"phase": phase, **fault}]})

    def release(self) -> None:
        """Lets requests continue that a delay holds until they are released."""
        self._do("controlReleaseFaults")

    def mend(self) -> None:
        """Removes all faults, and lets waiting requests continue."""
        self._do("controlClearFaults")

    def advance(self, duration: str | timedelta) -> None:
        """Moves the clock forward by exactly this duration; a running clock continues from there."""
        self._do("controlAdvanceClock", {"duration": _duration("duration", duration)})

    def set_clock(self, now: datetime) -> None:
        """Moves the clock forward to that instant; a running clock continues from there."""
        self._do("controlPutClock", {"now": _instant("now", now)})

    def freeze(self) -> None:
        """Stops the clock."""
        self._do("controlPutClock", {"running": False})

    def run(self) -> None:
        """Starts the clock."""
        self._do("controlPutClock", {"running": True})

    def join(self, participant: str, lease: str | timedelta | None = None) -> None:
        """Makes the clock wait for a participant: when all of them are asleep, it jumps to the earliest waking.

        One that is awake for longer than its lease, by default 10 seconds of real time, is dropped.
        """
        body = {} if lease is None else {"lease": _duration("lease", lease)}
        self._do("controlJoinClock", body, participant=participant)

    def leave(self, participant: str) -> None:
        """Makes the clock no longer wait for the participant."""
        self._do("controlLeaveClock", participant=participant)

    def sleep(self, duration: str | timedelta, participant: str | None = None) -> datetime:
        """Blocks this thread until that much time has passed in the project; returns the instant of waking.

        A participant joins with its first sleep. A sleep without a participant waits for others to move the clock.
        """
        body = {"duration": _duration("duration", duration)}
        if participant is not None:
            body["participant"] = participant
        return _datetime(self._do("controlSleep", body)["now"])

    def save_event(
        self, event_id: str, saved_ago: str | timedelta | None = None, **event: Unpack[EventFields]
    ) -> SavedEvent:
        """Saves an event as if it had arrived that long ago or at `saved_at`, by default now; its id is 32 hexadecimal
        digits.
        """
        given: dict[str, Any] = {**event} if saved_ago is None else {"saved_ago": saved_ago, **event}
        for name in given.keys() & DURATIONS:
            given[name] = _duration(name, given[name])
        for name in given.keys() & INSTANTS:
            given[name] = _instant(name, given[name])
        shown = self._do("controlPutEvent", given, event_id=event_id)
        return SavedEvent(**_with_datetimes(shown, "saved_at", "timestamp"))

    def snapshot(self) -> dict[str, Any]:
        """The whole project, as a document that can be written as JSON and restored anywhere."""
        return dict(self._do("controlGetSnapshot"))

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Recreates the project from a snapshot; credentials and feedback ids are derived from its own name."""
        self._do("controlPutSnapshot", dict(snapshot))

    def reset(self) -> None:
        """Removes events and feedback; credentials and clock stay."""
        self._do("controlResetProject")

    def delete(self) -> None:
        """Removes the project from the mock, unless the test already has."""
        if self.app.store.project(self.organization, self.project) is not None:
            self._do("controlDeleteProject")

    def _do(self, operation: str, body: dict[str, Any] | None = None, **path: str) -> Any:
        try:
            content = b"" if body is None else orjson.dumps(body)
        except orjson.JSONEncodeError as error:
            raise ValueError(f"{', '.join(body or ())}: cannot be written as JSON: {error}.") from None
        result = self.app.control[operation].perform({**self._names, **path}, content, self.url)
        if isinstance(result, Refused):
            raise ValueError(result.reason)  # noqa: TRY004 (a value was wrong, not a type)
        return result.value


def _duration(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, timedelta):
        raise ValueError(  # noqa: TRY004 (callers promise one kind of error)
            f'{name}: {value!r:.100} is neither an ISO 8601 duration such as "PT5M" nor a timedelta.'
        )
    if not timedelta(0) <= value <= _LONGEST:
        raise ValueError(f"{name}: {value!r} is {'negative' if value < timedelta(0) else 'longer than any calendar'}.")
    return format_duration(value // MICROSECOND)


def _instant(name: str, value: object) -> str:
    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise ValueError(
            f"{name}: {value!r:.100} is not a datetime with a time zone, such as datetime(2026, 1, 1, tzinfo=UTC)."
        )
    try:
        return value.astimezone(UTC).isoformat()
    except OverflowError:
        raise ValueError(f"{name}: {value!r} is outside the years 1 to 9999 in UTC.") from None


def _datetime(text: str) -> datetime:
    return EPOCH + parse_instant(text) * MICROSECOND


def _journaled(entry: dict[str, Any]) -> JournaledRequest:
    request, response, facts = entry["request"], entry["response"], entry["_feedback"]
    return JournaledRequest(
        number=facts["number"],
        now=_datetime(facts["now"]),
        method=request["method"],
        url=request["url"],
        headers={each["name"].lower(): each["value"] for each in reversed(request["headers"])},
        text=request.get("postData", {}).get("text", ""),
        status=response["status"],
        rule=facts["rule"],
        reason=facts["reason"],
        fault=facts["fault"],
        valid=facts["request"]["valid"],
        problems=facts["request"]["problems"],
        har=entry,
    )


def _with_datetimes(shown: dict[str, Any], *names: str) -> dict[str, Any]:
    return {**shown, **{name: _datetime(shown[name]) for name in names}}
