"""The directory in Redis: which projects exist. Changes it, and keeps a process's copy current. Runs no request."""

import secrets
from typing import Any

from feedback_mock.shared.connection import Argument, Away, Call, Connection
from feedback_mock.shared.replicas import Change, Name, Replica, Replicas

PREFIX = b"{feedback-mock}:"
"""How the names of all keys begin; the braces make a cluster keep them together."""
LIFETIME = 24 * 3600
"""Seconds after which Redis discards a project that nobody used."""
FIRST = b'{"first": true}'
"""The first entry of the project that always exists."""
_KEYS = [PREFIX + name for name in (b"directory", b"changes", b"instant")]
_STEP, _PLACE = ("directory", "step"), ("directory", "place")


class Directory:
    """The directory as one process knows it. `first` always exists; `made_with` must be the same in all processes."""

    def __init__(self, connection: Connection, store: Replicas, first: Name, made_with: bytes) -> None:
        self._connection, self._store, self.first, self._made_with = connection, store, first, made_with

    def step(self, replica: Replica | None, entries: list[bytes]) -> Call:
        """The call that reads what is new in a project's log and appends entries; without a project, the instant."""
        if replica is None:
            return Call(_STEP, _KEYS, self._known())
        arguments: list[Argument] = [*self._known(), replica.position, replica.stamp, *entries]
        return Call(_STEP, [*_KEYS, *keys_of(replica.incarnation)], arguments)

    def place(self, change: Change, entry: bytes, version: bytes) -> Call:
        """The call that makes a change, after which the directory has this version."""
        name = "/".join(change.name)
        keys = [*_KEYS, *keys_of(change.incarnation), *keys_of(change.replaced)]
        arguments: list[Argument] = [version, self._made_with, name, change.meta, change.numbers, entry]
        return Call(_PLACE, keys, [*self._known(), *arguments])

    def _known(self) -> list[Argument]:
        return [self._store.epoch, self._store.version, LIFETIME]

    async def begin(self) -> None:
        """Reads the directory for the first time. Raises Away."""
        (reply,) = await self._connection.run([self.step(None, [])])
        await self.learn(reply)

    async def learn(self, news: Any) -> None:
        """Applies the news in a script's reply. Raises Away if this process can't share the directory."""
        if isinstance(news, Away):
            raise news
        try:
            if news[0] == b"some":
                self._store.update(*news[1:])
            elif news[0] == b"all":
                await self._rebuild(dict(zip(news[1][::2], news[1][1::2], strict=True)))
        except (ValueError, TypeError, LookupError, AttributeError):  # of reading what another program has written
            raise self._unusable("what is no list of projects") from None

    async def _rebuild(self, directory: dict[bytes, bytes]) -> None:
        store = self._store
        if directory and directory[b"made_with"] != self._made_with:
            raise self._unusable(
                "projects of another version of the mock, or of one with another document, secret, rate limit or "
                "--clock"
            )
        store.rebuild(directory)
        if not directory:
            store.put_project(*self.first, store.new_clock())
            await self._change()

    def _unusable(self, what: str) -> Away:
        held = f"Redis at {self._connection.shown} holds {what} under {PREFIX.decode()}*"
        return Away(f"{held}. Use another database, or delete these keys.")

    async def forget(self, replica: Replica) -> None:
        """Removes a project whose log Redis has discarded; creates the first one again. Raises Away."""
        store = self._store
        if store.replicas.get(replica.name) is not replica:
            return
        if replica.name == self.first:
            store.put_project(*replica.name, store.new_clock())
        else:
            store.delete_project(store.project_of(replica))
        await self._change()

    async def sweep(self) -> None:
        """Removes all projects whose logs Redis has discarded. Raises Away."""
        replicas = list(self._store.replicas.values())
        heads = [keys_of(each.incarnation)[1] for each in replicas]
        (gone,) = await self._connection.run([Call(("gone",), heads, [])])
        if isinstance(gone, Away):
            raise gone
        for place in gone:
            await self.forget(replicas[place - 1])

    async def _change(self) -> None:
        """Makes the change that the store was asked for, unless another process was quicker. Raises Away."""
        change, version = self._store.asked, new_version()
        assert change is not None
        (reply,) = await self._connection.run([self.place(change, FIRST, version)])
        if isinstance(reply, Away):
            raise reply
        if reply[0] == b"placed":
            self.changed(change, version)

    def changed(self, change: Change, version: bytes) -> None:
        """Applies a change that Redis has made."""
        store = self._store
        store.epoch = store.epoch or version
        store.update(version, ["/".join(change.name).encode()], [change.numbers, change.meta or None])


def keys_of(incarnation: bytes) -> list[bytes]:
    """The keys of a project's log and of its head."""
    return [b"%b%b:%b" % (PREFIX, incarnation, part) for part in (b"log", b"head")]


def new_version() -> bytes:
    """A version of the directory, unlike any other."""
    return secrets.token_hex(8).encode()
