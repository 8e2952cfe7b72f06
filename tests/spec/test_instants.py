"""Instants and durations: what is written can be read again, and anything else is refused."""

import pytest
from feedback_spec.instants import (
    LAST_INSTANT,
    format_duration,
    format_instant,
    in_short,
    in_words,
    parse_duration,
    parse_instant,
)
from hypothesis import given, settings
from hypothesis import strategies as st

MINUTE = 60_000_000


@settings(deadline=None)
@given(st.integers(0, 10**16))
def test_duration_is_read_as_it_was_written(microseconds: int) -> None:
    assert parse_duration(format_duration(microseconds)) == microseconds


@settings(deadline=None)
@given(st.integers(-62135596800 * 10**6, LAST_INSTANT))
def test_instant_is_read_as_it_was_written(microseconds: int) -> None:
    assert parse_instant(format_instant(microseconds)) == microseconds


@settings(deadline=None)
@given(st.integers(0, 10**15), st.integers(0, 10**15))
def test_written_instants_sort_as_they_follow(one: int, other: int) -> None:
    assert (format_instant(one) < format_instant(other)) == (one < other)


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("PT30M", 30 * MINUTE),
        ("PT5M0.000001S", 5 * MINUTE + 1),
        ("PT0.1S", 100_000),
        ("P1DT1M", 1441 * MINUTE),
        ("P1W", 7 * 1440 * MINUTE),
        ("PT0S", 0),
        ("PT90M", 90 * MINUTE),
    ],
)
def test_duration_in_microseconds(text: str, microseconds: int) -> None:
    assert parse_duration(text) == microseconds


@pytest.mark.parametrize("text", ["P1M", "P1Y", "P1Y2M3DT4H", "P12M"])
def test_duration_without_a_fixed_length_is_refused_for_that(text: str) -> None:
    """They are ISO 8601, but a month has 28 to 31 days."""
    with pytest.raises(ValueError, match="has years or months, which have no fixed length; use days or weeks"):
        parse_duration(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "P1DT",
        "5 minutes",
        "-PT5M",
        "PT5",
        "PT5M ",
        "PT5M\n",
        "PT0.0000001S",
        "PT1,5S",
        "pt5m",
        "PT\u0665M",
    ],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not an ISO 8601 duration such as PT5M"):
        parse_duration(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-01-01 00:00:00Z",
        "2026-01-01T00:00:00.0000001Z",
        "2026-1-1T00:00:00Z",
        "2026-01-01T00:00:00Z\n",
    ],
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an RFC 3339 instant"):
        parse_instant(text)


@pytest.mark.parametrize("text", ["2026-02-30T00:00:00Z", "2026-01-01T25:00:00Z", "2026-01-01T00:00:00+99:00"])
def test_instant_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is a date or time that does not exist"):
        parse_instant(text)


def test_instant_with_an_offset_is_the_same_instant() -> None:
    assert parse_instant("2026-01-01T02:00:00+02:00") == parse_instant("2026-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("microseconds", "words", "short"),
    [
        (0, "0 seconds", "0s"),
        (30 * MINUTE, "30 minutes", "30m00s"),
        (90 * MINUTE, "1 hour 30 minutes", "1h30m00s"),
        (1_000_000, "1 second", "1s"),
        (5 * MINUTE + 1, "5 minutes 0.000001 seconds", "5m00.000001s"),
        (31 * MINUTE + 2_000_000, "31 minutes 2 seconds", "31m02s"),
        (1441 * MINUTE, "1 day 1 minute", "1d00h01m00s"),
    ],
)
def test_duration_in_words(microseconds: int, words: str, short: str) -> None:
    assert (in_words(microseconds), in_short(microseconds)) == (words, short)
