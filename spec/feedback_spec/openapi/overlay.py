"""Applies an OpenAPI Overlay (versions 1.0 and 1.1 of the standard) to a document. Pure.

No Python library for overlays has more than one maintainer, and the three actions are small. Targets are JSONPath (RFC
9535), evaluated by the library that passes that standard's own test suite.
"""

import json
from copy import deepcopy
from functools import cache
from importlib import resources
from typing import Any

from jsonpath_rfc9535 import JSONPathError, find

from feedback_spec.openapi.problems import Checker


class OverlayError(Exception):
    """The overlay is invalid, or an action does not fit the document; one sentence with the place."""


def apply(document: dict[str, Any], overlay: dict[str, Any], *, strict: bool = False) -> dict[str, Any]:
    """The document with every action of the overlay applied, in order; the arguments are not modified.

    As the standard says, a target that selects nothing changes nothing. With `strict`, it is an OverlayError: it means
    that an overlay written for one document is out of date.
    """
    _check(overlay)
    # Wrapped, so that the root too is a value in a container.
    whole = {"": deepcopy(document)}
    for index, action in enumerate(overlay["actions"]):
        place = f"actions[{index}]"
        locations = _select(whole[""], action["target"], f"{place}.target")
        if strict and not locations:
            raise OverlayError(f"{place}.target: {action['target']} selects nothing.")
        if action.get("remove"):
            # Back to front, so that removing an item from a list does not shift the others.
            for location in sorted(locations, key=_order, reverse=True):
                del _container(whole, location)[location[-1]]
        else:
            value = action.get("update")
            if "copy" in action:
                value = _single(whole[""], action["copy"], f"{place}.copy")
            for location in locations:
                container = _container(whole, location)
                container[location[-1]] = _updated(container[location[-1]], deepcopy(value), place)
    return whole[""]


def _check(overlay: dict[str, Any]) -> None:
    if problem := _checker().problem(overlay):
        raise OverlayError(f"{problem[0] or 'overlay'}: {problem[1]}")


@cache
def _checker() -> Checker:
    return Checker(json.loads((resources.files("feedback_spec.openapi") / "overlay.schema.json").read_text("utf-8")))


def _select(document: Any, target: str, place: str) -> list[tuple[str | int, ...]]:
    """The places of the selected values, without duplicates; each begins with the wrapper's key."""
    try:
        found = [("", *node.location) for node in find(target, document)]
    except JSONPathError as error:
        raise OverlayError(f"{place}: {target} is not a JSONPath: {' '.join(str(error).split())}.") from None
    return list(dict.fromkeys(found))


def _single(document: Any, source: str, place: str) -> Any:
    locations = _select(document, source, place)
    if len(locations) != 1:
        raise OverlayError(f"{place}: {source} selects {len(locations)} values; it must be one.")
    return _container({"": document}, locations[0])[locations[0][-1]]


def _container(whole: Any, location: tuple[str | int, ...]) -> Any:
    for step in location[:-1]:
        whole = whole[step]
    return whole


def _order(location: tuple[str | int, ...]) -> tuple[tuple[str, int], ...]:
    return tuple((step, 0) if isinstance(step, str) else ("", step) for step in location)


def _updated(old: Any, value: Any, place: str) -> Any:
    match old, value:
        case dict(), dict():
            return {
                **old,
                **{key: _updated(old[key], each, place) if key in old else each for key, each in value.items()},
            }
        case list(), list():
            return [*old, *value]
        case list(), _:
            return [*old, value]
        case _ if isinstance(old, (dict, list)) or isinstance(value, (dict, list)):
            kinds = f"{type(value).__name__} into {type(old).__name__}"
            raise OverlayError(f"{place}: {kinds} cannot be merged; remove the old value first.")
        case _:
            return value
