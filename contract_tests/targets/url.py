"""A target that is only a URL with credentials. It has no clock, saves no event and shows no records."""

from contract_tests.exchange import Step
from contract_tests.targets.base import Project, Target


class UrlTarget(Target):
    """Any implementation. Time rules cannot be judged on it."""

    def __init__(self, base_url: str, organization: str, project: str, credentials: dict[str, str]) -> None:
        super().__init__(base_url)
        variables = {"write": "FEEDBACK_TOKEN", "dsn": "FEEDBACK_DSN"}
        self._project = Project(organization, project, credentials, variables)
        self.keep_secret(self._project)
        names = {"write": "token", "dsn": "dsn"}
        self.capabilities = frozenset(names[kind] for kind in credentials)

    def open(self) -> tuple[Project, list[Step]]:
        """The one project that was given."""
        return self._project, []
