"""Markup that an attacker would want on a page of ours, and a page in headless Chromium. Asserts nothing."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.broken.serving import serving
from tests.clients.browser import OPTIONS

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
# These leave by navigation, which no page policy forbids: only escaping prevents them.
LEAVING = ("<meta http-equiv=refresh content='0;url=URL/21'>", "<base href=URL/22/>")


def rendered(page: Callable[[str], str], folder: Path) -> tuple[list[str], str, str]:
    """The paths that Chromium requests while it shows the page, and the resulting title and document."""
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
