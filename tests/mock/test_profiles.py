"""The mock's behaviour under a profile beyond the recorded cases: origins, methods, ids, aliases, the rate limit."""

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner
from feedback_mock.app import create_app
from feedback_mock.command.options import command
from feedback_mock.feedback.rate import RateLimit
from feedback_mock.store import Store
from feedback_spec.document import load
from feedback_spec.profiles import DOCUMENTED, PROFILES
from feedback_spec.source import DocumentError

from tests.mock.conftest import EVENT

SENTRY = [profile for profile in PROFILES if profile != DOCUMENTED]
ORIGIN = {"Origin": "https://app.example"}


@pytest.fixture
def of_profile(make_api: Any) -> Callable[..., Any]:
    """Creates the mock of a profile."""
    return lambda profile, **options: make_api(create_app(load(None, profile), **options))


@pytest.mark.parametrize("profile", SENTRY)
def test_token_has_no_origins_and_a_dsn_has_all(of_profile: Any, profile: str) -> None:
    api = of_profile(profile)
    refused = api.submit({**api.bearer(), **ORIGIN})
    taken = api.submit({**api.dsn(), **ORIGIN})
    unknown = api.submit({"Authorization": "Bearer nope", **ORIGIN})

    assert (refused.status_code, refused.json()) == (400, "Invalid origin: https://app.example")
    assert refused.headers.get("access-control-allow-origin") != ORIGIN["Origin"]
    assert (taken.status_code, taken.headers["access-control-allow-origin"]) == (200, ORIGIN["Origin"])
    assert taken.headers["access-control-allow-methods"]
    assert (unknown.status_code, unknown.headers["access-control-allow-origin"]) == (401, ORIGIN["Origin"])
    assert api.submit({**api.bearer(), "Origin": "null"}).status_code == 200


def test_any_origin_may_submit_by_the_page(of_profile: Any) -> None:
    api = of_profile(DOCUMENTED)
    answer = api.submit({**api.bearer(), **ORIGIN})

    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")


@pytest.mark.parametrize("profile", SENTRY)
def test_other_methods_ask_for_credentials_and_scope_first(of_profile: Any, profile: str) -> None:
    api = of_profile(profile)

    def status(method: str, headers: dict[str, str]) -> int:
        return int(api.send(method, api.path, headers=headers).status_code)

    assert [status(method, {}) for method in ("PUT", "PATCH", "DELETE", "HEAD")] == [401] * 4
    assert [status(method, api.bearer()) for method in ("PUT", "PATCH", "DELETE", "HEAD")] == [405, 403, 403, 403]
    assert [status(method, api.bearer("admin")) for method in ("PUT", "DELETE", "HEAD")] == [405, 405, 403]
    assert [status(method, api.dsn()) for method in ("PUT", "PATCH", "DELETE", "HEAD")] == [405, 403, 405, 403]
    assert status("PUT", api.bearer("read")) == 403
    assert status("OPTIONS", {}) == (401 if profile == "sentry-9.1" else 200)
    other = api.make_project("acme", "other")
    assert status("PUT", {"Authorization": f"DSN {other['dsn']}"}) == 405


@pytest.mark.parametrize("profile", SENTRY)
def test_scope_comes_before_the_project(of_profile: Any, profile: str) -> None:
    api = of_profile(profile)
    path = api.path.replace("/web/", "/no-such/")

    assert api.send("POST", path, headers=api.bearer("read")).status_code == 403
    assert api.send("POST", path, headers=api.bearer()).status_code == 404


@pytest.mark.parametrize("profile", PROFILES)
def test_other_name_of_the_endpoint(of_profile: Any, profile: str) -> None:
    api = of_profile(profile)
    body = {"event_id": EVENT, "name": "Jane", "email": "jane@example.com", "comments": "It broke!"}
    path = api.path.replace("user-feedback", "user-reports")
    answer = api.send("POST", path, headers=api.bearer(), json=body)

    assert answer.status_code == (404 if profile == DOCUMENTED else 200)
    assert len(api.stored()) == int(profile != DOCUMENTED)


@pytest.mark.parametrize("profile", PROFILES)
def test_numbers_stand_for_slugs_in_the_newest_only(of_profile: Any, profile: str) -> None:
    api = of_profile(profile)
    organization = api.mock.store.organizations["acme"]
    paths = [
        api.path.replace("/web/", f"/{api.project['id']}/"),
        api.path.replace("/acme/", f"/{organization}/"),
        api.path.replace("/acme/web/", f"/{organization}/{api.project['id']}/"),
    ]
    seen = [api.send("GET", path, headers=api.bearer("read")).status_code for path in paths]

    assert seen == [200 if profile == "sentry-latest" else 404] * 3


def test_numbers_name_projects_of_their_organization_only() -> None:
    """Even after projects, and an organization with them, are gone."""
    store = Store(lambda: 0)
    names = ("acme", "web"), ("acme", "ios"), ("umbrella", "web")
    made = [store.put_project(*each, store.new_clock()) for each in names]
    first, second, other = filter(None, made)
    acme, umbrella = store.organizations["acme"], store.organizations["umbrella"]

    assert store.project_by_ids(acme, second.id) is store.project_by_ids("acme", second.id) is second
    assert store.project_by_ids(umbrella, "web") is other
    assert store.project_by_ids(umbrella, first.id) is None

    store.delete_project(other)
    store.delete_project(first)

    assert store.project_by_ids(umbrella, other.id) is store.project_by_ids(acme, first.id) is None
    assert store.organizations == {"acme": acme}
    assert store.project_by_ids(acme, "ios") is second


def test_event_id_is_refused_in_its_own_form_by_the_newest(of_profile: Any) -> None:
    api = of_profile("sentry-latest")
    refused = api.submit(event_id="invalid")

    assert refused.status_code == 400
    assert refused.json() == {"detail": {"code": "Invalid Event ID", "message": "Invalid request", "extra": {}}}
    assert api.submit(event_id="invalid", email="nope").json() == {"email": ["Enter a valid email address."]}
    assert api.stored() == []


@pytest.mark.parametrize(
    ("profile", "messages"),
    [
        (DOCUMENTED, ["Ensure this field has no more than 75 characters."]),
        (
            "sentry-9.1",
            ["Enter a valid email address.", "Ensure this value has at most 75 characters (it has 80)."],
        ),
        ("sentry-latest", ["Ensure this field has no more than 75 characters.", "Enter a valid email address."]),
    ],
)
def test_failures_of_one_field(of_profile: Any, profile: str, messages: list[str]) -> None:
    assert of_profile(profile).submit(email="x" * 80).json() == {"email": messages}


@pytest.mark.parametrize(
    ("profile", "value", "stored"),
    [
        (DOCUMENTED, 1, None),
        ("sentry-9.1", 1, "1"),
        ("sentry-9.1", True, "True"),
        ("sentry-9.1", ["a"], "['a']"),
        ("sentry-9.1", "  ", "  "),
        ("sentry-9.1", "a\0b", "a\0b"),
        ("sentry-23.7", 1.5, "1.5"),
        ("sentry-23.7", True, None),
        ("sentry-23.7", "a\0b", None),
        ("sentry-latest", " x ", "x"),
        ("sentry-latest", "x" * 4097, None),
        ("sentry-latest", "x" * 4096, "x" * 4096),
    ],
)
def test_what_counts_as_a_text(of_profile: Any, profile: str, value: Any, stored: str | None) -> None:
    api = of_profile(profile)
    answer = api.submit(comments=value)

    assert answer.status_code == (400 if stored is None else 200)
    assert [each["comments"] for each in api.stored()] == ([] if stored is None else [stored])


@pytest.mark.parametrize(
    ("profile", "whole", "fraction"),
    [
        (DOCUMENTED, "2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:01.123456Z"),
        ("sentry-9.1", "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:01.123Z"),
        ("sentry-latest", "2026-01-01T00:00:00Z", "2026-01-01T00:00:01.123456Z"),
    ],
)
def test_fraction_of_dates(of_profile: Any, profile: str, whole: str, fraction: str) -> None:
    api = of_profile(profile)
    assert api.submit().json()["dateCreated"] == whole
    api.advance("PT1.123456S")

    assert api.submit(event_id="f" * 32).json()["dateCreated"] == fraction


def test_overwrite_moves_the_date_and_the_window_where_it_slides(of_profile: Any) -> None:
    api = of_profile("sentry-23.7")
    for _ in range(3):
        assert api.submit().status_code == 200
        api.advance("PT5M")
    assert api.submit().json()["dateCreated"] == "2026-01-01T00:15:00Z"
    api.advance("PT5M0.000001S")

    assert api.submit().status_code == 409


def test_rate_is_limited_when_asked_for_on_the_projects_clock(of_profile: Any) -> None:
    api = of_profile("sentry-latest", rate_limit=RateLimit(2, 10))
    answers = [api.submit(api.dsn()) for _ in range(3)]

    assert [each.status_code for each in answers] == [200, 200, 429]
    assert [each.headers["x-sentry-rate-limit-remaining"] for each in answers] == ["1", "0", "0"]
    assert answers[0].headers["x-sentry-rate-limit-limit"] == "2"
    assert int(answers[0].headers["x-sentry-rate-limit-reset"]) == 1_767_225_610
    told = "You are attempting to use this endpoint too frequently. Limit is 2 requests in 10 seconds"
    assert answers[2].json() == {"detail": told}
    assert api.listed().status_code == 200
    api.advance("PT9.999999S")
    assert api.submit(api.dsn()).status_code == 429
    api.advance("PT0.000001S")
    assert api.submit(api.dsn()).status_code == 200


def test_rate_is_not_limited_unless_asked_for(of_profile: Any) -> None:
    answer = of_profile("sentry-latest").submit()

    assert not [name for name in answer.headers if name.startswith("x-sentry-rate-limit")]


def test_rate_of_a_server_that_limits_none() -> None:
    with pytest.raises(DocumentError, match="this server has no rate limit"):
        create_app(load(), rate_limit=RateLimit(1, 1))


@pytest.mark.parametrize("value", ["5", "0/1", "1/0", "a/b", "-1/1", "5/1/1"])
def test_rate_that_is_none_is_refused_in_one_sentence(value: str) -> None:
    outcome = CliRunner().invoke(command, ["--profile", "sentry-latest", "--rate-limit", value])

    assert outcome.exit_code == 2
    assert f'"{value}" is not N/SECONDS, such as 5/1' in outcome.output


def test_profile_that_there_is_none_of_is_refused() -> None:
    outcome = CliRunner().invoke(command, ["--profile", "sentry-8"])

    assert outcome.exit_code == 2
    assert "'sentry-8' is not one of 'documented', 'sentry-9.1', 'sentry-23.7', 'sentry-latest'" in outcome.output
