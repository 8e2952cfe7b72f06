"""What a hostile target says is text on the page: no markup comes of it, nothing of it runs, no request leaves."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from feedback_verify.reports.html import as_html

from tests.broken.serving import serving
from tests.clients.browser import OPTIONS
from tests.reports.hostile_report import hostile_report

ATTACKS = (
    "<script>document.title='PWN'</script>",
    "</title><script src=URL/1></script>",
    "</style><style>@import 'URL/2'; body { background: url(URL/3) }</style>",
    "</pre></details><img src=URL/4 onerror=document.title='PWN'>",
    "\"><img src='URL/5'>",
    "' onmouseover='location=\"URL/6\"",
    '" style="background:url(URL/7)" x="',
    "</desc></text></svg><svg onload=document.title='PWN'><image href=URL/8 /></svg>",
    "--><iframe src=URL/9></iframe><!--",
    "<link rel=stylesheet href=URL/10><link rel=prefetch href=URL/11>",
    "<form action=URL/13><input autofocus onfocus=document.title='PWN'></form>",
    "<object data=URL/14></object><embed src=URL/15><video src=URL/16 autoplay></video>",
    "<a href=javascript:document.title='PWN'>x</a>",
    "&lt;script src=URL/17&gt;&#60;img src=URL/18&#62;",
    "{{ 7 * 7 }}{% include '/etc/passwd' %}${7*7}",
    "]]><![CDATA[<img src=URL/19>",
    "\u202e<img src=URL/20>\x00\x1b[31m",
    "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16") + "<b>",
)
# These leave by navigation, which no policy of a page forbids: only escaping keeps them.
LEAVING = ("<meta http-equiv=refresh content='0;url=URL/21'>", "<base href=URL/22/>")


class _Structure(HTMLParser):
    """Every tag with the names of its attributes, and the addresses that it names, in their order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, ...]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, *(name for name, _ in attrs)))
        assert all((value or "").startswith("#") for name, value in attrs if name in ("href", "src"))


def _structure(text: str) -> list[tuple[str, ...]]:
    # Texts of many letters are broken into lines: lines of a drawing are not counted.
    return [each for each in _Structure(as_html(hostile_report(text))).found if each[0] != "text"]


@pytest.fixture(scope="module")
def harmless() -> list[tuple[str, ...]]:
    """What the page is made of where nobody attacks."""
    return _structure("harmless")


@pytest.mark.parametrize("attack", [*ATTACKS, *LEAVING])
def test_page_is_made_of_the_same_elements_whatever_the_target_says(
    attack: str, harmless: list[tuple[str, ...]]
) -> None:
    """Element by element, attribute by attribute."""
    assert _structure(attack) == harmless


def test_nothing_of_the_page_runs_or_asks_for_anything(tmp_path: Path) -> None:
    """All attacks at once, in Chromium."""
    asked, title, dom = _rendered(
        lambda url: as_html(hostile_report(" ".join([*LEAVING, *ATTACKS]).replace("URL", url))), tmp_path
    )

    assert asked == ["/"]
    assert title == "Could not be tested · feedback-verify"
    assert "PWN" in dom


def test_policy_of_the_page_holds_where_escaping_would_fail(tmp_path: Path) -> None:
    """The attacks as markup, put on the page behind the templates' back."""
    asked, title, _ = _rendered(
        lambda url: as_html(hostile_report("harmless")).replace("</main>", "".join(ATTACKS).replace("URL", url)),
        tmp_path,
    )

    assert asked == ["/"]
    assert title == "Could not be tested · feedback-verify"


def _rendered(page: Callable[[str], str], folder: Path) -> tuple[list[str], str, str]:
    """The paths that Chromium asks for while it shows the page, the title and the document that come of it."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("chromium is not here")
    asked: list[str] = []
    pages: list[bytes] = []

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        asked.append(scope["path"])
        headers = [(b"content-type", b"text/html; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": pages[0]})

    with serving(app) as url:
        pages.append(page(url).encode("utf-8", "replace"))
        command = [chromium, *OPTIONS, f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=2000"]
        ran = subprocess.run(
            [*command, "--dump-dom", f"{url}/"],
            env={**os.environ, "HOME": str(folder)},
            capture_output=True,
            check=True,
            timeout=90,
        )
    dom = ran.stdout.decode("utf-8", "replace")
    title = re.search(r"<title>(.*?)</title>", dom, re.DOTALL)
    return [each for each in asked if each != "/favicon.ico"], title[1] if title else "", dom
