"""How to read the page of a report: on a phone, in light and dark mode, with the keyboard."""

from pathlib import Path
from typing import Any

import pytest
from feedback_verify.reports.html import as_html
from playwright.sync_api import sync_playwright

from tests.page.conftest import CHROMIUM
from tests.reports.hostile_report import hostile_report

LEAST = 4.5  # of WCAG 2.2 AA, for text of any size
PHONE: Any = {"width": 390, "height": 844}
# Every visible text, with its contrast to the nearest background.
CONTRASTS = """() => {
  const parts = colour => colour.match(/[0-9.]+/g).map(Number);
  const light = colour => parts(colour).slice(0, 3).map(each => each / 255)
    .map(each => each <= 0.03928 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4)
    .reduce((sum, each, place) => sum + each * [0.2126, 0.7152, 0.0722][place], 0);
  const ground = node => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if ((parts(colour)[3] ?? 1) > 0) return colour;
    }
  };
  return [...document.querySelectorAll("body *")]
    .filter(node => node.checkVisibility())
    .filter(node => [...node.childNodes].some(each => each.nodeType === 3 && each.data.trim()))
    .filter(node => !["title", "desc"].includes(node.tagName))
    .map(node => {
      const style = getComputedStyle(node);
      const ink = light(node.tagName === "text" ? style.fill : style.color), paper = light(ground(node));
      return [(Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05), node.className.baseVal ?? node.className];
    });
}"""


def test_page_can_be_read_on_a_phone_in_both_schemes_and_from_the_keyboard(tmp_path: Path) -> None:
    """Nothing is wider than the screen, every text has enough contrast, and the first key skips the navigation."""
    if CHROMIUM is None:
        pytest.skip("Chromium cannot be had here: apt-get install chromium")
    file = tmp_path / "report.html"
    file.write_text(as_html(hostile_report("a-word-without-an-end" * 20)), "utf-8")
    found = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            page = browser.new_page(viewport=PHONE, color_scheme=scheme)
            page.goto(file.as_uri())
            found[scheme] = page.evaluate(CONTRASTS)
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        arrived = page.evaluate("document.activeElement.id")
        browser.close()

    assert arrived == "verdicts"
    assert all(len(texts) > 50 for texts in found.values())
    assert {scheme: [each for each in texts if each[0] < LEAST] for scheme, texts in found.items()} == {
        "light": [],
        "dark": [],
    }
