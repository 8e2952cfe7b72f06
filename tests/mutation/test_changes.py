"""The possible changes, and how a file of survivors refers to them."""

import pytest
from feedback_spec.source import read

from tests.mutation.__main__ import SERVER, SURVIVORS
from tests.mutation.changes import Change, candidates, changes
from tests.mutation.documents import document_changes
from tests.mutation.survivors import Kind, Reason, read_reasons, unused

SOURCE = '''"""A module."""

LIMIT: int | None = 30


class Window:
    """A window."""

    def over(self, age: int) -> bool:
        """Whether it is over."""
        return age > LIMIT + 1
'''
DOCUMENT = read(None, "openapi.yaml")[1]


def made() -> list[Change]:
    """All changes of the small module."""
    return list(changes(candidates(SOURCE)))


@pytest.mark.parametrize(
    ("where", "old", "new"),
    [
        ("module", "30", "31"),
        ("module", "30", "29"),
        ("Window.over", ">", ">="),
        ("Window.over", ">", "<"),
        ("Window.over", "+", "-"),
        ("Window.over", "1", "2"),
    ],
)
def test_both_tools_make_their_changes(where: str, old: str, new: str) -> None:
    """A change is named by its place and by the words that differ."""
    assert (where, old, new) in {(each.where, each.old, each.new.replace(" ", "")) for each in made()}


def test_no_change_comes_twice_or_changes_nothing_that_runs() -> None:
    """Neither annotations nor docstrings are worth a run."""
    sources = [each.source for each in made()]

    assert len(set(sources)) == len(sources)
    assert not [each for each in made() if each.old in ("int", "None", "|")]


def test_change_has_the_same_key_whatever_else_changes() -> None:
    """So that a campaign need not begin again after each change of the server."""
    longer = SOURCE + "\n\ndef other() -> int:\n    return 2\n"
    keys = {(each.where, each.key) for each in made() if each.where != "module"}

    assert len(keys) > 5
    assert keys <= {(each.where, each.key) for each in changes(candidates(longer))}


def test_reason_fits_its_change_wherever_the_code_has_moved() -> None:
    """Line numbers are not used."""
    moved = SOURCE.replace("class Window", "OTHER = 1\n\n\nclass Window")
    reason = Reason(Kind.EQUIVALENT, "why", where=r"Window\.over", line="LIMIT +", old=">", new=">=")

    for source in (SOURCE, moved):
        assert [each.now for each in changes(candidates(source)) if reason.explains(each)] == [
            "return age >= LIMIT + 1"
        ]


def test_reason_for_code_that_is_gone_is_found() -> None:
    """A file of survivors does not outlive its code."""
    kept, gone = Reason(Kind.EQUIVALENT, "why", old="30"), Reason(Kind.EQUIVALENT, "why", line="seconds")

    assert unused([kept, gone], made()) == [gone]


def test_reasons_speak_of_code_and_documents_that_there_are() -> None:
    """As far as can be known without making every change."""
    reasons = read_reasons(SURVIVORS)
    source = SERVER.read_text("utf-8")

    assert [each for each in reasons.code if each.line not in source] == []
    assert set(reasons.documents) <= {each.name for each in document_changes(DOCUMENT)}
