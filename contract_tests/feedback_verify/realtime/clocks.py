"""What responses reveal about the target's clock: by their Date, and by the `dateCreated` of feedback. Pure.

Offsets are microseconds by which the target's wall clock is ahead of our monotonic one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from feedback_spec.instants import SECOND, format_instant, in_short, parse_instant

from feedback_verify.exchange import Exchange
from feedback_verify.realtime.intervals import DRIFT, Span

SKEW = 2 * SECOND  # between our clock and the target's, where its wall clock counts
DATED = 2 * SECOND  # how much later than its Date a response may be: Date has whole seconds, and servers cache it
STEP = (
    SECOND // 2
)  # if Date jumps against our clock by more than this, beyond what that explains, the clock was stepped
ZONE = 900 * SECOND  # time zones differ by a multiple of it,
FARTHEST = 14 * 3_600 * SECOND  # and no zone is farther from UTC

Offset = tuple[int, int, int]


@dataclass(frozen=True)
class Created:
    """A `dateCreated`, and the exchange of the submission whose instant it states."""

    text: str
    submission: Exchange

    @property
    def offset(self) -> Span | None:
        """What it says about the target's clock; it may have whole seconds. None if it is not an instant."""
        try:
            told = parse_instant(self.text)
        except ValueError:
            return None
        return told - self.submission.received - SKEW, told + SECOND - self.submission.sent + SKEW


def offset_by_date(exchange: Exchange) -> Offset | None:
    """When a response came, and the range of the target clock's lead over ours then, according to its Date."""
    try:
        date = int(parsedate_to_datetime(exchange.headers.get("date", "")).timestamp()) * SECOND
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return exchange.received, date - exchange.received, date + DATED - exchange.sent


def stepped(clock: Sequence[Offset], began: int, ended: int) -> int:
    """The minimum number of microseconds by which the target's clock was stepped between two of our instants.

    Approximately from `began`: the last response before it shows the clock as it was. 0 if it was not stepped.
    """
    before = [each for each in clock if each[0] < began][-1:]
    seen = [*before, *(each for each in clock if began <= each[0] <= ended)]
    forward = backward = 0
    lowest, highest = None, None
    for _, low, high in seen:
        if highest is not None and low > highest:
            forward = max(forward, low - highest)
        if lowest is not None and high < lowest:
            backward = max(backward, lowest - high)
        lowest = low if lowest is None else max(lowest, low)
        highest = high if highest is None else min(highest, high)
    step = forward if forward >= backward else -backward
    return step if abs(step) > STEP else 0


def wrong_dates(told: Iterable[Created], *, by_date: bool) -> list[tuple[Created, str]]:
    """Each `dateCreated` that the target's clock cannot have shown, and why.

    The clock is inferred from what most of them agree on, so a clock that is minutes off is not reported. With
    `by_date`, the responses' own Date is reliable, and distinguishes local time from such a clock.
    """
    told = [each for each in told if each.offset is not None]
    if not told:
        return []
    origin = min(each.submission.sent for each in told)
    spans = [_drifted(each, origin) for each in told]
    offset = max((low for low, _ in spans), key=lambda at: sum(low <= at <= high for low, high in spans))
    agreed = [span for span in spans if span[0] <= offset <= span[1]]
    if 2 * len(agreed) <= len(spans):
        return [(told[0], "no clock explains the returned dates")]
    low, high = max(low for low, _ in agreed), min(high for _, high in agreed)
    wrong = []
    for each, span in zip(told, spans, strict=True):
        if span[0] > high or span[1] < low:
            earliest, latest = each.submission.sent + low, each.submission.received + high
            clock = f"the target's clock was between {format_instant(earliest)} and {format_instant(latest)} then"
            wrong.append((each, clock))
    return wrong or [(told[0], why) for why in (_in_local_time(told) if by_date else ())]


def _drifted(each: Created, origin: int) -> Span:
    low, high = each.offset or (0, 0)
    drift = (each.submission.received - origin) // DRIFT
    return low - drift, high + drift


def _in_local_time(told: Sequence[Created]) -> list[str]:
    """Why all dates are in another time zone, according to their responses' own Dates; empty if they are not."""
    apart: list[Span] = []
    for each in told:
        by_date, by_created = offset_by_date(each.submission), each.offset
        if by_date is None or by_created is None:
            return []
        apart.append((by_created[0] - by_date[2], by_created[1] - by_date[1]))
    low, high = max(low for low, _ in apart), min(high for _, high in apart)
    zone = round((low + high) / 2 / ZONE) * ZONE
    if zone == 0 or abs(zone) > FARTHEST or not low <= zone <= high:
        return []
    side = "ahead of" if zone > 0 else "behind"
    return [f"all of them are {in_short(abs(zone))} {side} the response's Date, as local time would be"]
