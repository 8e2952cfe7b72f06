"""Sends requests to an in-process mock, and checks that it can show everything it accepted, and recreate it. Draws
nothing.
"""

import asyncio
import json
from collections.abc import Sequence
from random import Random
from typing import Any
from urllib.parse import unquote_to_bytes

from feedback_mock.app import create_app
from feedback_mock.store import Limits, Project

from tests.fuzz.inputs import Known, Request
from tests.fuzz.variants import varied_request

PATH = "/_control/projects/acme/"
CLOCK = b'{"clock":{"now":"2026-01-01T00:00:00Z","running":false}}'
LEFT_AT_ONCE = {"controlSleep", "controlStream"}
FULL = 507


class Application:
    """A mock with the project acme/web, recreated for each history. `judge` raises AssertionError for any error."""

    def __init__(self) -> None:
        self._mock = create_app(limits=Limits(requests=20))
        self._runner = asyncio.Runner()
        project, path = self._runner.run(self._project()), self._mock.document.submit.path
        feedback = path.format(organization_slug=project.organization, project_slug=project.slug)
        made = project.credentials
        self.known = Known(feedback, made.tokens["write"], project.id, made.public_key)

    def close(self) -> None:
        """Closes the event loop."""
        self._runner.close()

    def judge(self, requests: Sequence[Request]) -> None:
        """Sends the requests, then reads everything in the project, and recreates the project from that elsewhere."""
        self._runner.run(self._judge(requests))

    def vary(self, requests: Sequence[Request], random: Random, most: int) -> int:
        """Judges variants of the requests, all in one history; returns how many there were."""
        variants = [varied_request(random.choice(requests), random) for _ in range(most if requests else 0)]
        self.judge(variants)
        return len(variants)

    async def _judge(self, requests: Sequence[Request]) -> None:
        for project in tuple(self._mock.store):
            self._mock.store.delete_project(project)
        for each in requests:
            may_fail = bool((await self._project()).faults.rules) and each.where in ("feedback", "ingest")
            status, answer = await self._ask(each)
            if not may_fail:
                assert status < 500 or status == FULL, (each, status, answer)
                assert status or each.where in LEFT_AT_ONCE, (each, "no answer")
            faults = (await self._project()).faults
            if any({"delay", "dribble"} & rule.effect.keys() for rule in faults.rules):  # which take time
                faults.clear()
        project = await self._project()
        project.faults.clear()
        project.clock.move(running=False)
        told = await self._told("web")
        made = await self._ask(
            Request("", "PUT", PATH + "copy/snapshot", (("Host", "localhost"),), json.dumps(told).encode())
        )
        assert made[0] == 200, made
        copied = await self._told("copy")
        assert copied == told, (copied, told)

    async def _told(self, slug: str) -> dict[str, Any]:
        status, answer = await self._ask(Request("", "GET", f"{PATH}{slug}/snapshot", (("Host", "localhost"),)))
        assert status == 200, answer
        told: dict[str, Any] = json.loads(answer)
        for each in told["requests"]:  # requests waiting for a response get none there
            each["_feedback"]["state"] = each["_feedback"]["state"].replace("pending", "lost")
        return told

    async def _project(self) -> Project:
        """The project, made if there is none, because a request has deleted it."""
        if self._mock.store.project("acme", "web") is None:
            await self._ask(Request("", "PUT", PATH + "web", (("Host", "localhost"),), CLOCK))
        found = self._mock.store.project("acme", "web")
        assert found is not None
        return found

    async def _ask(self, request: Request) -> tuple[int, bytes]:
        """The status, 0 if the connection ends without one, and the body."""
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
