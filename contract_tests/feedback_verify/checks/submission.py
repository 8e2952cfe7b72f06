"""The response to a submission, and what of it is stored."""

from typing import Any

from feedback_spec.profiles import DOCUMENTED

from feedback_verify.bodies import encode
from feedback_verify.checks.base import Check
from feedback_verify.scenario import CHANGED, VALUES, Scenario

TEXTS = (
    "Ünïcödé, 漢字 and العربية",
    "astral 😀 and combining e\u0301 versus é",
    'quotes " and \\ backslashes \\" and a / slash',
    "<script>alert('&amp;')</script> %20 {name} $HOME `id`",
    "two\nlines\r\nand a\ttab",
    "null",
    "0123456789" * 10_000,
    "two  spaces,   three,\n\n\nblank lines and \x0b\x0c\u0085\u2028 others",
    "...dots, (brackets), \u201cquotes\u201d \u2013 and an end?!...",
    "\\n, \\t, \\u0041, \\x41, \\0, \\' and \\\\, then one at the end: \\",
    "%s %d %n {0} {} ${name} $1 \\1 :name ? -- # /* */ // 100%",
    "invisible: \u200b \u200e \u202e \u00ad \ufeff \ufe0f \ue000 \U000e0061.",
    "alike: \u0130 \u0131 \u017f \xdf \u212a \ufb01 \xbd \uff21 \u2460 \u2026\xa0.",
    "&lt;b&gt; &#39; &nbsp; &eacute; https://example.com/?a=1&b=%41#c",
    "controls: \x01 \x1b[31m \x7f.",
    "white space at the end  \nof lines \t\r\n, and none here",
    "constructor",
    "😀" * 500,
)
DEPTH = 50  # of nested arrays: the parsers that have a limit allow at least this many
IN_FORMS = "1 + 1 = 2 & 50%25 ; a%2Bb &amp; %C3%A9?\r\nTwice."
EMAILS = (
    "a@example.com",
    "first.last+tag@sub.example.org",
    "o'neil@example.com",
    "1@example.com",
    "a-b_c@example.co",
    "jane@mail-1.example.photography",
    "jane@mail.dept.example.co.uk",
    "jane@xn--bcher-kva.example",
    "a!#$%&*/=?^`{|}~b@example.com",
)


def feedback_is_accepted_and_answered(s: Scenario) -> None:
    """The four fields of the page."""
    body = s.submission()
    reply = s.submit(body)
    s.expect_accepted(reply, "valid feedback")
    answered = {name: reply.object.get(name) for name in VALUES}
    s.expect(answered == VALUES, f"the response says {answered}, but {VALUES} was sent")
    s.expect(
        reply.object.get("eventID") == body["event_id"], f"the response's eventID is {reply.object.get('eventID')!r}"
    )


def ids_of_different_feedback_differ(s: Scenario) -> None:
    """Two events, two records."""
    first, second = s.accepted(s.submit()), s.accepted(s.submit())
    s.expect(first.get("id") != second.get("id"), f"feedback for two events has the same id, {first.get('id')!r}")


def feedback_for_an_unknown_event_has_no_issue(s: Scenario) -> None:
    """As in the page's own example."""
    reply = s.submit()
    s.expect_accepted(reply, "feedback for an unknown event")
    issue = reply.object.get("issue", "missing")
    s.expect(issue is None, f"the issue of an unknown event is {issue!r}, not null")


def feedback_for_a_known_event_has_its_issue(s: Scenario) -> None:
    """Any object will do: servers differ in its keys."""
    body = s.submission()
    s.save_event(body["event_id"])
    reply = s.submit(body)
    s.expect_accepted(reply, "feedback for a known event")
    s.expect(isinstance(reply.object.get("issue"), dict), f"the issue is {reply.object.get('issue')!r}, not an object")


def whatever_is_valid_is_accepted(s: Scenario) -> None:
    """The shortest and the longest values, and unusual addresses."""
    properties = s.document.field_schemas
    local = properties["email"]["maxLength"] - len("@example.com")
    emails = (*EMAILS, "a" * min(local, 64) + "@example.com")
    tried = [("email", email) for email in emails]
    for field in ("name", "comments"):
        shortest, longest = properties[field].get("minLength", 1), properties[field].get("maxLength", 5_000)
        tried += [(field, letter * length) for length in (shortest, shortest + 1, longest) for letter in "x😀"]
    for field, value in tried:
        reply = s.submit(s.submission(**{field: value}))
        s.expect_accepted(reply, f"valid feedback with {field} {value[:30]!r} of {len(value)} characters")
    for event_id in ("0" * 32, "f" * 32, "1" * 32) if s.target.sandboxes else ():
        s.expect_accepted(s.submit(s.submission(event_id)), f"valid feedback for the event {event_id}")


def upper_case_event_ids_are_the_same(s: Scenario) -> None:
    """Submitted in upper case, overwritten in lower case."""
    event_id = s.new_event_id()
    first = s.submit(s.submission(event_id.upper()))
    s.expect_accepted(first, "an event id in upper case")
    answered = first.object.get("eventID")
    s.expect(answered == event_id, f"the event id {event_id.upper()} is returned as {answered!r}")
    second = s.accepted(s.submit(s.submission(event_id, **CHANGED)), "the same id in lower case")
    s.expect(second.get("id") == first.object.get("id"), "the same event id in lower case created a second record")


def an_event_is_found_by_either_case(s: Scenario) -> None:
    """A known event, with its id sent in capitals."""
    event_id = s.new_event_id()
    s.save_event(event_id)
    plain = s.accepted(s.submit(s.submission(event_id)))
    s.given(plain.get("issue") is not None, "the event is not found by its unchanged id either")
    reply = s.accepted(s.submit(s.submission(event_id.upper())))
    s.expect(reply.get("issue") is not None, "an event is not found when its id is sent in upper case")


def white_space_around_values_is_cut_off(s: Scenario) -> None:
    """All four fields; lengths count what remains."""
    length = s.document.field_schemas["name"]["maxLength"]
    body = s.submission(name="  " + "n" * length + " \n", email="\t jane@example.com ", comments="\r\n It broke! ")
    reply = s.submit({**body, "event_id": f" {body['event_id']} "})
    s.expect_accepted(reply, "values surrounded by white space")
    for field, value in {"name": "n" * length, "email": "jane@example.com", "comments": "It broke!"}.items():
        s.expect(reply.object.get(field) == value, f"{field} is returned as {str(reply.object.get(field))[:60]!r}")
    s.expect(reply.object.get("eventID") == body["event_id"], "the event id is returned with its white space")


def values_are_kept_character_by_character(s: Scenario) -> None:
    """Texts that careless servers change."""
    longest = s.document.field_schemas["comments"].get("maxLength")
    longest_name = s.document.field_schemas["name"].get("maxLength")
    for text in (each[:longest] for each in TEXTS):
        body = s.submission(comments=text, name=text[:longest_name].strip())
        reply = s.submit(body)
        s.expect_accepted(reply, f"comments {text[:30]!r}")
        for field in ("name", "comments"):
            answered = str(reply.object.get(field))
            s.expect(answered == body[field], f"{field} {body[field][:50]!r} is returned as {answered[:50]!r}")
        if "records" in s.target.capabilities:
            stored = [each.get("comments") for each in s.records(body["event_id"])]
            s.expect(stored == [text], f"comments {text[:40]!r} are stored as {str(stored)[:60]}")


def forms_keep_values_character_by_character(s: Scenario) -> None:
    """Characters with a meaning in forms, and already encoded ones; if JSON keeps them."""
    for text in (each for each in (*TEXTS[:5], IN_FORMS) if len(each) < s.document.field_schemas["name"]["maxLength"]):
        body = s.submission(comments=text, name=text.strip())
        plain = s.accepted(s.submit(body))
        kept = all(plain.get(field) == body[field] for field in VALUES)
        s.given(kept, f"comments {text[:30]!r} are not kept in JSON either")
        for form in ("form", "sparing", "multipart", "typed"):
            encoded = encode({**body, "event_id": s.new_event_id()}, form)
            content = encoded.content
            if form == "sparing" and s.document.profile != DOCUMENTED:
                content = content.replace(b";", b"%3b")  # Python 2, and so Sentry 9.1, separates fields there
            reply = s.submit(content, form=encoded.media_type)
            s.expect_accepted(reply, f"comments {text[:30]!r} in {encoded.media_type}")
            for field in VALUES:
                answered = str(reply.object.get(field))
                s.expect(answered == body[field], f"in {encoded.media_type}, {field} is returned as {answered[:50]!r}")


def other_keys_are_ignored(s: Scenario) -> None:
    """Including those of the response, whatever JSON their values are."""
    deep: Any = 0.1
    for _ in range(DEPTH):
        deep = [deep]
    for value in (None, 10**30, "x", [1], {"a": "b"}, [True, -0.0, 1e300, deep]):
        others = dict.fromkeys(("tags", "url", "source", "user_id", "environment", "release", "contexts"), value)
        s.expect_accepted(s.submit({**s.submission(), **others}), f"feedback with other keys, each {value!r}")
    extra = {"id": "999999", "dateCreated": "1999-01-01T00:00:00Z", "issue": {}, "eventID": "x", "tags": [1], "user": 1}
    for user, event in ((1, None), ({"id": "1"}, {"id": "1", "eventID": "0" * 32})):
        reply = s.submit({**s.submission(), **extra, "user": user, "event": event})
        s.expect_accepted(reply, "feedback with other keys")
        s.expect(reply.object.get("user") is None, "the user was taken from the request")
        named = reply.object.get("event")
        s.expect(not isinstance(named, dict) or named.get("id") != "1", "the event was taken from the request")
    s.expect(reply.object.get("id") != "999999", "the id was taken from the request")
    s.expect(not str(reply.object.get("dateCreated")).startswith("1999"), "dateCreated was taken from the request")
    s.expect(reply.object.get("issue", 0) is None, "the issue was taken from the request")


def keys_like_those_of_the_fields_are_ignored(s: Scenario) -> None:
    """In another case, or by a name that the field has elsewhere."""
    alike: dict[str, Any] = {
        "EVENT_ID": s.new_event_id(),
        "Name": "Imposter",
        "EMAIL": "imposter@example.net",
        "Comments": "Imposed.",
    }
    alike["constructor"] = {"name": "Imposter"}
    synonyms: dict[str, Any] = {
        "eventId": s.new_event_id(),
        "message": "Imposed.",
        "user_email": "imposter@example.net",
    }
    for others in (alike, synonyms):
        body = s.submission()
        reply = s.submit({**body, **others})
        s.expect_accepted(reply, f"feedback that also has the keys {', '.join(others)}")
        answered = {name: reply.object.get(name) for name in VALUES} | {"event_id": reply.object.get("eventID")}
        s.expect(answered == body, f"with the keys {', '.join(others)}, the response says {answered}, not {body}")


def projects_in_the_body_are_ignored(s: Scenario) -> None:
    """Only the path says where feedback belongs."""
    other = s.other_project()
    s.accepted(s.submit())
    s.given(not s.records(project=other), "feedback of one project is stored in another without being named there")
    number = other.credentials["dsn"].secret.rpartition("/")[2]
    named = {
        "project": other.slug,
        "project_slug": other.slug,
        "project_id": number,
        "organization": other.organization,
    }
    s.expect_accepted(s.submit({**s.submission(), **named}), "feedback that also names another project")
    s.nothing_stored("in a project that only the body names", project=other)
    s.expect(len(s.records()) == 2, "feedback that also names another project is not stored in its own")


CHECKS = (
    Check("submission", feedback_is_accepted_and_answered),
    Check("submission", ids_of_different_feedback_differ),
    Check("response-schema", feedback_is_accepted_and_answered),
    Check("valid-accepted", whatever_is_valid_is_accepted),
    Check("known-event", feedback_for_a_known_event_has_its_issue),
    Check("unknown-event", feedback_for_an_unknown_event_has_no_issue),
    Check("event-id-case", upper_case_event_ids_are_the_same),
    Check("event-id-case", an_event_is_found_by_either_case, ("event",)),
    Check("trimmed", white_space_around_values_is_cut_off),
    Check("exact-values", values_are_kept_character_by_character),
    Check("form-bodies", forms_keep_values_character_by_character),
    Check("unknown-keys", other_keys_are_ignored),
    Check("unknown-keys", keys_like_those_of_the_fields_are_ignored),
    Check("unknown-keys", projects_in_the_body_are_ignored, ("second-project", "records")),
)
