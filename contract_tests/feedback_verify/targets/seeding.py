"""How to save events on a server without a control API: by a command, a provider state, or Sentry's ingest.

Each states its capabilities: `event` (saved now), `aged-event` (saved in the past), `aged-timestamp` (saved now, with a
timestamp in the past).
"""

import json
import shlex
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from subprocess import PIPE, STDOUT
from threading import Event
from typing import Any, Protocol

from feedback_spec.instants import format_duration

from feedback_verify.exchange import Credential, Exchange, Project, Request
from feedback_verify.steps import SaveEvent
from feedback_verify.targets.base import ProtocolError, read_dsn
from feedback_verify.targets.sending import Stopped

COMMAND_TIMEOUT = 60.0
POLL = 0.2
_PLACES = "{event_id}, {saved_ago}, {timestamp_ago}, {organization} and {project}"


class Seeder(Protocol):
    """Saves events."""

    capabilities: frozenset[str]

    def save(self, project: Project, event_id: str, ages: Mapping[str, int]) -> SaveEvent:
        """Saves an event; `saved_ago` and `timestamp_ago` in microseconds. Raises ProtocolError."""
        ...


class CommandSeeder:
    """Runs a command with `{event_id}`, `{saved_ago}` and `{timestamp_ago}` (ISO 8601 durations) filled in."""

    def __init__(self, template: str, organization: str, project: str, stopped: Event | None = None) -> None:
        self._stopped = stopped or Event()
        self._words = shlex.split(template)
        self._fixed = {"organization": organization, "project": project}
        aged = {"aged-event"} if "{saved_ago}" in template else set()
        self.capabilities = frozenset({"event", *aged, *({"aged-timestamp"} if "{timestamp_ago}" in template else ())})
        if "{event_id}" not in template:
            raise ValueError("--seed-command: must contain {event_id}, the event to save.")
        try:
            self._fill("0" * 32, {})
        except (KeyError, IndexError, ValueError):
            raise ValueError(f"--seed-command: only {_PLACES} can be filled in.") from None

    def save(self, project: Project, event_id: str, ages: Mapping[str, int]) -> SaveEvent:
        """Exit code 0 means that the event is saved."""
        words = self._fill(event_id, ages)
        line = shlex.join(words)
        try:
            with subprocess.Popen(words, stdout=PIPE, stderr=STDOUT, encoding="utf-8", errors="replace") as process:
                said = " ".join(self._said_by(process).split())[:300]
        except OSError as error:
            raise ProtocolError(f"--seed-command: {line}: {error}") from None
        if process.returncode:
            raise ProtocolError(
                f"--seed-command: {line}: exit code {process.returncode}: {said or 'it printed nothing'}"
            )
        return SaveEvent(project, event_id, ages, words=tuple(words))

    def _said_by(self, process: "subprocess.Popen[str]") -> str:
        """Its output until it exits; it is stopped with the run, and if it takes too long."""
        deadline = time.monotonic() + COMMAND_TIMEOUT
        try:
            while time.monotonic() < deadline:
                with suppress(subprocess.TimeoutExpired):
                    return process.communicate(timeout=POLL)[0]
                if self._stopped.is_set():
                    raise Stopped
            raise ProtocolError(f"--seed-command: {shlex.join(self._words)}: took longer than {COMMAND_TIMEOUT:g} s")
        finally:
            process.kill()

    def _fill(self, event_id: str, ages: Mapping[str, int]) -> list[str]:
        saved = format_duration(ages.get("saved_ago", 0))
        values = {
            "event_id": event_id,
            "saved_ago": saved,
            "timestamp_ago": format_duration(ages["timestamp_ago"]) if "timestamp_ago" in ages else saved,
            **self._fixed,
        }
        return [word.format_map(values) for word in self._words]


class StateSeeder:
    """POSTs a provider state, in Pact's format: `{"state": …, "params": {…}, "action": "setup"}`."""

    capabilities = frozenset({"event", "aged-event", "aged-timestamp"})

    def __init__(self, url: str, exchange: Callable[[Request], Exchange], organization: str, project: str) -> None:
        self._url, self._exchange = url, exchange
        self._fixed = {"organization": organization, "project": project}

    def save(self, project: Project, event_id: str, ages: Mapping[str, int]) -> SaveEvent:
        """Any 2xx means that the event is saved."""
        params: dict[str, Any] = {"event_id": event_id, **self._fixed}
        params |= {name: format_duration(age) for name, age in {"saved_ago": 0, **ages}.items()}
        body = {"state": "an event was saved", "params": params, "action": "setup"}
        request = Request("POST", self._url, {"Content-Type": "application/json"}, json.dumps(body).encode())
        exchange = self._exchange(request)
        if exchange.status // 100 != 2:
            said = exchange.content[:200].decode(errors="replace")
            raise ProtocolError(f"--provider-state-url: {self._url} answered {exchange.status}: {said}")
        return SaveEvent(project, event_id, ages, exchange)


class IngestSeeder:
    """Sends an event as an SDK does, to the `store` endpoint named by the DSN; only its timestamp can be old."""

    capabilities = frozenset({"event", "aged-timestamp"})

    def __init__(
        self,
        dsn: str,
        exchange: Callable[[Request], Exchange],
        ahead: Callable[[], timedelta] = lambda: timedelta(0),
    ) -> None:
        self._ahead = ahead  # relative to our clock, as the target's is known to be
        parts = read_dsn(dsn)
        prefix, _, project_id = parts.path.rpartition("/")
        host = parts.netloc.rpartition("@")[2]
        self._url = f"{parts.scheme}://{host}{prefix}/api/{project_id}/store/"
        key = f"{parts.username}, sentry_secret={parts.password}" if parts.password else str(parts.username)
        client = "Sentry sentry_version=7, sentry_client=feedback-verify/1, sentry_key="
        self._auth = Credential(client, key, "FEEDBACK_KEY")
        self._exchange = exchange

    def save(self, project: Project, event_id: str, ages: Mapping[str, int]) -> SaveEvent:
        """200 with the id means that the event is saved, or soon will be."""
        moment = datetime.now(UTC) + self._ahead() - timedelta(microseconds=ages.get("timestamp_ago", 0))
        event = {
            "event_id": event_id,
            "timestamp": moment.strftime("%Y-%m-%dT%H:%M:%S.%f"),
            "platform": "other",
            "level": "error",
            "message": f"feedback-verify {event_id}",
            "logger": "feedback-verify",
        }
        headers: dict[str, str | Credential] = {"Content-Type": "application/json", "X-Sentry-Auth": self._auth}
        request = Request("POST", self._url, headers, json.dumps(event).encode())
        exchange = self._exchange(request)
        if exchange.status != 200:
            said = exchange.content[:200].decode(errors="replace")
            raise ProtocolError(f"--ingest: {self._url} answered {exchange.status} to an event: {said}")
        return SaveEvent(project, event_id, ages, exchange)
