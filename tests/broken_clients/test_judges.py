"""The time rules for clients, at their limits and a microsecond past them, on hand-made episodes."""

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from feedback_spec.document import SUBMIT, load
from feedback_spec.instants import SECOND
from feedback_verify.clients.episode import LOST, Attempt, Episode, attempts_of, secrets_of
from feedback_verify.clients.judges import JUDGES, findings
from feedback_verify.clients.judges.case import Case
from feedback_verify.clients.situations import PLAIN, Situation, situations

DOCUMENT = load()
BODY = '{"event_id":"7167980ca1db42cdba8d5284e7f81c66","name":"Jane","email":"jane@example.com","comments":"It broke!"}'
GIVEN = json.loads(BODY)
LOST_AFTER = {"phase": "after", "effect": {"connection": "EMPTY_RESPONSE"}}
START = 1_700_000_000 * SECOND
EARLY = 20_000
SECRET = "0123456789abcdef0123456789abcdef"


def attempt(number: int, at: int, status: int = 200, took: int = 0, **more: Any) -> Attempt:
    """A submission this many microseconds after the start."""
    plain = Attempt(
        number=number,
        method="POST",
        url="http://127.0.0.1:1/api/0/projects/clients/play-1/user-feedback/",
        headers=(("authorization", "Bearer 0123456789"), ("content-type", "application/json")),
        body=BODY,
        status=status,
        answer_headers={},
        answer='{"id": "1"}',
        operation=SUBMIT,
        now=START + at,
        sent=START + at,
        answered=START + at + took,
    )
    return replace(plain, **more)


def judged(rule: str, *attempts: Attempt, situation: str = PLAIN, usual: str = "", **more: Any) -> bool | None:
    """Whether the rule holds; None if that is open. `usual` is what the client says if everything works."""
    known: Mapping[str, Situation] = situations(DOCUMENT)
    plain = Episode(PLAIN, [attempt(1, 0)], given=GIVEN, errors=usual)
    facts = {"over": attempts[-1].answered if attempts else START, "told_time": True, "given": GIVEN, **more}
    case = Case(Episode(situation, attempts, **facts), DOCUMENT, DOCUMENT.client_rules, plain, known[situation])
    said = [each for each in findings(case) if each.rule == rule]
    if any(each.violation for each in said):
        return False
    return True if any(each.observations for each in said) else None


def recorded(rule: str, *attempts: Attempt, secrets: Sequence[str] = ()) -> bool | None:
    """The same for a recording."""
    case = Case(Episode("x.har", attempts, secrets=secrets, recorded=True), DOCUMENT, DOCUMENT.client_rules)
    said = [each for each in findings(case) if each.rule == rule]
    if any(each.violation for each in said):
        return False
    return True if any(each.observations for each in said) else None


def test_what_shows_a_rule_shares_its_requests_with_all_that_does() -> None:
    """A recording of 3,000 requests once took all memory: each finding had copies of all the requests before it."""
    attempts = [attempt(number, number * SECOND, body=BODY.replace("7167", f"{number:04}")) for number in range(1, 300)]
    case = Case(Episode("x.har", attempts, recorded=True), DOCUMENT, DOCUMENT.client_rules)
    steps = [each.steps for each in findings(case) if each.steps]

    assert len(steps) > len(attempts)
    assert len({id(step) for each in steps for step in each}) == len(max(steps, key=len)) == 2 * len(attempts) - 1


def test_each_rule_for_clients_of_the_document_is_judged_and_no_other() -> None:
    assert set(JUDGES) == set(DOCUMENT.client_rules)


@pytest.mark.parametrize(("beyond", "holds"), [(0, True), (1, False)])
@pytest.mark.parametrize("window", DOCUMENT.mutability.windows, ids=lambda window: window.rule)
def test_a_retry_is_late_from_the_microsecond_after_the_window(window: Any, beyond: int, holds: bool) -> None:
    fault = LOST_AFTER if window.base.startswith("feedback") else {**LOST_AFTER, "phase": "before"}
    first = attempt(1, 0, LOST, fault=fault)
    again = attempt(2, window.limit + beyond, LOST, fault=fault)

    assert judged("retry-in-window", first, again, situation="down-after") is holds


@pytest.mark.parametrize(("early", "holds"), [(EARLY, True), (EARLY + 1, False)])
@pytest.mark.parametrize(("status", "rule"), [(429, "retry-after-429"), (503, "retry-after-503")])
def test_retry_after_counts_from_the_answer(status: int, rule: str, early: int, holds: bool) -> None:
    busy = attempt(1, 0, status, took=1000, answer_headers={"retry-after": "60"})
    again = attempt(2, 60 * SECOND + 1000 - early)

    assert judged(rule, busy, again, situation="limited") is holds


@pytest.mark.parametrize(
    ("said", "rule"), [("60", "retry-after-429"), ("Tue, 14 Nov 2023 22:14:20 GMT", "retry-after-date")]
)
@pytest.mark.parametrize(("early", "holds"), [(EARLY, True), (EARLY + 1, False)])
def test_a_recorded_client_may_wait_while_the_clock_of_its_project_is_frozen(
    said: str, rule: str, early: int, holds: bool
) -> None:
    """It waits by its own clock, which the recording has beside that of the project."""
    busy = attempt(1, 0, 429, took=1000, answer_headers={"retry-after": said})
    again = replace(attempt(2, 60 * SECOND + 1000 * (rule == "retry-after-429") - early), now=busy.now)

    assert judged(rule, busy, again, recorded=True) is holds


@pytest.mark.parametrize(("early", "holds"), [(EARLY, True), (EARLY + 1, False)])
def test_retry_after_with_a_date_names_that_instant(early: int, holds: bool) -> None:
    busy = attempt(1, 0, 503, answer_headers={"retry-after": "Tue, 14 Nov 2023 22:14:00 GMT"})
    again = attempt(2, 40 * SECOND - early)

    assert judged("retry-after-date", busy, again, situation="busy-date") is holds


@pytest.mark.parametrize(("step", "holds"), [(SECOND // 10, True), (SECOND // 10 - 1, False)])
def test_ten_times_in_a_second_are_not_too_many_and_eleven_are(step: int, holds: bool) -> None:
    tries = [attempt(number, number * step, LOST, fault=LOST_AFTER) for number in range(11)]

    assert judged("retry-pace", *tries, situation="down-after") is holds


@pytest.mark.parametrize(("count", "holds"), [(30, True), (31, False)])
def test_thirty_times_are_not_too_many(count: int, holds: bool) -> None:
    tries = [attempt(number, number * SECOND, LOST, fault=LOST_AFTER) for number in range(count)]

    assert judged("retry-bounded", *tries, situation="down-after") is holds


@pytest.mark.parametrize(("beyond", "holds"), [(0, True), (1, False)])
def test_an_answer_is_waited_for_a_minute(beyond: int, holds: bool) -> None:
    waiting = attempt(1, 0, LOST, fault={"phase": "before", "effect": {"delay": "until_released"}})

    assert judged("slow-answer", waiting, situation="no-answer", over=START + 60 * SECOND + beyond) is holds


@pytest.mark.parametrize(
    ("status", "rule"), [(409, "conflict-final"), (400, "invalid-final"), (413, "too-large-final")]
)
def test_what_was_on_its_way_before_the_refusal_came_is_not_sent_again(status: int, rule: str) -> None:
    refused = attempt(1, 0, status, took=SECOND)

    assert judged(rule, refused, attempt(2, SECOND - 1, status)) is True
    assert judged(rule, refused, attempt(2, SECOND, status)) is False


def test_a_client_that_does_not_know_the_time_is_not_blamed_for_being_late() -> None:
    window = next(each for each in DOCUMENT.mutability.windows if each.base.startswith("feedback"))
    held = {"phase": "after", "effect": {"delay": "until_released", "connection": "EMPTY_RESPONSE"}}
    tries = attempt(1, 0, LOST, fault=held), attempt(2, window.limit + SECOND, 409, rule=window.rule)
    situation = f"late-{window.rule}"

    assert judged("retry-in-window", *tries, situation=situation, told_time=False) is None
    assert judged("retry-in-window", *tries, situation=situation, told_time=True) is False


@pytest.mark.parametrize(("kind", "went_by_status"), [("MALFORMED_RESPONSE_CHUNK", None), ("EMPTY_RESPONSE", False)])
def test_a_client_may_go_by_a_status_of_success_although_the_rest_is_lost(
    kind: str, went_by_status: bool | None
) -> None:
    lost = attempt(1, 0, LOST, fault={"phase": "after", "effect": {"connection": kind}})

    for rule in ("retry-lost", "reports-outage"):
        assert judged(rule, lost, situation="lost-after-malformed", exit_code=0) is went_by_status
    assert judged("retry-lost", lost, situation="lost-after-malformed", exit_code=1) is False


@pytest.mark.parametrize(
    ("usual", "errors", "holds"),
    [
        ("", "", False),
        ("", "not delivered", True),
        ("sending\ndone in 9 ms", "sending\ndone in 1204 ms", False),
        ("done: 7167980ca1db42cdba8d5284e7f81c66", "done: 0b2f980c-a1db-42cd-ba8d-5284e7f81c66", False),
        ("to http://127.0.0.1:1/a/play-1/ by Jane", "to http://127.0.0.1:1/a/play-9/ by Jane", False),
        ("sending\ndone", "sending", False),
        ("the server said 200", "the server said 409", True),
        ("the server said 200", "the server said 500", False),
    ],
)
def test_a_client_reports_by_what_it_does_not_say_otherwise(usual: str, errors: str, holds: bool) -> None:
    refused = attempt(1, 0, 409)

    assert judged("reports-refusal", refused, situation="late-event-window", usual=usual, errors=errors) is holds


@pytest.mark.parametrize(("body", "holds"), [(BODY, True), (BODY.replace("broke", "works"), False), ("{", None)])
def test_what_overwrites_the_feedback_has_its_values_too(body: str, holds: bool | None) -> None:
    first = attempt(1, 0, body=BODY if holds is not None else body)

    assert judged("values", first, attempt(2, 1, body=body), situation="texts") is holds


@pytest.mark.parametrize(("beyond", "holds"), [(0, None), (1, False)])
def test_a_recording_that_ends_before_the_window_is_over_shows_no_missing_retry(
    beyond: int, holds: bool | None
) -> None:
    window = next(each for each in DOCUMENT.mutability.windows if each.base.startswith("feedback"))
    lost = attempt(1, 0, LOST)
    other = attempt(2, window.limit + beyond, body=BODY.replace("7167", "0000"))
    seen = [replace(lost, pending=True), other], [lost, other]

    assert [recorded("retry-lost", *each) for each in seen] == [None, holds]


def test_a_recording_shows_what_was_refused_as_late_by_its_status_alone() -> None:
    limit = min(window.limit for window in DOCUMENT.mutability.windows)
    lost, late = attempt(1, 0, LOST), attempt(2, limit + 1, 409)

    assert recorded("retry-in-window", lost, late) is False
    assert recorded("retry-in-window", lost, replace(late, now=START + limit)) is None


def test_a_recording_shows_a_missing_slash_and_nothing_about_other_paths() -> None:
    sent = attempt(1, 0)

    assert recorded("endpoint", sent, replace(sent, operation=None, url=sent.url.rstrip("/"))) is False
    assert recorded("endpoint", sent, replace(sent, operation=None, url="http://127.0.0.1:1/style.css")) is True


@pytest.mark.parametrize(("where", "holds"), [("?t=", False), ("", True)])
def test_a_recording_has_the_secrets_of_its_own_headers(where: str, holds: bool) -> None:
    sent = attempt(1, 0, headers=(("Authorization", f"Bearer {SECRET}"),))
    redacted = attempt(1, 0, headers=(("Authorization", "Bearer [redacted]"),))
    places = [replace(sent, url=f"{sent.url}{where}{SECRET if where else ''}")]
    hidden = [replace(redacted, url=f"{sent.url}{where}{'%5Bredacted%5D' if where else ''}")]

    assert secrets_of(places) == [SECRET]
    assert secrets_of(hidden) == []
    assert recorded("secret-in-header", *places, secrets=[SECRET]) is holds
    assert recorded("secret-in-header", *hidden) is (False if where else None)


def test_of_a_dsn_only_the_key_is_secret() -> None:
    """Its second half may be in a URL as well."""
    dsn = f"https://{SECRET}@a-long-name-of-a-host.ingest.us.example.com/4505398234"

    assert secrets_of([attempt(1, 0, headers=(("authorization", f"DSN {dsn}"),))]) == [SECRET]


@pytest.mark.parametrize(("origin", "headers", "holds"), [("x", 1, False), ("x", 0, True), ("127.0.0.1:1", 1, None)])
def test_a_recording_shows_where_a_redirect_was_followed_to(origin: str, headers: int, holds: bool | None) -> None:
    sent = attempt(1, 0, 307, answer_headers={"location": f"http://{origin}/there"})
    again = attempt(2, 1, url=f"http://{origin}/there", headers=sent.headers[:headers])

    assert recorded("secret-elsewhere", sent, again) is holds


PART = '--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
MULTIPART = "".join(PART % pair for pair in GIVEN.items()) + "--x--\r\n"


@pytest.mark.parametrize(
    ("media_type", "body", "is_valid"),
    [
        ("application/json", BODY, True),
        ("application/json", BODY.replace("jane@", ""), False),
        ("application/json", BODY[:-1], False),
        ("application/json", '{"event_id":1}', False),
        ("application/x-www-form-urlencoded", urlencode(GIVEN), True),
        ("application/x-www-form-urlencoded", urlencode(GIVEN).replace("name=", "title="), False),
        ("multipart/form-data; boundary=x", MULTIPART, True),
        ("multipart/form-data; boundary=x", MULTIPART.replace("jane@", ""), False),
    ],
)
def test_a_recorded_body_is_held_against_the_schema_where_the_server_agrees(
    media_type: str, body: str, is_valid: bool
) -> None:
    """A server with another profile may accept what the page does not allow, and refuse what it does."""

    def seen(status: int) -> bool | None:
        entry = _entry("2026-01-01T00:00:00Z", status=status, body=body, media_type=media_type)
        return recorded("valid-body", *attempts_of([entry], DOCUMENT))

    assert seen(200) is (True if is_valid else None)
    assert seen(400) is (None if is_valid else False)
    assert seen(409) is (True if is_valid else None)


def test_what_the_mock_says_of_a_body_counts() -> None:
    """It knows all of one that is shown in part."""
    entry = _entry("2026-01-01T00:00:00Z", body=BODY[:-9])
    problem = {"pointer": "/body/name", "detail": "type"}

    for valid, problems, holds in ((True, [], True), (False, [problem], False), (None, [], None)):
        told = {"_feedback": {"operation": SUBMIT, "request": {"valid": valid, "problems": problems}}}
        assert recorded("valid-body", *attempts_of([{**entry, **told}], DOCUMENT)) is holds


def test_entries_of_a_browser_are_in_the_order_in_which_they_were_sent() -> None:
    """A HAR file may have them in any order, and a journal has its own, by its numbers."""
    browser = [_entry(at) for at in ("2026-01-01T00:00:05Z", "2026-01-01T00:00:00Z")]
    journal = [{**each, "_feedback": {"number": 7 + place}} for place, each in enumerate(browser)]

    assert [each.number for each in attempts_of(journal, DOCUMENT)] == [7, 8]
    seen = attempts_of(browser, DOCUMENT)
    assert [each.number for each in seen] == [1, 2]
    assert seen[0].sent < seen[1].sent


def _entry(at: str, status: int = 200, body: str | None = None, media_type: str = "") -> dict[str, Any]:
    path = urlsplit(attempt(1, 0).url).path
    request = {
        "method": "POST",
        "url": f"https://sentry.example{path}",
        "headers": [{"name": "Content-Type", "value": media_type}],
        "postData": {"mimeType": media_type, "text": body} if body else None,
    }
    return {
        "startedDateTime": at,
        "time": 0,
        "request": request,
        "response": {"status": status, "headers": [], "content": {}},
    }


def test_what_is_not_kept_of_the_output_may_contain_a_secret() -> None:
    assert judged("secret-printed", attempt(1, 0), secrets=[SECRET], cut=True) is None
    assert judged("secret-printed", attempt(1, 0), secrets=[SECRET], cut=True, output=SECRET) is False


@pytest.mark.parametrize(("shown", "holds"), [(SECRET[:16], False), (SECRET[16:], False), (SECRET[:15], True)])
def test_half_of_a_secret_is_too_much(shown: str, holds: bool) -> None:
    assert judged("secret-printed", attempt(1, 0), secrets=[SECRET], output=f"{shown}…") is holds


def test_a_client_that_has_sent_nothing_yet_may_only_be_slow() -> None:
    assert judged("ends", situation="limited", ended="after 20 s") is None
    assert judged("ends", attempt(1, 0), situation="limited", ended="20 s after its first request") is False


def test_what_a_browser_sends_by_itself_has_no_credentials() -> None:
    plain: dict[str, Any] = {"operation": "listUserFeedback", "headers": (), "body": None}
    sent = attempt(1, 0)

    assert judged("authorization", sent, attempt(2, 1, 204, method="OPTIONS", **plain)) is True
    assert judged("authorization", sent, attempt(2, 1, 401, method="HEAD", **plain)) is False


@pytest.mark.parametrize(("status", "holds"), [(200, None), (401, False)])
def test_credentials_that_a_recording_lacks_were_sent_if_they_were_accepted(status: int, holds: bool | None) -> None:
    assert judged("authorization", attempt(1, 0, status, headers=()), recorded=True) is holds


@pytest.mark.parametrize("before", ["", "a", "ab"])
def test_a_secret_in_base64_is_found_wherever_it_stands(before: str) -> None:
    encoded = b64encode(f"{before}{SECRET}:more".encode()).decode()

    assert judged("secret-printed", attempt(1, 0), secrets=[SECRET], errors=f"Basic {encoded}") is False
    assert judged("secret-printed", attempt(1, 0), secrets=[SECRET[::-1]], errors=f"Basic {encoded}") is True
