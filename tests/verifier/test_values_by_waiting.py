"""Whole responses and the list are judged on a running clock: values, ids, issues and `dateCreated`."""

import json
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import pytest
from feedback_spec.document import Document
from feedback_spec.instants import SECOND, format_instant, parse_instant
from feedback_verify.exchange import Exchange, Request
from feedback_verify.realtime.clocks import Created, wrong_dates
from feedback_verify.realtime.draw import draw_plan
from feedback_verify.realtime.judge import dates
from feedback_verify.realtime.schedule import Listed, Played
from feedback_verify.realtime.values import judge_values
from feedback_verify.verdicts import Finding

from tests.played import AHEAD, Change, played, sound

CAPABLE = frozenset({"token", "dsn", "event", "aged-event", "aged-timestamp", "parallel"})
MINUTE = 60 * SECOND
WAIT = 31 * MINUTE
SETTLE = 5 * SECOND


def tracks(document: Document, change: Change = lambda body, _: body) -> list[Played]:
    """Everything played within the wait, by a server that decides correctly and responds with this change."""
    return played(document, draw_plan(document, CAPABLE, WAIT, seed=1), sound(document), change)


def violated(findings: list[Finding]) -> set[str]:
    """The rules that are broken."""
    return {each.rule for each in findings if each.violation}


def after(instant: int, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Change:
    """The change, for what is accepted this long after a track's start."""
    return lambda body, now: {**body, **change(body)} if now > instant and "id" in body else body


def test_sound_server_breaks_nothing_and_every_answer_is_counted(document: Document) -> None:
    """By the rules about whole responses."""
    all_played = tracks(document)
    findings = judge_values(document, all_played, dates(all_played, ()))

    assert violated(findings) == set()
    assert {each.rule for each in findings if each.observations} == {
        *("submission", "overwrite", "overwrite-same-record", "known-event", "unknown-event", "conflict-body")
    }


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("overwrite", lambda _: {"comments": "It broke!"}),
        ("overwrite-same-record", lambda body: {"id": body["id"] + "0"}),
        ("overwrite-same-record", lambda _: {"dateCreated": format_instant(AHEAD + 1)}),
        ("known-event", lambda _: {"issue": None}),
    ],
    ids=["old values", "another id", "another date", "the event became unknown"],
)
def test_answer_that_changes_with_time_is_seen(document: Document, rule: str, change: Callable[..., Any]) -> None:
    """Right within two minutes, wrong afterwards."""
    all_played = tracks(document, after(2 * MINUTE, change))

    assert rule in violated(judge_values(document, all_played, ()))


def test_event_that_was_never_known_is_not_said_to_be_forgotten(document: Document) -> None:
    """Saving events may be slow, or happen elsewhere."""
    all_played = tracks(document, lambda body, _: {**body, "issue": None} if "id" in body else body)

    assert violated(judge_values(document, all_played, ())) == set()


def test_refusal_without_a_text_is_seen(document: Document) -> None:
    """However late it comes."""
    change: Change = lambda body, now: {"error": "too late"} if "detail" in body and now > 10 * MINUTE else body  # noqa: E731

    assert violated(judge_values(document, tracks(document, change), ())) == {"conflict-body"}


# --- the list


def listing(all_played: list[Played], change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> Listed:
    """The list at the end, each entry as its feedback was last returned, changed; None leaves an entry out."""
    last = [
        [reply.object for reply in each.submissions if "id" in reply.object][-1:]
        for each in all_played
        if each.saved is not None
    ]
    entries = [entry for answers in last for answer in answers if (entry := change(answer)) is not None]
    foreign = {"eventID": "0" * 32, "name": "somebody else"}
    return Listed(WAIT + MINUTE, [foreign, *entries], whole=True, steps=(), settle=SETTLE)


@pytest.mark.parametrize(
    ("rules", "change"),
    [
        (set(), lambda entry: entry),
        ({"list", "conflict-changes-nothing"}, lambda _: None),
        ({"list", "conflict-changes-nothing"}, lambda entry: {**entry, "comments": "Something else."}),
    ],
    ids=["as answered", "nothing", "other values"],
)
def test_feedback_is_read_back_from_the_list(
    document: Document, rules: set[str], change: Callable[[dict[str, Any]], dict[str, Any] | None]
) -> None:
    """If the last responses were refusals, these have changed something."""
    all_played = tracks(document)

    assert violated(judge_values(document, all_played, (), listing(all_played, change))) == rules


def test_refused_feedback_that_is_listed_is_seen(document: Document) -> None:
    """A refusal that stores what it refuses."""
    all_played = tracks(document)
    refused = next(each for each in all_played if each.saved and not any("id" in r.object for r in each.submissions))
    listed = listing(all_played, lambda entry: entry)
    wrong = replace(listed, entries=[*listed.entries, {"eventID": refused.event_id, "name": "Jane Smith"}])

    assert violated(judge_values(document, all_played, (), wrong)) == {"conflict-changes-nothing"}


@pytest.mark.parametrize("listed_at", [0, WAIT + MINUTE])
def test_list_that_lags_or_ends_too_early_breaks_nothing(document: Document, listed_at: int) -> None:
    """What was just accepted may be missing, and so may anything after the pages that were read."""
    all_played = tracks(document)
    listed = Listed(listed_at, [], whole=listed_at == 0, steps=(), settle=SETTLE)

    assert violated(judge_values(document, all_played, (), listed)) == set()


# --- dateCreated


def created(told: int, sent: int, *, takes: int = 1000, date: int | None = None) -> Created:
    """A `dateCreated` of a submission sent at that time; `date` is the response's Date."""
    headers = {"date": formatdate((sent + AHEAD if date is None else date) // SECOND, usegmt=True)}
    reply = Exchange(Request("POST", "http://127.0.0.1:1/"), 200, headers, json.dumps({}).encode(), sent, sent + takes)
    return Created(format_instant(told), reply)


@pytest.mark.parametrize("off", [0, 7 * MINUTE, -3 * MINUTE, 400 * 86_400 * SECOND])
def test_clock_that_is_off_by_the_same_all_the_time_is_measured(off: int) -> None:
    """By minutes or, if somebody moved it, by years."""
    told = [created(at + AHEAD + off, at) for at in range(0, 30 * MINUTE, MINUTE)]

    assert wrong_dates(told, by_date=True) == []


def test_clock_of_whole_seconds_and_slow_answers_break_nothing() -> None:
    """Some responses take half a minute, and the clocks drift apart."""
    instants = range(0, 30 * MINUTE, 17 * SECOND + 1)
    told = [
        created((at + AHEAD + at // 11_000) // SECOND * SECOND, at, takes=30 * SECOND if number % 5 == 0 else 1000)
        for number, at in enumerate(instants)
    ]

    assert wrong_dates(told, by_date=True) == []


@pytest.mark.parametrize("off", [-10 * SECOND, 10 * SECOND, 3_600 * SECOND])
def test_date_that_the_measured_clock_did_not_show_is_seen(off: int) -> None:
    """One among many."""
    told = [created(at + AHEAD + (off if at == 5 * MINUTE else 0), at) for at in range(0, 30 * MINUTE, MINUTE)]

    ((wrong, why),) = wrong_dates(told, by_date=True)
    assert parse_instant(wrong.text) == 5 * MINUTE + AHEAD + off
    assert "the target's clock was between" in why


def test_date_that_stands_still_is_seen() -> None:
    """No clock explains one instant for all."""
    assert wrong_dates([created(AHEAD, at) for at in range(0, 30 * MINUTE, MINUTE)], by_date=True)


@pytest.mark.parametrize("by_date", [True, False])
def test_local_time_is_seen_where_the_answers_have_a_date(by_date: bool) -> None:
    """Two hours, as in Berlin in summer, presented as UTC."""
    told = [created(at + AHEAD + 7_200 * SECOND, at) for at in range(0, 30 * MINUTE, MINUTE)]

    assert bool(wrong_dates(told, by_date=by_date)) is by_date


@pytest.mark.parametrize(("later", "rules"), [(SETTLE - 1, set()), (SETTLE, {"list"})])
def test_list_may_lag_as_long_as_it_is_given(document: Document, later: int, rules: set[str]) -> None:
    """For feedback returned a microsecond less than that before the list was requested, or exactly as long."""
    all_played = [each for each in tracks(document) if each.saved is not None and "id" in each.submissions[-1].object]
    last = max(each.submissions[-1].received for each in all_played)
    listed = listing(all_played, lambda entry: entry)
    missing = next(each for each in all_played if each.submissions[-1].received == last)
    left = [entry for entry in listed.entries if entry["eventID"] != missing.event_id]
    lagging = replace(listed, sent=last + later, entries=left)

    assert violated(judge_values(document, all_played, (), lagging)) == rules
