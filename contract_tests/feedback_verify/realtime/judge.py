"""Judges the statuses of the tracks, by interval arithmetic in integer microseconds. Pure: no clock, no I/O.

A response was decided somewhere between sending and receiving. A status is wrong only if no instant in the interval
explains it; if both statuses are possible, the probe narrows the bracket and decides nothing.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from feedback_spec.document import Document
from feedback_spec.instants import SECOND, in_short
from feedback_spec.rules import Base, Window

from feedback_verify.exchange import Exchange
from feedback_verify.realtime.clocks import SKEW, Offset, offset_by_date, stepped
from feedback_verify.realtime.draw import UNCHANGED, UNKNOWN
from feedback_verify.realtime.intervals import Opinion, Span, is_over, opinion
from feedback_verify.realtime.schedule import Played
from feedback_verify.scenario import answer
from feedback_verify.steps import Step
from feedback_verify.verdicts import Finding, Probe

UNRELATED = frozenset({401, 403, 404, 408, 413, 425, 429})  # refusals for reasons other than windows

Windows = Mapping[str, Window]
Sides = dict[str, set[bool]]


def judge_tracks(
    document: Document, played: Iterable[Played], clock: Sequence[Offset] = (), step: int = 1
) -> list[Finding]:
    """Findings by rule; remarks and doubts state brackets and missing sides.

    `clock` is what the responses' Dates reveal; empty if they have none. The target's clock counts in steps of `step`
    microseconds.
    """
    played = [each for each in played if each.submissions or each.lost]
    counted = _as_counted(document, played, step)
    findings: list[Finding] = []
    sides: Sides = {}
    for each in played:
        finding, side = _judge(document, each, clock, counted, step)
        if finding is not None:
            findings.append(finding)
            sides.setdefault(finding.rule, set())
            sides[finding.rule] |= {side} if side is not None else set()
    findings = _without_unchanged(document, findings, sides)
    findings = _without_lost(document, findings, sides, {each.lost for each in played if each.lost})
    findings += _missing_sides(document, findings, sides)
    findings += _brackets(document, findings, counted)
    return findings + _without_events(document, findings)


def dates(played: Iterable[Played], dated: Iterable[Exchange]) -> list[Offset]:
    """What the Dates of the tracks' responses, and of those beside them, reveal about the target's clock; in order."""
    answers = [*dated, *(reply for each in played for reply in each.submissions)]
    return sorted(offset for each in answers if (offset := offset_by_date(each)) is not None)


def _as_counted(document: Document, played: Iterable[Played], step: int) -> Windows:
    """The windows by their rules: from the event's timestamp if the target was seen to count from it."""
    windows = {window.rule: window for window in document.mutability.windows}
    for each in played:
        track, saved_ago = each.track, each.track.saved_ago or 0
        ago = track.timestamp_ago
        if ago is None or not each.done or len(track.submits) > 1:
            continue
        reply = each.submissions[-1]
        told = _opinion(document, document.mutability.windows, _event_spans(each), each, reply, step)
        if reply.status in told.allowed:
            continue
        for rule, window in windows.items():
            shows = is_over(window, ago) and not is_over(window, saved_ago)
            if window.base is Base.EVENT_SAVED and shows and reply.status == window.status:
                windows[rule] = replace(window, base=Base.EVENT_TIMESTAMP)
    return windows


def _two_sided(document: Document) -> tuple[str, ...]:
    """The rules that are verified only if both sides of a deadline were seen."""
    return (*(window.rule for window in document.mutability.windows), UNKNOWN)


def _without_unchanged(document: Document, findings: list[Finding], sides: Sides) -> list[Finding]:
    """Two refusals show that a refusal changes nothing only if no window is wrong; they never suffice alone."""
    sides.pop(UNCHANGED, None)
    at_fault = any(each.violation and each.rule in _two_sided(document) for each in findings)
    return [each for each in findings if each.rule != UNCHANGED or (each.violation and not at_fault)]


def _without_lost(document: Document, findings: list[Finding], sides: Sides, lost: set[str]) -> list[Finding]:
    """A submission without a response is a remark, not a doubt, if others decided everything for its rule."""
    kept, dropped = [], Counter[str]()
    for finding in findings:
        others = [each for each in findings if each.rule == finding.rule and each.observations]
        enough = len(sides[finding.rule]) == 2 if finding.rule in _two_sided(document) else bool(others)
        if finding.doubt in lost and enough:
            dropped[finding.rule] += 1
        else:
            kept.append(finding)
    return kept + [
        Finding(rule, remark=f"{count} submission{'s' if count > 1 else ''} got no response")
        for rule, count in dropped.items()
    ]


def _judge(
    document: Document, each: Played, clock: Sequence[Offset], counted: Windows, step: int
) -> tuple[Finding | None, bool | None]:
    """The finding of a track, and the side of the deadline that it decides: True for accepted."""
    track, rule = each.track, each.track.rule
    steps = tuple(each.scenario.steps)
    own = counted.get(rule)
    if track.timestamp_ago is not None and own is not None and own.base is not Base.EVENT_TIMESTAMP:
        return None, None
    if not each.done:
        return Finding(rule, doubt=each.lost or "the run was stopped before its last submission", steps=steps), None
    windows = tuple(counted[rule] if window.rule == rule else window for window in document.mutability.windows)
    known = _event_spans(each)
    for number, reply in enumerate(each.submissions):
        told = _opinion(document, windows, known, each, reply, step)
        final = number == len(each.submissions) - 1
        doubt = _doubt(document, each, number, told, clock)
        if not final and reply.status not in told.allowed:
            doubt = doubt or f"an earlier submission was answered {answer(reply)}"
        if doubt:
            return Finding(rule, doubt=doubt, steps=steps), None
        if final:
            decides = told.decided if own is None else told.tells_of(rule)
            if each.saved is not None and each.is_unknown_in(reply) and reply.status not in told.allowed:
                rule = told.refusing[0].rule  # the event was known and no longer is: no window is left to test
            finding = _final(rule, told, reply, steps, decides=decides)
            return finding, (reply.status == told.accepted if decides else None)
        if reply.status == told.accepted:
            span = (reply.sent, reply.received)
            known.setdefault(Base.FIRST_SUBMITTED, span)
            known[Base.LAST_SUBMITTED] = span
    return None, None


def _opinion(
    document: Document,
    windows: tuple[Window, ...],
    known: Mapping[Base, Span],
    each: Played,
    reply: Exchange,
    step: int,
) -> Opinion:
    mutability = document.mutability
    outcome = mutability.overwritten if Base.FIRST_SUBMITTED in known else mutability.stored
    return opinion(windows, known, each.began, (reply.sent, reply.received), accepted=outcome.status, step=step)


def _final(rule: str, told: Opinion, reply: Exchange, steps: tuple[Step, ...], *, decides: bool) -> Finding:
    probes = tuple(Probe(window, low, high, reply.status) for window, (low, high) in told.ages.items())
    if reply.status in told.allowed:
        return Finding(rule, observations=int(decides), steps=steps, probes=probes)
    ages = ", ".join(
        f"{window} counts between {in_short(low)} and {in_short(high)}" for window, (low, high) in told.ages.items()
    )
    expected = " or ".join(map(str, sorted(told.allowed)))
    message = f"expected {expected}, got {answer(reply)}, where {ages}"
    return Finding(rule, violation=message, steps=steps, probes=probes)


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


def _doubt(document: Document, each: Played, number: int, told: Opinion, clock: Sequence[Offset]) -> str | None:
    """Why a response decides nothing, if so."""
    reply = each.submissions[number]
    statuses = {told.accepted, *(window.status for window in document.mutability.windows)}
    if reply.status not in statuses and not _refused_otherwise(reply, told):
        return f"a submission was answered {answer(reply)}"
    if each.saved is not None and each.is_unknown_in(reply) and not each.was_known_before(number):
        return "the target did not know the event yet when feedback was submitted"
    step = stepped(clock, each.began, reply.received)
    return f"the target's clock was stepped by {step / SECOND:+.1f} s" if step else None


def _refused_otherwise(reply: Exchange, told: Opinion) -> bool:
    """Whether this can only be a window's refusal, but with a different status than the document says."""
    return 400 <= reply.status < 500 and reply.status not in UNRELATED and not told.may_accept


def _missing_sides(document: Document, findings: list[Finding], sides: Sides) -> list[Finding]:
    """A window is verified only if responses on both sides of its deadline were decided."""
    doubts = []
    for rule in _two_sided(document):
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
            doubts.append(Finding(rule, doubt=f"{side} of the deadline was decided; the responses took too long"))
    for rule in sides:
        said = [each for each in (*findings, *doubts) if each.rule == rule]
        if not any(each.observations or each.violation or each.doubt for each in said):
            doubts.append(Finding(rule, doubt="no probe was decided; the responses took too long"))
    return doubts


def _brackets(document: Document, findings: list[Finding], counted: Windows) -> list[Finding]:
    """Where each window's limit is, from all probes of its rule."""
    remarks = []
    accepted = {document.mutability.stored.status, document.mutability.overwritten.status}
    for window in document.mutability.windows:
        for rule in (window.rule, *([UNKNOWN] if window.base.startswith("feedback") else [])):
            probes = [
                probe for each in findings if each.rule == rule for probe in each.probes if probe.window == window.rule
            ]
            taken = max((probe.earliest for probe in probes if probe.status in accepted), default=None)
            refused = min((probe.latest for probe in probes if probe.status == window.status), default=None)
            if taken is not None and refused is not None:
                otherwise = counted[window.rule].base is Base.EVENT_TIMESTAMP and rule == window.rule
                basis = ", proven from the event's timestamp" if otherwise else ""
                bracket = f"lies between {in_short(taken)} and {in_short(refused)}"
                said = f"{bracket}, documented {in_short(window.limit)}{basis}"
                remarks.append(Finding(rule, remark=said))
    return remarks


def _without_events(document: Document, findings: list[Finding]) -> list[Finding]:
    """If no event can be saved, unknown events show the windows of feedback too."""
    same = [each for each in findings if each.rule == UNKNOWN]
    found: list[Finding] = []
    for window in document.mutability.windows:
        if same and window.base.startswith("feedback") and not any(each.rule == window.rule for each in findings):
            found += [replace(each, rule=window.rule) for each in same]
            found.append(Finding(window.rule, remark="seen on events that the target does not know"))
    return found
