"""Overlays do what the standard says; anything that does not fit is refused in one sentence."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from feedback_spec.openapi.overlay import OverlayError, apply

CASES = yaml.safe_load((Path(__file__).parents[1] / "data" / "overlay" / "cases.yaml").read_text("utf-8"))


def overlay(*actions: dict[str, Any]) -> dict[str, Any]:
    return {"overlay": "1.1.0", "info": {"title": "a test", "version": "1"}, "actions": list(actions)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_case_of_the_standard(case: dict[str, Any]) -> None:
    before = deepcopy(case["document"])

    assert apply(case["document"], overlay(*case["actions"])) == case["output"]
    assert case["document"] == before


@pytest.mark.parametrize(
    ("actions", "sentence"),
    [
        (
            [{"target": "$.a", "update": [1]}],
            "actions[0]: list into dict cannot be merged; remove the old value first.",
        ),
        (
            [{"target": "$", "update": {"a": 1}}],
            "actions[0]: int into dict cannot be merged; remove the old value first.",
        ),
        ([{"target": "$..[", "remove": True}], "actions[0].target: $..[ is not a JSONPath: "),
        ([{"target": "$.b", "copy": "$.none"}], "actions[0].copy: $.none selects 0 values; it must be one."),
        ([{"target": "a"}], 'actions[0].target: "a" does not match "^[$]".'),
        (
            [{"target": "$.a", "updates": {}}],
            'actions[0]: "updates" is not a key here; did you mean "update"?',
        ),
        ([], "actions: [] has less than 1 item."),
    ],
)
def test_what_does_not_fit_is_refused(actions: list[dict[str, Any]], sentence: str) -> None:
    with pytest.raises(OverlayError) as caught:
        apply({"a": {}, "b": []}, overlay(*actions))

    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_version_that_is_not_known_is_refused() -> None:
    with pytest.raises(OverlayError, match="overlay: "):
        apply({}, {**overlay({"target": "$"}), "overlay": "2.0.0"})


def test_strictly_a_target_must_select_something() -> None:
    with pytest.raises(OverlayError, match=r"actions\[0\]\.target: \$\.b selects nothing"):
        apply({"a": 1}, overlay({"target": "$.b", "remove": True}), strict=True)
