"""A target that is only a URL with credentials, and a way to save events on it. Its clock is the real one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from feedback_verify.exchange import Credential, Project
from feedback_verify.steps import Step
from feedback_verify.targets.base import ProtocolError, Target
from feedback_verify.targets.network import Network
from feedback_verify.targets.seeding import Seeder

VARIABLES = {
    "write": "FEEDBACK_TOKEN",
    "read": "FEEDBACK_READ_TOKEN",
    "dsn": "FEEDBACK_DSN",
    "other-dsn": "FEEDBACK_OTHER_DSN",
}
CAPABILITY_OF = {"write": "token", "read": "read-token", "dsn": "dsn", "other-dsn": "foreign-dsn"}


class UrlTarget(Target):
    """Any implementation, through one project that exists there.

    `secrets` are its tokens and DSNs by kind. Raises ValueError if one cannot be a token or a DSN.
    """

    def __init__(
        self,
        base_url: str,
        organization: str,
        project: str,
        secrets: Mapping[str, str],
        network: Network | None = None,
    ) -> None:
        super().__init__(base_url, network)
        credentials = {kind: Credential.of(kind, each, VARIABLES[kind]) for kind, each in secrets.items()}
        self._project = Project(organization, project, credentials)
        self._seeder: Seeder | None = None
        self.keep_secret(self._project)
        self.capabilities = frozenset(CAPABILITY_OF[kind] for kind in credentials) | {"parallel"}

    def seed_with(self, seeder: Seeder) -> None:
        """Sets how events are saved."""
        self._seeder = seeder
        self.capabilities |= seeder.capabilities

    def open(self, start: datetime | None = None) -> tuple[Project, list[Step]]:
        """The one given project."""
        return self._project, []

    def save_event(self, project: Project, event_id: str, facts: Mapping[str, Any]) -> Step:
        """Uses the seeder."""
        if self._seeder is None:
            raise ProtocolError("this target cannot save events")
        return self._seeder.save(project, event_id, facts)
