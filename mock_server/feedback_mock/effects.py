"""What a fault does to a response: delays, different responses, broken bodies, broken connections. Selects no fault.

The server breaks the connection if it can (`protocol.py`); in-process there is none, so the application raises
ConnectionResetError or ConnectionAbortedError, which an in-process client sees.
"""

import asyncio
import math
from contextlib import suppress
from typing import Any

import orjson
from feedback_spec.instants import SECOND, parse_duration

from feedback_mock.asgi import Answer, Header, Receive, Scope, Send, disconnected, rule_header
from feedback_mock.body import Gone
from feedback_mock.faults import FaultRule, Faults
from feedback_mock.result import Refused

EXTENSION = "feedback_mock.connection"
"""The ASGI extension that breaks the connection: a function that takes one of CONNECTION_FAULTS and random bytes."""
RESET = "CONNECTION_RESET_BY_PEER"
UNTIL_RELEASED = "until_released"
LONGEST = 600  # seconds that a request waits at most, also for its release
RANDOM_BYTES = 512
TEXT = "text/plain; charset=utf-8"
BODILESS = (204, 304)  # RFC 9110, 15.3.5 and 15.4.5
REREAD = 2 * 1024 * 1024
FOR_BROWSERS = (
    ("access-control-allow-origin", "*"),
    ("access-control-expose-headers", "X-Sentry-Error, X-Sentry-Rate-Limits, Retry-After, X-Feedback-Rule"),
)
"""Headers that let scripts on pages of other origins read a response."""
FAULT_RULE = "fault"
"""What X-Feedback-Rule names where a fault replaces the response."""


class Broken(Exception):
    """The connection is gone; nothing more can be sent."""


class Rereading:
    """A request's messages, read ahead so that a fault can look at the body, and then replayed."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self._messages = receive, list[Any]()
        self.whole = False

    async def read(self) -> bytes:
        """The body, or as much of it as is needed. Raises Gone if the client left in the middle of it."""
        size, more = 0, True
        while more and size <= REREAD:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Gone
            self._messages.append(message)
            size += len(message.get("body", b""))
            more = message.get("more_body", False)
        self.whole = not more
        return b"".join(each.get("body", b"") for each in self._messages)

    async def left(self) -> None:
        """Returns when the client has gone; for a request that was read whole."""
        await disconnected(self._receive)

    async def __call__(self) -> Any:
        """The next message."""
        return self._messages.pop(0) if self._messages else await self._receive()


async def wait(fault: FaultRule, faults: Faults) -> None:
    """Waits if the fault says so."""
    delay = fault.effect.get("delay")
    if delay == UNTIL_RELEASED:
        with suppress(TimeoutError):
            await asyncio.wait_for(faults.wait().wait(), LONGEST)
    elif isinstance(delay, str):
        await asyncio.sleep(_seconds(delay))
    elif delay is not None:
        median = max(_seconds(delay["median"]), 1e-6)
        await asyncio.sleep(min(faults.chance(fault).lognormvariate(math.log(median), delay["sigma"]), LONGEST))


def decided(fault: FaultRule) -> Refused:
    """The result of a request whose response the fault replaces."""
    return Refused(FAULT_RULE, f"rule {fault.number} of the project's faults")


def changed(fault: FaultRule, answer: Answer | None) -> Answer:
    """The response that the fault substitutes for this one."""
    effect = fault.effect
    if answer is None or "status" in effect:
        return _instead(fault, effect)
    if "broken_body" not in effect:
        return answer
    body = answer.body[: len(answer.body) // 2] if effect["broken_body"] == "truncated" else b'{"unexpected":[]}'
    headers = [each for each in answer.headers if each[0] not in (b"content-length", b"content-type")]
    kind: Header = (b"content-type", b"application/json")
    return Answer(answer.status, [(b"content-length", b"%d" % len(body)), kind, *headers], body)


def _instead(fault: FaultRule, effect: dict[str, Any]) -> Answer:
    given, status, seconds = effect.get("body"), effect["status"], effect.get("retry_after")
    body = given.encode() if isinstance(given, str) else b"" if given is None else orjson.dumps(given)
    headers = {name.lower(): value for name, value in effect.get("headers", {}).items()}
    if body:
        headers.setdefault("content-type", TEXT if isinstance(given, str) else "application/json")
    if seconds is not None:
        headers.setdefault("retry-after", str(seconds))
        if status == 429:
            headers.setdefault("x-sentry-rate-limits", f"{seconds}::organization")
    for name, value in FOR_BROWSERS:
        headers.setdefault(name, value)
    headers["x-feedback-rule"] = rule_header(*decided(fault)[:2]).decode()
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    length = [] if status in BODILESS else [(b"content-length", b"%d" % len(body))]
    return Answer(status, [*length, *encoded], body if length else b"")


def break_off(fault: FaultRule, faults: Faults, scope: Scope) -> None:
    """Breaks the connection if the fault says so. Raises Broken or, in-process, a ConnectionError."""
    kind = fault.effect.get("connection")
    if kind is None:
        return
    extension = scope.get("extensions", {}).get(EXTENSION)
    if extension is None:
        error = ConnectionResetError if kind == RESET else ConnectionAbortedError
        raise error(f"{kind}, because of rule {fault.number} of the project's faults")
    extension(kind, faults.chance(fault).randbytes(RANDOM_BYTES))
    raise Broken


async def send_slowly(fault: FaultRule, answer: Answer, send: Send) -> None:
    """Sends the response; in slow pieces if the fault says so."""
    how = fault.effect.get("dribble", {"pieces": 1, "duration": "PT0S"})
    step = -(-len(answer.body) // how["pieces"]) or 1
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": b"", "more_body": True})  # so that the head does not wait
    for start in range(0, len(answer.body), step):
        await asyncio.sleep(_seconds(how["duration"]) / how["pieces"])
        await send({"type": "http.response.body", "body": answer.body[start : start + step], "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _seconds(duration: str) -> float:
    return parse_duration(duration) / SECOND
