"""One life of a project, from creation to deletion, and what it must contain according to its responses.

Knows no windows: everything answered with 200 is stored, and everything refused changes nothing.
"""

import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

STEPS = 120
BROKEN = {"connection": "CONNECTION_RESET_BY_PEER"}


class Lost(Exception):
    """What a project shows differs from its responses."""


@dataclass
class Figures:
    """The totals of all lives: requests, their seconds, projects, and the statuses of submissions."""

    seconds: list[float] = field(default_factory=list)
    lives: int = 0
    statuses: dict[int, int] = field(default_factory=dict)


class Life:
    """A client that owns the project acme/`slug`. Each step is one thing that a test does with it."""

    def __init__(self, client: httpx.AsyncClient, slug: str, seed: int, figures: Figures) -> None:
        self._client, self._path, self._figures = client, f"/_control/projects/acme/{slug}", figures
        self._random = random.Random(seed)
        self._feedback = f"/api/0/projects/acme/{slug}/user-feedback/"
        self._held: dict[str, str] = {}
        self._asked = 0
        self._project: dict[str, Any] = {}

    async def live(self) -> None:
        """Creates the project, does random steps, and checks it against its responses. Raises Lost."""
        clock = {"now": "2026-01-01T00:00:00Z", "running": False}
        self._project = await self._control("PUT", "", {"clock": clock, "seed": self._random.randrange(2**31)})
        steps: list[Callable[[], Awaitable[object]]] = [
            *([self._submit] * 8),
            *(self._save, self._advance, self._list, self._envelope, self._unavailable, self._break, self._reset),
        ]
        for _ in range(STEPS):
            await self._random.choice(steps)()
        await self._check(self._path)
        await self._control("PUT", f"{self._path}-copy/snapshot", await self._control("GET", "/snapshot"))
        await self._check(f"{self._path}-copy")
        for path in (self._path, f"{self._path}-copy"):
            await self._control("DELETE", path)
        self._figures.lives += 1

    async def _check(self, path: str) -> None:
        told = {each["event_id"]: each["comments"] for each in await self._control("GET", f"{path}/feedback")}
        if told != self._held:
            raise Lost(f"{path} holds {told}, and answered for {self._held}")
        journal = await self._control("GET", f"{path}/requests?since={self._asked}")
        if journal["last"] != self._asked:
            raise Lost(f"{path} counts {journal['last']} requests, and was asked {self._asked}")

    async def _submit(self, event_id: str = "") -> int:
        event_id = event_id or f"{self._random.randrange(20):032x}"
        comments = f"{self._random.random()}" * self._random.choice((1, 1, 50))
        body = {"event_id": event_id, "name": "Jane", "email": "jane@example.com", "comments": comments}
        status = await self._ask(self._project["tokens"]["write"], body)
        if status == 200:
            self._held[event_id] = comments
        return status

    async def _ask(self, token: str, body: dict[str, Any] | None = None) -> int:
        self._asked += 1
        method = "GET" if body is None else "POST"
        answer = await self._send(method, self._feedback, headers={"Authorization": f"Bearer {token}"}, json=body)
        self._figures.statuses[answer.status_code] = self._figures.statuses.get(answer.status_code, 0) + 1
        if answer.status_code not in (200, 409, 503):
            raise Lost(f"{method} {self._feedback} answered {answer.status_code}: {answer.text[:300]}")
        return answer.status_code

    async def _save(self) -> None:
        age = self._random.choice(("PT0S", "PT29M", "PT1H"))
        await self._control("PUT", f"/events/{self._random.randrange(20):032x}", {"saved_ago": age})

    async def _advance(self) -> None:
        await self._control(
            "POST", "/clock/advance", {"duration": self._random.choice(("PT0.000001S", "PT4M", "PT6M"))}
        )

    async def _list(self) -> None:
        if await self._ask(self._project["tokens"]["read"]) != 200:
            raise Lost(f"{self._path} gave no list")

    async def _envelope(self) -> None:
        self._asked += 1
        event_id = f"{self._random.randrange(2**64):032x}"
        lines = f'{{"dsn":"{self._project["dsn"]}"}}\n{{"type":"event"}}\n{{"event_id":"{event_id}"}}\n'
        answer = await self._send("POST", f"/api/{self._project['id']}/envelope/", content=lines.encode())
        if answer.json() != {"id": event_id}:
            raise Lost(f"{self._path} took no event: {answer.status_code} {answer.text}")

    async def _unavailable(self) -> None:
        times = self._random.randrange(1, 4)
        await self._control("POST", "/faults", {"faults": [{"effect": {"status": 503}, "times": times}]})
        found = [await self._submit() for _ in range(times)]
        if found != [503] * times:
            raise Lost(f"{self._path} had {times} faults to answer 503 with, and answered {found}")

    async def _break(self) -> None:
        """A response that is lost on its way, after the feedback was stored."""
        await self._control("POST", "/faults", {"faults": [{"phase": "after", "effect": BROKEN, "times": 1}]})
        event_id = f"{self._random.randrange(2**64):032x}"
        try:
            await self._submit(event_id)
        except httpx.TransportError:
            self._held[event_id] = next(
                each["comments"] for each in await self._control("GET", "/feedback") if each["event_id"] == event_id
            )
        else:
            raise Lost(f"{self._path} answered where it had a fault to break the connection")

    async def _reset(self) -> None:
        if self._random.random() < 0.2:
            await self._control("POST", "/reset")
            self._held.clear()
            self._asked = 0

    async def _control(self, method: str, path: str, body: Any = None) -> Any:
        url = path if path.startswith("/_control") else self._path + path
        answer = await self._send(method, url, json=body)
        if answer.status_code not in (200, 204):
            raise Lost(f"{method} {url} answered {answer.status_code}: {answer.text[:300]}")
        return answer.json() if answer.content else None

    async def _send(self, method: str, url: str, **options: Any) -> httpx.Response:
        began = time.perf_counter()
        answer = await self._client.request(method, url, **options)
        self._figures.seconds.append(time.perf_counter() - began)
        return answer
