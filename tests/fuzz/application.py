"""Sends requests to an in-process mock, and checks that it can show everything it accepted, and recreate it. Draws
nothing.
"""

import asyncio
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote_to_bytes

from feedback_mock.app import create_app
from feedback_mock.store import Limits, Project

from tests.fuzz.inputs import Known, Request

PATH = "/_control/projects/acme/"
CLOCK = b'{"clock":{"now":"2026-01-01T00:00:00Z","running":false}}'
LEFT_AT_ONCE = {"controlSleep", "controlStream"}
FULL = 507


class Application:
    """A mock with the project acme/web, recreated for each history. `judge` raises AssertionError for any error."""

    def __init__(self) -> None:
        self._mock = create_app(limits=Limits(requests=20))
        self._runner = asyncio.Runner()
        self._make()
        project, path = self._project, self._mock.document.submit.path
        feedback = path.format(organization_slug=project.organization, project_slug=project.slug)
        made = project.credentials
        self.known = Known(feedback, made.tokens["write"], project.id, made.public_key)

    def close(self) -> None:
        """Closes the event loop."""
        self._runner.close()

    def judge(self, requests: Sequence[Request]) -> None:
        """Sends the requests, then reads everything in the project, and recreates the project from that elsewhere."""
        self._make()
        for each in requests:
            may_fail = bool(self._project.faults.rules) and each.where in ("feedback", "ingest")
            status, answer = self._ask(each)
            if not may_fail:
                assert status < 500 or status == FULL, (each, status, answer)
                assert status or each.where in LEFT_AT_ONCE, (each, "no answer")
            for rule in tuple(self._project.faults.rules):
                if {"delay", "dribble"} & rule.effect.keys():  # which take time
                    self._project.faults.clear()
        self._project.faults.clear()
        self._project.clock.move(running=False)
        told = self._told("web")
        made = self._ask(
            Request("", "PUT", PATH + "copy/snapshot", (("Host", "localhost"),), json.dumps(told).encode())
        )
        assert made[0] == 200, made
        copied = self._told("copy")
        assert copied == told, (copied, told)

    def _told(self, slug: str) -> dict[str, Any]:
        status, answer = self._ask(Request("", "GET", f"{PATH}{slug}/snapshot", (("Host", "localhost"),)))
        assert status == 200, answer
        told: dict[str, Any] = json.loads(answer)
        for each in told["requests"]:  # requests waiting for a response get none there
            each["_feedback"]["state"] = each["_feedback"]["state"].replace("pending", "lost")
        return told

    @property
    def _project(self) -> Project:
        found = self._mock.store.project("acme", "web")
        if found is None:  # a request has deleted it
            self._make()
            return self._project
        return found

    def _make(self) -> None:
        for each in tuple(self._mock.store):
            self._mock.store.delete_project(each)
        self._ask(Request("", "PUT", PATH + "web", (("Host", "localhost"),), CLOCK))

    def _ask(self, request: Request) -> tuple[int, bytes]:
        """The status, 0 if the connection ends without one, and the body."""
        return self._runner.run(self._exchange(request))

    async def _exchange(self, request: Request) -> tuple[int, bytes]:
        raw, sent = request.path.encode("latin-1", "replace"), list[Any]()
        parts = [request.body[start : start + 50_000] for start in range(0, len(request.body), 50_000)] or [b""]
        messages = [{"type": "http.request", "body": each, "more_body": True} for each in parts]
        messages[-1]["more_body"] = False
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            "root_path": "",
            "path": unquote_to_bytes(raw).decode("utf-8", "replace"),
            "raw_path": raw,
            "query_string": request.query.encode("latin-1", "replace"),
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "headers": [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in request.headers],
        }

        async def receive() -> Any:
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        try:
            await self._mock(scope, receive, send)
        except ConnectionError:
            return 0, b""
        if not sent:
            return 0, b""
        return sent[0]["status"], b"".join(each.get("body", b"") for each in sent[1:])
