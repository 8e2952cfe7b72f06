"""The logs of projects in Redis: what is asked of a project is appended to its log, and all entries are carried out.

Every process carries out the entries of a log in their order, each at its instant, and so comes to the same project;
the one that appended an entry answers its request with what it came to. What waits goes to Redis together, in one
round trip at a time, so that many requests at once cost little more than one. Speaks no HTTP.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from feedback_mock.exchange import Endpoint
from feedback_mock.shared.connection import PATIENCE, Argument, Away, Call, Connection
from feedback_mock.shared.replicas import Change, Name, Replica, Replicas
from feedback_mock.shared.request import unpacked
from feedback_mock.shared.state import fill, pieces_of
from feedback_mock.store import Project

log = logging.getLogger(__name__)
PREFIX = b"{feedback-mock}:"
"""What the names of all keys begin with; in braces, so that a cluster keeps them together."""
LIFETIME = 24 * 3600
"""Seconds after which a project that nobody used is forgotten."""
STAMP = 16
MOST_AT_ONCE = 100
MOST_WAITING = 10_000
MOST_TRIES = 50
TURN = 200  # entries that are carried out before others have their turn
LONG = 4 * 1024 * 1024  # bytes of a log that are carried out rather than put together
FIRST = b'{"first": true}'
"""The first entry of the project that there always is."""
_STEP, _PLACE, _COMPACT = ("directory", "step"), ("directory", "place"), ("compact",)
CarryOut = Callable[[Project | None], Any]


class Ask:
    """What is asked of the project that a path names: an entry, if it has one to append, and how it is carried out.

    `entry` and `change` are made anew where the directory has changed meanwhile. A `change` is one of the directory:
    it answers what the request comes to if nothing is to be changed, or what it changes with the project's first entry.
    """

    def __init__(
        self,
        path: Mapping[str, str],
        carry_out: CarryOut,
        entry: Callable[[], bytes] | None = None,
        change: Callable[[], tuple[Any, Change | None]] | None = None,
    ) -> None:
        self.path, self.carry_out, self.entry, self.change = path, carry_out, entry, change
        self.tries = 0
        self.outcome: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def end(self, value: Any) -> None:
        """Tells who asked what came of it, unless nobody waits any more."""
        if self.outcome.done():
            return
        if isinstance(value, Exception):
            self.outcome.set_exception(value)
        else:
            self.outcome.set_result(value)


class Logs:
    """All logs, as one process sees them. `made_with` is what others have to serve by, to share them."""

    def __init__(
        self, connection: Connection, store: Replicas, endpoints: list[Endpoint], first: Name, made_with: bytes
    ) -> None:
        self._connection, self._store, self._endpoints = connection, store, endpoints
        self._first, self._made_with = first, made_with
        self._waiting: list[Ask] = []
        self._pumping: asyncio.Task[None] | None = None
        self._directory = [PREFIX + name for name in (b"directory", b"changes", b"instant")]

    async def ask(self, ask: Ask) -> Any:
        """What comes of it, in bounded time. Raises Away."""
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
        """Ends what goes on, and closes the connections."""
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
        """Has these asked again, in the next round."""
        for each in asks:
            each.tries += tried
            if each.tries > MOST_TRIES:
                each.end(Away("Others changed the projects again and again meanwhile."))
        self._waiting[:0] = [each for each in asks if not each.outcome.done()]

    async def _round(self, batch: list[Ask]) -> None:
        """Asks Redis once, and carries out what it answers. Raises Away."""
        if not self._store.epoch:
            await self._learn((await self._connection.run([self._step(None, [])]))[0])
        groups, changes = self._sorted(batch)
        calls = [self._step(*each) for each in groups.items()]
        version = secrets.token_hex(8).encode()
        placing = changes[:1]  # the others have to know what this one changes
        for _, change, entry in placing:
            calls.append(self._place(change, entry, version))
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
        self._store.make_room()

    async def _catch_up(self, replicas: list[Replica | None], replies: list[Any]) -> None:
        """Has the directory as the latest of the replies told it, and without what is gone. Raises Away."""
        told = [each for each in replies if not isinstance(each, Away) and each[0] in (b"all", b"some")]
        if told:
            await self._learn(told[-1])
        for replica, reply in zip(replicas, replies, strict=False):
            if replica is not None and not isinstance(reply, Away) and reply[0] == b"gone":
                await self._forget(replica)

    def _sorted(
        self, batch: list[Ask]
    ) -> tuple[dict[Replica | None, list[tuple[Ask, bytes | None]]], list[tuple[Ask, Change, bytes]]]:
        """What is asked by project, and the changes of the directory."""
        groups: dict[Replica | None, list[tuple[Ask, bytes | None]]] = {}
        changes = []
        for ask in batch:
            replica, change = self._store.of_path(ask.path), None
            if ask.change is not None:
                outcome, change = ask.change()
                ask.carry_out = lambda _, outcome=outcome: outcome  # type: ignore[misc]  # a lambda with a default
            if change is not None:
                changes.append((ask, change, b"" if ask.entry is None else ask.entry()))
            elif replica is None or ask.entry is None or ask.change is not None:
                groups.setdefault(replica, []).append((ask, None))
            else:
                groups.setdefault(replica, []).append((ask, ask.entry()))
        return groups, changes

    def _step(self, replica: Replica | None, asks: list[tuple[Ask, bytes | None]]) -> Call:
        store = self._store
        arguments: list[Argument] = [store.epoch, store.version, LIFETIME]
        if replica is None:
            return Call(_STEP, self._directory, arguments)
        entries = [entry for _, entry in asks if entry is not None]
        arguments += [replica.position, replica.stamp, *entries]
        return Call(_STEP, [*self._directory, *_keys(replica.incarnation)], arguments)

    def _place(self, change: Change, entry: bytes, version: bytes) -> Call:
        store, name = self._store, "/".join(change.name)
        keys = [*self._directory, *_keys(change.incarnation), *_keys(change.replaced)]
        known: list[Argument] = [store.epoch, store.version, LIFETIME]
        return Call(_PLACE, keys, [*known, version, self._made_with, name, change.meta, change.numbers, entry])

    # --- carrying out

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
        # Whoever makes it too long puts it together; should that fail, whoever makes it twice as long.
        most, bytes_, added = max(LONG, 2 * reply[5]), reply[4], sum(len(entry or b"") for _, entry in asks)
        if bytes_ // most > (bytes_ - added) // most:
            await self._compact(replica)

    def _tried(self, ask: Ask, project: Project | None) -> Any:
        try:
            return ask.carry_out(project)
        except Exception as error:
            return error

    def _replay(self, replica: Replica, raw: bytes) -> None:
        """Carries out an entry, whose request another process answers, or nobody any more."""
        store, facts = self._store, orjson.loads(raw[STAMP:])
        store.instant = int(raw[:STAMP])
        project = store.project_of(replica)
        with self._filling(replica):
            if "endpoint" in facts:
                unpacked(facts, self._endpoints).carry_out(project, store.instant)
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
            log.error("An entry of a log could not be carried out: %s.", type(error).__name__)  # noqa: TRY400 (no values)
        finally:
            self._store.filling = None

    async def _compact(self, replica: Replica) -> None:
        """Puts the project itself in the place of the entries that were carried out."""
        known: list[Argument] = [replica.position, replica.stamp, LIFETIME]
        pieces = pieces_of(self._store.project_of(replica))
        with contextlib.suppress(Away):  # the next round tries again
            await self._connection.run([Call(_COMPACT, _keys(replica.incarnation), [*known, *pieces])])

    # --- the directory

    async def _learn(self, news: Any) -> None:
        """Has the directory as Redis told it. Raises Away where it is not one that can be shared."""
        store = self._store
        if isinstance(news, Away):
            raise news
        if news[0] == b"some":
            store.update(*news[1:])
            return
        directory = dict(zip(news[1][::2], news[1][1::2], strict=True))
        if directory and directory[b"made_with"] != self._made_with:
            raise Away(
                f"Redis at {self._connection.shown} holds projects that another version of the mock has made, or one "
                "with another document, secret or rate limit."
            )
        store.rebuild(directory)
        if not directory:
            await self._begin()

    async def _begin(self) -> None:
        """Makes the project that there always is, where there is nothing."""
        store = self._store
        store.put_project(*self._first, store.new_clock())
        await self._changed()

    async def _forget(self, replica: Replica) -> None:
        """Takes a project from the directory whose log nobody used for so long that Redis forgot it."""
        store = self._store
        if store.replicas.get(replica.name) is not replica:
            return
        if replica.name == self._first:
            store.put_project(*replica.name, store.new_clock())
        else:
            store.delete_project(store.project_of(replica))
        await self._changed()

    async def _changed(self) -> None:
        """Changes the directory as the store was asked to, unless another process did meanwhile."""
        change, version = self._store.asked, secrets.token_hex(8).encode()
        assert change is not None
        (reply,) = await self._connection.run([self._place(change, FIRST, version)])
        if isinstance(reply, Away):
            raise reply
        if reply[0] == b"placed":
            self._know(change, version)

    def _know(self, change: Change, version: bytes) -> None:
        store = self._store
        store.epoch = store.epoch or version
        name = "/".join(change.name).encode()
        store.update(version, [name], [change.numbers, change.meta or None])

    def _placed(self, ask: Ask, change: Change, entry: bytes, version: bytes, reply: list[Any]) -> None:
        self._know(change, version)
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


def _keys(incarnation: bytes) -> list[bytes]:
    """The log of a project, and what is said of it."""
    return [b"%b%b:%b" % (PREFIX, incarnation, part) for part in (b"log", b"head")]
