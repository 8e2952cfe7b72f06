"""GET on the same path."""

from typing import Any

from feedback_spec.instants import SECOND
from feedback_spec.profiles import DOCUMENTED
from feedback_spec.rules import Base

from feedback_verify.checks.base import Check
from feedback_verify.exchange import Exchange
from feedback_verify.scenario import VALUES, Scenario, entries


def _own(s: Scenario, reply: Exchange) -> list[str]:
    """The scenario's own event ids in a list, in order: a project may contain more than this scenario created."""
    return [each["eventID"] for each in entries(reply) if each["eventID"] in s.made_ids]


def _expect_order(s: Scenario, reply: Exchange, expected: list[str], what: str) -> None:
    """Expects the scenario's own feedback in this order; in any order if no clock was moved and dates are equal."""
    own = _own(s, reply)
    dates = [each.get("dateCreated") for each in entries(reply) if each["eventID"] in s.made_ids]
    if "clock" not in s.target.capabilities and len(set(map(str, dates))) < len(dates):
        own, expected = sorted(own), sorted(expected)
    s.expect(own == expected, f"{what} {own}, expected {expected}")


def _submitted(s: Scenario, count: int = 1, **event: Any) -> list[str]:
    """Feedback for this many saved events, one second apart; returns their ids in that order."""
    ids = []
    for _ in range(count):
        event_id = s.new_event_id()
        s.save_event(event_id, **event)
        s.accepted(s.submit(s.submission(event_id)))
        if "clock" in s.target.capabilities:
            s.advance(SECOND)
        ids.append(event_id)
    return ids


def feedback_is_listed_newest_first(s: Scenario) -> None:
    """The same objects as in the responses to submissions."""
    ids = _submitted(s, 2)
    last = s.submission()
    s.save_event(last["event_id"])
    stored = s.accepted(s.submit(last))
    reply = s.listing()
    s.expect_listed(reply, "GET")
    expected = [last["event_id"], *reversed(ids)]
    _expect_order(s, reply, expected, "newest first, the list is")
    listed = next(each for each in entries(reply) if each["eventID"] == last["event_id"])
    # What the document does not describe may be another each time, such as the id of a request.
    known = {each.name for each in s.document.submit.responses[str(s.document.submit.success)].fields}
    # If time passes, a known event's issue may change between two responses.
    names = stored.keys() & known if "clock" in s.target.capabilities else {*VALUES, "id", "eventID", "dateCreated"}
    same = all(listed.get(name) == stored.get(name) for name in names)
    s.expect(same, "the listed object is not the one that submitting returned")


def a_reading_token_may_list(s: Scenario) -> None:
    """Every scope that the document names."""
    ids = _submitted(s)
    for kind in ("read", "admin"):
        if kind in s.project.credentials:
            reply = s.listing(by=kind)
            s.expect_listed(reply, f"GET with a token of the kind {kind}")
            s.expect(_own(s, reply) == ids, f"the list is {_own(s, reply)}, but {ids} are stored")


def an_overwrite_moves_nothing(s: Scenario) -> None:
    """Overwritten feedback is listed once, in its old place; in front if an overwrite changes `dateCreated`."""
    ids = _submitted(s, 2)
    before = {each["eventID"]: each for each in entries(s.listing())}
    overwritten = s.accepted(s.submit(s.submission(ids[0], name="John Doe")))
    s.given(overwritten.get("name") == "John Doe", "an overwrite replaces nothing")
    moves = s.behaviour.date_created is Base.LAST_SUBMITTED
    kept = overwritten.get("dateCreated") == before.get(ids[0], {}).get("dateCreated")
    s.given(kept or moves, "an overwrite moves the date")
    reply, expected = s.listing(), ids if moves else ids[::-1]
    _expect_order(s, reply, expected, "after an overwrite, the list is")
    listed: dict[str, Any] = next((each for each in entries(reply) if each["eventID"] == ids[0]), {})
    s.expect(listed.get("name") == "John Doe", "the list does not have the overwritten name")


def feedback_for_unknown_events_is_not_listed(s: Scenario) -> None:
    """Until the event is saved."""
    body = s.submission()
    s.accepted(s.submit(body))
    known = _submitted(s)
    listed = _own(s, s.listing())
    s.expect(listed == known, f"the list is {listed}, but the known events are {known}")
    s.save_event(body["event_id"])
    later = _own(s, s.listing())
    s.expect(sorted(later) == sorted([*known, body["event_id"]]), "feedback is not listed after its event was saved")


def resolved_issues_are_listed_on_request_only(s: Scenario) -> None:
    """`?status=` lists all; any other status is an error."""
    resolved, unresolved = _submitted(s, issue_status="resolved"), _submitted(s)
    for query, expected in (("", unresolved), ("status=unresolved", unresolved), ("status=", unresolved + resolved)):
        reply = s.listing(query)
        s.expect_listed(reply, f"GET ?{query}")
        listed = _own(s, reply)
        s.expect(sorted(listed) == sorted(expected), f"GET ?{query} lists {listed}, expected {expected}")
    for wrong in ("nonsense", "resolved", "UNRESOLVED"):
        s.expect_status(s.listing(f"status={wrong}"), s.refusals("list-status"), f"GET ?status={wrong}")


def an_environment_lists_its_own(s: Scenario) -> None:
    """By exact name; the empty name means the events without one."""
    production, plain = _submitted(s, environment="production"), _submitted(s)
    cases = {
        "environment=production": production,
        "environment=": plain,
        **{f"environment={name}": [] for name in ("nowhere", "Production", "PRODUCTION", "production%20", "product")},
        "environment=constructor": [],
        "": plain + production,
    }
    for query, expected in cases.items():
        reply = s.listing(query)
        s.expect_listed(reply, f"GET ?{query}")
        s.expect(
            sorted(_own(s, reply)) == sorted(expected), f"GET ?{query} lists {_own(s, reply)}, expected {expected}"
        )


def a_page_size_out_of_range_is_refused(s: Scenario) -> None:
    """The document's smallest and largest size, and one beyond; nothing that is not a number."""
    parameters = {each.name: each for each in s.document.listing.parameters}
    schema = parameters["per_page"].schema
    for size in (schema["minimum"], schema["maximum"]):
        s.expect_listed(s.listing(f"per_page={size}"), f"GET ?per_page={size}")
    refused = s.refusals("list-pages")
    s.expect_status(s.listing(f"per_page={schema['maximum'] + 1}"), refused, f"GET ?per_page={schema['maximum'] + 1}")
    for wrong in (schema["minimum"] - 1, schema["minimum"] - 2, "ten", "1.5"):
        reply = s.listing(f"per_page={wrong}")
        if reply.status == s.document.listing.success and s.document.profile != DOCUMENTED:
            s.finding = f"remark: GET ?per_page={wrong} is accepted"  # never tested on a real server
        else:
            s.expect_status(reply, refused, f"GET ?per_page={wrong}")


def a_cursor_of_nonsense_is_refused(s: Scenario) -> None:
    """Neither a server error nor the first page; the same for near-cursors."""
    refused = s.refusals("list-cursor")
    for cursor in ("x", "1:2", "a:b:c"):
        s.expect_status(s.listing(f"cursor={cursor}"), refused, f"GET ?cursor={cursor}")
    for cursor in ("0:0:2", "0:0:0:0", "0:0:0x", "x0:0:0", "0::0", "0:-1:0", f"0:{'9' * 16}:0"):
        reply = s.listing(f"cursor={cursor}")
        if reply.status == s.document.listing.success and s.document.profile != DOCUMENTED:
            s.finding = f"remark: GET ?cursor={cursor} is accepted"  # never tested on a real server
        else:
            s.expect_status(reply, refused, f"GET ?cursor={cursor}")


def a_dsn_may_not_list(s: Scenario) -> None:
    """It may only submit; without credentials, a list is refused as well."""
    for query in ("", "status=", "per_page=1&cursor=0:0:0"):
        reply = s.listing(query, by="dsn")
        s.expect_status(reply, s.refusals("list-credentials"), f"GET{' ?' if query else ''}{query} with a DSN")
    s.expect_status(s.listing(by="none"), s.refusals("credentials-required"), "GET without credentials")


CHECKS = (
    Check("list", feedback_is_listed_newest_first),
    Check("list", a_reading_token_may_list, ("read-token",)),
    Check("list", an_overwrite_moves_nothing),
    Check("list-known-events", feedback_for_unknown_events_is_not_listed),
    Check("list-status", resolved_issues_are_listed_on_request_only),
    Check("list-environment", an_environment_lists_its_own),
    Check("list-pages", a_page_size_out_of_range_is_refused),
    Check("list-cursor", a_cursor_of_nonsense_is_refused),
    Check("list-credentials", a_dsn_may_not_list),
)
