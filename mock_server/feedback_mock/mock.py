"""The mock as an ASGI application. Decides nothing: routes and operations do."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from feedback_spec.document import Document

from feedback_mock.asgi import ASGIApp, Receive, Scope, Send
from feedback_mock.sleepers import STOPPED
from feedback_mock.store import Project, Store

if TYPE_CHECKING:
    from feedback_mock.control.operation import ControlOperation
    from feedback_mock.shared.sharing import Sharing


class Mock:
    """The ASGI application, with the `document` it serves and the `store` behind it.

    `default_project` is the page's own, as it was at startup; `control`: the operations of the control protocol,
    whether served or not; `sharing` stores the projects in Redis, if they are there.
    """

    def __init__(
        self,
        document: Document,
        store: Store,
        default_project: Project,
        application: ASGIApp,
        control: Mapping[str, "ControlOperation"],
        sharing: "Sharing | None" = None,
    ) -> None:
        self.document, self.store, self.default_project, self.control = document, store, default_project, control
        self.sharing = sharing
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves HTTP; needs no lifespan, but supports it."""
        if scope["type"] == "http":
            await self._application(scope, receive, send)
        elif scope["type"] == "lifespan":
            await _lifespan(self, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    def become(self, other: "Mock") -> None:
        """Serves what `other` does, which continues the same projects; ends streams, which clients open again."""
        for each in self.control.values():
            each.end()
        self.document, self.default_project, self.control = other.document, other.default_project, other.control
        self._application = other._application

    def end(self) -> None:
        """Ends everything that might go on forever when the server stops: streams, sleeps, waiting faults. From any
        thread.
        """
        for each in self.control.values():
            each.end()
        if self.sharing is not None:
            self.sharing.end()
        for project in tuple(self.store):
            project.faults.wake()
            if self.sharing is None:
                project.sleepers.end(STOPPED)

    async def close(self) -> None:
        """Closes what is open to the outside, after `end`."""
        if self.sharing is not None:
            await self.sharing.close()


async def _lifespan(mock: Mock, receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            mock.end()
            await mock.close()
            return
