"""Every rule in the document is forced by something."""

import pytest
from feedback_spec.document import load

from tests.broken.matrix import caught_by, table
from tests.broken.mutants import MUTANTS

RULES = load().rules


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_catches_a_broken_server(rule: str) -> None:
    """A new rule comes with a server that breaks it, as a class in mutants.py."""
    own, others = caught_by(rule)

    assert own or others


def test_broken_servers_break_rules_that_there_are() -> None:
    """Their own, and those that break with them."""
    assert {rule for each in MUTANTS for rule in (each.rule, *each.also)} <= set(RULES)


def test_table_has_every_rule_once() -> None:
    """In the groups of the reference."""
    assert sorted(line.split("`")[1] for line in table().splitlines() if line.startswith("| `")) == sorted(RULES)
