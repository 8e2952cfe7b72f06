"""The logs of projects in Redis: appends requests to them, and processes all entries. Speaks no HTTP.

Every process processes the entries of a log in their order, each at its instant, and so ends up with the same project.
The process that appended an entry responds to the request with the result. Waiting requests go to Redis together, one
round trip at a time, so that many at once cost little more than one.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from typing import Any

import orjson

from feedback_mock.exchange import Endpoint
from feedback_mock.shared.ask import Ask
from feedback_mock.shared.connection import PATIENCE, Argument, Away, Call, Connection
from feedback_mock.shared.directory import LIFETIME, Directory, keys_of, new_version
from feedback_mock.shared.replicas import Change, Replica, Replicas
from feedback_mock.shared.request import unpacked
from feedback_mock.shared.state import fill, pieces_of
from feedback_mock.store import Project

log = logging.getLogger(__name__)
STAMP = 16
MOST_AT_ONCE = 100
MOST_WAITING = 10_000
MOST_TRIES = 50
TURN = 200  # entries processed before other tasks get a turn
LONG = 4 * 1024 * 1024  # bytes of a log, beyond which the project's state replaces its entries


class Logs:
    """All logs, as one process sees them."""

    def __init__(
        self, connection: Connection, store: Replicas, directory: Directory, endpoints: list[Endpoint]
    ) -> None:
        self._connection, self._store, self._directory, self._endpoints = connection, store, directory, endpoints
        self._waiting: list[Ask] = []
        self._pumping: asyncio.Task[None] | None = None

    async def ask(self, ask: Ask) -> Any:
        """Returns the outcome, in bounded time. Raises Away."""
        if len(self._waiting) >= MOST_WAITING:
            raise Away(f"{MOST_WAITING:,} requests wait for Redis already.")
        self._waiting.append(ask)
        if self._pumping is None or self._pumping.done():
            self._pumping = asyncio.get_running_loop().create_task(self._pump())
        try:
            async with asyncio.timeout(2 * PATIENCE):
                return await ask.outcome
        except TimeoutError:
            said = f"did not answer in {2 * PATIENCE:g} seconds; it may do what it was asked for all the same"
            raise Away(f"Redis at {self._connection.shown} {said}.") from None

    async def close(self) -> None:
        """Ends the current round, and closes the connections."""
        if self._pumping is not None:
            self._pumping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pumping
        await self._connection.close()

    # --- rounds

    async def _pump(self) -> None:
        while self._waiting:
            batch = [each for each in self._waiting[:MOST_AT_ONCE] if not each.outcome.done()]
            self._waiting = self._waiting[MOST_AT_ONCE:]
            try:
                await self._round(batch)
            except Away as away:
                for each in batch:
                    each.end(away)
            except Exception as error:
                for each in batch:
                    each.end(error)

    def _again(self, asks: list[Ask], *, tried: bool = True) -> None:
        """Asks these again in the next round."""
        for each in asks:
            each.tries += tried
            if each.tries > MOST_TRIES:
                each.end(Away("Others changed the projects again and again meanwhile."))
        self._waiting[:0] = [each for each in asks if not each.outcome.done()]

    async def _round(self, batch: list[Ask]) -> None:
        """Asks Redis once, and processes its replies. Raises Away."""
        if not self._store.epoch:
            await self._directory.begin()
        groups, changes, full = self._sorted(batch)
        calls = [
            self._directory.step(replica, [entry for _, entry in asks if entry is not None])
            for replica, asks in groups.items()
        ]
        version, placing = new_version(), changes[:1]  # the others have to know what this one changes
        calls += [self._directory.place(change, entry, version) for _, change, entry in placing]
        replies = await self._connection.run(calls)
        for (replica, asks), reply in zip(groups.items(), replies, strict=False):
            if isinstance(reply, Away):
                for ask, _ in asks:
                    ask.end(reply)
            elif reply[0] == b"ok":
                await self._carry_out(replica, asks, reply)
            else:
                self._again([each for each, _ in asks])
        self._again([each for each, _, _ in changes[1:]], tried=False)
        for (ask, change, entry), reply in zip(placing, replies[len(groups) :], strict=True):
            if isinstance(reply, Away):
                ask.end(reply)
            elif reply[0] == b"placed":
                self._placed(ask, change, entry, version, reply)
            else:
                self._again([ask])
        await self._catch_up(list(groups), replies)
        if full:
            await self._directory.sweep()
            self._again(full)
        self._store.make_room()

    async def _catch_up(self, replicas: list[Replica | None], replies: list[Any]) -> None:
        """Applies news about the directory in the replies, and removes what is gone. Raises Away."""
        told = [each for each in replies if not isinstance(each, Away) and each[0] in (b"all", b"some")]
        if told:
            await self._directory.learn(told[-1])
        for replica, reply in zip(replicas, replies, strict=False):
            if replica is not None and not isinstance(reply, Away) and reply[0] == b"gone":
                await self._directory.forget(replica)

    def _sorted(
        self, batch: list[Ask]
    ) -> tuple[dict[Replica | None, list[tuple[Ask, bytes | None]]], list[tuple[Ask, Change, bytes]], list[Ask]]:
        """The questions by project, the changes of the directory, and those for which it has no room."""
        groups: dict[Replica | None, list[tuple[Ask, bytes | None]]] = {}
        changes, full = [], list[Ask]()
        for ask in batch:
            replica, change = self._store.of_path(ask.path), None
            if ask.change is not None:
                self._store.full = False
                outcome, change = ask.change()
                if self._store.full and not ask.tries:
                    full.append(ask)
                    continue
                ask.carry_out = lambda _, outcome=outcome: outcome  # type: ignore[misc]  # a lambda with a default
            if change is not None:
                changes.append((ask, change, b"" if ask.entry is None else ask.entry()))
            elif replica is None or ask.entry is None or ask.change is not None:
                groups.setdefault(replica, []).append((ask, None))
            else:
                groups.setdefault(replica, []).append((ask, ask.entry()))
        return groups, changes, full

    # --- processing

    async def _carry_out(self, replica: Replica | None, asks: list[tuple[Ask, bytes | None]], reply: list[Any]) -> None:
        store, instant = self._store, int(reply[1])
        if replica is None:
            store.instant = instant
            for ask, _ in asks:
                ask.end(self._tried(ask, None))
            return
        project = store.project_of(replica)
        if int(reply[2]) != replica.position:
            project = store.empty(replica)
            replica.position = int(reply[2])
        store.use(replica)
        for number, entry in enumerate(reply[3]):
            self._replay(replica, entry)
            if number % TURN == TURN - 1:
                await asyncio.sleep(0)
        store.instant = instant
        project = store.project_of(replica)
        for ask, entry in asks:
            ask.end(self._tried(ask, project))
            if entry is not None:
                replica.position, replica.stamp = replica.position + 1, reply[1]
        # Whoever makes it too long replaces it; if that fails, whoever makes it twice as long.
        most, bytes_, added = max(LONG, 2 * reply[5]), reply[4], sum(len(entry or b"") for _, entry in asks)
        if bytes_ // most > (bytes_ - added) // most:
            await self._compact(replica)

    def _tried(self, ask: Ask, project: Project | None) -> Any:
        try:
            return ask.carry_out(project)
        except Exception as error:
            return error

    def _replay(self, replica: Replica, raw: bytes) -> None:
        """Processes an entry whose request another process responds to, or nobody any more."""
        store = self._store
        project = store.project_of(replica)
        with self._filling(replica):
            facts, store.instant = orjson.loads(raw[STAMP:]), int(raw[:STAMP])
            if "endpoint" in facts:
                unpacked(facts, self._endpoints).carry_out(project, store.instant)
            elif "settle" in facts:
                project.sleepers.settle(facts["settle"])
            elif "first" in facts:
                store.put_project(*replica.name, store.new_clock())
            else:
                fill(project, facts)
        replica.position, replica.stamp = replica.position + 1, raw[:STAMP]

    @contextlib.contextmanager
    def _filling(self, replica: Replica) -> Iterator[None]:
        self._store.filling = replica.name
        try:
            yield
        except Exception as error:
            log.error("An entry of a log could not be processed: %s.", type(error).__name__)  # noqa: TRY400 (no values)
        finally:
            self._store.filling = None

    async def _compact(self, replica: Replica) -> None:
        """Replaces the processed entries by the state of the project."""
        known: list[Argument] = [replica.position, replica.stamp, LIFETIME]
        pieces = pieces_of(self._store.project_of(replica))
        with contextlib.suppress(Away):  # the next round tries again
            await self._connection.run([Call(("compact",), keys_of(replica.incarnation), [*known, *pieces])])

    def _placed(self, ask: Ask, change: Change, entry: bytes, version: bytes, reply: list[Any]) -> None:
        self._directory.changed(change, version)
        if not change.meta:
            ask.end(self._tried(ask, None))
            return
        replica = self._store.replicas[change.name]
        self._store.instant = int(reply[1])
        request = unpacked(orjson.loads(entry), self._endpoints)
        with self._filling(replica):
            ask.end(request.carry_out(self._store.project_of(replica), self._store.instant))
        replica.position, replica.stamp = 1, reply[1]
        self._store.use(replica)
