"""The control protocol: its responses, its refusals and its messages."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import jsonschema_rs
import pytest
from feedback_mock.app import create_app
from feedback_mock.control.stream import STREAM
from feedback_mock.store import BLOCKS, IDS, RECORD, Limits, Store
from feedback_spec.document import load_control
from feedback_spec.openapi.render31 import to_31
from feedback_spec.operations import JSON, operations_of

from tests.mock.conftest import EVENT, FIRST_ID, NOW

WEB = "/_control/projects/acme/web"


def test_health_says_version_and_profile(api: Any) -> None:
    answer = api.send("GET", "/_control/health").json()

    assert answer.keys() == {"status", "version", "profile"}
    assert (answer["status"], answer["profile"]) == ("ok", "documented")


def test_the_default_project_is_the_page_own(api: Any) -> None:
    answer = api.send("GET", "/_control/projects/the-interstellar-jurisdiction/plain-proxy").json()

    assert (answer["id"], answer["clock"]["running"]) == ("1", True)
    assert answer["dsn"].endswith("@127.0.0.1:8080/1")


def test_a_project_that_is_put_again_is_empty_with_the_same_credentials_and_a_new_clock(api: Any) -> None:
    api.save_event()
    api.submit()
    api.advance("PT1H")
    before = api.project
    again = api.send("PUT", WEB, json={"clock": {"now": NOW, "running": False}}).json()

    assert again == before
    assert api.stored() == []
    assert api.submit().json()["issue"] is None


def test_credentials_are_the_same_on_every_server(api: Any, make_api: Any) -> None:
    assert make_api(create_app()).project == api.project


def test_a_project_without_a_body_gets_the_clock_of_the_server(make_api: Any) -> None:
    running, frozen = make_api(create_app()), make_api(create_app(running=False))

    assert running.send("PUT", WEB).json()["clock"]["running"] is True
    assert frozen.send("PUT", WEB).json()["clock"]["running"] is False


def test_a_reset_empties_and_keeps_the_clock(api: Any) -> None:
    api.submit()
    api.advance("PT1H")
    answer = api.control("POST", "/reset").json()

    assert answer["clock"] == {"now": "2026-01-01T01:00:00.000000Z", "running": False}
    assert answer["tokens"] == api.project["tokens"]
    assert api.stored() == []
    assert api.submit().json()["id"] == FIRST_ID


def test_a_deleted_project_is_gone_with_its_credentials(api: Any) -> None:
    deleted = api.send("DELETE", WEB)

    assert (deleted.status_code, deleted.content) == (204, b"")
    assert api.submit().status_code == 401
    assert api.submit(headers=api.dsn()).status_code == 401
    assert api.send("GET", WEB).json() == {"detail": f"There is no project acme/web; create it with PUT {WEB}."}
    assert api.send("DELETE", WEB).status_code == 404


def test_an_event_is_saved_as_said_and_now_by_default(api: Any) -> None:
    plain = api.control("PUT", f"/events/{EVENT.upper()}").json()
    full = api.control(
        "PUT",
        f"/events/{EVENT}",
        json={
            "saved_ago": "PT29M",
            "timestamp": "2026-01-01T01:00:00.5+01:00",
            "title": "T",
            "environment": "e",
            "issue_status": "resolved",
        },
    ).json()

    assert plain == {
        "event_id": EVENT,
        "saved_at": NOW,
        "timestamp": NOW,
        "title": "Error",
        "environment": None,
        "issue_status": "unresolved",
    }
    assert full == {
        "event_id": EVENT,
        "saved_at": "2025-12-31T23:31:00.000000Z",
        "timestamp": "2026-01-01T00:00:00.500000Z",
        "title": "T",
        "environment": "e",
        "issue_status": "resolved",
    }


@pytest.mark.parametrize("kind", ["feedback", "envelope"])
@pytest.mark.parametrize("replaced", [False, True])
def test_a_project_that_goes_while_a_body_arrives_takes_nothing_any_more(
    make_api: Any, kind: str, replaced: bool
) -> None:
    """A new project of the same name has the same credentials, and accepts it."""
    api = make_api(create_app())
    store, made = api.mock.store, api.mock.store.project("acme", "web")
    fields = json.dumps({"event_id": EVENT, "name": "Jane", "email": "jane@example.com", "comments": "It broke!"})
    feedback = kind == "feedback"
    body = fields if feedback else f'{{}}\n{{"type":"user_report"}}\n{fields}\n'

    async def arriving() -> AsyncIterator[bytes]:
        yield body[:9].encode()
        if replaced:
            store.put_project("acme", "web", store.new_clock())
        else:
            store.delete_project(made)
        yield body[9:].encode()

    path = api.path if feedback else f"/api/{made.id}/envelope/"
    key = {"X-Sentry-Auth": f"Sentry sentry_key={made.credentials.public_key}"}
    headers = {**api.bearer(), "Content-Type": "application/json"} if feedback else key
    answer = api.send("POST", path, headers=headers, content=arriving())
    expected = 200 if replaced else 401 if feedback else 403

    assert (answer.status_code, list(made.feedback)) == (expected, [])
    assert [list(each.feedback) for each in store if each.slug == "web"] == ([[EVENT]] if replaced else [])


def test_an_event_is_read_and_deleted_whoever_saved_it(api: Any) -> None:
    key = api.project["dsn"][7:39]
    sent = {"event_id": EVENT, "message": "It broke!"}
    api.send("POST", f"/api/{api.project['id']}/store/?sentry_key={key}", json=sent)
    read = api.control("GET", f"/events/{EVENT.upper()}").json()
    with_issue = api.submit().json()
    deleted = api.control("DELETE", f"/events/{EVENT}")
    without_issue = api.submit().json()

    assert (read["event_id"], read["saved_at"]) == (EVENT, NOW)
    assert with_issue["issue"] is not None
    assert deleted.status_code == 204
    assert without_issue == {**with_issue, "issue": None, "user": None}
    for method in ("GET", "DELETE"):
        missing = api.control(method, f"/events/{EVENT}")
        assert (missing.status_code, missing.json()) == (404, {"detail": f"There is no event {EVENT} in acme/web."})


def test_the_projects_are_listed_with_what_they_hold_and_without_what_opens_them(api: Any) -> None:
    api.save_event()
    api.submit()
    listed = api.send("GET", "/_control/projects")
    first, web = listed.json()["projects"]

    assert (first["organization"], first["id"]) == ("the-interstellar-jurisdiction", "1")
    assert web == {
        "organization": "acme",
        "project": "web",
        "id": api.project["id"],
        "clock": {"now": NOW, "running": False},
        "events": 1,
        "feedback": 1,
        "requests": 1,
    }
    assert api.project["tokens"]["write"] not in listed.text
    assert api.project["dsn"][7:39] not in listed.text


def test_a_project_can_be_made_without_a_name(api: Any, make_api: Any) -> None:
    api.make_project("acme", "project-2")
    made = [api.send("POST", "/_control/projects") for _ in range(2)]
    of_acme = api.send("POST", "/_control/projects", json={"organization": "acme", "clock": {"running": False}})
    again = make_api(create_app()).send("POST", "/_control/projects")

    assert [(each.status_code, each.json()["project"]) for each in made] == [(201, "project-1"), (201, "project-2")]
    assert {each.json()["organization"] for each in made} == {"made-up"}
    assert (of_acme.json()["organization"], of_acme.json()["project"]) == ("acme", "project-3")
    assert of_acme.json()["clock"]["running"] is False
    assert again.json()["tokens"] == made[0].json()["tokens"]


def test_slugs_that_are_taken_are_passed_over(api: Any) -> None:
    api.make_project("made-up", "project-1")

    assert api.send("POST", "/_control/projects").json()["project"] == "project-2"


def test_what_there_is_is_listed(api: Any) -> None:
    listed = api.send("GET", "/_control/").json()["operations"]

    assert {(each["method"], each["path"]) for each in listed} == {
        (each.method.upper(), each.path) for each in operations_of(load_control())
    }
    assert {"method": "GET", "path": "/_control/health", "summary": "Check that the server is ready"} in listed


def test_an_event_may_be_saved_in_the_future(api: Any) -> None:
    api.save_event(saved_at="2026-01-02T00:00:00Z")

    assert api.submit().status_code == 200


def test_feedback_and_issues_are_numbered_across_projects_and_the_same_on_every_server(api: Any, make_api: Any) -> None:
    """A client may store records of several projects by id."""

    def ids(api: Any, *projects: str) -> dict[str, tuple[str, str]]:
        found = {}
        for project in projects:
            api.project = api.make_project("acme", project)
            api.save_event()
            answer = api.submit().json()
            found[project] = (answer["id"], answer["issue"]["id"])
        return found

    here, elsewhere = ids(api, "web", "shop"), ids(make_api(create_app()), "shop", "web")

    assert here == elsewhere
    assert here["web"] == (FIRST_ID, FIRST_ID)
    assert here["shop"][0] != FIRST_ID


def test_names_whose_hashes_clash_get_ids_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """With as many blocks of ids as projects, nearly all do."""
    monkeypatch.setattr("feedback_mock.store.BLOCKS", 20)
    store = Store(lambda: 0)
    projects = [store.put_project("acme", f"p{number}", store.new_clock()) for number in range(20)]

    assert len({project.id_of(number) for project in projects if project for number in (1, IDS)}) == 40


def test_every_id_is_exact_in_a_double() -> None:
    """JavaScript reads numbers as doubles."""
    assert BLOCKS * IDS <= 2**53


def test_stored_feedback_is_shown_oldest_first_with_both_instants(api: Any) -> None:
    api.submit()
    api.advance("PT1M")
    api.submit(event_id="b" * 32)
    api.submit(name="Again")

    assert [(each["event_id"][0], each["id"], each["name"]) for each in api.stored()] == [
        ("7", FIRST_ID, "Again"),
        ("b", str(int(FIRST_ID) + 1), "Jane Smith"),
    ]
    assert api.stored()[0]["first_submitted_at"] == NOW
    assert api.stored()[0]["last_submitted_at"] == "2026-01-01T00:01:00.000000Z"


def test_a_clock_is_set_frozen_and_run(api: Any) -> None:
    alone = {"now": NOW, "running": False, "participants": [], "held_by": []}
    assert api.control("GET", "/clock").json() == alone
    assert api.control("PUT", "/clock", json={"running": True}).json()["running"] is True
    assert api.control("GET", "/clock").json()["now"] > NOW
    frozen = api.control("PUT", "/clock", json={"now": "2027-01-01T00:00:00Z", "running": False}).json()

    assert frozen == {"now": "2027-01-01T00:00:00.000000Z", "running": False}
    assert api.control("GET", "/clock").json() == {**alone, **frozen}


def test_a_running_clock_goes_on_from_where_it_was_moved(api: Any) -> None:
    api.control("PUT", "/clock", json={"running": True})
    first = api.control("POST", "/clock/advance", json={"duration": "P1D"}).json()
    second = api.control("GET", "/clock").json()

    assert "2026-01-02T00:00:00.000000Z" < first["now"] < second["now"]


def test_a_clock_never_goes_backwards(api: Any) -> None:
    answer = api.control("PUT", "/clock", json={"now": "2025-12-31T23:59:59.999999Z", "running": True})

    assert answer.status_code == 409
    assert answer.json() == {"detail": f"The clock moves forward only; it stands at {NOW}."}
    assert api.control("GET", "/clock").json()["now"] == NOW
    assert api.control("GET", "/clock").json()["running"] is False


def test_a_clock_goes_to_the_last_microsecond_that_there_is(api: Any) -> None:
    last = "9999-12-31T23:59:59.999999Z"

    assert api.control("PUT", "/clock", json={"now": last}).json()["now"] == last
    assert api.submit().json()["dateCreated"] == last
    assert api.control("POST", "/clock/advance", json={"duration": "PT0.000001S"}).status_code == 409


@pytest.mark.parametrize("duration", ["P9999999D", "P2920000D"])
def test_a_clock_does_not_go_beyond_its_last_instant(api: Any, duration: str) -> None:
    answer = api.control("POST", "/clock/advance", json={"duration": duration})

    assert answer.status_code == 409
    assert "it stands at 2026-01-01T00:00:00.000000Z" in answer.json()["detail"]


PROBLEMS = [
    ("PUT", "", b"{", "The request body is not JSON: "),
    ("PUT", "", b"\xff", "The request body is not JSON: "),
    ("PUT", "", b"[]", "the request body: must be of type object."),
    ("PUT", "", b'{"clok": {}}', "clok: is not a key here; the keys are clock, seed, redact."),
    ("PUT", "", b'{"clock": {}}', "clock: "),
    ("PUT", "", b'{"clock": {"frozen": true}}', "clock.frozen: is not a key here; the keys are now, running, follow."),
    ("PUT", "", b'{"clock": {"now": "today"}}', 'clock.now: "today" is not an RFC 3339 instant'),
    ("PUT", "", b'{"clock": {"now": "9999-12-31T23:59:59-00:01"}}', "clock.now: is before"),
    ("PUT", "", b'{"clock": {"now": "2026-01-01T23:59:60Z"}}', 'clock.now: "2026-01-01T23:59:60Z" is a date or'),
    ("PUT", "/clock", b'{"now": "2026-01-01T23:59:60Z"}', 'now: "2026-01-01T23:59:60Z" is a date or time that'),
    (
        "POST",
        "/faults",
        b'{"faults": [{"effect": {"status": 503}, "until": "2026-01-01T23:59:60Z"}]}',
        'faults.0.until: "2026-01-01T23:59:60Z" is a date or time that does not exist',
    ),
    ("PUT", f"/events/{EVENT}", b'{"saved_at": "2026-01-01T23:59:60Z"}', 'saved_at: "2026-01-01T23:59:60Z" is a'),
    ("PUT", "", b'{"clock": {"now": "0001-01-01T00:00:00+23:00"}}', "clock.now: is before"),
    ("PUT", "", b'{"clock": {"now": "2026-02-30T00:00:00Z"}}', 'clock.now: "2026-02-30T00:00:00Z" is a date'),
    ("PUT", "", b'{"clock": {"running": "yes"}}', "clock.running: must be of type boolean."),
    ("PUT", "/clock", b"", "The request body is missing; send a JSON object."),
    ("PUT", "/clock", b"{}", "the request body: needs at least 1 key; the keys are now, running, follow."),
    ("POST", "/clock/advance", b'{"by": 1}', "by: is not a key here; the only key is duration."),
    ("POST", "/faults", b'{"faults": []}', "faults: needs at least 1 item."),
    (
        "POST",
        "/requests/verify",
        b'{"match": {"event_id": "x"}, "exactly": 0}',
        'match.event_id: "x" is not allowed; use 32 hexadecimal digits without dashes.',
    ),
    ("POST", "/clock/advance", b"{}", "duration: is missing."),
    (
        "POST",
        "/clock/advance",
        b'{"duration": "5 minutes"}',
        'duration: "5 minutes" is not an ISO 8601 duration such as',
    ),
    ("POST", "/clock/advance", b'{"duration": "-PT5M"}', 'duration: "-PT5M" is not'),
    ("POST", "/clock/advance", b'{"duration": "P1M"}', 'duration: "P1M" has years or months'),
    ("POST", "/clock/advance", b'{"duration": "PT0.0000001S"}', 'duration: "PT0.0000001S" is not'),
    ("POST", "/clock/advance", b'{"duration": 5}', "duration: must be of type string."),
    (
        "PUT",
        f"/events/{EVENT}",
        b'{"saved_ago": "PT1M", "saved_at": "2026-01-01T00:00:00Z"}',
        "At most one of `saved_ago` and `saved_at`",
    ),
    ("PUT", f"/events/{EVENT}", b'{"saved_ago": "P9999999D"}', "saved_ago: is before"),
    ("PUT", f"/events/{EVENT}", b'{"timestamp_ago": "P9999999D"}', "timestamp_ago: is before"),
    ("PUT", f"/events/{EVENT}", b'{"saved_at": "9999-12-31T23:59:59-23:00"}', "saved_at: is before"),
    ("PUT", f"/events/{EVENT}", b'{"title": ""}', "title: its length must be at least 1, not 0."),
    ("PUT", f"/events/{EVENT}", b'{"title": "%s"}' % (b"x" * 300), "title: its length must be at most 255, not 300."),
    ("PUT", f"/events/{EVENT}", b'{"issue_status": "ignored"}', "issue_status: must be one of unresolved, resolved."),
    (
        "PUT",
        "/events/xyz",
        b"{}",
        'event_id: "xyz" is not allowed in the path; use the event ID, 32 hexadecimal digits without dashes.',
    ),
]


@pytest.mark.parametrize(("method", "path", "body", "detail"), PROBLEMS)
def test_a_request_that_cannot_be_read_is_400_and_says_which_field(
    api: Any, method: str, path: str, body: bytes, detail: str
) -> None:
    answer = api.control(method, path, content=body)

    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(detail)


def test_a_huge_body_is_413(api: Any) -> None:
    assert api.control("PUT", "/clock", content=b" " * (1024 * 1024 + 1)).status_code == 413


def test_a_slug_that_the_protocol_does_not_know_is_400(api: Any) -> None:
    assert api.send("PUT", "/_control/projects/acme/a%20b").status_code == 400


@pytest.mark.parametrize("path", ["/_control/none", "/_control/health/", "/_control/projects/acme"])
def test_other_paths_are_404(api: Any, path: str) -> None:
    answer = api.send("GET", path)

    assert (answer.status_code, answer.json()) == (404, {"detail": "The control protocol has no such path."})


def test_other_methods_are_405_with_those_that_there_are(api: Any) -> None:
    answer = api.send("PATCH", WEB)

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, PUT, DELETE")


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:3000", 200),
        ("http://127.0.0.1", 200),
        ("http://[::1]:8080", 200),
        ("https://evil.example", 403),
        ("https://localhost.evil.example", 403),
        ("null", 403),
        ("http://[", 403),
    ],
)
def test_pages_of_other_sites_may_not_control(api: Any, origin: str, status: int) -> None:
    assert api.send("PUT", WEB, headers={"Origin": origin}).status_code == status


def test_without_control_its_paths_but_for_health_are_404_and_the_rest_is_served(runner: Any) -> None:
    mock = create_app(control=False)
    token = mock.default_project.credentials.tokens["read"]
    path = "/api/0/projects/the-interstellar-jurisdiction/plain-proxy/user-feedback/"

    async def ask() -> list[int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(mock), base_url="http://x") as client:
            health = await client.get("/_control/health")
            put = await client.put(WEB)
            projects = await client.get("/_control/projects")
            listed = await client.get(path, headers={"Authorization": f"Bearer {token}"})
        return [health.status_code, put.status_code, projects.status_code, listed.status_code]

    assert runner.run(ask()) == [200, 404, 404, 200]


def test_a_full_server_says_so(make_api: Any) -> None:
    api = make_api(create_app(limits=Limits(projects=2, events=1)))
    api.save_event()
    api.save_event()

    assert api.send("PUT", "/_control/projects/acme/third").status_code == 507
    assert api.send("PUT", WEB).status_code == 200
    api.save_event()
    assert api.control("PUT", f"/events/{'b' * 32}").status_code == 507


@pytest.mark.parametrize("limits", [Limits(feedback=2), Limits(feedback_characters=80)])
def test_a_full_project_loses_its_oldest_feedback(make_api: Any, limits: Limits, caplog: Any) -> None:
    api = make_api(create_app(limits=limits))
    for digit in "abcd":
        assert api.submit(event_id=digit * 32).status_code == 200

    assert [each["event_id"][0] for each in api.stored()] == ["c", "d"]
    assert [each.message for each in caplog.records] == ["acme/web is full: its oldest feedback makes room for new."]


def test_feedback_of_all_projects_is_bounded_and_the_largest_gives_way(make_api: Any) -> None:
    api = make_api(create_app(limits=Limits(all_feedback=10 * (RECORD + 1_000))))
    api.make_project("acme", "small")
    large, store = api.project, api.mock.store
    for number in range(9):
        api.submit(event_id=f"{number:032x}", comments="x" * 900)
    api.project = api.send("GET", "/_control/projects/acme/small").json()
    for number in range(3):
        api.submit(event_id=f"{number:032x}", comments="x" * 900)
    kept = [int(each, 16) for each in store.project(large["organization"], large["project"]).feedback]

    assert kept == [5, 6, 7, 8]
    assert len(api.stored()) == 3
    assert store.feedback_room.used == sum(each.size for each in store) <= store.limits.all_feedback


def test_events_of_all_projects_are_bounded(make_api: Any) -> None:
    api = make_api(create_app(limits=Limits(all_events=2)))
    other = api.make_project("acme", "other")
    path = "/_control/projects/acme/other"
    api.save_event()
    assert api.send("PUT", f"{path}/events/{EVENT}").status_code == 200
    refused = api.send("PUT", f"{path}/events/{'b' * 32}")
    taken = api.control("GET", "/snapshot").json()
    taken["events"].append({**taken["events"][0], "event_id": "c" * 32})

    assert refused.json() == {"detail": "All projects together have 2 events, the maximum; reset or delete some."}
    assert refused.status_code == 507
    assert api.send("PUT", f"/_control/projects/{other['organization']}/new/snapshot", json=taken).status_code == 507
    assert api.control("PUT", "/snapshot", json=taken).status_code == 507


def test_what_goes_gives_its_room_back(make_api: Any) -> None:
    """When an event is deleted, a project reset, replaced or deleted, or replaced by a snapshot."""
    api = make_api(create_app(limits=Limits(all_events=1, all_feedback=RECORD + 100)))
    store = api.mock.store
    taken = api.control("GET", "/snapshot").json()
    for gone in (
        lambda: (api.control("DELETE", f"/events/{EVENT}"), api.control("POST", "/reset")),
        lambda: api.control("POST", "/reset"),
        lambda: api.control("PUT", "/snapshot", json=taken),
        lambda: (api.send("DELETE", WEB), api.make_project("acme", "web")),
        lambda: api.make_project("acme", "web"),
    ):
        api.save_event()
        assert api.submit().status_code == 200
        assert (store.event_room.used, store.feedback_room.used) == (1, store.project("acme", "web").size)
        gone()

        assert (store.event_room.used, store.feedback_room.used) == (0, 0)


def test_feedback_larger_than_the_room_is_kept_alone(make_api: Any) -> None:
    api = make_api(create_app(limits=Limits(feedback_characters=80)))
    api.submit()
    answer = api.submit(event_id="a" * 32, comments="x" * 500)

    assert answer.status_code == 200
    assert [each["event_id"][0] for each in api.stored()] == ["a"]


def test_every_example_request_of_the_document_is_taken_and_answered_by_its_schema(api: Any) -> None:
    document = to_31(load_control())
    for operation in operations_of(document):
        if operation.id == STREAM:  # which never ends: test_stream.py
            continue
        names = {"organization_slug": "acme", "project_slug": "web", "event_id": EVENT, "participant": "client"}
        path = operation.path.format(**names)
        examples = [each.value for each in operation.body.examples.values()] if operation.body else [None]
        for example in examples:
            api.send("PUT", WEB, json={"clock": {"now": "2025-01-01T00:00:00Z"}})
            api.save_event()
            api.control("PUT", "/clock/participants/client")
            answer = api.send(operation.method.upper(), path, json=example)
            assert answer.status_code in (200, 201, 204), (operation.id, answer.text)
            if answer.headers.get("content-type") == JSON:
                schema = operation.responses[str(answer.status_code)].content[JSON].schema
                jsonschema_rs.validate({**schema, "components": document["components"]}, answer.json())


def test_a_running_clock_takes_what_is_no_move(api: Any) -> None:
    """It has moved on between request and response, which is not a step backwards."""
    for _ in range(20):
        assert api.control("PUT", "/clock", json={"running": True}).status_code == 200
        assert api.control("POST", "/clock/advance", json={"duration": "PT0S"}).status_code == 200
