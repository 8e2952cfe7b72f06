"""Draws what is submitted when, for every window of the document. Pure.

A whole run takes as long as the longest window, however many probes it has; any further wait is used for probes too,
because a closed window might open again.
"""

from collections.abc import Iterable, Iterator
from random import Random

from feedback_spec.document import Document
from feedback_spec.instants import SECOND, format_duration, in_words
from feedback_spec.rules import Base, Window

from feedback_verify.realtime.intervals import is_over
from feedback_verify.realtime.plan import Plan, Submit, Track

BESIDE = tuple(sign * SECOND * part // 100 for sign in (-1, 1) for part in (3, 10, 30, 100))
REPLICAS = 3
MARGIN = SECOND
AGED = tuple(sign * seconds * SECOND for sign in (-1, 1) for seconds in (5, 10, 60))
HOUR = 3_600 * SECOND
FAR = (HOUR + SECOND, 12 * HOUR + SECOND, 24 * HOUR + SECOND, 7 * 24 * HOUR)
LATE = 8  # probes of each kind between a limit and the end of the wait
# The catalogue's rules about windows; if a document lacks one, the window's own rule takes its place.
BASE, ORDER, EITHER = "event-window-base", "window-order", "any-credentials-overwrite"
BY_VALUES = frozenset({"conflict-body", "overwrite-same-record", "unknown-event"})  # judged by whole responses
FIXED, UNKNOWN, UNCHANGED = "overwrite-window-fixed", "overwrite-window-unknown-event", "conflict-changes-nothing"


def draw_plan(
    document: Document,
    capabilities: frozenset[str],
    wait: int | None,
    seed: int,
    rules: frozenset[str] | None = None,
    step: int = 1,
) -> Plan:
    """The tracks that a target with these capabilities and this long a wait (microseconds; None for any) allow.

    If only some `rules` are wanted, only the tracks that judge them. If the clock counts in steps (microseconds),
    probes keep that much farther from the limits.
    """
    random = Random(seed)
    main = "write" if "token" in capabilities else "dsn"
    shown_by = None if rules is None else _shown_by(rules, document, capabilities)
    tracks = [
        track
        for track in _tracks(document, capabilities, main, wait, random, step)
        if _affordable(track, wait) and (shown_by is None or track.rule in shown_by)
    ]
    random.shuffle(tracks)
    # Tracks start one after the other; the longest start first, because the run ends with its last response.
    longest = max((track.duration for track in tracks), default=0)
    tracks.sort(key=lambda track: track.duration < longest - MARGIN // 2)
    return Plan(seed, tuple(tracks))


def _shown_by(rules: frozenset[str], document: Document, capabilities: frozenset[str]) -> frozenset[str]:
    """The rules of the tracks that judge these rules."""
    shown = set(rules)
    event, feedback = ({window.rule for window in _windows(document, family)} for family in ("event", "feedback"))
    if event & rules:
        # What the target counts from, and whether events that it knew stay known to the end.
        shown |= {BASE, ORDER}
    if feedback & rules and "event" not in capabilities:
        shown.add(UNKNOWN)
    if "known-event" in rules:
        shown |= {ORDER, *feedback}
    if rules & {document.mutability.stored.rule, document.mutability.overwritten.rule, *BY_VALUES}:
        shown.add(document.first_rule(UNKNOWN, *event))
    return frozenset(shown)


def _windows(document: Document, family: str) -> list[Window]:
    """The windows that count from the `event` or from the `feedback`, in the order in which they are checked."""
    return [window for window in document.mutability.windows if window.base.startswith(family)]


def purchases(
    document: Document, capabilities: frozenset[str], wait: int | None, rules: frozenset[str] | None = None
) -> list[str]:
    """Which of the wanted rules the wait allows to be judged, and what a longer one would, in sentences."""
    if wait is None:
        return ["The target's clock is moved, so there is no wait."]
    said = []
    for family, others in (("feedback", {FIXED, UNKNOWN, EITHER}), ("event", {BASE, ORDER})):
        # If several windows count from the same thing, waiting reaches the end of the shortest.
        window = min(_windows(document, family), key=lambda each: each.limit, default=None)
        if window is None or (rules is not None and not rules & {window.rule, *others}):
            continue
        name, cost = window.rule.replace("-", " "), in_words(window.limit + MARGIN)
        if family == "event" and "event" not in capabilities:
            said.append(f"The {name} needs saved events, and a wait of {cost}.")
        elif window.limit + MARGIN <= wait:
            said.append(f"A wait of {in_words(wait)} covers the {name}: it is probed to the end of the wait.")
        else:
            said.append(f"The {name} needs a wait of {cost}: --wait {format_duration(window.limit + MARGIN)}.")
    return said


def _affordable(track: Track, wait: int | None) -> bool:
    return wait is None or track.duration <= wait or track.duration == 0


def _tracks(
    document: Document, capabilities: frozenset[str], main: str, wait: int | None, random: Random, step: int
) -> Iterator[Track]:
    """The tracks of every window, except those whose end another window decides."""
    for window in document.mutability.windows:
        late = tuple(_late(window.limit, wait, random))
        if window.base.startswith("feedback"):
            tracks = _feedback_tracks(document, window, late, capabilities, main, random, step - 1)
        else:
            tracks = _event_tracks(document, window, late, capabilities, main, random, step - 1)
        yield from (track for track in tracks if _tells(document, window, track))


def _late(limit: int, wait: int | None, random: Random) -> Iterator[int]:
    """An instant in each slice of the wait beyond a limit, and the end of the wait."""
    if wait is None:  # the clock is moved
        yield from (age for age in FAR[:-1] if age > limit)
    elif wait > limit + MARGIN:
        size = (wait - limit - MARGIN) // LATE
        yield from (limit + MARGIN + number * size + random.randrange(size + 1) for number in range(LATE))
        yield wait


def _tells(document: Document, window: Window, track: Track) -> bool:
    """Whether the track, played to the microsecond, ends with a response that only this window can turn into a
    refusal.
    """
    known = {}
    if track.saved_ago is not None:
        known[Base.EVENT_SAVED] = -track.saved_ago
        known[Base.EVENT_TIMESTAMP] = -(track.saved_ago if track.timestamp_ago is None else track.timestamp_ago)
    refusing: list[Window] = []
    for number, submit in enumerate(track.submits):
        refusing = [
            each
            for each in document.mutability.windows
            if each.base in known and is_over(each, submit.at - known[each.base])
        ]
        if not refusing:
            known.setdefault(Base.FIRST_SUBMITTED, submit.at)
            known[Base.LAST_SUBMITTED] = submit.at
        elif refusing != [window] or (number < len(track.submits) - 1 and track.rule != UNCHANGED):
            return False
    return True


def _beside(farther: int) -> tuple[int, ...]:
    return tuple(each + (farther if each > 0 else -farther) for each in BESIDE)


def _feedback_tracks(
    document: Document,
    window: Window,
    late: Iterable[int],
    capabilities: frozenset[str],
    main: str,
    random: Random,
    farther: int,
) -> Iterator[Track]:
    limit = window.limit
    unknown, fixed, either, unchanged = (
        document.first_rule(rule, window.rule) for rule in (UNKNOWN, FIXED, EITHER, UNCHANGED)
    )
    kinds: list[tuple[str, int | None]] = [(unknown, None)] + ([(window.rule, 0)] if "event" in capabilities else [])
    first = Submit(0, main)
    for rule, saved_ago in kinds:
        for number, beside in enumerate(_beside(farther) * REPLICAS):
            yield Track(rule, (first, Submit(limit + beside, main, again=number % 4 == 0)), saved_ago)
        for at in (*(random.randrange(limit // 20, limit - limit // 10) for _ in range(4)), *late):
            # Far from the deadline: decided however slowly a busy server responds.
            yield Track(rule, (first, Submit(at, main)), saved_ago)
        twice = (Submit(limit + farther + MARGIN * 3 // 10, main), Submit(limit + farther + MARGIN, main))
        yield Track(unchanged, (first, *twice), saved_ago)
        yield Track(unchanged, (first, twice[0], Submit(limit + limit // 2, main)), saved_ago)
    if {"token", "dsn"} <= capabilities:
        for number, beside in enumerate(each for each in _beside(farther) * REPLICAS if abs(each) > SECOND // 10):
            before, after = ("dsn", "write") if number % 2 else ("write", "dsn")
            yield Track(either, (Submit(0, before), Submit(limit + beside, after)))
    if "event" in capabilities:
        # An event that is older than its feedback: a window that counts from the event refuses too early.
        yield Track(window.rule, (Submit(limit // 2, main), Submit(limit + farther + MARGIN, main)), saved_ago=0)
    for middle in (limit // 3, limit // 2, limit - limit // 10):
        for beside in (3 * SECOND // 10, SECOND):
            yield Track(fixed, (first, Submit(middle, main), Submit(limit + farther + beside, main)))


def _event_tracks(
    document: Document,
    window: Window,
    late: Iterable[int],
    capabilities: frozenset[str],
    main: str,
    random: Random,
    farther: int,
) -> Iterator[Track]:
    limit, now = window.limit, (Submit(0, main),)
    if "event" in capabilities:
        early = (random.randrange(limit // 20, limit - limit // 10) for _ in range(4))
        for at in (*(limit + beside for beside in _beside(farther) * REPLICAS), *early, *late):
            yield Track(window.rule, (Submit(at, main),), saved_ago=0)
        unchanged = document.first_rule(UNCHANGED, window.rule)
        twice = (Submit(limit + farther + MARGIN * 3 // 10, main), Submit(limit + farther + MARGIN, main))
        yield Track(unchanged, twice, saved_ago=0)
        for feedback in _windows(document, "feedback"):
            yield from _order_tracks(document, window, feedback.limit, late, main, farther)
    beside_limit = tuple(limit + beside for beside in AGED if limit + beside > 0)
    base = document.first_rule(BASE, window.rule)
    first = window in _windows(document, "event")[:1]
    if "aged-timestamp" in capabilities:
        for _ in range(REPLICAS if first else 0):
            yield Track(base, now, saved_ago=0, timestamp_ago=limit + 60 * SECOND)
        for age in beside_limit:
            yield Track(window.rule, now, saved_ago=0, timestamp_ago=age)
    if "aged-event" in capabilities:
        for age in (*beside_limit, *(age for age in FAR if age > limit)):
            yield Track(window.rule, now, saved_ago=age)
    if first and {"aged-event", "aged-timestamp"} <= capabilities:
        yield Track(base, now, saved_ago=limit + 60 * SECOND, timestamp_ago=0)


def _order_tracks(
    document: Document, window: Window, young: int, late: Iterable[int], main: str, farther: int
) -> Iterator[Track]:
    """Feedback that is `young` when its event leaves the window: the event is known, and cannot become unknown."""
    rule = document.first_rule(ORDER, window.rule)
    shorter = min(young, window.limit)
    shortly, long, after = shorter // 5, shorter // 2, window.limit + farther + min(MARGIN, shorter // 4)
    for before, at in ((long, after), *((shortly, at) for at in (after, *late))):
        yield Track(rule, (Submit(window.limit - before, main), Submit(at, main)), saved_ago=0)
