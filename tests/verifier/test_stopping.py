"""Ctrl-C, SIGTERM and --max-time end a run at any moment, even while the target does not respond: with all reports."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from feedback_spec.document import Document
from feedback_verify import schema
from feedback_verify.scenario import Scenario
from feedback_verify.stopping import stoppable
from feedback_verify.targets import ControlTarget, Stopped
from starlette.types import ASGIApp, Receive, Scope, Send
from tenacity import retry, retry_if_not_exception_type, stop_after_delay, wait_fixed

from tests.broken.server import Implementation
from tests.broken.serving import serving


class Hangs:
    """Stops responding from the first request for which `when` is true; `then` is called once, when that comes."""

    def __init__(self, app: ASGIApp, when: Callable[[Scope, int], bool], then: Callable[[], None]) -> None:
        self._app, self._when, self._then = app, when, then
        self._count, self._hangs = 0, False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._count += 1
        if not self._hangs and self._when(scope, self._count):
            self._hangs = True
            self._then()
        if not self._hangs:
            await self._app(scope, receive, send)
        else:
            while (await receive())["type"] != "http.disconnect":
                pass


@pytest.mark.parametrize(
    ("count", "how"),
    [
        (3, signal.SIGINT),
        (3, signal.SIGHUP),
        (200, signal.SIGINT),
        (200, signal.SIGTERM),
        (1_500, signal.SIGINT),
        (200, "--max-time"),
    ],
)
def test_run_is_stopped(count: int, how: signal.Signals | str, tmp_path: Path) -> None:
    """During the preflight check, in single scenarios, in the arrays' threads; a hanging server holds nothing up."""
    report = tmp_path / "verdicts.json"
    pid: list[int] = []

    def stop() -> None:
        if isinstance(how, signal.Signals):
            os.kill(pid[0], how)

    hanging = Hangs(Implementation().app(), lambda _, seen: seen == count and bool(pid), stop)
    with serving(hanging) as url:
        words = [str(Path(sys.executable).with_name("feedback-verify")), url, "--control", url, "--seed", "1"]
        words += ["--max-time", "6s"] if how == "--max-time" else []
        with subprocess.Popen(
            [*words, "--report", f"json={report}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as run:
            pid.append(run.pid)
            out, error = run.communicate()

    told = json.loads(report.read_text())
    assert run.returncode == 3, out + error
    assert told["stopped"]
    assert told["summary"]["not run"] > 0
    assert told["summary"]["violated"] == 0
    assert {each["verdict"] for each in told["rules"] if each["id"] == "overwrite-window"} == {"not run"}


def test_a_mock_of_ours_does_not_survive_us() -> None:
    """However this process ends; a test harness, or the kernel, may kill it."""
    program = (
        "import os, signal; from feedback_verify.settings import own_mock\n"
        "with own_mock(None, 'documented') as url: print(url, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=False)

    assert killed.returncode == -signal.SIGKILL
    _until_nobody_listens(int(killed.stdout.rpartition(":")[2]))


@retry(retry=retry_if_not_exception_type(ConnectionRefusedError), stop=stop_after_delay(20), wait=wait_fixed(0.1))
def _answers(port: int) -> None:
    socket.create_connection(("127.0.0.1", port), 1).close()
    raise LookupError  # somebody listens still


def _until_nobody_listens(port: int) -> None:
    with pytest.raises(ConnectionRefusedError):
        _answers(port)


def test_schemathesis_is_stopped(document: Document) -> None:
    """It swallows Ctrl-C itself, and has threads of its own."""
    hanging = Hangs(
        Implementation().app(), lambda scope, _: scope["method"] == "TRACE", lambda: os.kill(os.getpid(), signal.SIGINT)
    )
    with serving(hanging) as url, ControlTarget(url, url) as target:
        scenario = Scenario(target, document, Random(1))
        with stoppable(target.sender.stop), pytest.raises(Stopped):
            schema.run(scenario, document, 1, 10)


def test_stopped_target_is_asked_nothing_more(mock_url: str) -> None:
    """From any thread; anyone waiting for a turn is released."""
    with ControlTarget(mock_url, mock_url) as target:
        target.sender.pace.rate = 0.2
        target.health()
        asyncio.run(asyncio.to_thread(target.sender.stop))

        with pytest.raises(Stopped):
            target.health()
