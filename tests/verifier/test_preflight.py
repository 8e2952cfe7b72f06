"""Anything that is certainly not the server's fault ends a run at once: exit code 2, one sentence, and a remedy."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest
import trustme
from feedback_spec.document import Document
from feedback_verify import schema
from feedback_verify.cli import main
from feedback_verify.preflight import look
from feedback_verify.scenario import Scenario
from feedback_verify.targets import ControlTarget, UrlTarget
from feedback_verify.targets.network import Network
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.broken.server import Implementation, Project, Refusal
from tests.broken.serving import serving
from tests.targets import example

PLACE = ["--organization", "acme", "--project", "shop"]
CREDENTIALS = ["--token", example.TOKEN, "--dsn", example.DSN]
ALL = [*PLACE, *CREDENTIALS]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A correct server."""
    with serving(example.OnTheRealClock().app()) as url:
        yield url


def sentence(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The message of a run that ends with exit code 2."""
    code = main(arguments)
    shown = capsys.readouterr()
    assert (code, shown.out) == (2, "")
    return shown.err


def everything(answer: Response) -> Starlette:
    """An application with only this response."""

    async def endpoint(_request: Request) -> Response:
        return answer

    return Starlette(routes=[Route("/{path:path}", endpoint, methods=["GET", "POST", "OPTIONS"])])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--organization", "nobody", "--project", "shop", *CREDENTIALS], "has no project nobody/shop"),
        ([*PLACE, "--token", "x"], "No credentials are accepted (--token: 401)"),
        (
            [*PLACE, "--token", example.READ_TOKEN],
            "No credentials may submit (--token: 403): does the token have the scope",
        ),
        ([*PLACE, "--token", example.READ_TOKEN, "--dsn", example.OTHER_DSN], "with any credentials"),
        (
            [*PLACE, "--dsn", "nonsense"],
            "--dsn: the value is wrong: a DSN has the form https://KEY@HOST/PROJECT_ID",
        ),
        ([*ALL, "--cacert", "/no/such/file.pem"], "--cacert: /no/such/file.pem: No such file or directory."),
        ([*ALL, "--cacert", "/dev/zero"], "--cacert: /dev/zero: it is larger than 16,777,216 bytes, the limit."),
        ([*ALL, "--cacert", __file__], f"--cacert: {__file__}: it is not a file of certificates in PEM format."),
        ([*ALL, "--proxy", "nonsense"], '--proxy: "nonsense" is not the URL of a proxy'),
    ],
)
def test_wrong_settings(url: str, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Credentials and projects."""
    assert words in sentence([url, *arguments], capsys)


def test_url_with_the_endpoints_path_is_told_without_it(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As people copy it from the reference."""
    given = f"{url}/api/0/projects/acme/shop/user-feedback/"

    assert f"use {url} instead of" in sentence([given, *ALL], capsys)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (HTMLResponse("<h1>Welcome</h1>"), "is not the endpoint: it answers a submission with 200 and text/html"),
        (
            HTMLResponse("<h1>Not Found</h1>", 404),
            "is not the endpoint: it answers a submission with 404 and text/html",
        ),
        (JSONResponse({"error": "no such route"}, 404), "has no project acme/shop (--token: 404, --dsn: 404)"),
        (RedirectResponse("https://login.example/"), "redirects a plain submission to https://login.example/"),
        (HTMLResponse("<center>502</center>", 502), "answers everything with 502"),
    ],
)
def test_something_else_answers(answer: Response, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A page, another API, a login, a gateway with nothing behind it."""
    with serving(everything(answer)) as url:
        assert words in sentence([url, *ALL], capsys)


def test_redirect_names_where_it_leads(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As from http to https."""

    async def endpoint(request: Request) -> Response:
        return RedirectResponse(f"{url}{request.url.path}", 308)

    moved = Starlette(routes=[Route("/{path:path}", endpoint, methods=["GET", "POST"])])
    with serving(moved) as old:
        assert f"{old} redirects to {url}: use that as the URL." in sentence([old, *ALL], capsys)


def test_control_of_another_server_is_told(mock_url: str, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The control API creates projects that the URL does not know, or that are below another path."""
    for other, status in ((url, 401), (f"{mock_url}/base", 404)):
        told = sentence([other, "--control", mock_url], capsys)
        assert f"{other} answers a submission to the project that --control created with {status}" in told
        assert "do both belong to the same server, and is the path in URL right?" in told


def test_control_is_taken_as_the_mock_prints_it_and_is_the_url_too(
    mock_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the path of the protocol, and nothing else."""
    assert main(["--control", f"{mock_url}/_control", "--rules", "head"]) == 0
    assert "1 verified" in capsys.readouterr().out


def test_baseline_that_names_no_rule(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before any request is sent."""
    baseline = tmp_path / "baseline.toml"
    baseline.write_text('[accepted]\n"event-windw" = "known"\n')
    said = sentence(["http://127.0.0.1:1", *ALL, "--baseline", str(baseline)], capsys)

    assert 'there is no rule "event-windw"; did you mean "event-window"' in said


def test_certificates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An untrusted one is reported with the remedy; --cacert and --insecure apply to the whole run."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    few = ["--rules", "submission,dsn", "--require", "level"]
    with serving(example.OnTheRealClock().app(), context) as url:
        untrusted = sentence([url, *ALL], capsys)
        plain = sentence([url.replace("https", "http"), *ALL], capsys)
        trusted = [
            main([url, *ALL, *few, *flags]) for flags in (["--cacert", str(tmp_path / "ca.pem")], ["--insecure"])
        ]

    assert "Trust its certificate with --cacert FILE, or any certificate with --insecure." in untrusted
    assert "does it perhaps speak HTTPS there?" in plain
    assert trusted == [0, 0]


@pytest.mark.parametrize("way", ["cacert", "insecure", "proxy"])
def test_control_lists_and_schemathesis_go_one_way(way: str, tmp_path: Path, document: Document) -> None:
    """With the certificate; with any; through the proxy, without which there is no such host."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with ExitStack() as stack:
        url = stack.enter_context(serving(Implementation().app(), None if way == "proxy" else context))
        ways = {"cacert": Network(tmp_path / "ca.pem"), "insecure": Network(insecure=True), "proxy": Network(proxy=url)}
        place = "http://target.invalid" if way == "proxy" else url
        target = stack.enter_context(ControlTarget(place, place, network=ways[way]))
        scenario = stack.enter_context(Scenario(target, document, Random(1)))
        listed = scenario.listing()
        findings = schema.run(scenario, document, 1, 1)

    assert listed.status == 200
    assert [each.violation for each in findings if each.violation] == []
    assert any(each.observations for each in findings)


def test_https_where_plain_http_is_spoken(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Does the server speak plain HTTP there?" in sentence([url.replace("http", "https"), *ALL], capsys)


def test_dead_port(capsys: pytest.CaptureFixture[str]) -> None:
    """What was tried and what to check."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"

        assert "no response" in sentence([url, *ALL], capsys)


class StoresNothing(example.OnTheRealClock):
    """Accepts, and forgets."""

    def store(self, project: Project, body: Any, now: Any, by: str) -> Any:
        record = super().store(project, body, now, by)
        project.records.clear()
        return record


class Fails(example.OnTheRealClock):
    """Answers 500."""

    def submit(self, project: Project, body: Any, by: str) -> Any:
        raise Refusal(500, {"detail": "Internal Error"})


class WithoutDsn(example.OnTheRealClock):
    """Does not know DSNs."""

    def by_dsn(self, dsn: str) -> Any:
        raise Refusal(401, {"detail": "Invalid token"})


@pytest.mark.parametrize(
    ("server", "notes"),
    [(StoresNothing, []), (Fails, []), (WithoutDsn, ["--dsn is refused with 401, but other credentials are not"])],
)
def test_broken_server_is_not_waved_away(server: type[Implementation], notes: list[str], document: Document) -> None:
    """What may be its fault is left to the rules."""
    with serving(server().app()) as url:
        credentials = {"write": example.TOKEN, "dsn": example.DSN}
        with UrlTarget(url, "acme", "shop", credentials) as target:
            told = look(target, document)

    assert [each.partition(":")[0] for each in told] == notes
