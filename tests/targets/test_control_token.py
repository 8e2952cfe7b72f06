"""A control API that requires a token: the verifier has it, sends it, and never shows it."""

import httpx
import pytest
from feedback_mock.server import Server
from feedback_verify.cli import main
from feedback_verify.settings import Settings, SettingsError, open_target
from feedback_verify.steps import as_shell
from feedback_verify.targets.base import ProtocolError
from feedback_verify.targets.control import ControlTarget

TOKEN = "a-token-for-tests"


def test_the_token_opens_the_control_api_and_lines_to_paste_name_its_variable() -> None:
    with Server(control_token=TOKEN) as server:
        with open_target(Settings(control=server.url, control_token=TOKEN)) as target:
            assert isinstance(target, ControlTarget)
            project, steps = target.open()
            lines = "\n".join(as_shell([*steps, target.save_event(project, "e" * 32, {})]))
            secrets = target.secrets
        refused = httpx.get(f"{server.url}/_control/projects")

    assert refused.status_code == 401
    assert TOKEN in secrets
    assert TOKEN not in lines
    assert lines.count("""-H 'Authorization: Bearer '"$FEEDBACK_CONTROL_TOKEN" """) == 2


def test_without_it_the_verifier_says_what_the_control_api_answered() -> None:
    wrong = pytest.raises(ProtocolError, match=r"answered 401 .*control token")
    with Server(control_token=TOKEN) as server, ControlTarget(server.url, server.url) as target, wrong:
        target.open()


def test_a_token_without_a_control_api_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SettingsError, match="--control-token requires --control"):
        open_target(Settings(url="http://127.0.0.1:1", control_token=TOKEN)).__enter__()
    assert main(["http://127.0.0.1:1", "--control-token", TOKEN]) == 2
    assert TOKEN not in "".join(capsys.readouterr())
