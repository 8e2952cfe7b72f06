"""Serves a changed document without losing state, and the previous one while the changed one is broken."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from feedback_spec.source import DocumentError

from feedback_mock.command.log import Line, message
from feedback_mock.mock import Mock

Stamp = tuple[int, int, int] | None


class Watching:
    """Watches the file of the document that `app` serves; `make` makes a mock of its content with the app's state.

    Needs no thread and no notification from the system: `look` is called every second.
    """

    def __init__(self, path: Path, app: Mock, make: Callable[[], Mock], say: Callable[[Line], None]) -> None:
        self._path, self._app, self._make, self._say = path, app, make, say
        self._served = self._seen = _stamp(path)
        self._task: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Starts to serve the document if its file has changed since, but not again in the last second."""
        before, self._seen = self._seen, _stamp(self._path)
        busy = self._task is not None and not self._task.done()
        if self._seen == before and self._seen != self._served and not busy:
            self._served = self._seen
            self._task = asyncio.get_running_loop().create_task(self.reload())

    async def reload(self) -> None:
        """Serves the current document, or says why not."""
        try:
            made = await asyncio.to_thread(self._made)
        except DocumentError as error:
            self._say(message(f"feedback-mock: {error} The mock continues with the previous document."))
            return
        self._app.become(made)
        self._say(message(f"feedback-mock: {self._path.name} has changed; serving the new version."))

    def _made(self) -> Mock:
        if self._path.exists() and not self._path.is_file():
            # A pipe would keep its reader waiting, and the mock could not even stop.
            raise DocumentError(f"{self._path}: is not a regular file.")
        return self._make()


def _stamp(path: Path) -> Stamp:
    """What differs if the file has changed; None without one."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
