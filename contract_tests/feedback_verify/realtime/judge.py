"""What the tracks say, by interval arithmetic in integer microseconds. Pure: no clock, no I/O.

An answer was decided somewhere between sending and receiving. A status is wrong only if no instant in the
interval explains it; where both statuses can be explained, the probe narrows the bracket and decides nothing.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from feedback_spec.document import Document
from feedback_spec.instants import SECOND, in_short
from feedback_spec.rules import Base, Window

from feedback_verify.exchange import Exchange
from feedback_verify.realtime.schedule import Played
from feedback_verify.scenario import answer
from feedback_verify.steps import Step
from feedback_verify.verdicts import Finding, Probe

DRIFT = 10_000  # one part in so many: clocks of different machines run apart by 100 parts in a million
SKEW = 2 * SECOND  # between our wall clock and the target's, where an event's own timestamp counts
DATED = 2 * SECOND  # how much later than its Date an answer may be: Date has whole seconds, and servers cache it
STEP = SECOND // 2  # a jump of Date against our clock by more, beyond what that explains, is a step
UNRELATED = frozenset({401, 403, 404, 408, 413, 425, 429})  # refusals that have other reasons than the windows

Span = tuple[int, int]
Offset = tuple[int, int, int]


@dataclass(frozen=True)
class Opinion:
    """What one answer says: the statuses that its interval explains, and its age by every window."""

    allowed: frozenset[int]
    ages: Mapping[str, Span]


def judge_tracks(document: Document, played: Iterable[Played], dated: Iterable[Exchange] = ()) -> list[Finding]:
    """Findings by rule; brackets and missing sides are said in remarks and doubts.

    `dated` are answers beside those of the tracks that say by their Date what the target's clock showed.
    """
    played = [each for each in played if each.submissions or each.lost]
    by_timestamp = _counts_from_timestamp(document, played)
    answers = [*dated, *(reply for each in played for reply in each.submissions)]
    clock = sorted(offset for each in answers if (offset := _offset(each)) is not None)
    findings: list[Finding] = []
    sides: dict[str, set[bool]] = {}
    for each in played:
        finding, side = _judge(document, each, clock, by_timestamp=by_timestamp)
        if finding is not None:
            findings.append(finding)
            sides.setdefault(finding.rule, set())
            sides[finding.rule] |= {side} if side is not None else set()
    findings = _without_lost(findings, sides, {each.lost for each in played if each.lost})
    findings += _missing_sides(findings, sides)
    findings += _brackets(document, findings, by_timestamp=by_timestamp)
    return findings + _without_events(findings) + _conflict_bodies(played)


def _without_lost(findings: list[Finding], sides: Mapping[str, set[bool]], lost: set[str]) -> list[Finding]:
    """A submission that got no answer is a remark, not a doubt, where others of its rule decided all there is."""
    windows = ("event-window", "overwrite-window", "overwrite-window-unknown-event")
    kept, dropped = [], Counter[str]()
    for finding in findings:
        others = [each for each in findings if each.rule == finding.rule and each.observations]
        enough = len(sides[finding.rule]) == 2 if finding.rule in windows else bool(others)
        if finding.doubt in lost and enough:
            dropped[finding.rule] += 1
        else:
            kept.append(finding)
    return kept + [
        Finding(rule, remark=f"{count} submission{'s' if count > 1 else ''} got no answer")
        for rule, count in dropped.items()
    ]


def _counts_from_timestamp(document: Document, played: list[Played]) -> bool:
    """Whether the target's event window counts from the timestamp: what the base tracks show, else the document."""
    for each in played:
        older = (each.track.timestamp_ago or 0) > (each.track.saved_ago or 0)
        shows = older and each.track.rule == "event-window-base" and each.done
        if shows and each.submissions[-1].status in (200, 409):
            return each.submissions[-1].status == 409
    return document.window("event-window").base is Base.EVENT_TIMESTAMP


def _judge(
    document: Document, each: Played, clock: list[Offset], *, by_timestamp: bool
) -> tuple[Finding | None, bool | None]:
    """The finding of a track, and the side of the deadline that it decides: True for accepted."""
    track, rule = each.track, each.track.rule
    steps = tuple(each.scenario.steps)
    if track.timestamp_ago is not None and rule == "event-window" and not by_timestamp:
        return None, None
    if not each.done:
        return Finding(rule, doubt=each.lost or "the run was stopped before its last submission", steps=steps), None
    windows = [_as_counted(window, by_timestamp and rule == "event-window") for window in document.mutability.windows]
    known: dict[Base, Span] = _event_spans(each)
    for number, reply in enumerate(each.submissions):
        opinion = _opinion(windows, known, reply)
        final = number == len(each.submissions) - 1
        doubt = _doubt(each, reply, opinion, clock)
        if doubt or (not final and reply.status != 200):
            return Finding(
                rule, doubt=doubt or f"an earlier submission was answered {answer(reply)}", steps=steps
            ), None
        if final:
            return _final(rule, opinion, reply, steps), (reply.status == 200 if len(opinion.allowed) == 1 else None)
        span = (reply.sent, reply.received)
        known.setdefault(Base.FIRST_SUBMITTED, span)
        known[Base.LAST_SUBMITTED] = span
    return None, None


def _final(rule: str, opinion: Opinion, reply: Exchange, steps: tuple[Step, ...]) -> Finding:
    probes = tuple(Probe(window, low, high, reply.status) for window, (low, high) in opinion.ages.items())
    if reply.status in opinion.allowed:
        return Finding(rule, observations=int(len(opinion.allowed) == 1), steps=steps, probes=probes)
    ages = ", ".join(
        f"{window} counts between {in_short(low)} and {in_short(high)}" for window, (low, high) in opinion.ages.items()
    )
    expected = " or ".join(map(str, sorted(opinion.allowed)))
    message = f"expected {expected}, got {answer(reply)}, where {ages}"
    return Finding(rule, violation=message, steps=steps, probes=probes)


def _opinion(windows: list[Window], known: Mapping[Base, Span], reply: Exchange) -> Opinion:
    ages: dict[str, Span] = {}
    allowed: set[int] = set()
    certain = False
    for window in windows:
        if window.base not in known:
            continue
        low, high = reply.sent - known[window.base][1], reply.received - known[window.base][0]
        low, high = low - abs(low) // DRIFT, high + abs(high) // DRIFT
        ages[window.rule] = (low, high)
        over = high > window.limit if window.limit_accepted else high >= window.limit
        surely_over = low > window.limit if window.limit_accepted else low >= window.limit
        if over and not certain:
            allowed.add(window.status)
        certain = certain or surely_over
    if not certain:
        allowed.add(200)
    return Opinion(frozenset(allowed), ages)


def _as_counted(window: Window, by_timestamp: bool) -> Window:
    """The window with the base that the target was seen to use."""
    if by_timestamp and window.base is Base.EVENT_SAVED:
        return Window(window.rule, Base.EVENT_TIMESTAMP, window.limit, window.limit_accepted, window.status)
    return window


def _event_spans(each: Played) -> dict[Base, Span]:
    if each.saved is None:
        return {}
    sent, received = each.saved
    ago, timestamp_ago = each.track.saved_ago or 0, each.track.timestamp_ago
    spans = {Base.EVENT_SAVED: (sent - ago, received - ago)}
    skew = 0 if timestamp_ago is None else SKEW
    at = ago if timestamp_ago is None else timestamp_ago
    spans[Base.EVENT_TIMESTAMP] = (sent - at - skew, received - at + skew)
    return spans


def _doubt(each: Played, reply: Exchange, opinion: Opinion, clock: list[Offset]) -> str | None:
    """Why nothing can be said of an answer, if so."""
    if reply.status not in (200, 409) and not _refused_otherwise(reply, opinion):
        return f"a submission was answered {answer(reply)}"
    unlinked = reply.status == 200 and reply.object and reply.object.get("issue", 0) is None
    if each.saved is not None and unlinked:
        return "the target did not know the event yet when feedback was submitted"
    if each.scenario.target.clock == "process":
        return None  # we step it ourselves, and servers send a cached Date for a while
    began = each.submissions[0].sent if each.saved is None else each.saved[0]
    stepped = _stepped(clock, began, reply.received)
    return f"the target's clock was stepped by {stepped / SECOND:+.1f} s" if abs(stepped) > STEP else None


def _refused_otherwise(reply: Exchange, opinion: Opinion) -> bool:
    """Whether this can only be the refusal of a window, with another status than the document says."""
    return 400 <= reply.status < 500 and reply.status not in UNRELATED and 200 not in opinion.allowed


def _offset(exchange: Exchange) -> Offset | None:
    """When an answer came, and between what the target's clock was ahead of ours then, by its Date."""
    try:
        date = int(parsedate_to_datetime(exchange.headers.get("date", "")).timestamp()) * SECOND
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return exchange.received, date - exchange.received, date + DATED - exchange.sent


def _stepped(clock: list[Offset], began: int, ended: int) -> int:
    """By how many microseconds the target's clock moved against ours at least, between two instants of ours.

    Nearly `began`: the last answer before it shows the clock as it was.
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
    return forward if forward >= backward else -backward


def _missing_sides(findings: list[Finding], sides: Mapping[str, set[bool]]) -> list[Finding]:
    """A window is verified only where answers on both sides of its deadline were decided."""
    doubts = []
    for rule in ("event-window", "overwrite-window", "overwrite-window-unknown-event"):
        if (
            rule in sides
            and sides[rule] != {True, False}
            and not any(each.violation for each in findings if each.rule == rule)
        ):
            side = (
                "no probe"
                if not sides[rule]
                else f"no probe on the {'refused' if True in sides[rule] else 'accepted'} side"
            )
            doubts.append(Finding(rule, doubt=f"{side} of the deadline was decided; the answers took too long"))
    for rule in sides:
        said = [each for each in (*findings, *doubts) if each.rule == rule]
        if not any(each.observations or each.violation or each.doubt for each in said):
            doubts.append(Finding(rule, doubt="no probe was decided; the answers took too long"))
    return doubts


def _brackets(document: Document, findings: list[Finding], *, by_timestamp: bool) -> list[Finding]:
    """Where each window's limit lies, from all probes of its rule."""
    remarks = []
    for window in document.mutability.windows:
        for rule in dict.fromkeys((window.rule, *(f"{window.rule}-unknown-event",))):
            probes = [
                probe for each in findings if each.rule == rule for probe in each.probes if probe.window == window.rule
            ]
            taken = max((probe.earliest for probe in probes if probe.status == 200), default=None)
            refused = min((probe.latest for probe in probes if probe.status == window.status), default=None)
            if taken is not None and refused is not None:
                basis = ", proven from the event's timestamp" if by_timestamp and rule == "event-window" else ""
                bracket = f"lies between {in_short(taken)} and {in_short(refused)}"
                said = f"{bracket}, documented {in_short(window.limit)}{basis}"
                remarks.append(Finding(rule, remark=said))
    return remarks


def _without_events(findings: list[Finding]) -> list[Finding]:
    """Where no event can be saved, unknown events show the overwrite window too."""
    if any(each.rule == "overwrite-window" for each in findings):
        return []
    same = [each for each in findings if each.rule == "overwrite-window-unknown-event"]
    said = Finding("overwrite-window", remark="seen on events that the target does not know")
    renamed = [
        Finding("overwrite-window", each.observations, each.violation, each.doubt, each.remark, each.steps, each.probes)
        for each in same
    ]
    return [*renamed, said] if renamed else []


def _conflict_bodies(played: list[Played]) -> list[Finding]:
    """Every refusal that the tracks met has a detail that is a text."""
    refusals = [(each, reply) for each in played for reply in each.submissions if reply.status == 409]
    for each, reply in refusals:
        detail = reply.object.get("detail")
        if not isinstance(detail, str) or not detail:
            message = f"the refusal's detail is {detail!r}, not a text"
            return [Finding("conflict-body", violation=message, steps=tuple(each.scenario.steps))]
    return [Finding("conflict-body", observations=len(refusals))] if refusals else []
