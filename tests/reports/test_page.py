"""The page of a report: one entry per cause, drawn violations, complete programs, and what is needed to find out
more.
"""

import re
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from feedback_spec.document import load
from feedback_spec.instants import SECOND
from feedback_verify.exchange import Exchange, Project, Request
from feedback_verify.reports import Report
from feedback_verify.reports.drawing import MOST, draw_timeline
from feedback_verify.reports.html import as_html
from feedback_verify.reports.timeline import Moment, moments
from feedback_verify.steps import Advance, SaveEvent, Send, Step
from feedback_verify.verdicts import Result, Verdict

DOCUMENT = load()
PROJECT = Project("acme", "shop", {})
EVENT = "7167980ca1db42cdba8d5284e7f81c66"
LONG = "a" * 900


def sent(status: int, *expected: int, body: bytes = b"{}") -> Send:
    """A submission that was answered like this."""
    request = Request("POST", "http://127.0.0.1/feedback/", {"Content-Type": "application/json"}, LONG.encode())
    return Send(PROJECT, request, Exchange(request, status, {}, body, 0, 1), expected=expected)


TOO_LATE: tuple[Step, ...] = (
    SaveEvent(PROJECT, EVENT, {"saved_ago": 0}),
    sent(200),
    Advance(PROJECT, 300 * SECOND + 1),
    sent(200, 409),
)


def report(*found: Result) -> Report:
    """A report of only these results."""
    results = {each.rule.id: each for each in found}
    return Report("http://127.0.0.1", "openapi.yaml", 1, results, frozenset(), mutability=DOCUMENT.mutability)


def result(rule: str, verdict: Verdict, steps: tuple[Step, ...] = (), detail: str = "seen") -> Result:
    """The result of one rule."""
    return Result(DOCUMENT.rules[rule], verdict, detail, steps=steps)


def test_violation_is_drawn_with_what_was_expected() -> None:
    """The wrong step is marked, and elapsed time takes up space."""
    drawing = draw_timeline("overwrite-window", moments(TOO_LATE, violated=True))
    *_, last = drawing.rows

    assert [row.when for row in drawing.rows] == ["t+0", "t+0", "t+5:00.000001"]
    assert [row.wrong for row in drawing.rows] == [False, False, True]
    assert (last.answer, last.wait) == ("→ 200, expected 409", "5m00.000001s later")
    assert drawing.words.endswith("t+5:00.000001 submit without credentials → 200, expected 409")


def test_longer_waits_are_drawn_longer() -> None:
    """From a microsecond to a month, and rows never touch."""
    waits = (0, 1, SECOND, 300 * SECOND, 30 * 86_400 * SECOND)
    starts = [
        draw_timeline("x", [Moment(0, 0, "submit", "200"), Moment(wait, wait, "submit", "200")]).rows[1].y
        for wait in waits
    ]
    drawing = draw_timeline("x", [Moment(0, 0, "word " * 30, "200"), Moment(0, 0, "submit")])

    assert all(before < after for before, after in pairwise(starts))
    assert drawing.rows[0].answer_y < drawing.rows[1].y


def test_long_timelines_show_their_end() -> None:
    """The end is what breaks the rule."""
    drawing = draw_timeline("x", [Moment(each, 1, f"step {each}") for each in range(100)])

    assert [row.lines for row in drawing.rows] == [(f"step {each}",) for each in range(100 - MOST, 100)]
    assert drawing.subtitle == "the last 24 of 100 steps"


def test_title_of_a_drawing_is_larger_than_its_subtitle() -> None:
    """Both are on the page, and so is their style."""
    page = as_html(report(result("overwrite-window", Verdict.VIOLATED, TOO_LATE)))
    sizes = [
        float(re.findall(rf"svg [^{{]*\.{name}[^{{]*{{[^}}]*font-size: ([\d.]+)px", page)[0])
        for name in ("title", "soft")
    ]

    assert '<text class="title" x="10" y="24">Overwrite window</text>' in page
    assert '<text class="soft" x="10" y="42">3 steps</text>' in page
    assert sizes[0] > sizes[1]


def test_violation_has_whole_programs_and_a_plan_where_the_target_has_no_protocol() -> None:
    """A function saved the event, and a clock of this process was moved: from outside, one has to wait."""
    page = as_html(report(result("overwrite-window", Verdict.VIOLATED, TOO_LATE)))
    headings = re.findall(r"<summary>(Reproduce it [^<]*)</summary>", page)

    assert headings[:3] == ["Reproduce it in a shell", "Reproduce it in Python", "Reproduce it by hand, with waits"]
    assert page.count(LONG) >= 3 * 2
    assert "3. Wait 5m00.000001s." in page


def test_plan_is_left_out_where_the_protocol_does_it() -> None:
    """The shell lines do everything."""
    page = as_html(report(result("submission", Verdict.VIOLATED, (sent(500, 200),))))

    assert "by hand" not in page


def test_rules_with_one_cause_are_one_entry() -> None:
    """However many rules a target answers with 429, there is one entry that names them."""
    busy = (sent(429, 200, body=b"slow down"),)
    rules = ("submission", "trimmed", "overwrite", "list")
    page = as_html(report(*(result(rule, Verdict.VIOLATED, busy) for rule in rules)))
    violated = page.partition('<section id="violated"')[2].partition("</section>")[0]

    assert violated.count("<article") == 1
    assert "4 rules" in violated
    assert violated.count("the target answered 429 Too Many Requests slow down") == 1
    assert re.findall(r'href="#([a-z-]+)"', violated) == list(rules)


def test_page_begins_with_when_against_what_and_what_it_costs_to_know_more() -> None:
    """In the header, before any verdict."""
    made = report(result("scope", Verdict.NOT_VERIFIABLE), result("submission", Verdict.VERIFIED))
    began = replace(made.began, wall=int(datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC).timestamp()) * SECOND)
    page = as_html(replace(made, digest="ab" * 32, began=began, took=35 * SECOND, flags=("--wait", "PT6M")))
    head = page.partition("<header")[2].partition("</header>")[0]

    for fact in (
        "2026-05-04 03:02:01 UTC; took 35 seconds",
        "http://127.0.0.1",
        f"openapi.yaml, profile documented, SHA-256 {'ab' * 32}",
        "its clock cannot be moved",
        "--wait PT6M",
        "1 rule needs a token that may only read (--read-token).",
    ):
        assert fact in head


@pytest.mark.parametrize("verdict", [Verdict.INCONCLUSIVE, Verdict.NOT_RUN, Verdict.NOT_VERIFIABLE])
def test_what_is_not_verified_stands_apart(verdict: Verdict) -> None:
    """With its reason; neither among the violated nor hidden among the verified rules."""
    page = as_html(report(result("scope", verdict, detail="because"), result("list", Verdict.VERIFIED)))
    apart = page.partition('<section id="open"')[2].partition("</section>")[0]

    assert "because" in apart
    assert re.findall(r'href="#([a-z-]+)"', apart) == ["scope"]
    assert '<section id="violated"' not in page
