"""A plan as plain data, and its file: tracks of one to three submissions that all wait at the same time."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from feedback_spec import files
from feedback_spec.document import Document
from feedback_spec.instants import format_duration, parse_duration

from feedback_verify.reading import Unreadable, read_json


@dataclass(frozen=True)
class Submit:
    """A submission this many microseconds after the start of the track; `again` repeats the first body."""

    at: int
    by: str = "write"
    again: bool = False


@dataclass(frozen=True)
class Track:
    """One event id and what happens to it; with `saved_ago` None, the server never sees the event."""

    rule: str
    submits: tuple[Submit, ...]
    saved_ago: int | None = None
    timestamp_ago: int | None = None

    @property
    def duration(self) -> int:
        """From its start to its last submission, in microseconds."""
        return self.submits[-1].at


@dataclass(frozen=True)
class Plan:
    """The tracks of a run, as drawn."""

    seed: int
    tracks: tuple[Track, ...]

    @property
    def duration(self) -> int:
        """The wait that it takes, in microseconds."""
        return max((track.duration for track in self.tracks), default=0)


class PlanError(ValueError):
    """A plan cannot be read; the message names file, place and cause."""


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
        content = read_json(path)
    except Unreadable as error:
        raise PlanError(str(error)) from None
    if (
        not isinstance(content, dict)
        or content.get("plan") != 1
        or not isinstance(content.get("tracks"), list)
        or not isinstance(content.get("seed", 0), int)
    ):
        raise PlanError(f"{path}: was not written by --plan.")
    tracks = []
    for number, entry in enumerate(content["tracks"]):
        try:
            tracks.append(_read_track(entry, document))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise PlanError(f"{path}: tracks[{number}]: {type(error).__name__}: {error}.") from None
    return Plan(content.get("seed", 0), tuple(tracks))


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
