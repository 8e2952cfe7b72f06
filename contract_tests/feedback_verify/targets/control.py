"""A target that speaks the control protocol of `spec/control.yaml`: sandboxes, saved events, an exact clock."""

import itertools
import json
import secrets
from collections.abc import Mapping
from typing import Any

from feedback_spec.instants import format_duration

from feedback_verify.exchange import SHOW_STATUS, Exchange, Request, Step, curl
from feedback_verify.targets.base import Project, ProtocolError, Target

START = "2026-03-29T00:59:30.000000Z"
_PICK = "| python3 -c 'import json, sys; print(json.load(sys.stdin){path})')"


class ControlTarget(Target):
    """Every scenario gets a project of its own, with a frozen clock that starts a little before midnight-like limits.

    The default start is half a minute before a change to summer time in Europe, and near a full hour: an
    implementation that reckons in local or broken-down time shows it there.
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

    def __init__(self, base_url: str, control_url: str, start: str = START) -> None:
        super().__init__(base_url)
        self._control = control_url.rstrip("/") + "/_control"
        self._start = start
        self._run = f"verify-{secrets.token_hex(4)}"
        self._numbers = itertools.count(1)

    def health(self) -> dict[str, Any]:
        """What the control API says of itself. Raises NotReachable or ProtocolError."""
        answer: dict[str, Any] = self._call("GET", "/health")[1]
        return answer

    def open(self, organization: str | None = None) -> tuple[Project, list[Step]]:
        """A fresh project, by default in this run's own organization."""
        number = next(self._numbers)
        organization, slug = organization or self._run, f"project-{number}"
        exchange, answer = self._call(
            "PUT", f"/projects/{organization}/{slug}", {"clock": {"now": self._start, "running": False}}
        )
        try:
            tokens = {kind: f"Bearer {token}" for kind, token in answer["tokens"].items()}
            project = Project(
                organization,
                slug,
                {**tokens, "dsn": f"DSN {answer['dsn']}"},
                {kind: f"{kind.upper().replace('-', '_')}_{number}" for kind in (*tokens, "dsn")},
            )
        except (KeyError, TypeError, AttributeError):
            raise ProtocolError(f"{exchange.request.url}: the answer has no tokens and dsn of a project.") from None
        self.keep_secret(project)
        return project, self._opening_steps(exchange, project)

    def open_elsewhere(self) -> tuple[Project, list[Step]]:
        """A fresh project in another organization."""
        return self.open(f"{self._run}-other")

    def close(self, project: Project) -> None:
        """Removes the project, so that a long run does not fill the server."""
        self._call("DELETE", f"/projects/{project.organization}/{project.slug}")

    def save_event(self, project: Project, event_id: str, facts: Mapping[str, Any]) -> Step:
        """PUT …/events/{event_id}."""
        told = {name: format_duration(value) if name.endswith("_ago") else value for name, value in facts.items()}
        exchange, _ = self._call("PUT", f"{_path(project)}/events/{event_id}", told)
        return Step(curl(exchange.request), exchange)

    def advance(self, project: Project, microseconds: int) -> Step:
        """POST …/clock/advance."""
        body = {"duration": format_duration(microseconds)}
        exchange, _ = self._call("POST", f"{_path(project)}/clock/advance", body)
        return Step(curl(exchange.request), exchange)

    def records(self, project: Project) -> list[dict[str, Any]]:
        """GET …/feedback."""
        exchange, answer = self._call("GET", f"{_path(project)}/feedback")
        if not isinstance(answer, list) or not all(isinstance(each, dict) for each in answer):
            raise ProtocolError(f"{exchange.request.url}: the answer is no list of records.")
        return answer

    def _opening_steps(self, exchange: Exchange, project: Project) -> list[Step]:
        variable = f"PROJECT_{project.slug.rpartition('-')[2]}"
        line = curl(exchange.request).replace(SHOW_STATUS, "")
        steps = [Step(f"{variable}=$({line})", exchange)]
        for kind, value in project.credentials.items():
            path = '["dsn"]' if kind == "dsn" else f'["tokens"]["{kind}"]'
            if value in project.secrets():
                steps.append(Step(f'{project.variables[kind]}=$(echo "${variable}" {_PICK.format(path=path)}'))
        return steps

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[Exchange, Any]:
        content = b"" if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if body is not None else {}
        exchange = self.exchange(Request(method, self._control + path, headers, content))
        if exchange.status not in (200, 204) or (exchange.status == 200 and exchange.json is None):
            raise ProtocolError(
                f"{method} {self._control}{path}: the control API answered {exchange.status} "
                f"{exchange.content[:200].decode(errors='replace')!r}; spec/control.yaml says 200 with JSON."
            )
        return exchange, exchange.json


def _path(project: Project) -> str:
    return f"/projects/{project.organization}/{project.slug}"
