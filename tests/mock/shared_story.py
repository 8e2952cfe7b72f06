"""A 31-minute story that two clients play on the clock of one project, each keeping track of time itself."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
from feedback_mock import Sandbox
from feedback_spec.instants import MICROSECOND, format_duration

BROKE, OLD = "a" * 32, "b" * 32
EXPECTED: list[tuple[str, timedelta, int | str]] = [
    ("form", timedelta(minutes=24), "lost"),
    ("form", timedelta(minutes=24, seconds=10), 200),
    ("form", timedelta(minutes=29), 200),
    ("form", timedelta(minutes=29, microseconds=1), 409),
    ("job", timedelta(minutes=30), 200),
    ("job", timedelta(minutes=30, microseconds=1), 409),
    ("form", timedelta(minutes=31), 409),
]
"""Who asked when, and what came of it: a lost answer, its retry, an overwrite, and both refusals."""
Told = list[tuple[str, datetime, "int | str"]]


@dataclass
class Client:
    """A client that sleeps on the project's clock, and knows the time only from its own sleeps."""

    name: str
    sandbox: Sandbox
    http: httpx.AsyncClient
    now: datetime
    told: Told = field(default_factory=list)

    async def sleep(self, **duration: int) -> None:
        lasts = timedelta(**duration)
        body = {"duration": format_duration(lasts // MICROSECOND), "participant": self.name}
        answer = await self.http.post(f"{self.sandbox.control_url}/clock/sleep", json=body)
        assert answer.status_code == 200, answer.text
        self.now += lasts
        assert datetime.fromisoformat(answer.json()["now"]) == self.now

    async def submit(self, event_id: str, comments: str) -> None:
        body = {"event_id": event_id, "name": self.name, "email": "jane@example.com", "comments": comments}
        headers = {"Authorization": f"Bearer {self.sandbox.token}"}
        try:
            status: int | str = (
                await self.http.post(self.sandbox.feedback_url, json=body, headers=headers)
            ).status_code
        except httpx.TransportError:
            status = "lost"
        self.told.append((self.name, self.now, status))

    async def leave(self) -> None:
        left: Any = await self.http.delete(f"{self.sandbox.control_url}/clock/participants/{self.name}")
        assert left.status_code == 204


async def _form(client: Client) -> None:
    await client.sleep(minutes=24)
    await client.submit(BROKE, "It broke!")
    await client.sleep(seconds=10)
    await client.submit(BROKE, "It broke!")
    await client.sleep(minutes=4, seconds=50)
    await client.submit(BROKE, "It broke again!")
    await client.sleep(microseconds=1)
    await client.submit(BROKE, "Too late.")
    await client.sleep(minutes=1, seconds=59, microseconds=999_999)
    await client.submit(BROKE, "Much too late.")
    await client.leave()


async def _job(client: Client) -> None:
    await client.sleep(minutes=30)
    await client.submit(OLD, "As old as can be.")
    await client.sleep(microseconds=1)
    await client.submit("c" * 32, "Too old.")
    await client.leave()


async def play(sandbox: Sandbox, http: httpx.AsyncClient) -> Told:
    """Plays the story, whose first response is lost; returns what each client saw, in the order of time."""
    start = sandbox.now
    for event_id in (BROKE, OLD, "c" * 32):
        sandbox.save_event(event_id)
    sandbox.fail("CONNECTION_RESET_BY_PEER", phase="after", times=1)
    clients = [Client(name, sandbox, http, start) for name in ("form", "job")]
    for each in clients:
        sandbox.join(each.name, lease="PT2M")  # on a busy machine
    await asyncio.gather(_form(clients[0]), _job(clients[1]))
    return sorted((each for client in clients for each in client.told), key=lambda each: each[1])


def differences(sandbox: Sandbox, told: Told) -> list[timedelta]:
    """For each request of the story, how far client and server disagree on when it was."""
    return [request.now - now for request, (_, now, _) in zip(sandbox.requests, told, strict=True)]


def expected(start: datetime) -> Told:
    """What the clients of the story see."""
    return [(name, start + after, status) for name, after, status in EXPECTED]
