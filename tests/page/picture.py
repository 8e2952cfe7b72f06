"""Draws the picture of the page in the documentation: `python -m tests.page.picture FILE`, or `make picture`."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx
from feedback_mock import Sandbox, Server
from playwright.sync_api import sync_playwright

from tests.page.conftest import CHROMIUM, EVENT

OTHER = "0d5c2a6f1be94f5e8b3fd1c6a7e90412"
SIZE = {"width": 960, "height": 640}


def tell_the_story(sandbox: Sandbox) -> None:
    """Feedback, an overwrite, one that is too late, and one whose response is lost."""
    sandbox.save_event(EVENT, title="Checkout failed")
    sandbox.advance("PT2M")
    submit(sandbox, EVENT)
    sandbox.advance("PT5M")
    submit(sandbox, EVENT)
    sandbox.advance("PT0.000001S")
    submit(sandbox, EVENT)
    sandbox.save_event(OTHER, title="TypeError: x is undefined")
    sandbox.fail("CONNECTION_RESET_BY_PEER", phase="after", times=1)
    sandbox.advance("PT4M")
    submit(sandbox, OTHER)
    sandbox.advance("PT6M")
    submit(sandbox, OTHER)
    submit(sandbox, OTHER, email="nobody")
    sandbox.advance("PT2M")


def submit(sandbox: Sandbox, event_id: str, email: str = "jane@example.com") -> None:
    """Submits, and ignores the result."""
    body = {"event_id": event_id, "name": "Jane Smith", "email": email, "comments": "It broke!"}
    try:
        httpx.post(sandbox.feedback_url, json=body, headers={"Authorization": f"Bearer {sandbox.token}"})
    except httpx.HTTPError:
        return


def main(file: Path) -> None:
    """Writes the picture. Raises RuntimeError without a browser."""
    if CHROMIUM is None:
        raise RuntimeError("Chromium cannot be had here: apt-get install chromium")
    with Server() as server, Sandbox(server, "acme", "web", now=datetime(2026, 1, 1, 12, tzinfo=UTC)) as sandbox:
        tell_the_story(sandbox)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]  # its type has no name that can be imported
            page.goto(f"{server.url}/_control/page/#/acme/web")
            page.locator(".mark").nth(5).wait_for()
            page.screenshot(path=file)
            browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
