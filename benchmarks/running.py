"""The mock as a process, events saved on it by a provider state, and `feedback-verify` as users run it."""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from feedback_spec.document import load
from feedback_spec.profiles import DOCUMENTED
from feedback_verify.realtime.draw import draw_plan
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.broken.serving import serving

ROOT = Path(__file__).parents[1]
PROGRAMS = Path(sys.executable).parent
SEEDED = frozenset({"token", "dsn", "event", "aged-event", "aged-timestamp"})


@dataclass(frozen=True)
class Verification:
    """One run of `feedback-verify`: exit code, the JSON report, seconds of wall clock and of CPU time.

    The CPU time is that of the verifier and of its mock, if it started one.
    """

    code: int
    report: dict[str, Any]
    seconds: float
    processor: float
    said: str

    def counts(self) -> dict[str, int]:
        """How many rules have each verdict."""
        found: dict[str, int] = {}
        for rule in self.report.get("rules", ()):
            found[rule["verdict"]] = found.get(rule["verdict"], 0) + 1
        return found

    def rules(self, verdict: str) -> dict[str, str]:
        """The rules with this verdict, with details."""
        return {rule["id"]: rule["detail"] for rule in self.report.get("rules", ()) if rule["verdict"] == verdict}


def verify(*arguments: str) -> Verification:
    """Runs `feedback-verify` as a process of its own. Never raises for a verdict; `said` is all its output."""
    with tempfile.TemporaryDirectory(prefix="feedback-benchmark-") as folder:
        report = Path(folder) / "report.json"
        used, began = _children(), time.perf_counter()
        ran = subprocess.run(
            [PROGRAMS / "feedback-verify", *arguments, "--report", f"json={report}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - began
        told = json.loads(report.read_text("utf-8")) if report.exists() else {}
        return Verification(ran.returncode, told, seconds, _children() - used, ran.stdout + ran.stderr)


def _children() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


@contextmanager
def running_mock(spec: Path | None = None, profile: str = DOCUMENTED) -> Iterator[dict[str, Any]]:
    """The mock's ready line: url, organization, project, token, read_token, dsn, control."""
    command = [str(PROGRAMS / "feedback-mock"), "--port", "0", "--log-format", "json", "--quiet"]
    command += ["--profile", profile]
    command += ["--spec", str(spec)] if spec else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            yield json.loads(process.stdout.readline() if process.stdout else "{}")
        finally:
            process.terminate()


@contextmanager
def provider_states(ready: dict[str, Any]) -> Iterator[str]:
    """The URL of a provider state that saves events on a running mock, as an implementer would write it."""
    project = f"{ready['control']}/projects/{ready['organization']}/{ready['project']}"
    client = httpx.AsyncClient(trust_env=False)

    async def state(request: Request) -> Response:
        params = (await request.json())["params"]
        ages = {name: value for name, value in params.items() if name.endswith("_ago")}
        answer = await client.put(f"{project}/events/{params['event_id']}", json=ages)
        return Response(answer.content, answer.status_code)

    with serving(Starlette(routes=[Route("/states", state, methods=["POST"])])) as url:
        yield f"{url}/states"


def real_time_flags(ready: dict[str, Any], states: str, spec: Path) -> list[str]:
    """The flags to verify the mock as a plain URL with saved events, by waiting for the long window once."""
    document = load(spec)
    long = max(window.limit for window in document.mutability.windows)
    seconds = f"{long // 1_000_000 + 1}s"
    place = ["--organization", ready["organization"], "--project", ready["project"]]
    credentials = ["--token", ready["token"], "--read-token", ready["read_token"], "--dsn", ready["dsn"]]
    return [ready["url"], *place, *credentials, "--provider-state-url", states, "--spec", str(spec), "--wait", seconds]


def timed_rules(spec: Path) -> str:
    """The rules that a plan of real waiting is about, for `--rules`."""
    tracks = draw_plan(load(spec), SEEDED, None, seed=0).tracks
    return ",".join(sorted({track.rule for track in tracks} | {"conflict-body"}))
