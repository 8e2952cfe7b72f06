"""The lines and the program of a reproduction send what the run sent, and show what was wrong."""

import random
import subprocess
import sys
from dataclasses import replace

import pytest
from feedback_verify.exchange import Exchange, Project, Request
from feedback_verify.redaction import Redaction
from feedback_verify.steps import MOST_WRITTEN, Send, as_python, as_shell
from starlette.applications import Starlette
from starlette.requests import Request as Received
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.broken.serving import serving

BODIES = {
    "short": b'{"comments": "It broke!"}',
    "a megabyte of one letter": b'{"comments": "' + b"c" * 1_048_560 + b'"}',
    "characters of several bytes": b'{"comments": "' + "\U0001f600'\\".encode() * 20_000 + b'"}',
    "nested": b'{"a":' * 50_000 + b"0" + b"}" * 50_000,
    "a form": b"a=1&" * 10_000 + b"event_id=" + b"%F0%9F%98%80" * 20_000,
    "no text": b"\0\xff" * 30_000 + b"\xfe",
    "little that is repeated": random.Random(1).randbytes(3_000),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=list(BODIES))
@pytest.mark.parametrize("runner", ["shell", "python"])
def test_whole_bodies_are_sent(body: bytes, runner: str) -> None:
    received: list[bytes] = []

    async def keep(request: Received) -> Response:
        received.append(await request.body())
        return PlainTextResponse("kept")

    with serving(Starlette(routes=[Route("/", keep, methods=["POST"])])) as url:
        step = _sent(f"{url}/", body)
        if runner == "shell":
            command = ["bash", "-c", "\n".join(as_shell([step]))]
        else:
            command = [sys.executable, "-c", as_python([step])]
        subprocess.run(command, check=True, capture_output=True)

    assert received == [body]


def test_body_that_no_line_can_hold_is_described() -> None:
    step = _sent("http://127.0.0.1:1/", random.Random(1).randbytes(MOST_WRITTEN))
    (line,) = as_shell([step])
    assert f"<{MOST_WRITTEN} bytes, beginning with " in line
    assert len(line) < 1_000
    assert f"b'x' * {MOST_WRITTEN}" in as_python([step])


@pytest.mark.parametrize(("expected", "shown"), [((409,), False), ((200,), True), ((), True)])
def test_head_is_shown_where_the_status_was_right(expected: tuple[int, ...], shown: bool) -> None:
    """A status that is wrong is printed anyway; with the right one, a header may be wrong."""

    async def answer(_: Received) -> Response:
        return PlainTextResponse("kept", headers={"x-frame-options": "sometimes"})

    with serving(Starlette(routes=[Route("/", answer, methods=["POST"])])) as url:
        first, last = _sent(f"{url}/", b"1"), replace(_sent(f"{url}/", b"2"), expected=expected)
        lines = as_shell([first, last])
        printed = [
            subprocess.run(["bash", "-c", line], check=True, capture_output=True, text=True).stdout for line in lines
        ]
        program = [sys.executable, "-c", as_python([first, last])]
        ran = subprocess.run(program, check=True, capture_output=True, text=True).stdout

    assert ["x-frame-options: sometimes" in each for each in printed] == [False, shown]
    assert all(each.endswith("  <- 200 (200 in the report)\n") for each in printed)
    assert ran.count("x-frame-options: sometimes") == shown
    assert ran.count("<- 200 (200 in the report)") == 2


def test_missing_response_is_said_to_be_missing() -> None:
    step = replace(_sent("http://127.0.0.1:1/", b"1"), exchange=None)
    (line,) = as_shell([step])
    assert "  <- %{http_code} (no response in the report)" in line
    assert "'no response in the report'" in as_python([step])


def _sent(url: str, body: bytes) -> Send:
    request = Request("POST", url, {"Content-Type": "application/json"}, body)
    return Send(Project("acme", "web", {}), request, Exchange(request, 200, {}, b"kept", 0, 0))


def test_secrets_are_hidden_in_large_bodies() -> None:
    secret = "0123456789abcdef" * 4
    step = _sent("http://127.0.0.1:1/", f'{{"name": "{secret}", "comments": "{"c" * 5_000}{secret}"}}'.encode())
    hide = Redaction([secret])
    (line,) = as_shell([step], hide)
    assert secret not in line + as_python([step], hide)
    assert line.count("[secret]") == 2


def test_beginning_of_a_cut_secret_is_hidden_behind_a_long_word() -> None:
    """From half of it on."""
    secret = "0123456789abcdef" * 4
    hide = Redaction([secret])
    assert hide("x" * 5_000 + secret[:32]) == "x" * 5_000 + "[secret]"
    assert hide("x" * 5_000 + secret[:31]) == "x" * 5_000 + secret[:31]
