"""The mock under a profile conforms to it; a target's profile is found out."""

import re
from random import Random

import pytest
from feedback_mock.app import create_app
from feedback_mock.asgi import ASGIApp, Message, Receive, Scope, Send
from feedback_mock.server import Server
from feedback_spec.document import load
from feedback_spec.profiles import DOCUMENTED, PROFILES
from feedback_verify import schema
from feedback_verify.cli import main
from feedback_verify.run import Run
from feedback_verify.scenario import Scenario
from feedback_verify.targets import ControlTarget
from feedback_verify.verdicts import Verdict

from tests.broken.serving import serving
from tests.drawn import ALL, drawn

DEPTH = "default" if ALL else "quick"
SENTRY = [profile for profile in PROFILES if profile != DOCUMENTED]


@pytest.mark.parametrize("profile", drawn(SENTRY, 1))
def test_mock_conforms_to_every_profile(profile: str) -> None:
    """A profile chosen by the commit; `make broken` tests all."""
    document = load(None, profile)
    with Server(document=document) as server, ControlTarget(server.url, server.url) as target:
        results = Run(document, target, seed=0, depth=DEPTH).execute()

    assert {rule: each.detail for rule, each in results.items() if each.verdict is not Verdict.VERIFIED} == {}


@pytest.mark.parametrize("profile", drawn(PROFILES, 1))
def test_detect_names_the_profile_and_verifies_against_it(profile: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The one that the target fits completely, which it does no other."""
    with Server(document=load(None, profile)) as server:
        code = main([server.url, "--control", server.url, "--profile", "detect", "--rules", "trimmed"])
    shown = " ".join(capsys.readouterr().out.split())

    assert code == 0
    assert f"The target fits {profile} best; verifying against that." in shown
    assert re.findall(r"(\S+): \d+ rules fit, 0 do not: nothing", shown) == [profile]
    assert {each for each, _ in re.findall(r"(\S+): \d+ rules fit, (\d+) do not", shown)} == set(PROFILES)


def test_target_that_fits_another_profile_is_violated(capsys: pytest.CaptureFixture[str]) -> None:
    """And the verdicts on different readings of the page say which one it follows."""
    with Server(document=load(None, "sentry-9.1")) as server:
        code = main([server.url, "--control", server.url, "--rules", "event-window-base,overwrite-window-fixed"])
    shown = " ".join(capsys.readouterr().out.split())

    assert code == 1
    assert "the target follows another reading: the event's own timestamp is what counts" in shown
    assert "the target follows another reading: the window slides, an overwrite restarts it" in shown


def test_what_is_wrong_with_windows_hides_no_refusal() -> None:
    """Each of two faults of one server is violated, though the same requests show both."""
    faults = frozenset({"overwrite-window-fixed", "field-blank", "field-type"})
    with Server(document=load(None, "sentry-9.1")) as server, ControlTarget(server.url, server.url) as target:
        results = Run(load(), target, seed=1, rules=faults, depth="quick").execute()

    assert {rule for rule, each in results.items() if each.verdict is Verdict.VIOLATED} == faults


class OnPython2:
    """Reads semicolons in forms, halves of surrogate pairs and invented cursors as Sentry 9.1 does."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI interface."""
        if b"cursor=" in scope.get("query_string", b""):
            await send({"type": "http.response.start", "status": 500, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})
            return
        form = dict(scope.get("headers", ())).get(b"content-type", b"").startswith(b"application/x-www-form-urlencoded")

        async def read() -> Message:
            message = await receive()
            body = message.get("body", b"").replace(b"\xed\xa0\x80", b"???")
            return {**message, "body": body.replace(b";", b"&") if form else body}

        await self.app(scope, read, send)


@pytest.mark.parametrize(("profile", "rules"), [("sentry-9.1", set()), (DOCUMENTED, {"form-bodies", "body-syntax"})])
def test_what_python_2_reads_otherwise_is_asked_of_the_page_only(profile: str, rules: set[str]) -> None:
    document = load(None, profile)
    asked = frozenset({"form-bodies", "body-syntax"})
    with serving(OnPython2(create_app(document))) as url, ControlTarget(url, url) as target:
        results = Run(document, target, seed=0, rules=asked, depth="quick").execute()
        with Scenario(target, document, Random(0)) as scenario:
            findings = schema.run(scenario, document, 0, 20)

    assert {rule for rule in asked if results[rule].verdict is Verdict.VIOLATED} == rules
    assert ("valid-accepted" in {each.rule for each in findings if each.violation}) is (profile == DOCUMENTED)
