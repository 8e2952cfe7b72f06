"""Routes, methods, headers, credentials and fields: which rule decides, with which status and body."""

from typing import Any

import pytest
from feedback_spec.document import load

from tests.mock.conftest import FIRST_ID

PAGE_HEADERS = {
    "X-XSS-Protection": "1; mode=block",
    "X-Content-Type-Options": "nosniff",
    "Content-Language": "en",
    "Access-Control-Expose-Headers": "X-Sentry-Error, Retry-After, X-Feedback-Rule",
    "Vary": "Accept-Language, Cookie",
    "Access-Control-Allow-Methods": "GET, POST, HEAD, OPTIONS",
    "Allow": "GET, POST, HEAD, OPTIONS",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "X-Sentry-Auth, X-Requested-With, Origin, Accept, Content-Type, Authentication, "
    "Authorization",
    "X-Frame-Options": "deny",
}
RULES = load().rules


def rule_of(answer: Any) -> str:
    return str(answer.headers["x-feedback-rule"]).partition(";")[0]


def assert_refused(answer: Any, rule: str) -> None:
    """Asserts that this rule refused, with the catalogue's status."""
    refusal = RULES[rule].refusal
    assert refusal is not None
    assert (rule_of(answer), answer.status_code) == (rule, refusal.status)


@pytest.mark.parametrize("method", ["POST", "GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["{path}", "/api/0/projects/a/b/user-feedback", "/none"])
def test_every_answer_carries_the_page_headers_a_rule_and_its_length(api: Any, method: str, path: str) -> None:
    answer = api.send(method, path.format(path=api.path))

    assert {name: answer.headers[name] for name in PAGE_HEADERS} == PAGE_HEADERS
    assert rule_of(answer) in RULES
    if method != "HEAD":
        assert int(answer.headers["content-length"]) == len(answer.content)


def test_a_missing_slash_is_404_with_a_hint_and_no_redirect(api: Any) -> None:
    answer = api.send("POST", api.path.rstrip("/"), headers=api.bearer(), json={})

    assert_refused(answer, "route")
    assert "trailing slash" in answer.json()["detail"]
    assert "/api/0/projects/acme/web/user-feedback/" in answer.headers["x-feedback-rule"]
    assert "location" not in answer.headers


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
def test_other_methods_are_405_and_named(api: Any, method: str) -> None:
    answer = api.send(method, api.path, headers=api.bearer())

    assert_refused(answer, "method")
    assert answer.json() == {"detail": f'Method "{method}" not allowed.'}
    assert answer.headers["allow"] == "GET, POST, HEAD, OPTIONS"


def test_a_preflight_is_200_without_credentials_and_body(api: Any) -> None:
    answer = api.send("OPTIONS", api.path, headers={"Origin": "https://example.com"})

    assert (answer.status_code, answer.content, rule_of(answer)) == (200, b"", "preflight")
    assert answer.headers["access-control-max-age"] == "3600"
    assert "content-type" not in answer.headers


@pytest.mark.parametrize(
    ("header", "rule"),
    [
        ("", "credentials-required"),
        ("Basic YWJjOg==", "credentials-required"),
        ("{token}", "credentials-required"),
        ("Bearer nope", "credentials-known"),
        ("DSN", "credentials-empty"),
        ("DSN {dsn} {dsn}", "credentials-spaces"),
        ("DSN nope", "dsn-known"),
        ("DSN http://ffffffffffffffffffffffffffffffff@127.0.0.1/1", "dsn-known"),
        ("DSN {dsn}9", "dsn-known"),
    ],
)
def test_unusable_credentials_are_401_and_store_nothing(api: Any, header: str, rule: str) -> None:
    sent = header.format(token=api.project["tokens"]["write"], dsn=api.project["dsn"])
    answer = api.submit(headers={"Authorization": sent})

    assert_refused(answer, rule)
    assert answer.headers["www-authenticate"] == 'xBasic realm="api"'
    assert api.stored() == []


@pytest.mark.parametrize("header", ["bearer {write}", "BEARER {write}", "Bearer {admin}", "dsn {dsn}", "DSN {other}"])
def test_schemes_have_no_case_and_of_a_dsn_only_key_and_number_count(api: Any, header: str) -> None:
    dsn = api.project["dsn"]
    key, number = dsn.split("//")[1].split("@")[0], dsn.rpartition("/")[2]
    words = {**api.project["tokens"], "dsn": dsn, "other": f"https://{key}:secret@o1.sentry.example:9/x/{number}"}

    assert api.submit(headers={"Authorization": header.format(**words)}).status_code == 200


def test_a_token_without_the_scope_is_403(api: Any) -> None:
    answer = api.submit(headers=api.bearer("read"))

    assert_refused(answer, "scope")
    assert "project:admin or project:write" in answer.headers["x-feedback-rule"]


@pytest.mark.parametrize(
    ("credentials", "organization", "rule"),
    [
        ("bearer", "acme", "project-token"),
        ("bearer", "other", "project-token"),
        ("dsn", "acme", "dsn-other-project"),
        ("dsn", "other", "dsn-other-organization"),
    ],
)
def test_credentials_of_another_project_are_refused(api: Any, credentials: str, organization: str, rule: str) -> None:
    headers = getattr(api, credentials)()
    api.project = api.make_project(organization, "second")
    answer = api.submit(headers=headers)

    assert_refused(answer, rule)
    assert api.stored() == []


@pytest.mark.parametrize("credentials", ["bearer", "dsn"])
@pytest.mark.parametrize("path", ["acme/nope", "nope/web"])
def test_an_unknown_project_is_404_for_whoever_is_known(api: Any, credentials: str, path: str) -> None:
    answer = api.send(
        "POST", f"/api/0/projects/{path}/user-feedback/", headers=getattr(api, credentials)(), content=b"{"
    )

    assert_refused(answer, "project-exists")


@pytest.mark.parametrize(
    ("field", "value", "rule", "message"),
    [
        ("name", ..., "field-required", "This field is required."),
        ("name", None, "field-null", "This field may not be null."),
        ("name", " \t\n\u00a0", "field-blank", "This field may not be blank."),
        ("comments", "\ufeff", "field-blank", "This field may not be blank."),
        ("comments", 5, "field-type", "Not a valid string."),
        ("comments", True, "field-type", "Not a valid string."),
        ("comments", ["x"], "field-type", "Not a valid string."),
        ("name", "a" * 129, "field-length", "Ensure this field has no more than 128 characters."),
        ("email", "a" * 70 + "@b.com", "field-length", "Ensure this field has no more than 75 characters."),
        ("email", "nope", "email-format", "Enter a valid email address."),
        ("email", "Jane <jane@example.com>", "email-format", "Enter a valid email address."),
        ("event_id", "a" * 33, "event-id-length", "Ensure this field has no more than 32 characters."),
        (
            "event_id",
            "7167980c-a1db-42cd-ba8d-5284e7f81c66",
            "event-id-length",
            "Ensure this field has no more than 32 characters.",
        ),
        ("event_id", "a" * 31, "event-id-format", "Enter 32 hexadecimal digits."),
        ("event_id", "g" * 32, "event-id-format", "Enter 32 hexadecimal digits."),
    ],
)
def test_a_field_that_fails_is_named_with_one_message(
    api: Any, field: str, value: Any, rule: str, message: str
) -> None:
    answer = api.submit(**{field: value})

    assert_refused(answer, rule)
    assert answer.json() == {field: [message]}
    assert api.stored() == []


def test_all_failing_fields_are_reported_together(api: Any) -> None:
    answer = api.submit(event_id="x", name=None, email="nope", comments=...)

    assert set(answer.json()) == {"event_id", "name", "email", "comments"}
    assert rule_of(answer) == "event-id-format"
    assert "email: email-format" in answer.headers["x-feedback-rule"]


def test_values_are_trimmed_before_they_are_measured(api: Any) -> None:
    answer = api.submit(name=f"  {'a' * 128}\n", comments="\tIt broke! \u00a0")

    assert answer.json()["name"] == "a" * 128
    assert answer.json()["comments"] == "It broke!"


@pytest.mark.parametrize("form", [{"data": {}}, {"files": {"x": (None, "y")}}])
def test_forms_are_taken_like_json(api: Any, form: dict[str, Any]) -> None:
    fields = {"event_id": "a" * 32, "name": "Jörg & Söhne", "email": "jane@example.com", "comments": " + % \U0001f4a5"}
    sent = {"data": fields} if "data" in form else {"files": {name: (None, each) for name, each in fields.items()}}
    answer = api.send("POST", api.path, headers=api.bearer(), **sent)

    assert (answer.status_code, answer.json()["name"], answer.json()["comments"]) == (
        200,
        "Jörg & Söhne",
        "+ % \U0001f4a5",
    )


def test_unknown_keys_are_ignored_those_of_the_answer_among_them(api: Any) -> None:
    answer = api.submit(id="9", dateCreated="x", issue=5, user=None)

    assert (answer.status_code, answer.json()["id"]) == (200, FIRST_ID)


def test_an_unsupported_media_type_is_named_and_made_harmless(api: Any) -> None:
    assert api.post(b"x", "text/plain").json() == {"detail": 'Unsupported media type "text/plain" in request.'}
    assert api.post(b"x", 'a"b').json() == {"detail": 'Unsupported media type "a\'b" in request.'}


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("text/plain", "it must be one of application/json, application/x-www-form-urlencoded, multipart/form-data"),
        ("application/json; charset=utf-16", "the charset must be utf-8"),
    ],
)
def test_415_says_what_would_be_taken(api: Any, kind: str, reason: str) -> None:
    answer = api.send("POST", api.path, headers=api.bearer() | {"Content-Type": kind}, content=b"x")

    assert (answer.status_code, answer.headers["x-feedback-rule"]) == (415, f'media-type; reason="{reason}"')


def test_the_checks_come_in_the_documented_order(api: Any) -> None:
    broken, long, wrong = b"{", b"a" * (1024 * 1024 + 1), {"Content-Type": "text/plain"}
    nowhere = "/api/0/projects/acme/nope/user-feedback/"
    api.save_event(saved_ago="PT1H")

    assert rule_of(api.send("POST", nowhere, content=broken)) == "credentials-required"
    assert rule_of(api.send("POST", nowhere, headers=api.bearer("read"), content=broken)) == "project-exists"
    assert rule_of(api.send("POST", api.path, headers=api.bearer("read") | wrong, content=broken)) == "scope"
    assert rule_of(api.send("POST", api.path, headers=api.bearer() | wrong, content=long)) == "media-type"
    assert rule_of(api.post(long)) == "body-size"
    assert rule_of(api.post(broken)) == "body-syntax"
    assert rule_of(api.post(b"[]")) == "body-object"
    assert rule_of(api.submit(email="nope")) == "email-format"
    assert rule_of(api.submit()) == "event-window"


@pytest.mark.parametrize("slash", ["%2F", "%2f"])
def test_an_encoded_slash_parts_no_path(api: Any, slash: str) -> None:
    for path in (f"/api/0/projects/acme{slash}web/user-feedback/", f"/api/0/projects/acme/web{slash}user-feedback/"):
        answer = api.send("GET", path, headers=api.bearer())
        assert (answer.status_code, answer.headers["x-feedback-rule"].partition(";")[0]) == (404, "route")
    control = api.send("GET", f"/_control/projects/acme{slash}web/clock")
    within = api.send("GET", f"/_control/projects/acme/w{slash}b/clock")

    assert control.json()["detail"].startswith('organization_slug: "acme%2Fweb" is not allowed in the path; ')
    assert within.json()["detail"].startswith('project_slug: "w%2Fb" is not allowed in the path; ')
