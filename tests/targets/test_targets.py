"""Each kind of target, selected with the flags in the documentation."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from feedback_verify.cli import main
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.broken.serving import serving
from tests.scaled import scaled
from tests.targets import example

PLACE = ["--organization", "acme", "--project", "shop"]
CREDENTIALS = ["--token", example.TOKEN, "--dsn", example.DSN]
ALL = [*PLACE, *CREDENTIALS, "--read-token", example.READ_TOKEN, "--other-dsn", example.OTHER_DSN]
TIMED = "event-window,overwrite-window,overwrite-window-unknown-event,overwrite-window-fixed,window-order,conflict-body"


def verdicts(path: Path) -> dict[str, str]:
    """The verdicts of a JSON report, by rule."""
    return {rule["id"]: rule["verdict"] for rule in json.loads(path.read_text())["rules"]}


@pytest.fixture
def scaled_path(tmp_path: Path) -> Path:
    """Windows of 3 and 1 seconds."""
    return scaled(tmp_path / "scaled.yaml", 3, 1)


class Scaled(example.OnTheRealClock):
    """The example with windows of 3 and 1 seconds."""

    event_limit, overwrite_limit = timedelta(seconds=3), timedelta(seconds=1)


@pytest.fixture
def scaled_url() -> Iterator[str]:
    """A server with the scaled windows."""
    with serving(Scaled().app()) as url:
        yield url


@pytest.mark.parametrize("app", ["app", "wsgi_app"])
def test_application_in_process_is_verified_to_the_microsecond(app: str, tmp_path: Path) -> None:
    """ASGI and WSGI alike, with a frozen clock; found in the directory where the command is run."""
    report = tmp_path / "v.json"
    flags = ["--app", f"tests.targets.example:{app}", "--seed-callable", "tests.targets.example:seed"]
    program = Path(sys.executable).parent / "feedback-verify"
    ran = subprocess.run(
        [program, *flags, *ALL, "--depth", "quick", "--require", "level", "--report", f"json={report}"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )

    told = verdicts(report)
    assert ran.returncode == 0, ran.stdout
    assert {told[rule] for rule in TIMED.split(",")} == {"verified"}
    assert told["concurrent-submissions"] == "not verifiable here"


def test_command_under_libfaketime_is_verified_without_waiting(tmp_path: Path) -> None:
    """Its clock is moved while it runs; both windows, from both sides."""
    report = tmp_path / "v.json"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    serve = f"{sys.executable} -m tests.targets.serve {port}"
    seed = f"{sys.executable} -m tests.targets.seed_event {url} {{event_id}} {{saved_ago}} {{timestamp_ago}}"
    code = main(
        [
            url,
            "--command",
            serve,
            "--seed-command",
            seed,
            *ALL,
            "--rules",
            TIMED,
            "--seed",
            "1",
            "--report",
            f"json={report}",
        ]
    )

    told = verdicts(report)
    # On a busy machine, an interval may be too wide to decide, but never becomes a violation.
    assert code in (0, 3), json.loads(report.read_text())["rules"]
    assert {told[rule] for rule in TIMED.split(",")} <= {"verified", "inconclusive"}
    assert told["conflict-body"] == "verified"


def test_command_that_ends_by_itself_is_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    """With its output."""
    words = f"{sys.executable} -c 'raise SystemExit(\"no such database\")'"
    code = main(["http://127.0.0.1:1", "--command", words, *ALL])

    assert code == 2
    assert "no such database" in capsys.readouterr().err


def test_url_with_seeding_is_verified_by_one_wait(scaled_url: str, scaled_path: Path, tmp_path: Path) -> None:
    """Both windows by real waiting, with the brackets in the verdicts; the plan is written and can be repeated."""
    report, plan = tmp_path / "v.json", tmp_path / "plan.json"
    seed = f"{sys.executable} -m tests.targets.seed_event {scaled_url} {{event_id}} {{saved_ago}} {{timestamp_ago}}"
    flags = [scaled_url, *ALL, "--seed-command", seed, "--rules", TIMED, "--spec", str(scaled_path)]
    code = main([*flags, "--wait", "5s", "--plan", str(plan), "--report", f"json={report}"])

    told = verdicts(report)
    detail = {rule["id"]: rule["detail"] for rule in json.loads(report.read_text())["rules"]}
    assert {told[rule] for rule in TIMED.split(",")} <= {"verified", "inconclusive"}
    assert code in (0, 3)
    assert told["conflict-body"] == "verified"
    assert told["overwrite-window"] == "inconclusive" or "lies between" in detail["overwrite-window"]
    assert len(json.loads(plan.read_text())["tracks"]) > 50


def test_plan_is_replayed_as_it_was_drawn(scaled_url: str, scaled_path: Path, tmp_path: Path) -> None:
    """`feedback-verify replay FILE` plays exactly what is in the file."""
    plan, again = tmp_path / "plan.json", tmp_path / "again.json"
    flags = [scaled_url, *ALL, "--rules", "overwrite-window", "--spec", str(scaled_path), "--seed", "1"]
    main([*flags, "--wait", "3s", "--plan", str(plan)])
    content = json.loads(plan.read_text())
    kept = [track for track in content["tracks"] if track["rule"] == "overwrite-window-unknown-event"][:6]
    plan.write_text(json.dumps({**content, "tracks": kept}))
    main(["replay", str(plan), *flags, "--plan", str(again)])

    assert json.loads(again.read_text())["tracks"] == kept


def test_events_by_ingest_prove_the_window_from_the_timestamp(tmp_path: Path) -> None:
    """A server like Sentry: it counts from the event's own timestamp, which is a deviation that the verdict names."""

    class LikeSentry(Scaled):
        event_limit = timedelta(seconds=30)

        def event_base(self, event: object) -> object:  # type: ignore[override]  # any event will do
            return event.timestamp  # type: ignore[attr-defined]  # as above

    server = LikeSentry()
    application = server.app()

    async def store(request: Request) -> Response:
        event = await request.json()
        sent = datetime.fromisoformat(event["timestamp"] + "+00:00")
        seconds = max((datetime.now(UTC) - sent).total_seconds(), 0)
        body = {"timestamp_ago": f"PT{seconds:.6f}S"}
        server.save_event(server.projects["acme", "shop"], event["event_id"], body)
        return JSONResponse({"id": event["event_id"]})

    application.router.routes.insert(0, Route("/api/1/store/", store, methods=["POST"]))
    report = tmp_path / "v.json"
    with serving(application) as url:
        dsn = example.DSN.replace("127.0.0.1", url.removeprefix("http://"))
        flags = [
            url,
            *PLACE,
            "--token",
            example.TOKEN,
            "--dsn",
            dsn,
            "--ingest",
            "--spec",
            str(scaled(tmp_path / "s.yaml", 30, 1)),
        ]
        code = main([*flags, "--rules", "event-window,event-window-base", "--report", f"json={report}"])

    rules = {rule["id"]: rule for rule in json.loads(report.read_text())["rules"]}
    assert code == 1
    assert "the event's own timestamp" in rules["event-window-base"]["detail"]
    assert rules["event-window"]["verdict"] == "verified"
    assert "proven from the event's timestamp" in rules["event-window"]["detail"]


def test_provider_state_saves_events(scaled_path: Path, tmp_path: Path) -> None:
    """Pact's form: the state, its parameters and the action."""
    server = Scaled()
    application = server.app()
    seen = []

    async def state(request: Request) -> Response:
        body = await request.json()
        seen.append(body)
        ages = {name: value for name, value in body["params"].items() if name.endswith("_ago")}
        server.save_event(server.projects["acme", "shop"], body["params"]["event_id"], ages)
        return Response(status_code=204)

    application.router.routes.insert(0, Route("/states", state, methods=["POST"]))
    report = tmp_path / "v.json"
    with serving(application) as url:
        flags = [url, *ALL, "--provider-state-url", f"{url}/states", "--spec", str(scaled_path)]
        code = main([*flags, "--rules", "known-event,event-window-base", "--report", f"json={report}"])

    assert code == 0, verdicts(report)
    assert {(body["state"], body["action"]) for body in seen} == {("an event was saved", "setup")}


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--app", "nonsense", *ALL], "package.module:name"),
        (["--app", "no.such.module:app", *ALL], "cannot be imported"),
        (["--app", "tests.targets.example:TOKEN", *ALL], "cannot be called"),
        (["--app", "a:b", "--control", "http://127.0.0.1:1"], "two kinds of target"),
        (["http://127.0.0.1:1", *ALL, "--seed-command", "true"], "{event_id}"),
        (["http://127.0.0.1:1", *ALL, "--seed-command", "seed {event_id} {nonsense}"], "can be filled in"),
        (["http://127.0.0.1:1", *PLACE, "--token", "x", "--ingest"], "--dsn"),
        (["http://127.0.0.1:1", *ALL, "--wait", "soon"], "not a duration"),
        (["http://127.0.0.1:1", *ALL, "--require", "nonsense"], 'no rule "nonsense"'),
        (["replay", "/no/such/plan.json", "http://127.0.0.1:1", *ALL], "/no/such/plan.json: cannot be read"),
        (["http://127.0.0.1:1", "--command", "/no/such/server", *ALL], "/no/such/server"),
    ],
)
def test_wrong_flags_are_exit_2_and_one_sentence(
    flags: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Never a traceback."""
    code = main(flags)

    error = capsys.readouterr().err
    assert code == 2
    assert sentence in error


def test_missing_libfaketime_names_the_package(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence."""
    monkeypatch.setattr("feedback_verify.targets.process._LIBRARY", "no-such-library.so")
    code = main(["http://127.0.0.1:1", "--command", "true", *ALL])

    assert code == 2
    assert "install the package faketime" in capsys.readouterr().err


def test_what_is_not_verified_is_exit_3_unless_less_is_required(scaled_url: str, scaled_path: Path) -> None:
    """A URL shows neither what is stored nor the effects of time."""
    flags = [scaled_url, *ALL, "--spec", str(scaled_path), "--rules", "submission,window-order"]

    assert main(flags) == 3
    assert main([*flags, "--require", "level"]) == 0
    assert main([*flags, "--require", "submission"]) == 3
    assert main([*flags, "--require", "window-order"]) == 3


def test_environment_is_not_changed_by_a_run() -> None:
    """A run leaves no clock and no variable behind."""
    assert "LD_PRELOAD" not in os.environ
