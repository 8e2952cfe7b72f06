"""A target that speaks the control protocol of `spec/control.yaml`: sandboxes, saved events, an exact clock."""

import itertools
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from feedback_spec.instants import format_duration

from feedback_verify.exchange import Credential, Exchange, Project, Request, Secret
from feedback_verify.steps import Advance, Look, Open, SaveEvent, Step
from feedback_verify.targets.base import ProtocolError, Target
from feedback_verify.targets.network import Network, PerThread
from feedback_verify.targets.sending import NotReachable

KEPT_FOR = 1.0  # seconds that a connection may be idle
START = datetime(2026, 3, 29, 0, 59, 30, tzinfo=UTC)


class ControlTarget(Target):
    """Every scenario gets its own project, with a frozen clock that starts at a revealing instant.

    The default start is half a minute before a change to summer time in Europe, and near a full hour: an implementation
    that calculates in local or broken-down time shows it there.
    """

    capabilities = frozenset(
        {
            "token",
            "dsn",
            "event",
            "aged-event",
            "event-details",
            "clock",
            "records",
            "second-project",
            "read-token",
            "foreign-dsn",
            "parallel",
        }
    )
    clock = "exact"
    sandboxes = True
    calendar = True

    def __init__(
        self,
        base_url: str,
        control_url: str,
        start: datetime = START,
        network: Network | None = None,
        token: str | None = None,
    ) -> None:
        super().__init__(base_url, network)
        self._control = control_url.rstrip("/") + "/_control"
        self.start = start
        self._headers: dict[str, str | Secret] = {}
        if token is not None:
            self._headers["Authorization"] = Credential.of("token", token, "FEEDBACK_CONTROL_TOKEN")
            self._secrets.add(token)
        self._run = f"verify-{secrets.token_hex(4)}"
        self._numbers = itertools.count(1)
        # Most calls of a run come here, and their transport is not judged: few servers close a connection this soon.
        self._kept = PerThread(lambda: self.sender.network.transport(kept_for=KEPT_FOR))
        self._closes = False  # whether this one does, so that each call needs a connection of its own

    def __exit__(self, *_: object) -> None:
        self._kept.close()
        super().__exit__()

    @property
    def is_elsewhere(self) -> bool:
        """Whether the control API is at a different place than the endpoint, so that one may be the wrong one."""
        return self._control.removesuffix("/_control") != self.base_url

    def health(self) -> dict[str, Any]:
        """What the control API says about itself. Raises NotReachable or ProtocolError."""
        answer: dict[str, Any] = self._call("GET", "/health")[1]
        return answer

    def reads(self) -> datetime:
        """What a fresh project's clock shows."""
        return self.start

    def open(self, start: datetime | None = None) -> tuple[Project, list[Step]]:
        """A fresh project in this run's own organization."""
        number = next(self._numbers)
        return self._open(self._run, f"project-{number}", number, start)

    def open_beside(
        self, project: Project, *, same_organization: bool, start: datetime | None = None
    ) -> tuple[Project, list[Step]]:
        """A fresh project in the same organization, or of the same name in another one."""
        number = next(self._numbers)
        if same_organization:
            return self._open(project.organization, f"project-{number}", number, start)
        return self._open(f"{self._run}-other-{number}", project.slug, number, start)

    def _open(self, organization: str, slug: str, number: int, start: datetime | None) -> tuple[Project, list[Step]]:
        now = (start or self.start).isoformat(timespec="microseconds").replace("+00:00", "Z")
        exchange, answer = self._call(
            "PUT", f"/projects/{organization}/{slug}", {"clock": {"now": now, "running": False}}
        )
        try:
            given = {"write": answer["tokens"]["write"], "read": answer["tokens"]["read"], "dsn": answer["dsn"]}
            if "admin" in answer["tokens"]:
                given["admin"] = answer["tokens"]["admin"]
            project = Project(
                organization,
                slug,
                {kind: Credential.of(kind, each, f"{kind.upper()}_{number}") for kind, each in given.items()},
            )
            self.keep_secret(project)
        except (KeyError, IndexError, TypeError, AttributeError):
            wanted = "tokens.write, tokens.read and dsn, each a string"
            raise ProtocolError(f"{exchange.request.url}: the control API's response must have {wanted}.") from None
        except ValueError as error:
            raise ProtocolError(f"{exchange.request.url}: the control API's response is wrong: {error}.") from None
        return project, [Open(project, exchange, f"PROJECT_{number}", start)]

    def close(self, project: Project) -> None:
        """Removes the project, so that a long run does not fill the server."""
        self._call("DELETE", f"/projects/{project.organization}/{project.slug}")

    def save_event(self, project: Project, event_id: str, facts: Mapping[str, Any]) -> Step:
        """PUT …/events/{event_id}."""
        told = {name: format_duration(value) if name.endswith("_ago") else value for name, value in facts.items()}
        exchange, _ = self._call("PUT", f"{_path(project)}/events/{event_id}", told)
        return SaveEvent(project, event_id, facts, exchange)

    def advance(self, project: Project, microseconds: int) -> Step:
        """POST …/clock/advance."""
        body = {"duration": format_duration(microseconds)}
        exchange, _ = self._call("POST", f"{_path(project)}/clock/advance", body)
        return Advance(project, microseconds, exchange)

    def records(self, project: Project) -> tuple[list[dict[str, Any]], Step]:
        """GET …/feedback."""
        exchange, answer = self._call("GET", f"{_path(project)}/feedback")
        if not isinstance(answer, list) or not all(isinstance(each, dict) for each in answer):
            raise ProtocolError(f"{exchange.request.url}: the response is not a list of records.")
        return answer, Look(project, exchange)

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[Exchange, Any]:
        content = b"" if body is None else json.dumps(body).encode()
        headers = {**self._headers, **({"Content-Type": "application/json"} if body is not None else {})}
        transport = self._transport if self._closes else self._kept
        try:
            exchange = self.sender.exchange(transport, Request(method, self._control + path, headers, content))
        except NotReachable:
            self._closes = True
            raise
        wanted = "204" if method == "DELETE" else "200 with JSON"
        if exchange.status not in (200, 204) or (exchange.status == 200 and exchange.json is None):
            raise ProtocolError(
                f"{method} {self._control}{path}: the control API answered {exchange.status} "
                f"{exchange.content[:200].decode(errors='replace')!r}; spec/control.yaml says {wanted}."
            )
        return exchange, exchange.json


def _path(project: Project) -> str:
    return f"/projects/{project.organization}/{project.slug}"
