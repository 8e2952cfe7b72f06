"""The control protocol's handlers for a project's faults: add, list, remove, release."""

import re
from collections.abc import Iterator
from typing import Any

from feedback_spec.instants import SECOND, format_duration, parse_duration

from feedback_mock.asgi import printable
from feedback_mock.control.handlers import ControlRequest, instant
from feedback_mock.effects import BODILESS, LONGEST, UNTIL_RELEASED
from feedback_mock.faults import MOST_RULES
from feedback_mock.result import Done, Refused, Result
from feedback_mock.store import Project

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_VALUE = re.compile(r"[\x20-\x7e\xa0-\xff]{0,4096}")
_OURS = frozenset({"content-length", "transfer-encoding", "connection"})
_KINDS = ("connection", "status", "delay", "dribble", "broken_body")


def add_faults(request: ControlRequest, project: Project) -> Result:
    """Adds rules after the existing ones."""
    now, rules = project.clock.now(), request.body["faults"]
    spans = []
    for number, rule in enumerate(rules):
        problem = problem_of(rule)
        if problem is not None:
            return Refused("request", f"faults.{number}.{problem}")
        place = f"faults.{number}."
        begins, ends = (instant(rule, name, place) if name in rule else None for name in ("from", "until"))
        if "lifetime" in rule:
            end = now + parse_duration(rule["lifetime"])
            ends = end if ends is None else min(ends, end)
        if begins is not None and ends is not None and begins > ends:
            return Refused("request", f"{place}from: is after the end of the rule, so it would never apply.")
        spans.append((begins, ends))
    if not project.faults.add(rules, spans):
        return Refused("room", f"A project has at most {MOST_RULES} faults; delete some.")
    return list_faults(request, project)


def list_faults(_: ControlRequest, project: Project) -> Result:
    """All rules, in the order in which they are tried."""
    return Done(faults_shown(project))


def faults_shown(project: Project) -> dict[str, Any]:
    """The rules of a project in the protocol's format."""
    return {"faults": [rule.shown() for rule in project.faults.rules]}


def clear_faults(_: ControlRequest, project: Project) -> Result:
    """Removes all rules, and lets waiting requests continue."""
    project.faults.clear()
    return Done(None, 204)


def release(_: ControlRequest, project: Project) -> Result:
    """Lets waiting requests continue."""
    return Done({"released": project.faults.release()})


def problem_of(rule: dict[str, Any]) -> str | None:
    """What is wrong with a rule that the schema cannot express."""
    effect = rule["effect"]
    kinds = [name for name in _KINDS if name in effect]
    if len([name for name in kinds if name != "delay"]) > 1 or not kinds:
        return f"effect: needs exactly one of {', '.join(_KINDS)}; only delay goes beside another."
    if "status" not in effect:
        for name in ("headers", "body", "retry_after"):
            if name in effect:
                return f"effect.{name}: is allowed only with status."
    if "body" in effect and effect["status"] in BODILESS:
        return f"effect.body: a response with status {effect['status']} has no body."
    for name, duration in _waits(effect):
        if parse_duration(duration) > LONGEST * SECOND:
            return f"{name}: {duration} is more than the {format_duration(LONGEST * SECOND)} that a request may take."
    return _problem_of_headers(effect.get("headers", {}))


def _problem_of_headers(headers: dict[str, str]) -> str | None:
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            return f'effect.headers: "{printable(name, 100)}" is not a valid name of a header.'
        if name.lower() in _OURS:
            return f'effect.headers: "{printable(name, 100)}" cannot be set, because the server sets it.'
        if not _VALUE.fullmatch(value):
            return f"effect.headers.{name}: is not a valid header value on one line."
    return None


def _waits(effect: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The durations in an effect, each with where it stands."""
    delay = effect.get("delay", UNTIL_RELEASED)
    if isinstance(delay, dict):
        yield "effect.delay.median", delay["median"]
    elif delay != UNTIL_RELEASED:
        yield "effect.delay", delay
    if "dribble" in effect:
        yield "effect.dribble.duration", effect["dribble"]["duration"]


FAULT_HANDLERS = {
    "controlAddFaults": add_faults,
    "controlListFaults": list_faults,
    "controlClearFaults": clear_faults,
    "controlReleaseFaults": release,
}
