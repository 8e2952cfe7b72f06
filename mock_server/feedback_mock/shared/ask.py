"""What a request asks of a project whose log is in Redis. Knows no Redis."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from feedback_mock.shared.replicas import Change
from feedback_mock.store import Project

CarryOut = Callable[[Project | None], Any]


class Ask:
    """A question about the project named by a path: what to do once its log is processed, and an entry to append first.

    `entry` and `change` are called again if the directory has changed in the meantime. A `change` returns the change of
    the directory that a request asks for, if any, and the outcome if it doesn't need one; `entry` then makes the first
    entry of the new project.
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
        """Sets the outcome, unless nobody waits for it any more."""
        if self.outcome.done():
            return
        if isinstance(value, Exception):
            self.outcome.set_exception(value)
        else:
            self.outcome.set_result(value)
