"""A broken server whose clock runs on its own, at the real pace or faster."""

import time
from datetime import UTC, datetime, timedelta

from starlette.types import ASGIApp, Receive, Scope, Send

from tests.broken.server import Implementation

START = datetime(2026, 3, 29, 0, 59, 30, tzinfo=UTC)


class Running:
    """An ASGI application around an implementation: the clocks of its projects run from `start`, `pace` times as fast.

    Windows of half an hour pass in 30 seconds at a pace of 60, including constants in the implementation's code.
    """

    def __init__(self, implementation: Implementation, app: ASGIApp, start: datetime = START, pace: int = 1) -> None:
        self._implementation, self._app, self._start, self._pace = implementation, app, start, pace
        self._began = time.monotonic_ns()

    def now(self) -> datetime:
        """What the clock shows."""
        elapsed = (time.monotonic_ns() - self._began) // 1000
        return self._start + timedelta(microseconds=elapsed * self._pace)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        for project in self._implementation.projects.values():
            project.now = self.now()
        await self._app(scope, receive, send)
