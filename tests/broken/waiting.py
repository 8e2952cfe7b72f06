"""Verifies broken servers by real waiting, many at the same time: a URL, a provider state and no control API.

The document's windows are 60 times shorter and the servers' clocks run 60 times as fast, so a server's own constants
are shortened with them. The dates in responses follow the pace of all other clocks.
"""

import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from feedback_spec.document import load
from feedback_spec.instants import SECOND
from feedback_verify.run import Run
from feedback_verify.targets import StateSeeder, UrlTarget
from feedback_verify.verdicts import Verdict
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.broken.clock import Running
from tests.broken.mutants import MUTANTS
from tests.broken.server import Implementation, Project, duration, instant
from tests.broken.serving import serving

PACE = 60
WAIT = 31 * SECOND
PROCESSES = 4
BEFORE_SUMMER_TIME = datetime.fromisoformat("2026-03-29T00:50:00Z")  # the change comes after ten seconds of waiting

Told = dict[str, tuple[Verdict, str]]
_CREATED = re.compile(rb'(?<="dateCreated":")[^"]*')


class AtOurPace:
    """An ASGI application around another one: the dates in its responses advance in real time from now on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app, self._began = app, datetime.now(UTC)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun: Message = {}

        async def slowed(message: Message) -> None:
            if message["type"] == "http.response.start":
                begun.update(message)
                return
            body = _CREATED.sub(self._slow, message["body"])
            length = str(len(body)).encode()
            begun["headers"] = [
                (name, length if name == b"content-length" else each) for name, each in begun["headers"]
            ]
            await send(begun)
            await send({**message, "body": body})

        await self._app(scope, receive, slowed)

    def _slow(self, found: re.Match[bytes]) -> bytes:
        told = datetime.fromisoformat(found[0].decode())
        return instant(self._began + (told - BEFORE_SUMMER_TIME) / PACE).encode()


def verify_all(rules: Mapping[str, frozenset[str]], spec: Path) -> dict[str, Told]:
    """The verdicts on these rules for these broken servers (by name; `` for the correct one), after one wait for
    all.
    """
    shares = [list(rules)[number::PROCESSES] for number in range(PROCESSES)]
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        told = pool.map(_verify_some, ([(name, rules[name]) for name in share] for share in shares), [spec] * PROCESSES)
        return {name: verdicts for each in told for name, verdicts in each.items()}


def _verify_some(wanted: Iterable[tuple[str, frozenset[str]]], spec: Path) -> dict[str, Told]:
    wanted = list(wanted)
    if not wanted:
        return {}
    with ThreadPoolExecutor(len(wanted)) as pool:
        return dict(pool.map(partial(_verify, spec), wanted))


def _verify(spec: Path, wanted: tuple[str, frozenset[str]]) -> tuple[str, Told]:
    name, rules = wanted
    kinds = {each.name: each.implementation for each in MUTANTS}
    implementation = kinds.get(name, Implementation)()
    project = implementation.projects["acme", "shop"] = Project("acme", "shop", "1", BEFORE_SUMMER_TIME)
    application = implementation.app()
    running = AtOurPace(Running(implementation, application, BEFORE_SUMMER_TIME, PACE))

    async def state(request: Request) -> Response:
        params = (await request.json())["params"]
        ages = {name: duration(value) * PACE for name, value in params.items() if name.endswith("_ago")}
        told = {name: _written(age) for name, age in ages.items()}
        implementation.save_event(project, params["event_id"], told)
        return Response(status_code=204)

    application.router.routes.insert(0, Route("/states", state, methods=["POST"]))
    with serving(running) as url:
        dsn = f"http://{project.key}@127.0.0.1/{project.id}"
        credentials = {"write": project.token("write"), "dsn": dsn}
        with UrlTarget(url, "acme", "shop", credentials) as target:
            target.seed_with(StateSeeder(f"{url}/states", target.exchange, "acme", "shop"))
            results = Run(load(spec), target, seed=1, rules=rules, wait=WAIT).execute()
    return name, {rule: (results[rule].verdict, results[rule].detail) for rule in rules}


def _written(age: timedelta) -> str:
    microseconds = age // timedelta(microseconds=1)
    return f"PT{microseconds // SECOND}.{microseconds % SECOND:06}S"
