"""The report on a client: the same as on a server, about a command."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from feedback_spec import shell

from feedback_verify.reports.report import Report
from feedback_verify.verdicts import Result


@dataclass(frozen=True)
class ClientReport(Report):
    """`words` are the client's command, empty for a recorded journal; `again` are the words that repeat one
    situation.
    """

    words: Sequence[str] = ()
    again: Sequence[str] = ("client", "--situation")

    @property
    def is_about_target(self) -> bool:
        """False: the responses are the mock's."""
        return False

    @property
    def facts(self) -> dict[str, str]:
        """As in every report, without what only servers have."""
        told = super().facts
        return {name: told[name] for name in ("Began", "Document", "Options")} | {"Client": self.clean(self.target)}

    def costs(self) -> Iterator[str]:
        """What is needed to find out more: each unjudged rule says that itself."""
        return iter(())

    def reproduction(self, result: Result) -> list[str]:
        """The line that repeats the situation."""
        name = next((step.project.slug for step in result.steps if hasattr(step, "project")), "")
        if not self.words or not name:
            return []
        return [self.clean(shell.join(["feedback-verify", *self.again, name, "--", *self.words]))]

    def program(self, result: Result) -> str | None:
        """None: the client is the program."""
        return None

    def plan(self, result: Result) -> list[str]:
        """Empty: the line is enough."""
        return []
