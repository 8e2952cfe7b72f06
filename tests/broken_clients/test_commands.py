"""`feedback-verify client` and `explore` as commands: what they print, write and return."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from feedback_mock.command.cli import main as mock_main
from feedback_spec.instants import SECOND
from feedback_verify.cli import main
from feedback_verify.clients.situations import situations
from feedback_verify.clients.stage import Stage

from tests.broken_clients.test_broken_clients import DOCUMENT, in_python

DATA = Path(__file__).parents[1] / "data"
PLAIN_ONLY = ["--situation", "plain"]
SILENT = """
import os, sys
from http.client import HTTPException
from tests.broken_clients.sound import Client
client = Client()
try:
    sys.exit(0 if client.send()[0] == 200 else 1)
except (OSError, HTTPException):
    pass
"""
SILENT_ONCE = """
import sys
from http.client import HTTPException
from pathlib import Path
from tests.broken_clients.sound import Client
marker = Path({marker!r})
try:
    Client().send()
except (OSError, HTTPException):
    if marker.exists():
        sys.exit(1)
    marker.touch()
"""
WITHOUT_HTTP = """
import socket
from urllib.parse import urlsplit
from tests.broken_clients.sound import Client
client = Client()
url, body = urlsplit(client.url()), client.body()
lines = [f"POST {url.path} HTTP/1.1", f"Host: {url.netloc}", f"Content-Length: {len(body)}"]
lines += [f"{name}: {value}" for name, value in client.headers()]
with socket.create_connection((url.hostname, url.port), 5) as connection:
    connection.sendall("\\r\\n".join([*lines, "", ""]).encode() + body)
    print(b"".join(iter(lambda: connection.recv(4096), b"")).hex())
"""
AGAIN_ONCE = """
from pathlib import Path
from tests.broken_clients.sound import Client
marker = Path({marker!r})
class Once(Client):
    def refused(self, status):
        if not marker.exists():
            marker.touch()
            self.send()
        return super().refused(status)
raise SystemExit(Once().run())
"""


def python(text: str) -> list[str]:
    """The words that run a program in Python."""
    return [sys.executable, "-c", text]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Pass the client's command after --"),
        (["--command", "x", "--", "y"], "one of the three"),
        (["--command", '"x'], "cannot be split into words"),
        (["--situation", "plian", "--", "x"], 'there is no situation "plian"; did you mean "plain"?'),
        (["--situation", "nope", "--", "x"], '"refused-413", "refused-415" and "texts".'),
        (["--require", "endpont", "--", "x"], 'there is no rule "endpont" for clients; did you mean "endpoint"?'),
        (["--", "no-such-command"], "no-such-command: cannot be started: No such file or directory."),
        (
            ["--", "true"],
            "true: sent nothing to the mock, although everything works; it exited with code 0.",
        ),
        (["--journal", "no-such.har"], "no-such.har: cannot be read: No such file or directory."),
        (["--report", "html=/no/such/folder/x.html", "--", "true"], "there is no directory /no/such/folder"),
    ],
)
def test_what_cannot_be_judged_is_said_in_one_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["client", *arguments]) == 2

    said = capsys.readouterr().err
    assert sentence in said
    assert "Traceback" not in said
    assert "bug" not in said


def test_a_violation_names_the_rule_and_the_line_that_shows_it_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"

    assert main(["client", *PLAIN_ONLY, "--report", f"json={report}", "--", *in_python("upper-case-event")]) == 1

    said, told = capsys.readouterr().out, json.loads(report.read_text("utf-8"))
    assert "event-id is violated" in said
    assert "feedback-verify client --situation plain -- " in said
    schema = json.loads((resources.files("feedback_verify") / "report.schema.json").read_text("utf-8"))
    jsonschema_rs.validator_for(schema).validate(told)
    found = {each["id"]: each for each in told["rules"]}
    assert found["event-id"]["verdict"] == "violated"
    assert found["event-id"]["timeline"][0]["what"] == "submit"
    for rule in ("conflict-final", "retry-in-window"):
        assert found[rule]["verdict"] == "not verifiable here"
        assert found[rule]["detail"] == "the situations that were asked for do not show it"


def test_what_a_client_does_only_once_is_no_violation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As on a machine that is so busy that it gave up on a response just before it came."""
    only = ["--situation", "refused-403", "--require", "forbidden-final"]
    client = AGAIN_ONCE.format(marker=str(tmp_path / "marker"))

    assert main(["client", *only, "--", *python(client)]) == 3

    said = " ".join(capsys.readouterr().out.split())
    assert "after a 403, the same was sent again" in said
    assert "but not when it was played again" in said


@pytest.mark.parametrize("busy", [{"lag": 2 * SECOND}, {"waited": 2 * SECOND}])
def test_on_a_busy_machine_nothing_that_depends_on_time_is_a_violation(
    busy: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A client may have a time limit of its own, and the response came later; what it sends does not depend on that."""
    looked = Stage.play
    monkeypatch.setattr(Stage, "play", lambda stage, each: replace(looked(stage, each), **busy))
    only = ["--situation", "lost-before-empty", "--require", "retry-lost"]

    assert main(["client", *only, "--", *in_python("never-retries")]) == 3

    assert "the machine was so busy that the client may have waited for 1 second" in " ".join(
        capsys.readouterr().out.split()
    )
    assert main(["client", *PLAIN_ONLY, "--require", "event-id", "--", *in_python("upper-case-event")]) == 1


def test_a_violation_names_the_seed_that_shows_it_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "report.json"

    assert (
        main(["client", *PLAIN_ONLY, "--seed", "7", "--report", f"json={report}", "--", *in_python("upper-case-event")])
        == 1
    )

    assert json.loads(report.read_text("utf-8"))["seed"] == 7
    assert "feedback-verify client --seed 7 --situation plain -- " in capsys.readouterr().out


def test_random_responses_are_random_by_the_seed() -> None:
    seen = [_random_response(seed) for seed in (7, 7, 8)]

    assert seen[0] == seen[1] != seen[2]
    assert all(seen)


def _random_response(seed: int) -> str:
    """What a client without any HTTP sees where the response is random data, in hexadecimal digits."""
    with Stage(python(WITHOUT_HTTP), DOCUMENT, 20 * SECOND, seed=seed) as stage:
        return stage.play(situations(DOCUMENT)["lost-before-random"]).output


def test_no_secret_is_in_any_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kinds = ("json", "junit", "html", "har", "markdown")
    reports = [word for kind in kinds for word in ("--report", f"{kind}={tmp_path / kind}")]
    tell = "import os; open(os.environ['SECRETS'], 'a').write(os.environ['FEEDBACK_TOKEN'] + '\\n')"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SECRETS", str(tmp_path / "secrets"))
        client = f"{tell}\nimport runpy, sys; sys.argv = ['', 'token-in-query']\n"
        client += "runpy.run_module('tests.broken_clients.broken', run_name='__main__')"
        main(["client", *PLAIN_ONLY, *reports, "--", *python(client)])

    secrets = (tmp_path / "secrets").read_text("utf-8").split()
    written = [(tmp_path / kind).read_text("utf-8") for kind in kinds] + list(capsys.readouterr())
    assert secrets
    assert not [text for text in written for secret in secrets if secret in text]


def test_requests_in_the_archive_are_dated_by_the_wall_clock(tmp_path: Path) -> None:
    archive, began = tmp_path / "requests.har", datetime.now(UTC)

    main(["client", *PLAIN_ONLY, "--report", f"har={archive}", "--", *in_python("sound")])

    (entry,) = json.loads(archive.read_text("utf-8"))["log"]["entries"]
    assert began < datetime.fromisoformat(entry["startedDateTime"]) < datetime.now(UTC)


def test_requests_without_a_response_are_in_the_archive(tmp_path: Path) -> None:
    archive = tmp_path / "requests.har"

    main(["client", "--situation", "lost-after-empty", "--report", f"har={archive}", "--", *in_python("sound")])

    content = json.loads(archive.read_text("utf-8"))
    schema = json.loads((DATA / "har-1.2.schema.json").read_text("utf-8"))
    jsonschema_rs.validator_for(schema).validate(content)
    entries = content["log"]["entries"]
    assert [each["response"]["status"] for each in entries] == [200, 0, 200]
    lost, repeated = entries[1:]
    assert lost["request"]["postData"] == repeated["request"]["postData"]
    assert main(["client", "--journal", str(archive), "--require", "retry-lost"]) == 0


def test_a_client_is_judged_alike_by_the_archive_of_its_report(tmp_path: Path) -> None:
    """The faults are in it: nobody is blamed for being refused by one."""
    archive = tmp_path / "requests.har"
    only = ["--situation", "refused-403", "--situation", "refused-415", "--require", "forbidden-final"]

    assert main(["client", *only, "--report", f"har={archive}", "--", *in_python("sound")]) == 0

    assert main(["client", "--journal", str(archive), "--require", "forbidden-final"]) == 0


def test_a_recorded_journal_is_judged_as_far_as_it_says_something(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The archive is as browsers write it, without the mock's additions."""
    har = tmp_path / "recorded.har"
    har.write_text(json.dumps({"log": {"entries": [_entry("00:00:00", 409), _entry("00:00:05", 409)]}}), "utf-8")

    summary = tmp_path / "summary.md"

    assert main(["client", "--journal", str(har), "--report", f"markdown={summary}"]) == 1

    said = capsys.readouterr().out
    assert "conflict-final is violated" in said
    assert "after a 409, the same was sent again 5s later" in said
    assert "reproduce it" not in f"{said}{summary.read_text('utf-8')}".lower()  # no line repeats a recording


def test_a_violation_is_1_where_stdout_is_ascii(tmp_path: Path) -> None:
    """Characters that it lacks are escaped."""
    har = tmp_path / "Zoë.har"
    har.write_text(json.dumps({"log": {"entries": [_entry("00:00:00", 409), _entry("00:00:05", 409)]}}), "utf-8")
    command = [sys.executable, "-m", "feedback_verify", "client", "--journal", str(har)]
    ran = subprocess.run(
        command, env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True, encoding="ascii", check=False
    )

    assert (ran.returncode, ran.stderr) == (1, "")
    assert r"Zo\xeb.har" in ran.stdout


def _entry(time: str, status: int) -> dict[str, Any]:
    body = {"event_id": "f" * 32, "name": "Jane", "email": "jane@example.com", "comments": "It broke!"}
    return {
        "startedDateTime": f"2026-01-01T{time}Z",
        "time": 12.5,
        "request": {
            "method": "POST",
            "url": "https://sentry.example/api/0/projects/acme/web/user-feedback/",
            "headers": [
                {"name": "Authorization", "value": "Bearer [redacted]"},
                {"name": "Content-Type", "value": "application/json"},
            ],
            "postData": {"mimeType": "application/json", "text": json.dumps(body)},
        },
        "response": {"status": status, "headers": [], "content": {"text": "{}"}},
    }


def test_a_run_that_is_stopped_says_what_is_known_and_never_that_all_is_well(
    capsys: pytest.CaptureFixture[str],
) -> None:
    waits = "import time; time.sleep(60)"

    assert main(["client", "--max-time", "1s", "--", *python(waits)]) == 3

    assert "Stopped early" in capsys.readouterr().out


@pytest.mark.parametrize(("window", "code"), [(300, 0), (1e9, 1)])
def test_a_client_under_libfaketime_is_late_if_it_does_not_look_at_its_clock(window: float, code: int) -> None:
    """The clock of the machine stands for the project's, which moves while the first response is held back."""
    client = f"import tests.broken_clients.sound as s; s.Client.window = {window}; raise SystemExit(s.Client().run())"
    only = ["--faketime", "--situation", "late-overwrite-window", "--require", "retry-in-window"]

    assert main(["client", *only, "--", *python(client)]) == code


def test_feedback_that_is_lost_in_silence_is_found_wherever_it_is_lost(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", "--", *python(SILENT)]) == 1

    said = capsys.readouterr().out
    assert "4 placements are violated" in said  # before the request is handled; after it, the feedback is stored
    assert "silently lost: the exit code is 0, but 1 of 1 feedback is not stored" in said
    assert "submit → answer lost (CONNECTION_RESET_BY_PEER)" in said
    assert "feedback-verify explore --placement 1-before-" in said


def test_what_is_lost_only_once_is_no_violation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    client = SILENT_ONCE.format(marker=str(tmp_path / "marker"))

    assert main(["explore", "--placement", "1-before-empty", "--", *python(client)]) == 3

    said = " ".join(capsys.readouterr().out.split())
    assert "silently lost" in said
    assert "but not when it was played again" in said


def test_the_command_of_the_mock_explores_too(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["explore", "--placement", "1-before-empty", "--placement", "1-after-empty", "--", *in_python("sound")]

    assert mock_main(words) == 0

    assert "delivered after 1 more request" in capsys.readouterr().out


def test_a_client_that_was_not_given_enough_time_says_how_to_give_it_more(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["client", "--patience", "100ms", "--", *python("import time; time.sleep(60)")]) == 2

    assert "it was stopped after 0.1 s (--patience)." in capsys.readouterr().err


def test_a_client_that_deletes_its_project_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    client = "import httpx, os; import tests.broken_clients.sound as s; s.Client().send(); "
    client += "httpx.delete(os.environ['FEEDBACK_CONTROL'])"

    assert main(["client", *PLAIN_ONLY, "--", *python(client)]) == 2

    said = capsys.readouterr().err
    assert "with 404; did the client delete its project, by FEEDBACK_CONTROL?" in said
    assert len(said.strip().splitlines()) == 1


def test_exploring_needs_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore"]) == 2

    assert "as in feedback-verify explore -- python submit.py." in capsys.readouterr().err


def test_a_command_that_fails_anyway_is_not_explored(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", "--", *python("import sys; sys.exit('no luck')")]) == 2

    assert (
        "sent nothing to the mock, so no response can be lost; it exited with code 1, saying: no luck. "
        "A test that starts a mock of its own, as with the fixture feedback_mock, sends to that one."
        in capsys.readouterr().err
    )


def test_explore_is_called_by_the_name_that_was_used(capsys: pytest.CaptureFixture[str]) -> None:
    """The same command as `feedback-verify explore` and as `feedback-mock explore`."""
    codes = [mock_main(["explore", "--help"]), mock_main(["explore", "--nonsense"]), main(["explore", "--help"])]

    shown = capsys.readouterr()
    assert codes == [0, 2, 0]
    assert [line.split(" [")[0] for line in shown.out.splitlines() if line.startswith("Usage: ")] == [
        "Usage: feedback-mock explore",
        "Usage: feedback-verify explore",
    ]
    assert "Try 'feedback-mock explore --help' for help." in shown.err
