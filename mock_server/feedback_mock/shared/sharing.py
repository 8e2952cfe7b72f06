"""Everything needed to serve projects in Redis, assembled for one application."""

from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256

import orjson
from feedback_spec.document import Document

from feedback_mock.asgi import ASGIApp, Receive
from feedback_mock.control.handlers import package_version
from feedback_mock.control.metrics import METRICS
from feedback_mock.control.sleeping import SLEEP, woken
from feedback_mock.control.stream import News
from feedback_mock.exchange import Endpoint
from feedback_mock.feedback.rate import RateLimit
from feedback_mock.result import Result
from feedback_mock.shared.ask import Ask
from feedback_mock.shared.connection import Away, Connection
from feedback_mock.shared.directory import Directory
from feedback_mock.shared.logs import Logs
from feedback_mock.shared.replicas import Name, Replicas
from feedback_mock.shared.serving import Shared, Summed
from feedback_mock.shared.sleeping import SharedSleep
from feedback_mock.shared.tallies import Tallies
from feedback_mock.sleepers import Sleep
from feedback_mock.store import Project, Store

FORMAT = 4
"""The version of the data in Redis. Change it when that changes, or when the outcome of a request does."""
OF_PROCESS = "controlIndex"
"""The operation that needs no project."""


class Sharing:
    """The projects in the Redis at a URL, stored as `like` stores its own, with one that always exists, the `first`.

    Only processes that serve the same document with the same rate limit share them.
    """

    def __init__(self, url: str, first: Name, document: Document, rate_limit: RateLimit | None, like: Store) -> None:
        self.store, self.connection = Replicas(like), Connection(url)
        self._tallies = Tallies(self.connection, self.store)
        kept = [like.running, repr(like.limits), like.made_at, like.secret]
        served = orjson.dumps(
            [FORMAT, package_version(), document.openapi, rate_limit, *kept], option=orjson.OPT_NON_STR_KEYS
        )
        made_with = sha256(served).hexdigest()[:16].encode()
        self._endpoints: list[Endpoint] = []
        self._shared: list[Shared] = []
        self._first = first
        directory = Directory(self.connection, self.store, first, made_with)
        self._logs = Logs(self.connection, self.store, directory, self._endpoints)

    def served(
        self, operations: Mapping[str, ASGIApp], others: Callable[[str], ASGIApp], nowhere: ASGIApp
    ) -> tuple[dict[str, ASGIApp], Callable[[str], ASGIApp], ASGIApp]:
        """The endpoint for shared projects; the order is the same in all processes."""
        found = {name: self._serve(each, name) for name, each in operations.items()}
        return found, lambda path: self._serve(others(path)), self._serve(nowhere)

    def _serve(self, endpoint: ASGIApp, operation: str = "") -> ASGIApp:
        if operation == METRICS:
            return Summed(endpoint, self._tallies)
        if not isinstance(endpoint, Endpoint) or operation == OF_PROCESS:
            return endpoint
        if not operation and endpoint.journaled is None:
            return endpoint
        kind = SharedSleep if operation == SLEEP else Shared
        shared = kind(endpoint, len(self._endpoints), operation, self._logs, self.store, self._tallies)
        self._endpoints.append(endpoint)
        self._shared.append(shared)
        return shared

    async def begin(self) -> Project:
        """Checks that Redis is available and compatible, and creates the first project. Leaves no connection open.
        Raises Away.
        """
        try:
            await self._logs.ask(Ask({}, lambda _: None))
            return self.store.projects[self._first]
        finally:
            await self.close()

    async def look(self, news: News) -> Iterable[bytes]:
        """What is new in a project; nothing while Redis is unreachable."""
        try:
            told: list[bytes] = await self._logs.ask(Ask(news.path, lambda _: list(news)))
        except Away:
            return ()
        return told

    async def asleep(self, begun: Sleep, project: Project, _: Receive) -> Result:
        """The result of a sleep that is over already. Any other is noted in the store: `SharedSleep` waits for it, and
        ignores this result.
        """
        if begun.woken.done():
            return woken(begun.woken.result(), project)
        self.store.begun = begun, project
        return woken(project.clock.now(), project)

    def end(self) -> None:
        """Releases everything that waits when the server stops."""
        for each in self._shared:
            each.end()

    async def close(self) -> None:
        """Closes the connections; new ones are opened when needed."""
        await self._tallies.close()
        await self._logs.close()
