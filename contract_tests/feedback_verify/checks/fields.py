"""What a body may be, field by field."""

import json
from collections.abc import Callable
from typing import Any

from feedback_verify.checks.base import Check
from feedback_verify.scenario import VALUES, Scenario, dashed

FIELDS = ("event_id", *VALUES)
NOT_HEX = str.maketrans("abcdef", "uvwxyz")
BROKEN_JSON = (b"{", b'{"event_id": ', b"nonsense", b"{'event_id': 1}", b'{"a": 1}}', b"\xff\xfe", b'{"name": "\xff"}')


def a_body_that_cannot_be_read_is_refused(s: Scenario) -> None:
    """Broken JSON, and text that is not UTF-8."""
    for content in BROKEN_JSON:
        s.expect_status(s.submit(content), (400, *s.also("body-syntax")), f"the body {content!r}")
    s.nothing_stored("of a body that cannot be read")


def a_body_that_is_no_object_is_refused(s: Scenario) -> None:
    """Every other kind of JSON value."""
    for value in ([s.submission()], "text", 1, 1.5, True, []):
        s.expect_status(s.submit(json.dumps(value).encode()), 400, f"the body {json.dumps(value)[:40]}")


def null_is_no_submission(s: Scenario) -> None:
    """The JSON value null as the whole body."""
    s.expect_status(s.submit(b"null"), 400, "the body null")


def a_missing_field_is_named(s: Scenario) -> None:
    """Each alone, then all of them together."""
    for field in FIELDS:
        body = s.submission()
        del body[field]
        reply = s.submit(body)
        s.expect_status(reply, 400, f"a submission without {field}")
        s.expect(list(reply.object) == [field], f"without {field} the answer names {sorted(reply.object)}")
    reply = s.submit({})
    s.expect_status(reply, 400, "an empty object")
    s.expect(sorted(reply.object) == sorted(FIELDS), f"without any field the answer names {sorted(reply.object)}")
    s.nothing_stored("of a submission without all four fields")


def _refused_in_each_field(s: Scenario, value: Any, what: str, names: tuple[str, ...] = FIELDS) -> None:
    for field in names:
        reply = s.submit({**s.submission(), field: value})
        s.expect_status(reply, 400, f"{field} {what}")
        s.expect(field in reply.object, f"{field} {what}: the answer names {sorted(reply.object)}")
    if names == FIELDS:
        s.nothing_stored(f"of a submission with a field that is {what}")


def null_is_refused(s: Scenario) -> None:
    """In each field."""
    _refused_in_each_field(s, None, "null")


def blank_is_refused(s: Scenario) -> None:
    """In each field, empty or, where it is cut off, white space."""
    _refused_in_each_field(s, "", "empty")
    for value in ("   ", "\t\n"):
        _refused_in_each_field(s, value, f"blank ({value!r})", tuple(filter(s.behaviour.is_trimmed, FIELDS)))


def what_is_no_text_is_refused(s: Scenario) -> None:
    """In each field; or taken as text, where the document's server does that. No number is an email."""
    values: dict[str, tuple[Any, ...]] = {"object": ({},), "array": ([], ["x"]), "boolean": (True,), "number": (1, 1.5)}
    for kind, each in values.items():
        for value in each:
            if kind not in s.behaviour.coerce:
                _refused_in_each_field(s, value, f"{json.dumps(value)}")
                continue
            for field in ("name", "comments"):
                reply = s.submit(s.submission(**{field: value}))
                s.expect_status(reply, 200, f"{field} {json.dumps(value)}")
                answered = reply.object.get(field)
                s.expect(isinstance(answered, str), f"{field} {json.dumps(value)} is answered as {answered!r}")
            _refused_in_each_field(s, value, f"{json.dumps(value)}", ("email",))


def a_nul_character_is_refused(s: Scenario) -> None:
    """In each field."""
    _refused_in_each_field(s, "a\0b", "with the character NUL")


def longer_than_allowed_is_refused(s: Scenario) -> None:
    """By one character, and by many; in characters, not in bytes."""
    make: dict[str, Callable[[int], str]] = {
        "name": lambda length: "n" * length,
        "email": lambda length: "e@" + "d." * ((length - 6) // 2) + "example"[: 4 + length % 2],
        "comments": lambda length: "c" * length,
    }
    for field, of_length in make.items():
        limit = s.document.field_schemas[field].get("maxLength")
        if limit is None:
            continue
        s.expect_status(s.submit(s.submission(**{field: of_length(limit)})), 200, f"{field} of {limit} characters")
        for length in (limit + 1, limit * 10):
            reply = s.submit(s.submission(**{field: of_length(length)}))
            s.expect_status(reply, 400, f"{field} of {length} characters")
            s.expect(field in reply.object, f"{field} too long: the answer names {sorted(reply.object)}")


def an_email_that_is_no_address_is_refused(s: Scenario) -> None:
    """Whatever else is right."""
    for email in ("nope", "nope@", "@example.com", "a b@example.com", "a@b@example.com", "jane.example.com"):
        reply = s.submit(s.submission(email=email))
        s.expect_status(reply, 400, f"the email {email!r}")
        s.expect("email" in reply.object, f"the email {email!r}: the answer names {sorted(reply.object)}")
    s.nothing_stored("of a submission with an email that is no address")


def a_longer_event_id_is_refused(s: Scenario) -> None:
    """One digit too many, and the form with dashes."""
    event_id = s.new_event_id()
    for value in (event_id + "0", dashed(event_id), event_id * 2):
        reply = s.submit(s.submission(value))
        s.expect_status(reply, 400, f"an event id of {len(value)} characters")
        s.expect("event_id" in reply.object, f"event id too long: the answer names {sorted(reply.object)}")


def a_malformed_event_id_is_refused(s: Scenario) -> None:
    """Or accepted: where the document allows it as well, that is a finding."""
    event_id = s.new_event_id()
    status = 400 if "pattern" in s.document.field_schemas["event_id"] else 200
    for value in (event_id[:-1], event_id.translate(NOT_HEX), event_id[:-1] + "g", f"not-hex-{event_id[:8]}"):
        reply = s.submit(s.submission(value))
        s.expect_status(reply, (status, *s.also("event-id-format")), f"the event id {value!r}")
        if reply.status != status:
            s.finding = "finding: a short or non-hexadecimal event id is accepted"


def the_last_of_equal_keys_or_a_refusal(s: Scenario) -> None:
    """A key that stands twice is never half taken."""
    body = s.submission()
    content = json.dumps(body)[:-1].encode() + b', "name": "Second"}'
    reply = s.submit(content)
    s.expect_status(reply, (200, 400), "a key that stands twice")
    if reply.status == 200:
        s.expect(reply.object.get("name") in ("Second", body["name"]), "neither value of a key that stands twice")


CHECKS = (
    Check("body-syntax", a_body_that_cannot_be_read_is_refused),
    Check("body-object", a_body_that_is_no_object_is_refused),
    Check("body-null", null_is_no_submission),
    Check("field-required", a_missing_field_is_named),
    Check("field-null", null_is_refused),
    Check("field-blank", blank_is_refused),
    Check("field-type", what_is_no_text_is_refused),
    Check("field-nul", a_nul_character_is_refused),
    Check("field-length", longer_than_allowed_is_refused),
    Check("email-format", an_email_that_is_no_address_is_refused),
    Check("event-id-length", a_longer_event_id_is_refused),
    Check("event-id-format", a_malformed_event_id_is_refused),
    Check("invalid-refused", the_last_of_equal_keys_or_a_refusal),
)
