"""A project for a single test, with its credentials. Leaving its context deletes it."""

from typing import Self, Unpack

from feedback_mock_client.control import (
    AsyncControl,
    AsyncControlProject,
    Control,
    ControlProject,
    MadeProject,
    Project,
)


def _still(settings: MadeProject) -> MadeProject:
    return {"clock": {"running": False}, **settings}


class _Credentials:
    """The credentials and the URL that a client under test needs."""

    def _take(self, url: str, made: Project) -> None:
        self.tokens: dict[str, str] = made["tokens"]
        self.dsn = made["dsn"]
        self.feedback_url = f"{url}/api/0/projects/{made['organization']}/{made['project']}/user-feedback/"


class Sandbox(ControlProject, _Credentials):
    """A project with an unused slug. Its clock is frozen, unless the settings say otherwise.

    `tokens` contains bearer tokens by kind: `write`, `read` and `admin`.
    """

    def __init__(self, control: Control, **settings: Unpack[MadeProject]) -> None:
        made = control.make_project(**_still(settings))
        super().__init__(control, made["organization"], made["project"])
        self._take(control.url, made)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.delete_project()


class AsyncSandbox(AsyncControlProject, _Credentials):
    """The async counterpart of Sandbox. Create it with `await AsyncSandbox.make(control)`."""

    @classmethod
    async def make(cls, control: AsyncControl, **settings: Unpack[MadeProject]) -> Self:
        """Creates a project, with the same defaults as Sandbox."""
        made = await control.make_project(**_still(settings))
        sandbox = cls(control, made["organization"], made["project"])
        sandbox._take(control.url, made)
        return sandbox

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.delete_project()
