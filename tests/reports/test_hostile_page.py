"""What a hostile target sends is text on the page: it produces no markup, nothing of it runs, no request leaves."""

from html.parser import HTMLParser
from pathlib import Path

import pytest
from feedback_verify.reports.html import as_html

from tests.hostile.markup import ATTACKS, LEAVING, rendered
from tests.reports.hostile_report import hostile_report


class _Structure(HTMLParser):
    """Every tag with the names of its attributes, and the addresses in it, in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, ...]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, *(name for name, _ in attrs)))
        assert all((value or "").startswith("#") for name, value in attrs if name in ("href", "src"))


def _structure(text: str) -> list[tuple[str, ...]]:
    # Long texts are wrapped: lines of a drawing are not counted.
    return [each for each in _Structure(as_html(hostile_report(text))).found if each[0] != "text"]


@pytest.fixture(scope="module")
def harmless() -> list[tuple[str, ...]]:
    """The page's elements without an attack."""
    return _structure("harmless")


@pytest.mark.parametrize("attack", [*ATTACKS, *LEAVING])
def test_page_is_made_of_the_same_elements_whatever_the_target_says(
    attack: str, harmless: list[tuple[str, ...]]
) -> None:
    """Element by element, attribute by attribute."""
    assert _structure(attack) == harmless


def test_nothing_of_the_page_runs_or_asks_for_anything(tmp_path: Path) -> None:
    """All attacks at once, in Chromium."""
    asked, title, dom = rendered(
        lambda url: as_html(hostile_report(" ".join([*LEAVING, *ATTACKS]).replace("URL", url))), tmp_path
    )

    assert asked == ["/"]
    assert title == "Could not be tested · feedback-verify"
    assert "PWN" in dom


def test_policy_of_the_page_holds_where_escaping_would_fail(tmp_path: Path) -> None:
    """The attacks as markup, added to the page without the templates."""
    asked, title, _ = rendered(
        lambda url: as_html(hostile_report("harmless")).replace("</main>", "".join(ATTACKS).replace("URL", url)),
        tmp_path,
    )

    assert asked == ["/"]
    assert title == "Could not be tested · feedback-verify"
