"""What is submitted when: tracks of one to three steps that all wait at the same time. Pure; a plan is plain data.

A whole run costs the longest window once, however many probes it has.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from feedback_spec import files
from feedback_spec.document import Document
from feedback_spec.instants import SECOND, format_duration, in_words, parse_duration

BESIDE = tuple(sign * SECOND * part // 100 for sign in (-1, 1) for part in (3, 10, 30, 100))
REPLICAS = 3
MARGIN = SECOND
AGED = tuple(sign * seconds * SECOND for sign in (-1, 1) for seconds in (5, 10, 60))
HOUR = 3_600 * SECOND
FAR = (HOUR + SECOND, 12 * HOUR + SECOND, 24 * HOUR + SECOND, 7 * 24 * HOUR)


@dataclass(frozen=True)
class Submit:
    """A submission so many microseconds after the track's beginning; `again` sends the first body once more."""

    at: int
    by: str = "write"
    again: bool = False


@dataclass(frozen=True)
class Track:
    """One event id and what happens to it; `saved_ago` None is an event that the server never sees."""

    rule: str
    submits: tuple[Submit, ...]
    saved_ago: int | None = None
    timestamp_ago: int | None = None

    @property
    def duration(self) -> int:
        """From its beginning to its last submission, in microseconds."""
        return self.submits[-1].at


@dataclass(frozen=True)
class Plan:
    """The tracks of a run, as they were drawn."""

    seed: int
    tracks: tuple[Track, ...]

    @property
    def duration(self) -> int:
        """The wait that it costs, in microseconds."""
        return max((track.duration for track in self.tracks), default=0)


class PlanError(ValueError):
    """A plan cannot be read; the message names file, place and cause."""


def draw(
    document: Document, capabilities: frozenset[str], wait: int | None, seed: int, rules: frozenset[str] | None = None
) -> Plan:
    """The tracks that a target with these capabilities and so long a wait (microseconds; None for any) allow.

    Where only some `rules` are wanted, only the tracks that they are judged by.
    """
    random = Random(seed)
    main = "write" if "token" in capabilities else "dsn"
    shown_by = None if rules is None else _shown_by(rules, capabilities)
    tracks = [
        track
        for track in _tracks(document, capabilities, main, random)
        if _affordable(track, wait) and (shown_by is None or track.rule in shown_by)
    ]
    random.shuffle(tracks)
    # Tracks begin one after the other; what lasts longest begins first, for the run ends with its last answer.
    longest = max((track.duration for track in tracks), default=0)
    tracks.sort(key=lambda track: track.duration < longest - MARGIN // 2)
    return Plan(seed, tuple(tracks))


def _shown_by(rules: frozenset[str], capabilities: frozenset[str]) -> frozenset[str]:
    """The rules of the tracks by which these rules are judged."""
    shown = set(rules)
    if "event-window" in rules:
        shown.add("event-window-base")  # says what the target counts from
    if "conflict-body" in rules or ("overwrite-window" in rules and "event" not in capabilities):
        shown.add("overwrite-window-unknown-event")
    return frozenset(shown)


def purchases(
    document: Document, capabilities: frozenset[str], wait: int | None, rules: frozenset[str] | None = None
) -> list[str]:
    """What the wait buys of the wanted rules, and what more would, in sentences."""
    if wait is None:
        return ["The target's clock is moved; nobody waits."]
    said = []
    for name, window, possible in (
        ("overwrite window", "overwrite-window", True),
        ("event window", "event-window", "event" in capabilities),
    ):
        if rules is not None and not any(rule.startswith(window) for rule in rules):
            continue
        limit = document.window(window).limit
        cost = in_words(limit + MARGIN)
        if not possible:
            said.append(f"The {name} needs saved events, and a wait of {cost}.")
        elif limit + MARGIN <= wait:
            said.append(f"A wait of {in_words(wait)} buys the {name}: it is probed until {cost}.")
        else:
            said.append(f"The {name} needs a wait of {cost}: --wait {format_duration(limit + MARGIN)}.")
    return said


def _affordable(track: Track, wait: int | None) -> bool:
    return wait is None or track.duration <= wait or track.duration == 0


def _tracks(document: Document, capabilities: frozenset[str], main: str, random: Random) -> Iterator[Track]:
    event, overwrite = document.window("event-window").limit, document.window("overwrite-window").limit
    yield from _overwrite_tracks(overwrite, capabilities, main, random)
    if "event" in capabilities:
        yield from _event_tracks(event, overwrite, main, random)
    if "aged-timestamp" in capabilities:
        for _ in range(REPLICAS):
            submit = (Submit(0, main),)
            yield Track("event-window-base", submit, saved_ago=0, timestamp_ago=event + 60 * SECOND)
        for beside in AGED:
            if event + beside > 0:
                yield Track("event-window", (Submit(0, main),), saved_ago=0, timestamp_ago=event + beside)
    if "aged-event" in capabilities:
        for age in (*(event + beside for beside in AGED if event + beside > 0), *(age for age in FAR if age > event)):
            yield Track("event-window", (Submit(0, main),), saved_ago=age)
    if {"aged-event", "aged-timestamp"} <= capabilities:
        yield Track("event-window-base", (Submit(0, main),), saved_ago=event + 60 * SECOND, timestamp_ago=0)


def _overwrite_tracks(limit: int, capabilities: frozenset[str], main: str, random: Random) -> Iterator[Track]:
    known = 0 if "event" in capabilities else None
    first = Submit(0, main)
    for number, beside in enumerate(BESIDE * REPLICAS):
        last = Submit(limit + beside, main, again=number % 4 == 0)
        yield Track("overwrite-window-unknown-event", (first, last))
        if known is not None:
            yield Track("overwrite-window", (first, last), saved_ago=known)
        if {"token", "dsn"} <= capabilities and abs(beside) > SECOND // 10:
            pair = ("dsn", "write") if number % 2 else ("write", "dsn")
            yield Track("any-credentials-overwrite", (Submit(0, pair[0]), Submit(limit + beside, pair[1])))
    if known is not None:
        # An event that is older than its feedback: what counts from the event refuses too early.
        yield Track("overwrite-window", (Submit(limit // 2, main), Submit(limit + SECOND, main)), saved_ago=known)
    for _ in range(4):
        at = random.randrange(limit // 20, limit - limit // 10)
        yield Track("overwrite-window-unknown-event", (first, Submit(at, main)))
        if known is not None:
            # Far from the deadline: decided however slowly a busy server answers.
            yield Track("overwrite-window", (first, Submit(at, main)), saved_ago=known)
    for middle in (limit // 3, limit // 2, limit - limit // 10):
        for beside in (3 * SECOND // 10, SECOND):
            yield Track("overwrite-window-fixed", (first, Submit(middle, main), Submit(limit + beside, main)))


def _event_tracks(limit: int, overwrite: int, main: str, random: Random) -> Iterator[Track]:
    for beside in BESIDE * REPLICAS:
        yield Track("event-window", (Submit(limit + beside, main),), saved_ago=0)
    for _ in range(4):
        yield Track("event-window", (Submit(random.randrange(limit // 20, limit - limit // 10), main),), saved_ago=0)
    for before in (min(overwrite, limit) // 5, min(overwrite, limit) // 2):
        submits = (Submit(limit - before, main), Submit(limit + SECOND, main))
        yield Track("window-order", submits, saved_ago=0)


def write(plan: Plan, path: Path) -> None:
    """Writes a plan as JSON, durations in ISO 8601. Raises OSError."""
    tracks = [
        {
            "rule": track.rule,
            "saved_ago": None if track.saved_ago is None else format_duration(track.saved_ago),
            "timestamp_ago": None if track.timestamp_ago is None else format_duration(track.timestamp_ago),
            "submits": [{"at": format_duration(each.at), "by": each.by, "again": each.again} for each in track.submits],
        }
        for track in plan.tracks
    ]
    files.write(path, json.dumps({"plan": 1, "seed": plan.seed, "tracks": tracks}, indent=1) + "\n")


def read(path: Path, document: Document) -> Plan:
    """Reads a plan that `write` wrote. Raises PlanError."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise PlanError(f"{path}: cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise PlanError(f"{path}: is not JSON: {error}.") from None
    if not isinstance(content, dict) or content.get("plan") != 1 or not isinstance(content.get("tracks"), list):
        raise PlanError(f"{path}: is not a plan that --plan wrote.")
    tracks = []
    for number, entry in enumerate(content["tracks"]):
        try:
            tracks.append(_read_track(entry, document))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise PlanError(f"{path}: tracks[{number}]: {type(error).__name__}: {error}.") from None
    return Plan(int(content.get("seed", 0)), tuple(tracks))


def _read_track(entry: dict[str, Any], document: Document) -> Track:
    if entry["rule"] not in document.rules:
        raise ValueError(f'the catalogue has no rule "{entry["rule"]}"')
    ages = {
        name: None if entry[name] is None else parse_duration(entry[name]) for name in ("saved_ago", "timestamp_ago")
    }
    submits = tuple(
        Submit(parse_duration(each["at"]), str(each["by"]), bool(each["again"])) for each in entry["submits"]
    )
    if not submits or any(each.by not in ("write", "dsn") for each in submits):
        raise ValueError("a track has submissions, each by write or by dsn")
    return Track(entry["rule"], submits, **ages)
