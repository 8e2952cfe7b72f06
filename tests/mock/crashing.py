"""Kills two mocks that share a Redis, and now and then Redis, while clients write and read: `make crash-redis`.

The mocks are killed with SIGKILL, at any point of a request. Afterwards, some order must explain everything that the
clients saw (linearizability), no record may be missing or duplicated, and both mocks must show the same project. Two
more clients sleep on its clock: whoever is killed, each of them is woken, and not too early.
"""

import asyncio
import gc
import os
import random
import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import click
import httpx
from feedback_mock.app import create_app
from feedback_mock.server import Uvicorn, address_of, bind
from feedback_verify.linearizability import Operation, explainable

from tests.mock.redis_server import RedisServer, redis_server

RECORDS = [digit * 32 for digit in "abcd"]
CLIENTS, OPERATIONS, SLEEPS = 6, 12, 9
NEVER = sys.maxsize
EVERY = 8  # operations after which a mock is killed
REDIS = 20  # kills of mocks after which Redis is killed


@dataclass
class History:
    """What clients did in one project and what they saw."""

    operations: list[Operation] = field(default_factory=list)
    unknown: int = 0

    def wrote(self, record: str, value: str, began: int, ended: int) -> None:
        """A write that was acknowledged, or, if it ended NEVER, may have happened at any later time, or not at all."""
        self.unknown += ended == NEVER
        self.operations.append(Operation("write", value, began, ended, record))

    def read(self, records: list[dict[str, Any]], began: int, ended: int) -> None:
        """The state of all records at some instant in between."""
        names = {each["event_id"]: each["name"] for each in records}
        self.operations += [Operation("read", names.get(each, ""), began, ended, each) for each in RECORDS]


class Host:
    """A mock as on its own host, on a socket that outlives it: whenever its process ends, another one replaces it."""

    def __init__(self, redis: str) -> None:
        self._redis, self._listener = redis, bind("127.0.0.1", 0)
        self.url = f"http://{address_of(self._listener, '127.0.0.1')}"

    async def start(self) -> None:
        file = self._listener.fileno()
        command = [sys.executable, "-m", "tests.mock.crashing", "host", self._redis, str(file)]
        self._process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, pass_fds=[file], start_new_session=True
        )

    async def kill(self) -> None:
        """Kills the process that serves, once there is one."""
        assert self._process.stdout is not None
        os.kill(int(await self._process.stdout.readline()), signal.SIGKILL)

    async def end(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        self._listener.close()


def serve(redis: str, file: int) -> None:
    """Serves in one child process after the other. Whoever started this ends it."""
    app, listener = create_app(redis=redis), socket.socket(fileno=file)
    gc.freeze()
    while True:
        child = os.fork()
        if child == 0:
            Uvicorn(app, lambda: print(os.getpid(), flush=True)).run([listener])
            os._exit(0)
        os.waitpid(child, 0)


class Crashing:
    """One run. `kills` counts those of mocks."""

    def __init__(self, redis: RedisServer, chance: random.Random) -> None:
        self._redis, self._chance = redis, chance
        self._hosts = [Host(redis.url), Host(redis.url)]
        self._client = httpx.AsyncClient(trust_env=False, timeout=20)
        self.kills = self.redis_kills = self.operations = self.unknown = self.sleeps = 0

    async def run(self, kills: int) -> None:
        """Uses one project after the other until the number of kills is reached. Raises AssertionError."""
        for each in self._hosts:
            await each.start()
        try:
            number = 0
            while self.kills < kills:
                number += 1
                await self._project(f"/_control/projects/crash/project-{number}")
        finally:
            for each in self._hosts:
                await each.end()
            await self._client.aclose()

    async def _project(self, path: str) -> None:
        clock = {"clock": {"now": "2026-01-01T00:00:00Z", "running": False}}
        project = await self._surely("PUT", self._hosts[0], path, json=clock)
        history, done = History(), asyncio.Event()
        clients = [self._write_and_read(number, path, project, history) for number in range(CLIENTS)]
        clients += [self._sleep(name, path) for name in ("form", "job")]
        killer = asyncio.create_task(self._kill(done))
        await asyncio.gather(*clients)
        done.set()
        await killer
        await self._check(path, history)
        self.unknown += history.unknown
        await self._surely("DELETE", self._hosts[1], path)

    async def _write_and_read(self, client: int, path: str, project: Any, history: History) -> None:
        headers = {"Authorization": f"Bearer {project['tokens']['write']}"}
        endpoint = f"/api/0/projects/crash/{project['project']}/user-feedback/"
        for number in range(OPERATIONS):
            host, began = self._chance.choice(self._hosts), _now()
            if self._chance.random() < 0.3:
                found = await self._tried("GET", host, f"{path}/feedback")
                if found is not None:
                    history.read(found.json(), began, _now())
                continue
            record, value = self._chance.choice(RECORDS), f"{client}-{number}"
            body = {"event_id": record, "name": value, "email": "jane@example.com", "comments": "It broke!"}
            answer = await self._tried("POST", host, endpoint, headers=headers, json=body)
            history.wrote(record, value, began, NEVER if answer is None else _now())

    async def _sleep(self, name: str, path: str) -> None:
        """Sleeps until one instant after the other; a sleep that lost its client goes on until the clock is there."""
        for second in range(1, SLEEPS + 1):
            body = {"until": f"2026-01-01T00:00:0{second}.000000Z", "participant": name}
            while True:
                answer = await self._tried(
                    "POST", self._chance.choice(self._hosts), f"{path}/clock/sleep", also=409, json=body
                )
                if answer is not None and answer.is_success:
                    break
                assert answer is None or "is already asleep" in answer.text, answer.text
                await asyncio.sleep(0.01)
            self.sleeps += 1
            assert answer.json()["now"] >= body["until"], answer.text
        await self._surely("DELETE", self._chance.choice(self._hosts), f"{path}/clock/participants/{name}", also=404)

    async def _kill(self, done: asyncio.Event) -> None:
        """Kills one after the other while the clients continue."""
        while not done.is_set():
            seen = self.operations
            while self.operations < seen + EVERY and not done.is_set():
                await asyncio.sleep(0.001)
            await self._hosts[self.kills % 2].kill()
            self.kills += 1
            if self.kills % REDIS == 0:
                self.redis_kills += 1
                await asyncio.to_thread(self._redis.stop)
                await asyncio.to_thread(self._redis.start)

    async def _check(self, path: str, history: History) -> None:
        began, found = _now(), [await self._surely("GET", each, f"{path}/feedback") for each in self._hosts]
        history.read(found[0], began, _now())
        snapshots = [await self._surely("GET", each, f"{path}/snapshot") for each in self._hosts]
        numbers = [each["_feedback"]["number"] for each in snapshots[0]["requests"]]

        assert explainable(history.operations), (path, history.operations)
        assert len({each["event_id"] for each in found[0]}) == len({each["id"] for each in found[0]}) == len(found[0])
        assert [each["number"] for each in snapshots[0]["feedback"]] == list(range(1, len(found[0]) + 1))
        assert numbers == list(range(1, len(numbers) + 1))
        assert snapshots[0] == snapshots[1]

    async def _tried(
        self, method: str, host: Host, path: str, *, also: int = 0, **options: Any
    ) -> httpx.Response | None:
        """The response; None if there was none, or one that says that the outcome is unknown. Another status than of
        success must be expected `also`.
        """
        self.operations += 1
        try:
            answer = await self._client.request(method, host.url + path, **options)
        except httpx.ReadTimeout:
            raise
        except httpx.TransportError:
            return None
        if answer.status_code == 503:
            return None
        assert answer.is_success or answer.status_code == also, answer.text
        return answer

    async def _surely(self, method: str, host: Host, path: str, **options: Any) -> Any:
        """The same, repeated until there is one."""
        while (answer := await self._tried(method, host, path, **options)) is None:
            await asyncio.sleep(0.01)
        return answer.json() if answer.content else None


def _now() -> int:
    return time.monotonic_ns() // 1000


def crash(kills: int, seed: int) -> Crashing:
    """One run, in which Redis persists what it acknowledged."""
    with redis_server(durable=True) as redis:
        crashing = Crashing(redis, random.Random(seed))
        asyncio.run(crashing.run(kills))
    return crashing


@click.group()
def main() -> None:
    """Kill mocks that share a Redis, while clients write."""


@main.command()
@click.option("--kills", default=2_000, show_default=True, help="How many times a mock is killed.")
@click.option("--seed", default=0, show_default=True, help="Of what clients do.")
def run(kills: int, seed: int) -> None:
    """Run until so many kills."""
    done = crash(kills, seed)
    click.echo(
        f"{done.kills:,} kills of mocks and {done.redis_kills:,} of Redis in {done.operations:,} operations, "
        f"{done.unknown:,} of them with an unknown outcome: nothing was lost, doubled or out of order. "
        f"{done.sleeps:,} sleeps ended when they should."
    )


@main.command()
@click.argument("redis")
@click.argument("file", type=int)
def host(redis: str, file: int) -> None:
    """Serve on the socket with this number."""
    serve(redis, file)


if __name__ == "__main__":
    main()
