"""The mock under a profile conforms to it; a target's profile is found out."""

import re

import pytest
from feedback_mock.server import Server
from feedback_spec.document import load
from feedback_spec.profiles import DOCUMENTED, PROFILES
from feedback_verify.cli import main
from feedback_verify.run import Run
from feedback_verify.targets import ControlTarget
from feedback_verify.verdicts import Verdict

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
