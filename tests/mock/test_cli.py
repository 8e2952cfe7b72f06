"""The `feedback-mock` command, mostly in its own process: what it prints, when it is ready and how it ends."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from feedback_mock.command.cli import main

from tests.shells import SHELLS

NOTHING: Mapping[str, str] = {}
COMMAND = [sys.executable, "-m", "feedback_mock.command.cli"]


@contextmanager
def running(*arguments: str, more: Mapping[str, str] = NOTHING) -> Iterator[subprocess.Popen[str]]:
    # Without the test runner's own settings, so that warnings in the process are those that a user would see.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**environment, "COLUMNS": "80", **more},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ready_line(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    ready: dict[str, Any] = json.loads(process.stdout.readline())
    return ready


def end(process: subprocess.Popen[str], how: signal.Signals = signal.SIGINT) -> tuple[int, str, str]:
    process.send_signal(how)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def test_one_json_line_says_all_that_a_harness_needs() -> None:
    with running("--log-format", "json") as process:
        ready = ready_line(process)
        path = f"/api/0/projects/{ready['organization']}/{ready['project']}/user-feedback/"
        listed = httpx.get(ready["url"] + path, headers={"Authorization": f"Bearer {ready['read_token']}"})
        health = httpx.get(ready["control"] + "/health")
        code, out, err = end(process)

    assert ready["pid"] == process.pid
    assert ready["url"] == f"http://{ready['host']}:{ready['port']}"
    assert ready["windows"] == {"event-window": "PT30M", "overwrite-window": "PT5M"}
    assert f"127.0.0.1:{ready['port']}/{ready['id']}" in ready["dsn"]
    assert ready["profile"] == "documented"
    assert (listed.status_code, health.status_code) == (200, 200)
    assert (code, out) == (0, "")
    assert [json.loads(line)["path"] for line in err.splitlines()[:-1]] == [path, "/_control/health"]
    assert json.loads(err.splitlines()[-1])["message"] == "feedback-mock: stopped."


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_a_clean_end(how: signal.Signals, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    # Under nohup, these tests ignore SIGHUP, and so would the processes they start.
    request.addfinalizer(partial(signal.signal, how, signal.signal(how, signal.default_int_handler)))
    with running("--log-format", "json", "--ready-file", str(tmp_path / "ready.json")) as process:
        ready_line(process)
        code, _, err = end(process, how)

    assert list(tmp_path.iterdir()) == []
    assert (code, json.loads(err)["message"]) == (0, "feedback-mock: stopped.")


@pytest.mark.skipif(not shutil.which("curl"), reason="the printed lines are for curl")
@pytest.mark.parametrize("shell", SHELLS)
def test_the_printed_lines_can_be_pasted_one_after_the_other(shell: str) -> None:
    """Including what is between them; to zsh, a `#` in a terminal begins no comment."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    with running() as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if line.startswith("Press Ctrl-C"):
                break
        first = next(number for number, line in enumerate(lines) if line.startswith("#"))
        pasted = "\n".join([*lines[first:-1], "exit", ""])
        shown = subprocess.run(SHELLS[shell], input=pasted, text=True, capture_output=True, check=False).stdout
        end(process)

    assert re.findall(r"^([0-9]{3}) [a-z-]*", shown, re.MULTILINE) == ["200", "200", "200", "409"]
    assert any("PT5M" in line and line.startswith("  windows") for line in lines)
    assert "\x1b" not in "".join(lines)


def test_without_control_no_clock_is_moved() -> None:
    with running("--no-control") as process:
        assert process.stdout is not None
        text = "".join(iter(process.stdout.readline, "Press Ctrl-C to stop.\n"))
        end(process)

    assert "_control" not in text
    assert text.count("\ncurl ") == 2


@pytest.mark.parametrize("left", ["", '{"url": "http://127.0.0.1:1", "pid": 1, "dsn": ""}'])
def test_the_ready_file_is_there_while_it_serves(tmp_path: Path, left: str) -> None:
    """What an earlier run left is removed, and a file created by `mktemp` is used. Nobody else may read the tokens."""
    file = tmp_path / "ready.json"
    file.write_text(left)
    with running("--ready-file", str(file), "--log-format", "json") as process:
        ready = ready_line(process)
        written, mode = json.loads(file.read_text("utf-8")), file.stat().st_mode & 0o777
        end(process)

    assert (written, mode) == (ready, 0o600)
    assert list(tmp_path.iterdir()) == []


def test_a_ready_file_that_an_earlier_run_left_is_removed_whatever_happens_then(capsys: Any, tmp_path: Path) -> None:
    file = tmp_path / "ready.json"
    file.write_text('{"url": "http://127.0.0.1:1", "pid": 1, "dsn": ""}')

    assert_cannot_start(capsys, ["--ready-file", str(file), "--spec", "none.yaml"], "none.yaml: cannot be read")
    assert not file.exists()


def test_where_others_reach_it_control_takes_a_token_and_it_says_so() -> None:
    """All of it set in the environment."""
    more = {"FEEDBACK_MOCK_HOST": "0.0.0.0", "FEEDBACK_MOCK_LOG_FORMAT": "json", "FEEDBACK_MOCK_QUIET": "1"}
    with running(more=more) as process:
        ready = ready_line(process)
        codes = [
            httpx.get(ready["control"] + "/projects", headers=headers).status_code
            for headers in ({}, {"Authorization": f"Bearer {ready['control_token']}"})
        ]
        _, _, err = end(process)

    assert codes == [401, 200]
    assert ready["url"] == f"http://127.0.0.1:{ready['port']}"
    assert re.fullmatch(rf"http://[^/]+:{ready['port']}", ready["elsewhere"])
    said = [json.loads(line)["message"] for line in err.splitlines()]
    assert said[0].startswith(f"feedback-mock: other machines can reach the mock on {ready['elsewhere']}. The control ")
    assert said[1:] == ["feedback-mock: stopped."]
    assert ready["control_token"] not in err


def test_https_is_served_by_a_certificate_with_its_key(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    trusted = ssl.create_default_context(cafile=tmp_path / "ca.pem")
    with running("--certificate", str(tmp_path / "server.pem"), "--log-format", "json") as process:
        ready = ready_line(process)
        project = httpx.put(f"{ready['control']}/projects/acme/web", verify=trusted).json()
        code, _, _ = end(process)

    assert (ready["url"], code) == (f"https://127.0.0.1:{ready['port']}", 0)
    assert project["dsn"].startswith("https://")


def test_a_path_that_stdout_cannot_encode_is_escaped(tmp_path: Path) -> None:
    certificate = tmp_path / "é.pem"
    trustme.CA().issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
    with running("--certificate", str(certificate), more={"PYTHONIOENCODING": "ascii"}) as process:
        assert process.stdout is not None
        text = "".join(iter(process.stdout.readline, "Press Ctrl-C to stop.\n"))
        code, _, _ = end(process)

    assert code == 0
    assert r"/\xe9.pem" in text


def test_a_certificate_that_cannot_be_served_is_exit_2(capsys: Any, tmp_path: Path) -> None:
    one, other, alone, nothing = (str(tmp_path / name) for name in ("one.pem", "other.key", "alone.pem", "none.pem"))
    trustme.CA().issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(one)
    trustme.CA().issue_cert("127.0.0.1").private_key_pem.write_to_path(other)
    trustme.CA().issue_cert("127.0.0.1").cert_chain_pems[0].write_to_path(alone)

    assert_cannot_start(capsys, ["--certificate", nothing], f"{nothing}: cannot be read: No such file or directory.")
    assert_cannot_start(
        capsys, ["--certificate", other, "--key", other], f"{other}: is not a certificate in PEM format."
    )
    assert_cannot_start(capsys, ["--certificate", alone], f"{alone}: has no private key of the certificate in PEM")
    assert_cannot_start(capsys, ["--certificate", one, "--key", alone], f"{alone}: is not a private key in PEM format.")
    assert_cannot_start(capsys, ["--certificate", one, "--key", other], f"{other}: is not the private key of the ")
    assert_cannot_start(capsys, ["--key", one], "--key requires --certificate.")


def test_a_certificate_that_is_no_file_of_a_sane_size_is_not_read(capsys: Any, tmp_path: Path) -> None:
    """A device has no end, and a pipe can be read only once."""
    one, large, pipe = tmp_path / "one.pem", tmp_path / "large.pem", tmp_path / "pipe"
    trustme.CA().issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(one))
    large.write_bytes(b" " * 1_048_577)
    os.mkfifo(pipe)

    assert_cannot_start(capsys, ["--certificate", "/dev/zero"], "feedback-mock: /dev/zero: is not a regular file.\n")
    assert_cannot_start(capsys, ["--certificate", str(pipe)], f"{pipe}: is not a regular file.")
    assert_cannot_start(capsys, ["--certificate", str(large)], f"{large}: cannot be read: it is larger than 1,048,576 ")
    assert_cannot_start(capsys, ["--certificate", str(one), "--key", "/dev/zero"], "/dev/zero: is not a regular file.")


def test_it_ends_when_stdin_does() -> None:
    """As when the harness that started it is killed."""
    with running("--until-stdin-closes", "--log-format", "json") as process:
        ready_line(process)
        assert process.poll() is None
        assert process.stdin is not None
        process.stdin.close()
        code, process.stdin = process.wait(timeout=60), None

    assert code == 0


def test_a_frozen_clock_stands_still() -> None:
    with running("--clock", "frozen", "--log-format", "json") as process:
        ready = ready_line(process)
        clock = f"{ready['control']}/projects/{ready['organization']}/{ready['project']}/clock"
        first, second = httpx.get(clock).json(), httpx.get(clock).json()

    assert first == second
    assert first["running"] is False


def test_no_token_and_no_dsn_is_logged() -> None:
    with running("--log-format", "json") as process:
        ready = ready_line(process)
        path = f"{ready['url']}/api/0/projects/{ready['organization']}/{ready['project']}/user-feedback/"
        httpx.post(path, headers={"Authorization": f"Bearer {ready['token']}"}, content=b"x")
        httpx.post(path, headers={"Authorization": f"DSN {ready['dsn']}"}, files={"name": "x"})
        multipart = {"Authorization": f"DSN {ready['dsn']}", "Content-Type": "multipart/form-data; boundary=x"}
        httpx.post(path, headers=multipart, content=b"secret")
        _, out, err = end(process)

    assert out == ""
    assert [json.loads(line).get("status") for line in err.splitlines()] == [415, 400, 400, None]
    assert not any(each in err for each in (ready["token"], ready["dsn"], ready["dsn"][7:39], "secret"))


def assert_cannot_start(capsys: Any, arguments: list[str], says: str) -> None:
    code = main(arguments)
    shown = capsys.readouterr()

    assert code == 2
    assert shown.out == ""
    assert says in shown.err
    assert "Traceback" not in shown.err


def test_a_used_port_is_exit_2(capsys: Any) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert_cannot_start(
            capsys,
            ["--port", str(port)],
            f"cannot listen on 127.0.0.1:{port}: Address already in use; use --port 0 for a free port",
        )


def test_a_host_that_is_none_is_exit_2(capsys: Any) -> None:
    assert_cannot_start(
        capsys, ["--host", "no.such.host.invalid", "--port", "0"], "cannot listen on no.such.host.invalid"
    )


@pytest.mark.parametrize("host", ["127.0.0..1", "a" * 300, "caf\udce9"])
def test_a_host_that_can_be_none_is_exit_2(capsys: Any, host: str) -> None:
    """An empty label, one that is too long, and a byte that is not UTF-8."""
    shown = host.encode(errors="backslashreplace").decode()
    said = f"feedback-mock: cannot listen on {shown}:0: it is not the name or address of a host.\n"

    assert_cannot_start(capsys, ["--host", host, "--port", "0"], said)


def test_a_missing_document_is_exit_2(capsys: Any, tmp_path: Path) -> None:
    assert_cannot_start(capsys, ["--spec", str(tmp_path / "none.yaml")], "none.yaml: cannot be read")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is not YAML"),
        ("openapi: 3.0.3", "has no `paths`"),
        ("openapi: 3.0.3\ninfo: {title: x, version: '1'}\npaths: {}\n", "submitUserFeedback"),
    ],
)
def test_a_broken_document_is_exit_2(capsys: Any, tmp_path: Path, text: str, says: str) -> None:
    document = tmp_path / "openapi.yaml"
    document.write_text(text, "utf-8")

    assert_cannot_start(capsys, ["--spec", str(document)], says)


def test_an_invalid_openapi_document_is_exit_2(capsys: Any, tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "spec" / "openapi.yaml").read_text("utf-8")
    document = tmp_path / "openapi.yaml"
    document.write_text(text.replace("in: query", "in: nowhere", 1), "utf-8")

    assert_cannot_start(capsys, ["--spec", str(document), "--port", "0"], "openapi.yaml: ")


def test_a_ready_file_without_a_directory_is_exit_2(capsys: Any, tmp_path: Path) -> None:
    file = tmp_path / "no" / "ready.json"

    assert_cannot_start(capsys, ["--port", "0", "--ready-file", str(file)], f"{file}: cannot be written: there is no ")


@pytest.mark.parametrize("content", ["mine", "[]", '{"url": "https://example.com"}', "{" * 70_000])
def test_a_ready_file_takes_nobody_elses_place(capsys: Any, tmp_path: Path, content: str) -> None:
    file = tmp_path / "notes.txt"
    file.write_text(content)

    assert_cannot_start(capsys, ["--port", "0", "--ready-file", str(file)], "was not written by feedback-mock")
    assert file.read_text() == content


def test_a_ready_file_is_not_written_through_a_link(capsys: Any, tmp_path: Path) -> None:
    link, file = tmp_path / "link", tmp_path / "file"
    file.write_text("")
    link.symlink_to(file)

    assert_cannot_start(capsys, ["--port", "0", "--ready-file", str(link)], "it is a link")
    assert link.is_symlink()


def test_a_ready_file_is_not_a_device(capsys: Any) -> None:
    """As root, this once removed the device."""
    assert_cannot_start(capsys, ["--port", "0", "--ready-file", "/dev/full"], "it is not a regular file")
    assert Path("/dev/full").is_char_device()


def test_a_ready_file_that_another_has_replaced_is_left_alone(tmp_path: Path) -> None:
    file, other = tmp_path / "ready.json", '{"url": "", "pid": 0, "dsn": ""}'
    with running("--ready-file", str(file), "--log-format", "json") as process:
        ready_line(process)
        file.write_text(other)
        end(process)

    assert file.read_text() == other


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--port", "70000"], "70000 is not in the range"),
        (["--clock", "sundial"], "'sundial' is not one of"),
        (["--nope"], "No such option"),
        (["extra"], "extra argument"),
        (["--allow-host", "mock.test:80"], '"mock.test:80" is not a host name or address without a port'),
        (["--control-token", "a b"], "a token has 8 to 200 letters"),
        (
            ["--rate-limit", "9" * 5_000 + "/1"],
            '9" is not N/SECONDS, such as 5/1 for five requests per second; each has up',
        ),
        (
            ["--rate-limit", "5/" + "9" * 400],
            '9" is not N/SECONDS, such as 5/1 for five requests per second; each has up',
        ),
        (["--rate-limit", "0/1"], '"0/1" is not N/SECONDS'),
    ],
)
def test_a_wrong_command_line_is_exit_2(capsys: Any, arguments: list[str], says: str) -> None:
    assert_cannot_start(capsys, arguments, says)


def test_every_option_stands_in_the_environment_too(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEEDBACK_MOCK_RATE_LIMIT", "many")

    assert_cannot_start(capsys, [], '"many" is not N/SECONDS')


@pytest.mark.parametrize(
    ("written", "meant"), [("NO_CONTROL", "CONTROL"), ("PRT", "PORT"), ("LOGFORMAT", "LOG_FORMAT")]
)
def test_a_misspelt_variable_is_refused_like_a_misspelt_option(
    capsys: Any, monkeypatch: pytest.MonkeyPatch, written: str, meant: str
) -> None:
    monkeypatch.setenv("FEEDBACK_MOCK_SERVICE_PORT", "8080")  # set by Kubernetes
    monkeypatch.setenv(f"FEEDBACK_MOCK_{written}", "1")

    said = f"No option has the variable FEEDBACK_MOCK_{written}. Did you mean FEEDBACK_MOCK_{meant}?"
    assert_cannot_start(capsys, [], said)


@pytest.mark.parametrize(("argument", "says"), [("--help", "--ready-file"), ("--version", "feedback-mock, version ")])
def test_help_and_version_are_exit_0(capsys: Any, argument: str, says: str) -> None:
    assert main([argument]) == 0
    assert says in capsys.readouterr().out


def spoil(ready: dict[str, Any], times: int) -> None:
    """Sends this many requests that are not HTTP, each on its own connection, and each answered."""
    for _ in range(times):
        with socket.create_connection((ready["host"], ready["port"]), timeout=60) as connection:
            connection.sendall(b"nonsense\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 400 ")


def test_a_warning_is_given_the_first_time_and_then_each_tenfold_with_its_number() -> None:
    with running("--log-format", "json") as process:
        ready = ready_line(process)
        spoil(ready, 120)
        _, _, err = end(process)

    refused = "A request was refused: 400 Bad Request."
    assert [json.loads(line)["message"] for line in err.splitlines()] == [
        refused,
        f"{refused} (10 times so far)",
        f"{refused} (100 times so far)",
        "feedback-mock: stopped.",
    ]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_pipe_that_nobody_reads_stops_nothing(how: signal.Signals) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writing, b"x" * 4096)
    os.set_blocking(writing, True)
    command = [*COMMAND, "--port", "0", "--log-format", "json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=writing, text=True)
    try:
        ready = ready_line(process)
        spoil(ready, 120)
        assert httpx.get(f"{ready['control']}/health").status_code == 200
        process.send_signal(how)
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.communicate()
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize(
    ("redirected", "why"),
    [(">/dev/full", "stdout cannot be written: No space left on device"), (">&- <&-", "stdout is closed")],
)
def test_a_stdout_that_takes_nothing_is_exit_2_unless_there_is_a_ready_file(
    tmp_path: Path, redirected: str, why: str
) -> None:
    line = f"exec {shlex.join(COMMAND)} --port 0 --quiet {redirected}"
    ended = subprocess.run(["sh", "-c", line], stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    file = tmp_path / "ready.json"
    with subprocess.Popen(["sh", "-c", f"{line} --ready-file {file}"], stderr=subprocess.PIPE, text=True) as process:
        while not file.exists():
            assert process.poll() is None
        httpx.get(json.loads(file.read_text())["control"] + "/health").raise_for_status()
        process.terminate()
        _, err = process.communicate(timeout=60)

    assert ended.returncode == 2
    assert (
        ended.stderr
        == f"feedback-mock: {why}, and there is no --ready-file: nobody could find out how to reach the mock.\n"
    )
    assert (process.returncode, err) == (0, "feedback-mock: stopped.\n")


def test_a_second_ctrl_c_waits_for_nothing() -> None:
    with running("--log-format", "json") as process:
        ready = ready_line(process)
        project = httpx.put(f"{ready['control']}/projects/acme/web").json()
        slow = {"faults": [{"effect": {"delay": "PT1M"}}]}
        httpx.post(f"{ready['control']}/projects/acme/web/faults", json=slow)
        with socket.create_connection((ready["host"], ready["port"])) as connection:
            head = f"POST /api/{project['id']}/envelope/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{{}}"
            connection.sendall(head.encode())
            while not httpx.get(f"{ready['control']}/projects/acme/web/requests").json()["entries"]:
                pass
            process.send_signal(signal.SIGINT)
            with suppress(httpx.TransportError):
                while True:
                    httpx.get(f"{ready['control']}/health")
            code, _, err = end(process)

    assert code == 130
    assert "Traceback" not in err


def test_more_connections_than_files_are_refused_and_the_rest_is_served() -> None:
    line = f"ulimit -n 100; exec {shlex.join(COMMAND)} --port 0 --log-format json --quiet"
    with subprocess.Popen(["sh", "-c", line], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        ready = ready_line(process)
        with httpx.Client(base_url=ready["url"]) as known, ExitStack() as opened:
            known.get("/_control/health").raise_for_status()
            others = [
                opened.enter_context(socket.create_connection((ready["host"], ready["port"]), timeout=60))
                for _ in range(150)
            ]
            refused = others[-1].recv(100)
            again = known.get("/_control/health")
        while httpx.get(f"{ready['url']}/_control/health").status_code == 503:
            pass
        process.terminate()
        _, err = process.communicate(timeout=60)

    assert refused.startswith(b"HTTP/1.1 503 ")
    assert again.status_code == 200
    assert json.loads(err.splitlines()[0])["message"] == "A request was refused: 503 Service Unavailable."


def test_help_that_nobody_reads_is_exit_2() -> None:
    """The pipe closes before anything is written."""
    with subprocess.Popen([*COMMAND, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.close()
        said = process.stderr.read() if process.stderr else ""

    assert (process.returncode, said) == (2, "")


def test_help_that_nobody_can_read_is_exit_2() -> None:
    ended = subprocess.run(
        ["sh", "-c", f"exec {shlex.join(COMMAND)} --help >/dev/full"], stderr=subprocess.PIPE, text=True, check=False
    )

    assert (ended.returncode, ended.stderr) == (
        2,
        "feedback-mock: stdout cannot be written: No space left on device.\n",
    )


@pytest.mark.parametrize("arguments", ["--nonsense", "--port 0 --spec /no/such/document.yaml"])
def test_a_wrong_use_that_nobody_can_be_told_is_exit_2(arguments: str) -> None:
    ended = subprocess.run(["sh", "-c", f"exec {shlex.join(COMMAND)} {arguments} 2>/dev/full"], check=False)

    assert ended.returncode == 2


def test_a_mock_without_stderr_serves() -> None:
    process = subprocess.Popen(
        ["sh", "-c", f"exec {shlex.join(COMMAND)} --port 0 --log-format json 2>&-"], stdout=subprocess.PIPE, text=True
    )
    try:
        ready = ready_line(process)
        spoil(ready, 2)
        process.terminate()
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("module", ["click", "yaml"])
def test_ctrl_c_while_it_is_imported_ends_it_quietly(module: str, tmp_path: Path) -> None:
    (tmp_path / f"{module}.py").write_text("raise KeyboardInterrupt\n")
    command = [sys.executable, "-m", "feedback_mock"]
    ended = subprocess.run(
        command, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False, timeout=60
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")
