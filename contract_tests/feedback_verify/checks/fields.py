"""What fields may contain, apart from single refusals, which are in `arrays.refusals`."""

import json
from collections.abc import Callable
from typing import Any

from feedback_verify.arrays.refusals import FIELDS
from feedback_verify.checks.base import Check
from feedback_verify.scenario import Scenario


def all_failing_fields_are_named(s: Scenario) -> None:
    """All fields missing, then two empty, then each wrong for a reason of its own."""
    body, limit = s.submission(), s.document.field_schemas["name"]["maxLength"]
    each_its_own = {"event_id": f"{body['event_id']}0", "name": "n" * (limit + 1), "email": "nope", "comments": ""}
    two = {**body, "name": "", "email": ""}
    for sent, wrong in (({}, FIELDS), (two, ("name", "email")), (each_its_own, FIELDS)):
        reply, refused = s.submit(sent), s.refusals("field-required")
        s.expect_status(reply, refused, f"a submission with nothing right in {', '.join(wrong)}")
        unnamed = {name: value for name, value in sent.items() if name in wrong and name not in reply.object}
        if any(s.submit({**body, name: value}).status not in refused for name, value in unnamed.items()):
            return  # What is accepted alone breaks a rule of its own.
        named = [name for name in FIELDS if name in reply.object]
        s.expect(sorted(named) == sorted(wrong), f"{list(wrong)} are wrong, but the response names {named}")
    s.nothing_stored("of a submission with missing or empty fields")


def a_number_is_taken_as_text(s: Scenario) -> None:
    """If the document's server does that; no number is an email."""
    values: dict[str, tuple[Any, ...]] = {"object": ({},), "array": (["x"],), "boolean": (True,), "number": (1, 1.5)}
    for value in (value for kind, each in values.items() if kind in s.behaviour.coerce for value in each):
        for field in ("name", "comments"):
            reply = s.submit(s.submission(**{field: value}))
            s.expect_accepted(reply, f"{field} {json.dumps(value)}")
            answered = reply.object.get(field)
            s.expect(isinstance(answered, str), f"{field} {json.dumps(value)} is returned as {answered!r}")
        reply = s.submit(s.submission(email=value))
        s.expect_status(reply, s.refusals("email-format"), f"email {json.dumps(value)}")


def the_longest_allowed_is_accepted(s: Scenario) -> None:
    """In characters, not in bytes."""
    make: dict[str, Callable[[int], str]] = {
        "name": lambda length: "ñ" * length,
        "email": lambda length: "e@" + "d." * ((length - 6) // 2) + "example"[: 4 + length % 2],
        "comments": lambda length: "漢" * length,
    }
    for field, of_length in make.items():
        limit = s.document.field_schemas[field].get("maxLength")
        if limit is not None:
            s.expect_accepted(s.submit(s.submission(**{field: of_length(limit)})), f"{field} of {limit} characters")


def a_malformed_event_id_is_accepted(s: Scenario) -> None:
    """If the document has no pattern for it; otherwise it is one of the refusals."""
    event_id = s.new_event_id()
    if "pattern" in s.document.field_schemas["event_id"]:
        return
    for value in (event_id[:-1], f"{event_id[:-1]}g", f"not-hex-{event_id[:8]}"):
        s.expect_accepted(s.submit(s.submission(value)), f"the event id {value!r}")


def the_last_of_equal_keys_or_a_refusal(s: Scenario) -> None:
    """A duplicate key is never half accepted."""
    body = s.submission()
    content = json.dumps(body)[:-1].encode() + b', "name": "Second"}'
    reply = s.submit(content)
    s.expect_status(reply, (*s.document.accepting, *s.refusals("body-syntax")[:1]), "a duplicate key")
    if reply.status in s.document.accepting:
        s.expect(reply.object.get("name") in ("Second", body["name"]), "the name is neither of the two that were sent")


CHECKS = (
    Check("field-required", all_failing_fields_are_named),
    Check("field-type", a_number_is_taken_as_text),
    Check("field-length", the_longest_allowed_is_accepted),
    Check("event-id-format", a_malformed_event_id_is_accepted),
    Check("invalid-refused", the_last_of_equal_keys_or_a_refusal),
)
