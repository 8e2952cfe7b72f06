"""Events as SDKs send them: encodings, keys, items, limits, and the 30 minutes that start with them."""

import base64
import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

import brotli
import pytest
import zstandard
from feedback_mock.body import TooLarge
from feedback_mock.ingest.envelope import Bounds, Unpacking, unpack
from feedback_spec.bodies import Unreadable
from feedback_spec.document import load_ingest
from feedback_spec.operations import operations_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.mock.conftest import EVENT, NOW

DASHED = "7167980c-a1db-42cd-ba8d-5284e7f81c66"
LIMITS = next(each.extensions for each in operations_of(load_ingest()) if each.id == "ingestEnvelope")
BOUNDS, UNPACKING = Bounds.of(LIMITS), Unpacking.of(LIMITS)
RAW_DEFLATE = zlib.compressobj(wbits=-zlib.MAX_WBITS)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACKERS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("identity", bytes),
    ("", bytes),
    ("gzip", gzip.compress),
    ("GZIP", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("br", brotli.compress),
    ("zstd", zstandard.compress),
]


def key(api: Any) -> str:
    return str(api.project["dsn"].split("//")[1].split("@")[0])


def auth(api: Any) -> dict[str, str]:
    return {"X-Sentry-Auth": f"Sentry sentry_version=7, sentry_key={key(api)}, sentry_client=test/1.0"}


def envelope(*items: tuple[dict[str, Any], bytes], event_id: str | None = EVENT, **header: Any) -> bytes:
    header = {**({"event_id": event_id} if event_id else {}), **header}
    lines = [json.dumps(header).encode()]
    for item, payload in items:
        lines += [json.dumps(item).encode(), payload]
    return b"\n".join(lines) + b"\n"


def event(**values: Any) -> tuple[dict[str, Any], bytes]:
    return {"type": "event"}, json.dumps({"message": "It broke!", **values}).encode()


def report(**values: Any) -> tuple[dict[str, Any], bytes]:
    return {"type": "user_report"}, json.dumps({"event_id": EVENT, "comments": "It broke!", **values}).encode()


def send(api: Any, body: bytes, kind: str = "envelope", headers: dict[str, str] | None = None, query: str = "") -> Any:
    path = f"/api/{api.project['id']}/{kind}/{query}"
    return api.send("POST", path, headers=auth(api) if headers is None else headers, content=body)


def issue_of(api: Any, event_id: str = EVENT) -> Any:
    answer = api.submit(event_id=event_id)
    assert answer.status_code == 200
    return answer.json()["issue"]


@pytest.mark.parametrize(("encoding", "pack"), PACKERS)
@pytest.mark.parametrize("kind", ["envelope", "store"])
def test_every_encoding_is_unpacked(api: Any, kind: str, encoding: str, pack: Callable[[bytes], bytes]) -> None:
    body = envelope(event()) if kind == "envelope" else json.dumps({"event_id": EVENT, "message": "It broke!"}).encode()
    answer = send(api, pack(body), kind, {**auth(api), "Content-Encoding": encoding})

    assert (answer.status_code, answer.json()) == (200, {"id": EVENT})
    assert issue_of(api)["title"] == "It broke!"


def test_store_reads_base64_of_zlib_data(api: Any) -> None:
    body = base64.b64encode(zlib.compress(json.dumps({"event_id": DASHED, "message": "old SDK"}).encode()))
    answer = send(api, body, "store", {**auth(api), "Content-Type": "application/octet-stream"})

    assert answer.json() == {"id": EVENT}
    assert issue_of(api)["title"] == "old SDK"


@pytest.mark.parametrize(
    "content_type", [None, "application/x-sentry-envelope", "text/plain;charset=UTF-8", "nonsense"]
)
def test_media_type_does_not_matter(api: Any, content_type: str | None) -> None:
    headers = {**auth(api), **({"Content-Type": content_type} if content_type else {})}

    assert send(api, envelope(event()), headers=headers).status_code == 200


def test_key_in_any_place_opens(api: Any) -> None:
    words = f"sentry_key={key(api)},sentry_version=7"
    places: list[tuple[dict[str, str], str, dict[str, Any]]] = [
        ({"X-Sentry-Auth": f"Sentry {words}"}, "", {}),
        ({"Authorization": f"sentry {words}"}, "", {}),
        ({}, f"?sentry_version=7&sentry_key={key(api)}", {}),
        ({}, "", {"dsn": api.project["dsn"]}),
        ({}, "", {"dsn": api.project["dsn"].replace("@", ":secret@")}),
    ]
    for headers, query, header in places:
        assert send(api, envelope(event(), **header), headers=headers, query=query).status_code == 200


@pytest.mark.parametrize(
    ("headers", "query", "status", "detail"),
    [
        ({}, "", 401, "missing authorization information"),
        ({"Authorization": "Bearer abc"}, "", 401, "missing authorization information"),
        ({"X-Sentry-Auth": "Sentry sentry_version=7"}, "", 401, "bad x-sentry-auth header"),
        (
            {"X-Sentry-Auth": "Sentry sentry_key={key}"},
            "?sentry_key={key}",
            401,
            "multiple authorization payloads detected",
        ),
        ({}, "?sentry_key=nonsense", 400, "bad sentry DSN public key"),
        ({}, "?sentry_key=" + "0" * 32, 403, "event submission rejected with_reason: ProjectId"),
    ],
)
@pytest.mark.parametrize("kind", ["envelope", "store"])
def test_key_that_does_not_open_saves_nothing(
    api: Any, kind: str, headers: dict[str, str], query: str, status: int, detail: str
) -> None:
    headers = {name: value.format(key=key(api)) for name, value in headers.items()}
    body = envelope(event()) if kind == "envelope" else b'{"event_id": "' + EVENT.encode() + b'"}'
    answer = send(api, body, kind, headers, query.format(key=key(api)))

    assert (answer.status_code, answer.json()["detail"]) == (status, detail)
    assert issue_of(api) is None


def test_key_of_another_project_does_not_open(api: Any) -> None:
    first = auth(api)
    api.project = api.make_project("acme", "second")

    assert send(api, envelope(event()), headers=first).status_code == 403


@pytest.mark.parametrize("project", ["x", "1x", "-1"])
def test_project_that_is_no_number(api: Any, project: str) -> None:
    answer = api.send("POST", f"/api/{project}/envelope/", headers=auth(api), content=envelope(event()))

    assert (answer.status_code, answer.json()["detail"]) == (400, "bad project path parameter")


@pytest.mark.parametrize("length", [True, False])
def test_items_with_and_without_length(api: Any, length: bool) -> None:
    header, payload = event(message="first line")
    body = envelope(
        ({"type": "attachment", "length": 9}, b"two\nlines"),
        ({**header, **({"length": len(payload)} if length else {})}, payload),
        ({"type": "of the future"}, b"whatever"),
    )

    assert send(api, body).json() == {"id": EVENT}
    assert issue_of(api)["title"] == "first line"


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b"nonsense\n", "invalid envelope header"),
        (b"[]\n", "invalid envelope header"),
        (b"{}\n{\n", "invalid item header"),
        (b'{}\n{"type":"event","length":-1}\n{}', "invalid item header"),
        (b'{}\n{"type":"event","length":100}\n{}', "unexpected end of file"),
        (b'{}\n{"type":"event","length":1}\n{}', "missing newline after header or payload"),
        (b"{}\n" + b"{}\n{}\n" * (BOUNDS.items + 1), f"more than {BOUNDS.items} items"),
    ],
)
def test_malformed_envelope_is_refused_with_its_cause(api: Any, body: bytes, cause: str) -> None:
    answer = send(api, body)

    assert answer.status_code == 400
    assert answer.json() == {"detail": "invalid event envelope", "causes": [cause]}


@pytest.mark.parametrize("body", [b"", b" \n"])
@pytest.mark.parametrize("kind", ["envelope", "store"])
def test_empty_body_is_refused(api: Any, kind: str, body: bytes) -> None:
    assert (send(api, body, kind).status_code, send(api, body, kind).json()) == (400, {"detail": "empty request body"})


@pytest.mark.parametrize("body", [b"{", b"[]", b"nonsense!", b'{"a":', b"e30"])
def test_store_takes_events_only(api: Any, body: bytes) -> None:
    answer = send(api, body, "store")

    assert answer.status_code == 400
    assert answer.json()["detail"] == "invalid event data"


def test_event_that_cannot_be_read_is_dropped_in_silence(api: Any) -> None:
    assert send(api, envelope(({"type": "event"}, b"{"))).json() == {"id": EVENT}
    assert issue_of(api) is None


def test_unknown_encoding_and_damaged_data(api: Any) -> None:
    assert send(api, b"x", headers={**auth(api), "Content-Encoding": "compress"}).status_code == 415
    for encoding in ("gzip", "deflate", "br", "zstd"):
        answer = send(api, b"\x00damaged", headers={**auth(api), "Content-Encoding": encoding})
        assert answer.status_code == 400
        assert answer.json()["causes"][0].startswith("the compressed data ")


@pytest.mark.parametrize(("encoding", "pack"), PACKERS[2:])
def test_unpacking_ends_at_the_limit(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    limit = 1_000_000
    bounds = Unpacking(limit, UNPACKING.time)
    assert b"".join(unpack(pack(b"0" * limit), encoding, bounds)) == b"0" * limit
    with pytest.raises(TooLarge):
        list(unpack(pack(b"0" * (limit + 1)), encoding, bounds))


@pytest.mark.parametrize(("encoding", "pack"), PACKERS[2:])
def test_data_that_ends_too_early_is_seen(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    with pytest.raises(Unreadable):
        list(unpack(pack(b"0123456789" * 1000)[:-3], encoding, UNPACKING))


@pytest.mark.parametrize("kind", ["envelope", "store"])
def test_event_over_the_limit_is_refused(api: Any, kind: str) -> None:
    most = LIMITS["x-max-event-bytes"]
    for size, status in ((most, 200), (most + 1, 413)):
        empty = json.dumps({"event_id": EVENT, "message": ""}).encode()
        payload = json.dumps({"event_id": EVENT, "message": "x" * (size - len(empty))}).encode()
        body = envelope(({"type": "event"}, payload)) if kind == "envelope" else payload
        assert (len(payload), send(api, body, kind).status_code) == (size, status)


def test_body_over_the_limit_is_refused_before_it_is_read(api: Any) -> None:
    headers = {**auth(api), "Content-Length": str(LIMITS["x-max-body-bytes"] + 1)}

    assert send(api, b"x", headers=headers).status_code == 413


def test_thirty_minutes_begin_when_the_event_is_taken(api: Any) -> None:
    """The event's own timestamp is from another day: under the page's rules, it does not count."""
    send(api, envelope(event(timestamp="2020-01-01T00:00:00Z")))
    api.advance("PT30M")
    assert api.submit().status_code == 200
    send(api, envelope(event(), event_id="f" * 32))
    api.advance("PT30M0.000001S")

    assert api.submit(event_id="f" * 32).status_code == 409


def test_event_that_comes_again_changes_nothing(api: Any) -> None:
    send(api, envelope(event(message="first")))
    api.advance("PT30M0.000001S")
    assert send(api, envelope(event(message="second"))).status_code == 200

    assert api.submit().status_code == 409


@pytest.mark.parametrize(
    ("payload", "title"),
    [
        ({"exception": {"values": [{"type": "A"}, {"type": "ValueError", "value": "no"}]}}, "ValueError: no"),
        ({"exception": [{"type": "ValueError"}]}, "ValueError"),
        ({"message": {"formatted": "It is 1", "message": "It is %s"}}, "It is 1"),
        ({"logentry": {"message": "It is %s"}, "message": ""}, "It is %s"),
        ({"message": None, "exception": {"values": []}}, "<unlabeled event>"),
        ({"message": "x" * 300}, "x" * 200),
    ],
)
def test_title_is_the_exception_or_the_message(api: Any, payload: dict[str, Any], title: str) -> None:
    send(api, envelope(event(**payload)))

    assert issue_of(api)["title"] == title


def test_environment_lists_the_feedback(api: Any) -> None:
    send(api, envelope(event(environment="production")))
    api.submit()

    assert len(api.listed("?environment=production").json()) == 1
    assert api.listed("?environment=other").json() == []


def test_event_without_an_id_gets_one(api: Any) -> None:
    first, second = (send(api, envelope(event(), event_id=None)).json()["id"] for _ in range(2))

    assert first != second
    assert issue_of(api, first) is not None


def test_envelope_without_an_event_names_none(api: Any) -> None:
    assert send(api, envelope(({"type": "session"}, b"{}"), event_id=None)).json() == {}


def test_user_report_is_feedback(api: Any) -> None:
    answer = send(api, envelope(event(), report(event_id=DASHED, name=" Jane ", email="jane@example.com")))
    stored = api.stored()

    assert answer.json() == {"id": EVENT}
    assert [(each["event_id"], each["name"], each["comments"]) for each in stored] == [(EVENT, "Jane", "It broke!")]
    assert api.listed().json()[0]["comments"] == "It broke!"


def test_user_report_without_name_and_email_can_be_listed(api: Any) -> None:
    send(api, envelope(event(), report()))
    listed = api.listed()

    assert listed.status_code == 200
    assert (listed.json()[0]["name"], listed.json()[0]["email"]) == (None, None)


def test_user_report_keeps_to_the_windows_in_silence(api: Any) -> None:
    send(api, envelope(event(), report(comments="first")))
    api.advance("PT5M")
    assert send(api, envelope(report(comments="second"))).status_code == 200
    api.advance("PT0.000001S")
    assert send(api, envelope(report(comments="third"))).status_code == 200

    assert [each["comments"] for each in api.stored()] == ["second"]


@pytest.mark.parametrize(
    "values", [{"comments": ""}, {"comments": 1}, {"name": ["x"]}, {"name": "x" * 129}, {"email": "x" * 76}]
)
def test_user_report_that_is_none_is_dropped(api: Any, values: dict[str, Any]) -> None:
    assert send(api, envelope(report(**values))).status_code == 200
    assert api.stored() == []


def test_feedback_item_is_an_event_and_no_user_feedback(api: Any) -> None:
    payload = json.dumps({"contexts": {"feedback": {"message": "hm", "associated_event_id": "f" * 32}}}).encode()

    assert send(api, envelope(({"type": "feedback"}, payload))).json() == {"id": EVENT}
    assert api.stored() == []
    assert issue_of(api)["title"] == "User Feedback"


@pytest.mark.parametrize("kind", ["envelope", "store"])
def test_browser_may_send(api: Any, kind: str) -> None:
    path = f"/api/{api.project['id']}/{kind}/"
    asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    preflight = api.send("OPTIONS", path, headers=asked)

    assert (preflight.status_code, preflight.content) == (200, b"")
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "x-sentry-auth" in preflight.headers["access-control-allow-headers"]
    for status, headers in ((200, auth(api)), (401, {})):
        body = envelope(event()) if kind == "envelope" else b"{}"
        answer = send(api, body, kind, {**headers, **asked})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, "*")


def test_other_methods_and_paths(api: Any) -> None:
    path = f"/api/{api.project['id']}/envelope/"

    assert api.send("GET", path).status_code == 405
    assert api.send("GET", path).headers["allow"] == "POST, OPTIONS"
    assert api.send("POST", path.rstrip("/"), content=b"x").status_code == 404


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.one_of(
        st.binary(max_size=200),
        st.lists(
            st.sampled_from(
                [b"{}", b"\n", b'{"type":"event"}', b'{"type":"user_report","length":2}', b'"x"', b"[" * 3000, b"\xff"]
                + [b'{"event_id":[]}', b'{"timestamp":1e400}', b'{"timestamp":"x"}', b'{"exception":{"values":[1]}}']
            )
        ).map(b"\n".join),
    ),
    kind=st.sampled_from(["envelope", "store"]),
    encoding=st.sampled_from(["", "gzip", "br", "zstd", "deflate", "\u00e9"]),
)
def test_hostile_bodies_are_no_server_error(api: Any, body: bytes, kind: str, encoding: str) -> None:
    headers: dict[str, Any] = {**auth(api), "Content-Encoding": encoding.encode("latin-1")}

    assert send(api, body, kind, headers).status_code in (200, 400, 413, 415)


def test_clock_is_the_projects(api: Any) -> None:
    send(api, envelope(event()))
    saved = api.mock.store.project("acme", "web").events[EVENT]

    assert saved.saved_at == saved.timestamp == api.mock.store.project("acme", "web").clock.now()
    assert NOW.startswith("2026-01-01")
