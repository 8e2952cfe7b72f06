"""The fields of a submission under each profile: at each length and one past it, with every message."""

import copy
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import pytest
from feedback_mock.description import describe
from feedback_mock.feedback.fields import MAX_SHOWN, Fields
from feedback_mock.feedback.rendering import Rendering
from feedback_mock.result import Refused
from feedback_spec.bodies import Unreadable
from feedback_spec.document import SUBMIT, Document, load
from feedback_spec.profiles import DOCUMENTED, PROFILES
from feedback_spec.source import DocumentError

ID = "7167980ca1db42cdba8d5284e7f81c66"
VALID = {"event_id": ID, "name": "Jane", "email": "jane@example.com", "comments": "It broke!"}
FORMER, BETWEEN, LATEST = "sentry-9.1", "sentry-23.7", "sentry-latest"
CLOSED = "additionalProperties other than true, because it ignores other keys"
LONGEST = {"event_id": 32, "name": 128, "email": 75}


def fields_of(document: Document) -> Fields:
    return Fields(document, describe(document.name, document.openapi, 1_000)[SUBMIT], Rendering(document))


@lru_cache
def fields(profile: str) -> Fields:
    return fields_of(load(profile=profile))


def checked(profile: str = DOCUMENTED, **given: Any) -> Any:
    """The four valid fields with these instead; a field given as `...` is left out."""
    body = {name: value for name, value in {**VALID, **given}.items() if value is not ...}
    return fields(profile).check(body)


def messages(profile: str = DOCUMENTED, **given: Any) -> Any:
    """The response body of a refusal."""
    refused = checked(profile, **given)
    assert isinstance(refused, Refused), refused
    return refused.value


@pytest.mark.parametrize(
    ("value", "rule", "reason", "message"),
    [
        (None, "body-null", "the body is NoneType", "No data provided"),
        ([], "body-object", "the body is list", "Invalid data. Expected a dictionary, but got list."),
        ("a", "body-object", "the body is str", "Invalid data. Expected a dictionary, but got str."),
        (1, "body-object", "the body is int", "Invalid data. Expected a dictionary, but got int."),
    ],
)
def test_body_is_an_object(value: Any, rule: str, reason: str, message: str) -> None:
    assert fields(DOCUMENTED).check(value) == Refused(rule, reason, {"non_field_errors": [message]})


def test_all_failing_fields_are_reported_in_the_order_of_the_document() -> None:
    refused: Any = fields(DOCUMENTED).check({"comments": 1, "email": "nope", "name": None})

    assert refused == Refused(
        "field-required",
        "event_id: field-required, name: field-null, email: email-format, comments: field-type",
        {
            "event_id": ["This field is required."],
            "name": ["This field may not be null."],
            "email": ["Enter a valid email address."],
            "comments": ["Not a valid string."],
        },
    )
    assert list(refused.value) == ["event_id", "name", "email", "comments"]


def test_first_failing_field_names_the_rule() -> None:
    refused = checked(email="nope", comments=...)

    assert (refused.rule, refused.reason) == ("email-format", "email: email-format, comments: field-required")


@pytest.mark.parametrize("name", VALID)
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (..., "This field is required."),
        (None, "This field may not be null."),
        (1, "Not a valid string."),
        (True, "Not a valid string."),
        (1.5, "Not a valid string."),
        ([], "Not a valid string."),
        (["a"], "Not a valid string."),
        ({}, "Not a valid string."),
        ("", "This field may not be blank."),
        (" \t\n\u00a0", "This field may not be blank."),
    ],
)
def test_what_is_not_a_text_is_refused_by_the_page(name: str, value: Any, message: str) -> None:
    assert messages(**{name: value}) == {name: [message]}


@pytest.mark.parametrize(("name", "longest"), LONGEST.items())
def test_value_of_the_greatest_length_is_accepted_and_no_longer_one(name: str, longest: int) -> None:
    value = {"event_id": "a" * 32, "name": "a" * 128, "email": "a" * 63 + "@example.com"}[name]
    assert len(value) == longest
    assert checked(**{name: f" {value}\n"})[name] == value

    refused = checked(**{name: "a" + value if name != "email" else value + "m"})

    rule = "event-id-length" if name == "event_id" else "field-length"
    assert refused == Refused(
        rule, f"{name}: {rule}", {name: [f"Ensure this field has no more than {longest} characters."]}
    )


def test_comments_have_any_length_by_the_page() -> None:
    assert checked(comments="a" * 100_000)["comments"] == "a" * 100_000


def test_length_counts_characters_and_not_bytes() -> None:
    assert checked(name="\U0001f600" * 128)["name"] == "\U0001f600" * 128
    assert messages(name="\U0001f600" * 129)


@pytest.mark.parametrize("event_id", ["a" * 31, "g" * 32, "a" * 31 + "-"])
def test_event_id_that_is_short_or_not_hexadecimal_has_a_message_of_its_own(event_id: str) -> None:
    assert checked(event_id=event_id) == Refused(
        "event-id-format", "event_id: event-id-format", {"event_id": ["Enter 32 hexadecimal digits."]}
    )


def test_too_long_comes_before_not_hexadecimal() -> None:
    assert checked(event_id="g" * 33).rule == "event-id-length"
    assert checked(email="a" * 76).rule == "field-length"


@pytest.mark.parametrize("profile", PROFILES)
def test_valid_fields_come_back_without_other_keys(profile: str) -> None:
    assert checked(profile, other=1, id="7") == VALID
    reordered: Any = fields(profile).check(dict(reversed(VALID.items())))
    assert list(reordered) == list(VALID)


def test_only_white_space_around_an_email_is_trimmed_by_the_former() -> None:
    trimmed = checked(FORMER, name=" Jane ", email=" jane@example.com\n", comments=" ")

    assert trimmed == {**VALID, "name": " Jane ", "comments": " "}
    assert messages(FORMER, event_id=f" {ID}")


@pytest.mark.parametrize(
    ("profile", "value", "text"),
    [
        (FORMER, 1, "1"),
        (FORMER, 1.5, "1.5"),
        (FORMER, True, "True"),
        (FORMER, [1, "a"], "[1, 'a']"),
        (FORMER, {"a": None}, "{'a': None}"),
        (FORMER, [], "[]"),
        (BETWEEN, 1, "1"),
        (BETWEEN, 1.5, "1.5"),
        (LATEST, 0, "0"),
        (BETWEEN, True, None),
        (BETWEEN, [], None),
        (LATEST, {}, None),
        (DOCUMENTED, 1, None),
    ],
)
def test_profile_says_what_is_converted_to_a_text(profile: str, value: Any, text: str | None) -> None:
    if text is None:
        assert messages(profile, name=value) == {"name": ["Not a valid string."]}
    else:
        assert checked(profile, name=value)["name"] == text


def test_null_is_converted_by_nobody() -> None:
    for profile in PROFILES:
        assert checked(profile, name=None).rule == "field-null"


def test_converted_text_is_trimmed_and_checked_like_any_other() -> None:
    assert messages(FORMER, email=1) == {"email": ["Enter a valid email address."]}
    assert list(messages(FORMER, name=[1] * 128)) == ["name"]


def test_what_is_too_large_to_be_shown_is_not_converted() -> None:
    text = "a" * (MAX_SHOWN - 4)
    assert MAX_SHOWN == 250_000
    assert checked(FORMER, comments=[text])["comments"] == f"['{text}']"

    for value in (["a" + text], {"": text}):
        with pytest.raises(Unreadable) as caught:
            checked(FORMER, comments=value)
        assert str(caught.value) == "a list or object of more than 250000 bytes is too large to convert to text"


def test_what_is_nested_too_deeply_is_not_converted() -> None:
    nested: Any = []
    for _ in range(300):
        nested = [nested]

    with pytest.raises(Unreadable) as caught:
        checked(FORMER, comments=nested)
    assert str(caught.value) == "a list or object is nested too deeply to convert to text"
    assert caught.value.__suppress_context__
    assert messages(comments=nested) == messages(comments={"a": nested}) == {"comments": ["Not a valid string."]}


@pytest.mark.parametrize(
    ("profile", "accepted"), [(DOCUMENTED, True), (FORMER, True), (BETWEEN, False), (LATEST, False)]
)
def test_profile_says_whether_nul_is_a_character(profile: str, accepted: bool) -> None:
    if accepted:
        assert checked(profile, name="a\0b")["name"] == "a\0b"
    else:
        assert checked(profile, name="a\0b") == Refused(
            "field-nul", "name: field-nul", {"name": ["Null characters are not allowed."]}
        )
        assert list(messages(profile, name="\0", comments="\0")) == ["name", "comments"]


@pytest.mark.parametrize(
    ("profile", "value"),
    [
        ("sentry-23.7", "a@localhost"),
        ("sentry-latest", "A.b@EXAMPLE.com"),
        ("sentry-latest", '"a.b"@example.com'),
        (DOCUMENTED, "a@b.c"),
        (DOCUMENTED, '"a b"@example.com'),
    ],
)
def test_address_that_a_profile_accepts(profile: str, value: str) -> None:
    assert checked(profile, email=value) == ({**VALID, "email": value})


@pytest.mark.parametrize(
    ("profile", "value"),
    [*((each, "jane") for each in PROFILES), *((each, "a@b.c") for each in PROFILES if each != DOCUMENTED)],
)
def test_address_that_a_profile_refuses(profile: str, value: str) -> None:
    assert messages(profile, email=value) == {"email": ["Enter a valid email address."]}


def test_address_is_checked_as_a_whole() -> None:
    for value in ("jane@example.com, b", "<jane@example.com", "a b@example.com"):
        assert checked(LATEST, email=value).rule == "email-format"


@pytest.mark.parametrize(
    ("profile", "rules"),
    [
        (DOCUMENTED, ["Ensure this field has no more than 75 characters."]),
        (FORMER, ["Enter a valid email address.", "Ensure this value has at most 75 characters (it has 76)."]),
        (
            LATEST,
            [
                "Ensure this field has no more than 75 characters.",
                "Null characters are not allowed.",
                "Enter a valid email address.",
            ],
        ),
    ],
)
def test_profile_says_which_messages_of_one_field_come_together(profile: str, rules: list[str]) -> None:
    assert messages(profile, email="\0" + "a" * 75) == {"email": rules}
    first = "email-format" if profile == FORMER else "field-length"
    refused = checked(profile, email="\0" + "a" * 75)
    assert (refused.rule, refused.reason) == (first, f"email: {first}")


def test_missing_blank_or_wrong_value_has_one_message_only() -> None:
    for profile in PROFILES:
        blank = "This field is required." if profile == FORMER else "This field may not be blank."
        assert messages(profile, email="") == {"email": [blank]}
        assert len(messages(profile, email=None)["email"]) == len(messages(profile, email=...)["email"]) == 1


def test_latest_checks_the_form_of_the_id_last() -> None:
    assert checked(LATEST, event_id="nope") == Refused("event-id-format")
    assert messages(LATEST, event_id="nope", email="nope") == {"email": ["Enter a valid email address."]}
    assert messages(LATEST, event_id="g" * 33) == {"event_id": ["Ensure this field has no more than 32 characters."]}
    assert messages(LATEST, event_id="") == {"event_id": ["This field may not be blank."]}
    assert messages(LATEST, event_id="g" * 31 + "\0") == {"event_id": ["Null characters are not allowed."]}


@pytest.mark.parametrize(
    ("profile", "missing"),
    [
        (DOCUMENTED, {"field-nul"}),
        (FORMER, {"field-nul", "field-type", "event-id-format"}),
        (BETWEEN, {"event-id-format"}),
        (LATEST, set()),
    ],
)
def test_rules_of_fields_are_known_beforehand(profile: str, missing: set[str]) -> None:
    every = {"field-required", "field-null", "field-type", "field-blank", "field-length", "email-format", "field-nul"}
    every |= {"body-object", "body-null", "event-id-length", "event-id-format"}

    assert fields(profile).rules == every - missing


def changed(change: Callable[[Any], None]) -> Document:
    """The document with another schema of its body."""
    document = load()
    openapi = copy.deepcopy(document.openapi)
    change(openapi["components"]["schemas"]["UserFeedbackSubmission"])
    return replace(document, openapi=openapi)


def field(**keys: Any) -> Callable[[Any], None]:
    """Changes these keys in the schema of the name; a key given as `...` is removed."""

    def change(body: Any) -> None:
        name = body["properties"]["name"]
        name.update(keys)
        for key, value in keys.items():
            if value is ...:
                del name[key]

    return change


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda body: body.update(minProperties=1), "the request body: the mock does not implement minProperties."),
        (
            lambda body: body.update(minProperties=1, maxProperties=9),
            "the request body: the mock does not implement maxProperties, minProperties.",
        ),
        (
            lambda body: body.update(additionalProperties=False),
            f"the request body: the mock does not implement {CLOSED}.",
        ),
        (field(enum=["a"]), "the field name: the mock does not implement enum of a field."),
        (field(enum=["a"], default="a"), "the field name: the mock does not implement default, enum of a field."),
        (field(nullable=True), "the field name: the mock does not implement null for a field."),
        (field(type="integer"), "the field name: the mock does not implement this type of a field."),
        (field(type=...), "the field name: the mock does not implement this type of a field."),
        (lambda body: body.update(additionalProperties={}), f"the request body: the mock does not implement {CLOSED}."),
        (field(format="date"), "the field name: the mock does not implement this format of a field."),
        (field(format="uri"), "the field name: the mock does not implement this format of a field."),
    ],
)
def test_schema_that_the_mock_does_not_implement_is_refused(change: Callable[[Any], None], cause: str) -> None:
    with pytest.raises(DocumentError) as caught:
        fields_of(changed(change))
    assert str(caught.value) == f"{load().name}: {cause}"


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.update(additionalProperties=True),
        lambda body: body.update({"title": "a", "description": "b", "example": {}, "x-own": 1}),
        field(title="a", description="b", deprecated=True, format="email"),
    ],
)
def test_schema_may_have_what_changes_nothing(change: Callable[[Any], None]) -> None:
    assert isinstance(fields_of(changed(change)), Fields)


def test_id_without_a_pattern_has_any_form() -> None:
    made = fields_of(changed(lambda body: body["properties"]["event_id"].pop("pattern")))

    assert "event-id-format" not in made.rules
    assert "event-id-format" in fields(DOCUMENTED).rules
    assert made.check({**VALID, "event_id": "nope"}) == {**VALID, "event_id": "nope"}


def test_rule_that_may_refuse_needs_a_message() -> None:
    document = load()
    rules = {name: each for name, each in document.rules.items() if name != "field-null"}

    with pytest.raises(DocumentError, match='the rule "field-null" has no message here'):
        fields_of(replace(document, rules=rules))
