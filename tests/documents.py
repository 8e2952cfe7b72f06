"""The document with other windows: renamed, three, one, refused at their limits, or with another status.

Every program supports each of them without other changes. The base is the packaged document; the differences are
written here, including rows.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from feedback_spec.source import read

Change = Callable[[dict[str, Any]], None]


def _mutability(document: dict[str, Any]) -> dict[str, Any]:
    mutability: dict[str, Any] = next(iter(document["paths"].values()))["post"]["x-mutability"]
    return mutability


def _without_rules(document: dict[str, Any], gone: Iterable[str]) -> None:
    """Removes rules, and the rows that show them."""
    gone = frozenset(gone)
    document["x-rules"] = [each for each in document["x-rules"] if each["id"] not in gone]
    mutability = _mutability(document)
    mutability["examples"] = [each for each in mutability["examples"] if each["rule"] not in gone]


def _renamed(document: dict[str, Any]) -> None:
    """Both windows have other names; everything said about the old names applies to the new ones."""
    names = {"event-window": "time-to-report", "overwrite-window": "time-to-correct"}
    mutability = _mutability(document)
    for each in (*mutability["windows"], *mutability["examples"]):
        each["rule"] = names.get(each["rule"], each["rule"])
    mutability["order"] = [names[each] for each in mutability["order"]]
    for rule in document["x-rules"]:
        rule["id"] = names.get(rule["id"], rule["id"])


def _three(document: dict[str, Any]) -> None:
    """Besides ours, a window of a day from the event's own timestamp, checked in between."""
    mutability = _mutability(document)
    mutability["windows"].append(
        {
            "rule": "timestamp-window",
            "from": "event.timestamp",
            "limit": "P1D",
            "spoken": "1 day",
            "at_limit": "accepted",
            "status": 409,
        }
    )
    mutability["order"] = ["event-window", "timestamp-window", "overwrite-window"]
    rows = (
        ("an event that happened a day before it was saved", "P1D", "stored", 200),
        ("an event that happened more than a day ago, saved just now", "P1DT0.000001S", "refused", 409),
    )
    mutability["examples"] += [
        {
            "case": case,
            "event_saved_ago": "PT0S",
            "event_timestamp_ago": ago,
            "outcome": outcome,
            "status": status,
            "rule": "timestamp-window",
        }
        for case, ago, outcome, status in rows
    ]
    document["x-rules"].append(
        {
            "id": "timestamp-window",
            "group": "windows",
            "level": "observed",
            "rule": "Feedback is refused with 409 when its event happened more than 1 day ago.",
            "needs": ["aged-event", "clock"],
            "refusal": {"status": 409, "example": "conflict"},
        }
    )
    post = next(iter(document["paths"].values()))["post"]
    post["description"] += "\n\nFeedback is not taken for an event that happened more than 1 day ago."


def _one(document: dict[str, Any]) -> None:
    """Only the event window: feedback may be overwritten for as long as it is accepted at all."""
    mutability = _mutability(document)
    mutability["windows"] = [each for each in mutability["windows"] if each["rule"] == "event-window"]
    mutability["order"] = ["event-window"]
    overwriting = ("overwrite-window", "overwrite-window-fixed", "overwrite-window-unknown-event", "window-order")
    _without_rules(document, overwriting)


def _refused_at_limit(document: dict[str, Any]) -> None:
    """The limit itself is excluded: less than 30 minutes and less than 5 minutes."""
    mutability = _mutability(document)
    for window in mutability["windows"]:
        window["at_limit"] = "refused"
    for row in mutability["examples"]:
        ages = {row.get("event_saved_ago"), row.get("first_submitted_ago")}
        if row["case"].startswith("exactly at"):
            row.update(outcome="refused", status=409)
            assert ages & {"PT30M", "PT5M"}
    mutability["examples"] += [
        {
            "case": "one microsecond before the limit of the event window",
            "event_saved_ago": "PT29M59.999999S",
            "outcome": "stored",
            "status": 200,
            "rule": "event-window",
        },
        {
            "case": "one microsecond before the limit of the overwrite window",
            "first_submitted_ago": "PT4M59.999999S",
            "outcome": "overwritten",
            "status": 200,
            "rule": "overwrite-window",
        },
    ]
    texts = {
        "event-window": "Feedback is accepted for less than 30 minutes after the event was saved, else 409.",
        "overwrite-window": "Feedback may be overwritten for less than 5 minutes after it was submitted, else 409.",
    }
    for rule in document["x-rules"]:
        rule["rule"] = texts.get(rule["id"], rule["rule"])


def _status_422(document: dict[str, Any]) -> None:
    """Both windows answer 422 instead of 409."""
    post = next(iter(document["paths"].values()))["post"]
    post["responses"]["422"] = post["responses"].pop("409")
    for each in (*_mutability(document)["windows"], *_mutability(document)["examples"]):
        each["status"] = {409: 422}.get(each["status"], each["status"])
    for rule in document["x-rules"]:
        rule["rule"] = rule["rule"].replace("409", "422")
        if rule.get("refusal", {}).get("status") == 409:
            rule["refusal"]["status"] = 422


def _created(document: dict[str, Any]) -> None:
    """New feedback is answered with 201, an overwrite still with 200."""
    post = next(iter(document["paths"].values()))["post"]
    post["responses"]["201"] = post["responses"]["200"]
    _mutability(document)["outcomes"]["stored"]["status"] = 201
    for row in _mutability(document)["examples"]:
        if row["outcome"] == "stored":
            row["status"] = 201


WINDOWS: dict[str, Change] = {
    "windows of other names": _renamed,
    "201 for what is new": _created,
    "three windows": _three,
    "one window": _one,
    "windows that refuse at their limit": _refused_at_limit,
    "windows that answer 422": _status_422,
}
"""By what they are called in tests: documents whose windows are not ours."""


def other_windows(name: str, path: Path) -> Path:
    """Writes the document of this name (a key of WINDOWS) to `path`."""
    document = read(None, "openapi.yaml")[1]
    WINDOWS[name](document)
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1), "utf-8")
    return path
