"""Shows that a server is broken: a few requests, as data, to which it and the correct server respond differently."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.broken.server import Implementation

NOW = "2026-03-29T00:59:30Z"  # half a minute before summer time begins in Europe
EVENT = "7167980ca1db42cdba8d5284e7f81c66"
HERE, BESIDE, ELSEWHERE = "acme/shop", "acme/office", "other/shop"
PROJECTS = (HERE, BESIDE, ELSEWHERE)
MOST_REQUESTS = 6
MOST_IN_A_CROWD = 40  # for what shows only where there is much

Answer = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True)
class Send:
    """A request. `by` names credentials and their project, as in `dsn of acme/office`, or else is the header itself."""

    method: str
    path: str
    json: Any = None
    by: str | None = None
    content: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    chunked: bool = False


@dataclass(frozen=True)
class Together:
    """Concurrent requests."""

    requests: tuple[Send, ...]


Witness = tuple[Send | Together, ...]


def save(event: str = EVENT, at: str = HERE, **facts: str) -> Send:
    """Saves an event; `facts` as in the control protocol."""
    return Send("PUT", f"/_control/projects/{at}/events/{event}", facts)


def advance(duration: str, at: str = HERE) -> Send:
    """Moves a project's clock forward."""
    return Send("POST", f"/_control/projects/{at}/clock/advance", {"duration": duration})


def records(at: str = HERE) -> Send:
    """Reads what is stored."""
    return Send("GET", f"/_control/projects/{at}/feedback")


def submit(event: str = EVENT, at: str = HERE, by: str = "write", **fields: Any) -> Send:
    """Feedback; a field that is `...` is left out."""
    usual = {"event_id": event, "name": "Jane Smith", "email": "jane@example.com", "comments": "It broke!"}
    body = {name: value for name, value in {**usual, **fields}.items() if value is not ...}
    return Send("POST", _endpoint(at), body, by if " of " in by or not by.isalpha() else f"{by} of {at}")


def listing(query: str = "", at: str = HERE, by: str = "write") -> Send:
    """The list of feedback."""
    return Send("GET", _endpoint(at) + query, by=f"{by} of {at}")


def post(content: bytes, media_type: str = "application/json", by: str | None = f"write of {HERE}") -> Send:
    """Posts any body."""
    return Send("POST", _endpoint(HERE), by=by, content=content, headers={"Content-Type": media_type})


def method(name: str, at: str = HERE, by: str | None = f"write of {HERE}") -> Send:
    """Uses any method on the endpoint."""
    return Send(name, _endpoint(at), by=by)


def _endpoint(project: str) -> str:
    return f"/api/0/projects/{project}/user-feedback/"


def answers(implementation: type[Implementation], witness: Witness) -> list[Answer]:
    """The server's responses to the steps, on three fresh projects with frozen clocks."""
    return asyncio.run(_answers(implementation, witness))


async def _answers(implementation: type[Implementation], witness: Witness) -> list[Answer]:
    transport = httpx.ASGITransport(implementation().app(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
        keys: dict[str, str] = {}
        for project in PROJECTS:
            clock = {"clock": {"now": NOW, "running": False}}
            made = (await client.put(f"/_control/projects/{project}", json=clock)).json()
            keys |= {f"{kind} of {project}": f"Bearer {token}" for kind, token in made["tokens"].items()}
            keys[f"dsn of {project}"] = f"DSN {made['dsn']}"

        def sent(step: Send) -> Awaitable[httpx.Response]:
            credentials = {"Authorization": keys.get(step.by, step.by)} if step.by else {}
            headers = {**step.headers, **credentials}
            content = _chunks(step.content or b"") if step.chunked else step.content
            return client.request(step.method, step.path, json=step.json, content=content, headers=headers)

        return [answer for step in witness for answer in await _done(step, sent)]


async def _chunks(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def _done(step: Send | Together, sent: Callable[[Send], Awaitable[httpx.Response]]) -> list[Answer]:
    requests = step.requests if isinstance(step, Together) else (step,)
    responses = await asyncio.gather(*(sent(each) for each in requests))
    return [(each.status_code, dict(each.headers), each.content) for each in responses]


def requests_in(witness: Witness) -> int:
    """The number of requests."""
    return sum(len(step.requests) if isinstance(step, Together) else 1 for step in witness)
