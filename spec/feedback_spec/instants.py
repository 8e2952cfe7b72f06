"""Instants and durations as integer microseconds. Pure: no clock, no I/O.

Integers, because floats misjudge exact limits: 2100.001 - 1800.001 > 300.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import isodate

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND = 1_000_000
FIRST_INSTANT = (datetime(1, 1, 1, tzinfo=UTC) - EPOCH) // MICROSECOND
LAST_INSTANT = (datetime.max.replace(tzinfo=UTC) - EPOCH) // MICROSECOND

_DURATION = re.compile(
    r"P(?=[0-9T])([0-9]{1,6}W)?([0-9]{1,7}D)?"
    r"(T(?=[0-9])([0-9]{1,9}H)?([0-9]{1,9}M)?([0-9]{1,12}([.][0-9]{1,6})?S)?)?"
)
_CALENDAR = re.compile(r"P[^T]{0,20}[0-9][YM]")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})")
_UNITS = (("day", "d", 86_400 * SECOND), ("hour", "h", 3_600 * SECOND), ("minute", "m", 60 * SECOND))


def parse_duration(text: str) -> int:
    """Microseconds of an ISO 8601 duration of weeks, days, hours, minutes and seconds, such as `PT5M0.000001S`.

    Raises ValueError, with one sentence, for anything else; years and months have no fixed length.
    """
    if _CALENDAR.match(text):
        raise ValueError(f'"{text}" has years or months, which have no fixed length; use days or weeks, such as P30D.')
    if not _DURATION.fullmatch(text):
        raise ValueError(f'"{text}" is not an ISO 8601 duration such as PT5M or PT5M0.000001S.')
    try:
        return int(isodate.parse_duration(text) // MICROSECOND)
    except OverflowError:
        raise ValueError(f'"{text}" is longer than any calendar.') from None


def format_duration(microseconds: int) -> str:
    """The ISO 8601 form of a duration in microseconds: 0 is `PT0S`, 300_000_001 is `PT5M0.000001S`."""
    if microseconds == 0:
        return "PT0S"
    return str(isodate.duration_isoformat(timedelta(microseconds=microseconds)))


def parse_instant(text: str) -> int:
    """Microseconds since 1970 UTC of an RFC 3339 instant with up to six fraction digits.

    Raises ValueError, with one sentence, for anything else, including an instant without an offset.
    """
    if not _INSTANT.fullmatch(text):
        raise ValueError(f'"{text}" is not an RFC 3339 instant such as 2026-01-01T00:00:00Z.')
    try:
        return (datetime.fromisoformat(text) - EPOCH) // MICROSECOND
    except (ValueError, OverflowError):
        raise ValueError(f'"{text}" is a date or time that does not exist.') from None


def format_instant(microseconds: int) -> str:
    """RFC 3339 in UTC with six fraction digits, as in `2026-01-01T00:00:00.000000Z`."""
    seconds, fraction = divmod(microseconds, SECOND)
    return f"{_to_the_second(seconds)}.{fraction:06}Z"


@lru_cache(1024)
def _to_the_second(seconds: int) -> str:
    """The calendar part, which many instants share and which takes most of the time."""
    instant = EPOCH + timedelta(seconds=seconds)
    return instant.replace(tzinfo=None).isoformat(timespec="seconds")


def in_words(microseconds: int) -> str:
    """A duration in prose: `30 minutes`, `1 hour 30 minutes`, `5 minutes 0.000001 seconds`."""
    parts = []
    for name, _, size in _UNITS:
        count, microseconds = divmod(microseconds, size)
        if count:
            parts.append(f"{count} {name}{'s' if count > 1 else ''}")
    if microseconds or not parts:
        seconds = _seconds(microseconds)
        parts.append(f"{seconds} second{'' if seconds == '1' else 's'}")
    return " ".join(parts)


def in_short(microseconds: int) -> str:
    """A duration as used in reasons: `31m02s`, `5m00.000001s`, `1d00h01m00s`; negative ones with a leading minus."""
    if microseconds < 0:
        return "-" + in_short(-microseconds)
    text = ""
    for _, letter, size in _UNITS:
        count, microseconds = divmod(microseconds, size)
        if text:
            text += f"{count:02}{letter}"
        elif count:
            text = f"{count}{letter}"
    seconds = _seconds(microseconds)
    return (
        text
        + (seconds.zfill(2 + len(seconds.partition(".")[1] + seconds.partition(".")[2])) if text else seconds)
        + "s"
    )


def _seconds(microseconds: int) -> str:
    whole, fraction = divmod(microseconds, SECOND)
    return f"{whole}.{fraction:06}".rstrip("0") if fraction else str(whole)
