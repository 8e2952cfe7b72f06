"""Every key of `x-behaviour` is judged by a rule, or says why only the mock follows it."""

from dataclasses import fields

from feedback_spec.behaviour import Behaviour
from feedback_spec.document import load
from feedback_spec.extensions import behaviour_keys
from feedback_spec.profiles import PROFILES


def test_every_key_is_judged_by_a_rule_or_says_why_not() -> None:
    judged = {rule for profile in PROFILES for rule in load(None, profile).verifiable}

    for name, key in behaviour_keys().items():
        reasons = [each for each in ("x-judged-by", "x-only-mock") if key.get(each)]
        assert len(reasons) == 1, name
        assert key.get("x-judged-by", "submission") in judged, name


def test_document_and_code_know_the_same_keys() -> None:
    assert set(behaviour_keys()) == {each.name for each in fields(Behaviour)}
    assert all(key["title"] for key in behaviour_keys().values())
