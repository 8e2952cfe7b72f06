"""The control protocol for a shared clock: its participants, and sleeps, which are answered when they end.

`sleepers.py` makes all decisions about time.
"""

import asyncio
import concurrent.futures
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from feedback_spec.bodies import Unreadable
from feedback_spec.instants import LAST_INSTANT, SECOND, format_instant, parse_duration

from feedback_mock.asgi import Receive, disconnected
from feedback_mock.body import Gone
from feedback_mock.control.handlers import ControlRequest, clock_shown, instant
from feedback_mock.control.operation import ControlOperation
from feedback_mock.result import Done, Refused, Result
from feedback_mock.sleepers import PAUSE, Sleep
from feedback_mock.store import Project

GET_CLOCK, SLEEP = "controlGetClock", "controlSleep"
LONGEST_LEASE = 3600 * SECOND
_PAUSE = PAUSE / SECOND


def get_clock(_: ControlRequest, project: Project) -> Result:
    """The project's clock with its participants."""
    return Done(_shared(project))


def join(request: ControlRequest, project: Project) -> Result:
    """Joins the clock."""
    lease = parse_duration(request.body["lease"]) if "lease" in request.body else None
    if lease is not None and not 0 < lease <= LONGEST_LEASE:
        return Refused("request", f"lease: must be longer than PT0S and at most PT1H, not {request.body['lease']}.")
    refused = project.sleepers.join(request.path["participant"], lease)
    return refused or Done(_shared(project))


def leave(request: ControlRequest, project: Project) -> Result:
    """Leaves the clock."""
    name = request.path["participant"]
    if project.sleepers.leave(name):
        return Done(None, 204)
    return Refused("participant", f"There is no participant {name} in {project.organization}/{project.slug}.")


def sleep(request: ControlRequest, project: Project) -> Result:
    """Starts a sleep; the result is what the operation waits for, with the project."""
    body = request.body
    if ("duration" in body) == ("until" in body):
        raise Unreadable("the request body: needs exactly one of duration and until.")
    until = instant(body, "until") if "until" in body else project.clock.now() + parse_duration(body["duration"])
    if until > LAST_INSTANT:
        return Refused("clock", f"The clock cannot go beyond {format_instant(LAST_INSTANT)}.")
    begun = project.sleepers.sleep(until, body.get("participant"))
    return begun if isinstance(begun, Refused) else Done((begun, project))


async def until_over(begun: Sleep, project: Project, receive: Receive) -> Result:
    """The result of a sleep, when it is over: all its participants are in this process. Raises Gone."""
    over = asyncio.wrap_future(begun.woken)
    left = asyncio.ensure_future(disconnected(receive))
    try:
        while not over.done():
            if left.done():
                raise Gone
            both: list[asyncio.Future[Any]] = [over, left]
            await asyncio.wait(both, timeout=_PAUSE, return_when=asyncio.FIRST_COMPLETED)
            project.sleepers.look_again()
    finally:
        left.cancel()
        project.sleepers.settle(begun.number)
    return woken(over.result(), project)


class SleepOperation(ControlOperation):
    """Answers the operation SLEEP when its time has come; Python tests that `perform` it wait in their thread."""

    wait: Callable[[Sleep, Project, Receive], Awaitable[Result]] = staticmethod(until_over)
    """Returns the result of a sleep in this project, whose client may disconnect. Raises Gone if it does."""

    async def _carried_out(self, result: Result, receive: Receive) -> Result:
        return result if isinstance(result, Refused) else await self.wait(*_begun(result), receive)

    def perform(self, path: Mapping[str, object], body: bytes, origin: str, query: bytes = b"") -> Result:
        """As any operation, but returns when the time has come."""
        result = self._perform(path, body, origin, query)
        if isinstance(result, Refused):
            return result
        begun, project = _begun(result)
        try:
            while not concurrent.futures.wait([begun.woken], _PAUSE).done:
                project.sleepers.look_again()
        finally:
            project.sleepers.settle(begun.number)
        return woken(begun.woken.result(), project)


def _begun(result: Done) -> tuple[Sleep, Project]:
    begun: Any = result.value
    return begun  # type: ignore[no-any-return]  # what `sleep` returns


def woken(came: int | Refused, project: Project) -> Result:
    """The result of a sleep that ended at this instant, or for this reason."""
    if isinstance(came, Refused):
        return came
    return Done({**clock_shown(project), "now": format_instant(came)})


def _shared(project: Project) -> dict[str, Any]:
    participants = project.sleepers.shown()
    return {
        **clock_shown(project),
        "participants": [
            {"name": name, "asleep_until": None if until is None else format_instant(until)}
            for name, until in participants.items()
        ],
        "held_by": [name for name, until in participants.items() if until is None],
    }


CLOCK_HANDLERS = {GET_CLOCK: get_clock, "controlJoinClock": join, "controlLeaveClock": leave, SLEEP: sleep}
