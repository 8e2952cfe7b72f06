"""A correct server stays correct behind any proxy: nothing is violated, nothing is left undecided.

Only a few inexpensive rules are tested here; `make fronts` (FRONTS=all) tests all of them with every proxy.
"""

import os
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from feedback_spec.document import Document, load
from feedback_verify import histories
from feedback_verify.histories import DIFFERENT
from feedback_verify.preflight import look
from feedback_verify.run import Run
from feedback_verify.targets import ControlTarget
from feedback_verify.verdicts import Result, Verdict
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Scope

from tests.broken.server import HEADERS, Implementation, Record
from tests.broken.serving import serving
from tests.fronts import fronts

ALL = os.environ.get("FRONTS") == "all"
FEWER = frozenset({"preflight", "list-status"})
FEW = FEWER | {"head", "field-required", "response-headers"}


@pytest.fixture(scope="module")
def document() -> Document:
    """The unchanged document."""
    return load()


def judged(url: str, document: Document, rules: frozenset[str] | None) -> tuple[ControlTarget, dict[str, Result]]:
    """The measurements, and the verdicts wanted."""
    with ControlTarget(url, url) as target:
        target.settling.longest = 5.0
        look(target, document)
        results = Run(document, target, seed=1, rules=rules, depth="quick").execute()
    return target, {rule: each for rule, each in results.items() if rules is None or rule in rules}


def verified(url: str, document: Document, rules: frozenset[str] = FEW) -> tuple[ControlTarget, dict[str, Result]]:
    """The same, but each verdict must be `verified`."""
    target, results = judged(url, document, None if ALL else rules)

    assert {rule: each.detail for rule, each in results.items() if each.verdict is not Verdict.VERIFIED} == {}
    return target, results


FRONTS = {
    "twenty requests in a second, says how long to wait": lambda app: fronts.Limits(app, retry_after=True),
    "twenty requests in a second, does not say": lambda app: fronts.Limits(app, retry_after=False),
    "now and then not available, knows few methods": fronts.Fails,
    "a gateway whose server restarts": lambda app: fronts.Restarts(app, every=149 if ALL else 31),
    "adds headers, takes headers, ends connections": fronts.Headers,
}


@pytest.mark.parametrize("front", FRONTS)
def test_behind_a_front(front: str, document: Document) -> None:
    app: ASGIApp = Implementation().app()
    # At 20 requests per second, all rules take a quarter of an hour.
    rules = FEWER if "twenty" in front else None if ALL else FEW
    with serving(FRONTS[front](app)) as url:
        _, results = judged(url, document, rules)

    assert {rule: each.detail for rule, each in results.items() if each.verdict is not Verdict.VERIFIED} == {}


@pytest.mark.parametrize("seed", range(20 if ALL else 3))
def test_one_of_many_at_once_is_lost_by_chance(seed: int, document: Document) -> None:
    """Which says nothing, although one of six is lost more often than one."""
    with serving(fronts.LosesAtRandom(Implementation().app(), every=30, seed=seed)) as url:
        _, results = judged(url, document, frozenset({"concurrent-submissions"}))

    assert results["concurrent-submissions"].verdict in {Verdict.VERIFIED, Verdict.INCONCLUSIVE}


def test_a_history_that_loses_its_connection_says_so(document: Document, capsys: pytest.CaptureFixture[str]) -> None:
    """With this seed, Hypothesis repeats the history, and loses it at another point."""
    front = fronts.LosesAtRandom(Implementation().app(), every=40, seed=0)
    with serving(front) as url, ControlTarget(url, url) as target:
        findings = histories.run(target, document, Random(0), 20, lambda _: None)

    assert [each.violation for each in findings if each.violation] == []
    assert [each.remark for each in findings if each.remark] == [f"the random histories ended early: {DIFFERENT}"]
    assert capsys.readouterr().out == ""


def test_gateway_that_nobody_knows_is_not_the_server(document: Document) -> None:
    """Its pages have none of the headers that the server puts on all its responses; a response to HEAD has no page."""
    front = fronts.LosesAtRandom(Implementation().app(), every=150, seed=4)
    front.page = HTMLResponse("<h1>Oops</h1>", 502)
    with serving(front) as url:
        verified(url, document, frozenset({"head", "no-server-error", "list", "overwrite"}))


def test_behind_a_proxy_that_does_not_say_which(document: Document) -> None:
    """What it refuses unread has none of the headers that the server puts on every response."""
    rules = FEW | {"method", "body-size", "no-server-error", "response-schema"}
    with serving(fronts.Nameless(Implementation().app())) as url:
        _, results = verified(url, document, rules)

    assert "a proxy, in between, answered POST with 413 itself" in results["response-schema"].detail


def test_page_of_the_server_itself(document: Document) -> None:
    """A page about a body that is too large is the server's own if it has the headers of all its responses."""

    class Page(fronts.Nameless):
        def instead(self, scope: Scope) -> Response | None:
            page = super().instead(scope)
            if page is not None:
                page.headers.update(HEADERS)
            return page

    with serving(Page(Implementation().app())) as url:
        _, results = judged(url, document, frozenset({"body-size", "response-schema"}))

    assert results["response-schema"].verdict is Verdict.VIOLATED


def test_preflight_may_allow_all_headers(document: Document) -> None:
    """All but Authorization, which must be named beside."""

    class AllowsAll(Implementation):
        def preflight(self) -> Response:
            return Response(headers={**HEADERS, "Access-Control-Allow-Headers": "*, Authorization"})

    with serving(AllowsAll().app()) as url:
        verified(url, document, frozenset({"preflight"}))


def test_event_is_referred_to_by_null(document: Document) -> None:
    """The schema allows it."""
    rules = FEW | {"submission", "overwrite"}
    with serving(fronts.RefersToNothing().app()) as url:
        _, results = verified(url, document, rules)

    assert results.keys() >= rules
    assert results["submission"].observations > 0


def test_dsn_in_another_spelling(document: Document) -> None:
    """The document leaves open whether it is accepted; if it is, the windows apply."""
    with serving(fronts.ReadsNumbers().app()) as url:
        _, results = verified(url, document, frozenset({"dsn-known"}))

    assert "zeros before its number is accepted" in results["dsn-known"].detail


@pytest.mark.parametrize(
    ("server", "rules"),
    [(fronts.TakesAnyEventId, {"event-id-format", "response-schema"}), (fronts.ListsTiesOldestFirst, {"list"})],
)
def test_what_the_document_leaves_open(server: type[Implementation], rules: set[str], document: Document) -> None:
    """In every form of the body, and on every list."""
    with serving(server().app()) as url:
        _, results = verified(url, document, frozenset(rules))

    assert results.keys() >= rules


def test_other_spellings_of_links_keys_and_headers(document: Document) -> None:
    """None of them is a violation, and pages are followed all the same."""
    rules = FEW | {"list", "list-pages", "field-null", "email-format", "retry-safe"}
    with serving(fronts.SpellsOtherwise().app()) as url:
        _, results = verified(url, document, rules)

    assert results.keys() >= rules


@pytest.mark.parametrize(
    ("server", "told"),
    [
        (fronts.ReadsLittle, "nginx, in between, answered POST with 413 itself"),
        (fronts.Firewall, "a proxy, in between, answered POST with 403 itself"),
    ],
)
def test_what_something_in_between_keeps_away_is_not_judged(
    server: type[Implementation], told: str, document: Document
) -> None:
    """It is a remark, and what nothing else shows is inconclusive."""
    with serving(server().app()) as url:
        _, results = judged(url, document, frozenset({"exact-values", "response-schema", "body-size"}))

    verdicts = {rule: each.verdict for rule, each in results.items()}
    size = Verdict.INCONCLUSIVE if server is fronts.ReadsLittle else Verdict.VERIFIED
    assert verdicts == {"exact-values": Verdict.INCONCLUSIVE, "response-schema": Verdict.VERIFIED, "body-size": size}
    assert told in results["exact-values"].detail
    assert told in results["response-schema"].detail
    assert (told in results["body-size"].detail) is (server is fronts.ReadsLittle)


def test_connections_closed_without_an_answer(document: Document) -> None:
    """Now and then; if it happens again, but at another point, it is not the server."""
    with serving(Implementation().app()) as behind, fronts.closing(behind, every=150 if ALL else 29) as url:
        _, results = verified(url, document)

    assert results.keys() >= FEW


def test_connections_closed_when_they_are_used_again(document: Document) -> None:
    """Without a word, which servers may do; calls of the control API are lost, too."""
    rules = frozenset({"event-window", "overwrite-window", "no-server-error"})
    with serving(Implementation().app()) as behind, fronts.closing(behind, every=10**9, used=True) as url:
        _, results = judged(url, document, rules)

    told = "not all of it was seen: the connection was closed without a response"
    assert {rule: each.verdict for rule, each in results.items()} == dict.fromkeys(rules, Verdict.VERIFIED)
    assert told in results["event-window"].detail


@pytest.mark.parametrize("phase", ["before", "after"])
def test_what_a_gateway_says_at_the_same_request_is_the_servers_own_crash(phase: str, document: Document) -> None:
    """One that loses a certain submission always, behind an nginx."""

    class Crashes(Implementation):
        def respond(self, request: Request, content: bytes) -> Response:
            if b'"name": ""' in content:
                if phase == "after":
                    super().respond(request, content.replace(b'"name": ""', b'"name": "a"'))
                return HTMLResponse("<hr><center>nginx</center>", 502)
            return super().respond(request, content)

    with serving(Crashes().app()) as url:
        _, results = judged(url, document, frozenset({"field-required", "no-server-error"}))

    violated = {rule for rule, each in results.items() if each.verdict is Verdict.VIOLATED}
    assert "field-required" in violated
    assert "nginx, in between, answered POST with 502 itself" in results["field-required"].detail


def test_lists_that_lag(document: Document) -> None:
    """A replica a second behind, or a quarter; the lag is measured, and reported with the rule about lists."""
    server = fronts.LagsLists()
    server.lag = 1.0 if ALL else 0.25
    with serving(server.app()) as url:
        target, results = verified(url, document, frozenset({"list-status"}))

    assert 0.8 * server.lag < target.settling.lags["lists"] < 5
    assert not ALL or "lists lag" in results["list"].detail


@pytest.mark.parametrize("server", [fronts.LagsInBoth, fronts.KeepsLists])
def test_lists_that_lag_otherwise(server: type[Implementation], document: Document) -> None:
    """While events lag as well, or because a list is kept for a while: neither hides the lag from being measured."""
    with serving(server().app()) as url:
        target, results = verified(url, document, frozenset({"list", "list-known-events"}))

    assert 0.2 < target.settling.lags["lists"] < 5
    assert results.keys() >= {"list", "list-known-events"}


def test_events_that_are_queued(document: Document) -> None:
    """Known after half a second; the lag is measured, and reported with the rule about known events."""
    with serving(fronts.QueuesEvents().app()) as url:
        target, results = verified(url, document, frozenset({"list-status"}))

    assert 0.3 < target.settling.lags["events"] < 5
    assert not ALL or "events lag" in results["known-event"].detail


@pytest.mark.parametrize(
    ("server", "step"),
    [
        (Implementation, 1),
        (fronts.CountsInSteps, 1_000),
        (fronts.CountsInSeconds, 1_000_000),
        (fronts.SavesEventsInSeconds, 1_000_000),
        (fronts.ShowsSeconds, 1),
    ],
)
def test_step_of_a_clock_is_found(server: type[Implementation], step: int, document: Document) -> None:
    """Without being told."""
    with serving(server().app()) as url, ControlTarget(url, url) as target:
        look(target, document)

        assert target.step == step


@pytest.mark.parametrize(
    ("server", "words"),
    [
        (fronts.ForgetsParts, "to the millisecond"),
        (fronts.CountsInSteps, "to the millisecond"),
        (fronts.CountsInSeconds, "to the second"),
        (fronts.SavesEventsInSeconds, "to the second"),
    ][: None if ALL else 1],
)
def test_clock_that_counts_in_steps(server: type[Implementation], words: str, document: Document) -> None:
    """Both sides of every limit are tested, a step away from it, and the verdict names the step."""
    with serving(server().app()) as url:
        _, results = verified(url, document, frozenset({"event-window", "overwrite-window"}))

    assert words in results["event-window"].detail
    assert words in results["overwrite-window"].detail


@pytest.mark.parametrize("server", [fronts.ShowsMilliseconds, fronts.ShowsSeconds])
def test_dates_may_be_shown_less_exactly_than_the_clock_counts(
    server: type[fronts.ShowsSeconds], document: Document
) -> None:
    """The limits are tested to the microsecond all the same."""
    with serving(server().app()) as url:
        target, results = verified(url, document, frozenset({"submission", "event-window", "overwrite-same-record"}))

    assert target.step == 1
    assert "to the microsecond" in results["event-window"].detail


class ShowsSecondsAndTooLong(fronts.ShowsSeconds):
    """Its window is a microsecond too long."""

    event_limit = timedelta(minutes=30, microseconds=1)


class ShowsSecondsAndMovesDates(fronts.ShowsSeconds):
    """An overwrite changes the date."""

    def overwrite(self, record: Record, body: dict[str, str], now: datetime) -> None:
        """To that of the overwrite."""
        super().overwrite(record, body, now)
        record.first = now


@pytest.mark.parametrize(
    ("server", "rule"),
    [(ShowsSecondsAndTooLong, "event-window"), (ShowsSecondsAndMovesDates, "overwrite-same-record")],
)
def test_dates_that_are_shown_less_exactly_hide_no_fault(
    server: type[Implementation], rule: str, document: Document
) -> None:
    with serving(server().app()) as url:
        _, results = judged(url, document, frozenset({rule}))

    assert results[rule].verdict is Verdict.VIOLATED


class SecondsAndTooLong(fronts.CountsInSeconds):
    """Counts in seconds, and keeps its window open three seconds too long."""

    event_limit = timedelta(minutes=30, seconds=3)


class MillisecondsAndTooShort(fronts.CountsInSteps):
    """Counts in milliseconds, and closes the overwrite window two milliseconds too early."""

    overwrite_limit = timedelta(minutes=5, milliseconds=-2)


@pytest.mark.parametrize(
    ("server", "rule"),
    [(SecondsAndTooLong, "event-window"), (MillisecondsAndTooShort, "overwrite-window")][: None if ALL else 1],
)
def test_clock_that_counts_in_steps_hides_no_wrong_limit(
    server: type[Implementation], rule: str, document: Document
) -> None:
    """An error larger than a step is detected, and attributed to its rule."""
    with serving(server().app()) as url:
        _, results = judged(url, document, frozenset({"event-window", "overwrite-window"}))

    assert {rule for rule, each in results.items() if each.verdict is Verdict.VIOLATED} == {rule}


@pytest.mark.skipif(not fronts.NGINX, reason="nginx cannot be had here")
def test_behind_nginx(document: Document, tmp_path: Path) -> None:
    """nginx's own 413, 405 and 400 are not blamed on the server."""
    with serving(Implementation().app()) as behind, fronts.nginx(behind, tmp_path) as url:
        rules = FEW | {"method", "body-size", "body-syntax"}
        _, results = verified(url, document, rules)

    assert results.keys() >= rules
