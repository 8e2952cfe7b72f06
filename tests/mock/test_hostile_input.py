"""Whatever a client sends, the mock responds with a status of the document and never with a server error."""

import asyncio
import json
import socket
from typing import Any

import httpx
import pytest
from feedback_mock.app import create_app
from feedback_mock.asgi import rule_and_reason, rule_header
from feedback_mock.body import TooLarge, read
from feedback_mock.server import Server

GOOD = {
    "event_id": "7167980ca1db42cdba8d5284e7f81c66",
    "name": "Jane Smith",
    "email": "jane@example.com",
    "comments": "It broke!",
}
GOOD_JSON = json.dumps(GOOD).encode()
JSON = "application/json"
MULTIPART = "multipart/form-data; boundary=x"
MIB = 1024 * 1024


def with_comments(comments: bytes) -> bytes:
    return GOOD_JSON.replace(b"It broke!", comments)


def part(name: str, value: str, more: str = "") -> str:
    return f'--x\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n'


PARTS = "".join(part(name, value) for name, value in GOOD.items())
BODIES: dict[str, tuple[bytes, str | None, int]] = {
    "bytes that are not UTF-8": (with_comments(b"\xff\xfe"), JSON, 400),
    "UTF-16 without saying so": (GOOD_JSON.decode().encode("utf-16"), JSON, 400),
    "another charset": (GOOD_JSON.decode().encode("utf-16"), JSON + "; charset=utf-16", 415),
    "a charset that does not exist": (GOOD_JSON, JSON + "; charset=nope", 415),
    "a charset in quotes and capitals": (GOOD_JSON, JSON + '; charset="UTF-8"', 200),
    "a byte order mark": (b"\xef\xbb\xbf" + GOOD_JSON, JSON, 400),
    "100,000 nested arrays": (b"[" * 100_000 + b"]" * 100_000, JSON, 400),
    "100,000 nested arrays in an unknown key": (b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", JSON, 400),
    "a 5,000-digit integer": (b"1" * 5_000, JSON, 400),
    "a 5,000-digit integer in a field": (GOOD_JSON.replace(b'"It broke!"', b"1" * 5_000), JSON, 400),
    "a 300-digit integer in an unknown key": (b'{"x":' + b"1" * 300 + b"," + GOOD_JSON[1:], JSON, 200),
    "a 30-digit integer in a field": (GOOD_JSON.replace(b'"It broke!"', b"1" * 30), JSON, 400),
    "NaN": (GOOD_JSON.replace(b'"It broke!"', b"NaN"), JSON, 400),
    "duplicate keys, the last of which counts": (b'{"name": "", ' + GOOD_JSON[1:], JSON, 200),
    "NUL": (with_comments(b"a\\u0000b"), JSON, 200),
    "a lone surrogate": (with_comments(b"\\ud800"), JSON, 400),
    "astral characters": (with_comments("\U0001f4a5\U0001f9e8".encode()), JSON, 200),
    "a pair of surrogates": (with_comments(b"\\ud83d\\udca5"), JSON, 200),
    "the media type in capitals": (GOOD_JSON, "Application/JSON", 200),
    "no media type": (GOOD_JSON, None, 415),
    "an empty media type": (GOOD_JSON, "", 415),
    "a media type of nothing but signs": (GOOD_JSON, ";;;=;", 415),
    "a media type with unprintable bytes": (GOOD_JSON, "t\xe9xt/\x01", 415),
    "an empty body": (b"", JSON, 400),
    "an empty body without media type": (b"", None, 400),
    "white space": (b"  \n", JSON, 400),
    "null": (b"null", JSON, 400),
    "a list": (b"[]", JSON, 400),
    "a text": (b'"x"', JSON, 400),
    "true": (b"true", JSON, 400),
    "half an object": (GOOD_JSON[:-3], JSON, 400),
    "two objects": (GOOD_JSON + GOOD_JSON, JSON, 400),
    "JSON that says it is a form": (GOOD_JSON, "application/x-www-form-urlencoded", 400),
    "a form that is not UTF-8": (b"name=%ff", "application/x-www-form-urlencoded", 400),
    "a form of 100,000 fields": (b"a=1&" * 100_000, "application/x-www-form-urlencoded", 400),
    "multipart": (f"{PARTS}--x--\r\n".encode(), MULTIPART, 200),
    "multipart without boundary": (PARTS.encode(), "multipart/form-data", 400),
    "multipart with an endless boundary": (PARTS.encode(), "multipart/form-data; boundary=" + "x" * 5_000, 400),
    "multipart that ends too early": (PARTS.encode(), MULTIPART, 400),
    "multipart that is something else": (GOOD_JSON, MULTIPART, 400),
    "multipart with a file for a field": (f"{part('name', 'x', '; filename=x')}--x--\r\n".encode(), MULTIPART, 400),
    "multipart with a part without name": (b"--x\r\nContent-Type: text/plain\r\n\r\na\r\n--x--\r\n", MULTIPART, 400),
    "multipart with bytes that are not text": (
        b"--x\r\n" + part("name", "?")[5:].encode()[:-3] + b"\xff\r\n--x--",
        MULTIPART,
        400,
    ),
    "a body of exactly the limit": (b'{"x": "' + b"a" * (MIB - len(GOOD_JSON) - 8) + b'",' + GOOD_JSON[1:], JSON, 200),
    "one byte more than the limit": (b'{"x": "' + b"a" * (MIB - len(GOOD_JSON) - 7) + b'",' + GOOD_JSON[1:], JSON, 413),
    "8 MiB": (with_comments(b"a" * 8 * MIB), JSON, 413),
}


@pytest.mark.parametrize("case", BODIES)
def test_a_body_gets_a_status_of_the_document(api: Any, case: str, caplog: pytest.LogCaptureFixture) -> None:
    """And its contents are not logged."""
    body, media_type, status = BODIES[case]

    answer = api.post(body, media_type)

    assert caplog.messages == []

    assert answer.status_code == status
    assert len(answer.content) < 2_000
    assert len(api.stored()) == (1 if status == 200 else 0)


def test_a_body_that_is_announced_too_large_is_not_read() -> None:
    async def receive() -> Any:
        raise AssertionError("something was read")

    for announced in (b"11", b"9" * 5_000):
        with pytest.raises(TooLarge):
            asyncio.run(read(receive, 10, announced))


def test_a_multipart_body_that_ends_too_early_is_no_matter_of_fields(api: Any) -> None:
    answer = api.post(f"{PARTS}--x".encode(), MULTIPART)

    assert answer.headers["x-feedback-rule"].startswith("body-syntax;")


def test_head_has_no_body_whatever_the_server_does_with_one(runner: asyncio.Runner) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "HEAD", "query_string": b"", "headers": []}
    for path in ("/api/0/projects/a/b/user-feedback/", "/_control/health", "/nowhere"):
        runner.run(create_app()({**scope, "path": path}, receive, send))

    assert [message["body"] for message in sent if "body" in message] == [b"", b"", b""]


def test_a_reason_is_printable_escaped_and_bounded() -> None:
    assert rule_header("a", 'x "y" \\ \r\nz\u00e9') == b'a; reason="x \\"y\\" \\\\ ??z?"'
    assert len(rule_header("a", "x" * 5_000)) < 400
    assert rule_and_reason(rule_header("a", 'x "y" \\').decode()) == ("a", 'x "y" \\')


def test_chunked_bodies_without_media_type_are_unsupported(api: Any) -> None:
    answer = api.post(iter_chunks(GOOD_JSON), None)

    assert answer.status_code == 415


def test_chunked_bodies_are_read_to_the_end(api: Any) -> None:
    answer = api.post(iter_chunks(GOOD_JSON), JSON)

    assert answer.status_code == 200
    assert answer.json()["comments"] == "It broke!"


async def iter_chunks(body: bytes) -> Any:
    for start in range(0, len(body), 7):
        yield body[start : start + 7]


@pytest.mark.parametrize(
    "slug", ["a%2Fb", "a%0A", "%0A", "a%0d%0aX-Injected:%201", "..", "%2e%2e", "%00", "%ff", "a" * 5_000]
)
def test_strange_slugs_are_not_found(api: Any, slug: str) -> None:
    for path in (f"/api/0/projects/acme/{slug}/user-feedback/", f"/api/0/projects/{slug}/web/user-feedback/"):
        answer = api.send("POST", path, headers=api.bearer(), json=GOOD)

        assert answer.status_code == 404
        assert "x-injected" not in answer.headers


@pytest.mark.parametrize("end", ["%0A", "/", "//", "%2F", "x"])
def test_nothing_may_follow_the_path(api: Any, end: str) -> None:
    answer = api.send("POST", api.path + end, headers=api.bearer(), json=GOOD)

    assert answer.status_code == 404


def test_values_cannot_add_headers(api: Any) -> None:
    answer = api.send("GET", api.path + "?environment=a%0d%0aX-Injected:%201&per_page=1", headers=api.bearer("read"))

    assert answer.status_code == 200
    assert "x-injected" not in answer.headers
    assert "\n" not in answer.headers["link"]


@pytest.mark.parametrize(
    "header", ["DSN http://[", "DSN //:@", "Bearer \xff", "Bearer", "Bearer  ", "DSN " + "a" * 9_000, "\t"]
)
def test_strange_credentials_are_refused(api: Any, header: str) -> None:
    answer = api.send("POST", api.path, headers={"Authorization": header.encode("latin-1")}, json=GOOD)

    assert answer.status_code == 401


def test_eight_mebibytes_over_a_socket_are_answered_413_and_the_connection_goes_on() -> None:
    with Server() as server, httpx.Client(base_url=server.url) as client:
        project = client.put("/_control/projects/acme/web").json()
        headers = {"Authorization": f"Bearer {project['tokens']['write']}"}
        path = "/api/0/projects/acme/web/user-feedback/"
        announced = client.post(path, headers=headers, json={**GOOD, "comments": "a" * 8 * MIB})
        streamed = client.post(path, headers={**headers, "Content-Type": JSON}, content=(b"a" * MIB for _ in range(8)))
        good = client.post(path, headers=headers, json=GOOD)

    assert [announced.status_code, streamed.status_code, good.status_code] == [413, 413, 200]


def test_a_client_that_leaves_in_the_middle_stores_nothing() -> None:
    with Server() as server, httpx.Client(base_url=server.url) as client:
        project = client.put("/_control/projects/acme/web").json()
        host, port = server.address.split(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(
                b"POST /api/0/projects/acme/web/user-feedback/ HTTP/1.1\r\n"
                b"Host: x\r\nContent-Type: application/json\r\n"
                b"Authorization: Bearer "
                + project["tokens"]["write"].encode()
                + b"\r\nContent-Length: 500\r\n\r\n"
                + GOOD_JSON
            )
        records = client.get("/_control/projects/acme/web/feedback").json()

    assert records == []
