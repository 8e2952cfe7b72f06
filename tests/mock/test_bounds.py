"""The cost of one request is bounded, whoever sends it: decompression, headers, items, JSON, forms and what is
stored.
"""

import gzip
import itertools
import json
import re
from collections.abc import Callable
from typing import Any

import brotli
import pytest
import zstandard
from feedback_mock.app import create_app
from feedback_mock.body import TooLarge
from feedback_mock.ingest.envelope import CHUNK, STEP, ZSTD_STEP, Bounds, Unpacking, unpack
from feedback_mock.room import Room
from feedback_spec.bodies import MAX_FORM_ESCAPES, MAX_FORM_FIELDS
from feedback_spec.document import load, load_ingest
from feedback_spec.operations import operations_of
from feedback_spec.profiles import PROFILES

from tests.hostile.bombs import brotli_maps, deflate_tables, zstd_window
from tests.hostile.requests import hostile_requests
from tests.mock.conftest import EVENT

LIMITS = next(each.extensions for each in operations_of(load_ingest()) if each.id == "ingestEnvelope")
BOUNDS, UNPACKING = Bounds.of(LIMITS), Unpacking.of(LIMITS)
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "br": lambda data: brotli.compress(data, quality=2),
    "zstd": zstandard.compress,
}
NESTED = "[" * 1_000 + "]" * 1_000
MUCH = 10 * UNPACKING.size


def post(api: Any, body: bytes, encoding: str = "", kind: str = "envelope", key: bool = False) -> Any:
    """The status, and the cause if there is one."""
    headers = {"Content-Encoding": encoding}
    if key:
        headers["X-Sentry-Auth"] = f"Sentry sentry_key={api.project['dsn'].split('//')[1].split('@')[0]}"
    answer = api.send("POST", f"/api/{api.project['id']}/{kind}/", headers=headers, content=body)
    return answer.status_code, *answer.json().get("causes", ())


def envelope(api: Any, *lines: bytes) -> bytes:
    return b"\n".join([json.dumps({"dsn": api.project["dsn"]}).encode(), *lines, b""])


@pytest.mark.parametrize("encoding", PACKERS)
def test_without_a_key_no_more_than_a_header_is_unpacked(api: Any, encoding: str) -> None:
    """A body with a damaged or oversized rest is refused because of its key: nobody has looked at the rest."""
    header = b'{"dsn":"http://%b@127.0.0.1/1"}\n' % (b"0" * 32)
    pack = PACKERS[encoding]

    assert post(api, pack(header + bytes(MUCH)), encoding) == (403,)
    assert post(api, pack(header + bytes(MUCH)), encoding, key=True)[0] == 413
    assert post(api, pack(b"{}\n" + bytes(MUCH)), encoding) == (401,)
    assert post(api, pack(b"\n" * MUCH), encoding) == (400, "invalid envelope header")
    assert post(api, pack(b'{"a":"' + b"a" * MUCH), encoding) == (400, f"a header of more than {BOUNDS.header} bytes")


@pytest.mark.parametrize("encoding", PACKERS)
def test_unpacking_goes_no_further_than_it_is_asked(encoding: str) -> None:
    """Zstandard's decompressor has no output limit, so 64 bytes are passed at a time: 16 blocks."""
    pieces = unpack(PACKERS[encoding](bytes(MUCH)), encoding, UNPACKING)

    assert len(next(filter(None, pieces))) <= (ZSTD_STEP // 4 if encoding == "zstd" else 1) * 2 * CHUNK


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("deflate", deflate_tables(1_000_000)),
        ("gzip", gzip.compress(b"")[:10] + deflate_tables(1_000_000)),
        ("br", brotli_maps(1_000_000)),
        ("zstd", zstandard.compress(b"") * 100_000),
    ],
)
def test_unpacking_ends_when_its_time_is_spent(encoding: str, body: bytes) -> None:
    """Data that takes much work and produces no output: the time is checked after each slice, here 1 ms later."""
    asked = itertools.count(0, 1_000)
    with pytest.raises(TooLarge, match=r"it takes more than PT0\.005S to decompress"):
        list(unpack(body, encoding, Unpacking(UNPACKING.size, 5_000), asked.__next__))

    assert next(asked) == 7_000
    assert len(body) > 7 * STEP


def test_window_that_takes_much_memory_is_refused(api: Any) -> None:
    assert post(api, zstd_window(27, 1), "zstd", key=True) == (400, "the compressed data is damaged")


def test_white_space_between_items_is_bounded(api: Any) -> None:
    for count, expected in ((BOUNDS.blank, (200,)), (BOUNDS.blank + 1, (400, "more than 1024 bytes of white space"))):
        for blank in (b"\n", b" "):
            found = post(api, envelope(api, b'{"type":"a"}', b"", blank * (count - 1)))
            assert found[0] == expected[0]
            assert [each.removesuffix(" between items") for each in found[1:]] == list(expected[1:])


def test_headers_are_bounded(api: Any) -> None:
    """Each header, and all of them together."""
    for count, status in ((BOUNDS.header, 200), (BOUNDS.header + 1, 400)):
        assert post(api, envelope(api, b'{"a":"' + b"a" * (count - 8) + b'"}', b""))[0] == status
    item = b'{"a":"' + b"a" * (BOUNDS.header - 8) + b'"}\n'
    items = BOUNDS.json // BOUNDS.header
    assert post(api, envelope(api, *[item] * (items - 1)))[0] == 200

    assert post(api, envelope(api, *[item] * (items + 1))) == (
        413,
        f"its headers, events and reports are more than {BOUNDS.json} bytes",
    )


def test_events_are_bounded_together_and_reports_with_them(api: Any) -> None:
    most = LIMITS["x-max-event-bytes"]
    half = b'{"x":"' + b"a" * (most // 2 - 8) + b'"}'
    report = b'{"comments":"' + b"a" * (BOUNDS.json // 2) + b'"}'

    assert post(api, envelope(api, *[b'{"type":"event"}', half] * 2))[0] == 200
    assert post(api, envelope(api, *[b'{"type":"event"}', half] * 3))[0] == 413
    assert post(api, envelope(api, *[b'{"type":"event"}', half, b'{"type":"feedback"}', half] * 2))[0] == 413
    assert post(api, envelope(api, *[b'{"type":"user_report"}', report] * 2))[0] == 413
    assert post(api, envelope(api, *[b'{"type":"attachment"}', report] * 10))[0] == 200


def test_environment_that_is_too_long_is_not_kept(api: Any) -> None:
    for name in ("a" * 64, "a" * 65):
        event = json.dumps({"event_id": f"{len(name):032x}", "environment": name}).encode()
        assert post(api, envelope(api, b'{"type":"event"}', event))[0] == 200
    events = api.mock.store.project("acme", "web").events.values()

    assert [each.environment for each in events] == ["a" * 64, None]


@pytest.mark.parametrize("kind", ["envelope", "store"])
def test_query_of_many_fields_is_no_server_error(api: Any, kind: str) -> None:
    answer = api.send("POST", f"/api/{api.project['id']}/{kind}/?{'a&' * 5_000}", content=b"{}\n")

    assert answer.status_code == 401


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("field", ["event_id", "name", "email", "comments"])
def test_value_that_is_nested_deeper_than_validators_go_is_no_server_error(
    make_api: Any, profile: str, field: str
) -> None:
    api = make_api(create_app(load(profile=profile)))
    good = {"event_id": EVENT, "name": "Jane", "email": "jane@example.com", "comments": "It broke!"}
    for nested in (NESTED, '{"a":' * 1_000 + "1" + "}" * 1_000):
        body = json.dumps({**good, field: "nested"}).replace('"nested"', nested).encode()

        assert api.post(body).status_code == 400


def test_list_that_is_too_large_to_be_shown_is_no_text(make_api: Any) -> None:
    api = make_api(create_app(load(profile="sentry-9.1")))
    for count, status in ((100, 200), (200_000, 400)):
        answer = api.submit(comments=[1] * count)
        assert answer.status_code == status

    assert "too large to convert to text" in answer.json()["detail"]


def test_control_takes_small_bodies_of_little_depth(api: Any) -> None:
    path = "/_control/projects/acme/web"
    nested = api.send("PUT", path, content=b'{"clock":' + NESTED.encode() + b"}")
    large = api.send("PUT", path, content=b" " * 70_000 + b"{}")

    assert (nested.status_code, large.status_code) == (400, 413)
    assert nested.json()["detail"] == "The request body is nested too deeply."


@pytest.mark.parametrize(
    ("media_type", "body", "detail"),
    [
        ("application/x-www-form-urlencoded", b"%" * (MAX_FORM_ESCAPES + 1), "escapes"),
        ("application/x-www-form-urlencoded", b"a&" * (MAX_FORM_FIELDS + 1), "fields"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * (MAX_FORM_FIELDS + 1) + b"--x--",
            "parts",
        ),
    ],
)
def test_forms_are_bounded(api: Any, media_type: str, body: bytes, detail: str) -> None:
    answer = api.post(body, media_type)

    assert answer.status_code == 400
    assert re.search(rf"has more than \d+ {detail}", answer.json()["detail"])


def test_environment_of_any_length_is_not_given_back(api: Any) -> None:
    answer = api.listed(f"?environment={'a' * 60_000}")

    assert (answer.status_code, answer.json()) == (200, [])
    assert len(answer.headers["link"]) < 1_000


@pytest.mark.parametrize("profile", PROFILES)
def test_hostile_requests_get_an_answer(make_api: Any, profile: str) -> None:
    """The requests of `benchmarks.hostile` at a hundredth of their size; their cost is measured there."""
    api = make_api(create_app(load(profile=profile)))
    project = api.project
    ready = {"organization": project["organization"], "project": project["project"], "id": project["id"]}
    ready |= {"token": project["tokens"]["write"], "read_token": project["tokens"]["read"], "dsn": project["dsn"]}
    failed = [
        each.name
        for each in hostile_requests(ready, 10_000)
        if api.send(each.method, each.path, headers=list(each.headers), content=each.body).status_code >= 500
    ]

    assert failed == []


def test_host_of_any_length_is_not_given_back(api: Any) -> None:
    answer = api.send("GET", api.path, headers={**api.bearer("read"), "Host": "a" * 60_000})

    assert answer.status_code == 200
    assert answer.headers["link"].startswith("<http://localhost/api/0/")


class Counted:
    """Uses some of a room, and counts how often anyone asks how much."""

    asked = 0

    def __init__(self, room: Room) -> None:
        self._room, self._size = room, 0
        room.enter(self)

    @property
    def size(self) -> int:
        """One for each part."""
        Counted.asked += 1
        return self._size

    def add(self) -> None:
        """Uses one more."""
        self._size += 1
        self._room.used += 1
        self._room.make()

    def give_half(self) -> None:
        """Discards the half, rounded up."""
        half = (self._size + 1) // 2
        self._size -= half
        self._room.used -= half

    def clear(self) -> None:
        """Discards everything."""
        self._room.used -= self._size
        self._size = 0


def test_the_cost_of_a_full_room_does_not_grow_with_those_who_share_it() -> None:
    """Who gives way is only looked for once in a while; looking at all for each request took 6 ms for 10,000."""
    room, rounds, Counted.asked = Room(8_000), 20, 0
    holders = [Counted(room) for _ in range(1_000)]
    for _ in range(rounds):
        for each in holders:
            each.add()
            assert room.used <= room.most

    assert Counted.asked < 3 * rounds * len(holders)
