"""One headless Chromium for the tests of the page, and a mock for it to look at."""

import shutil
from collections.abc import Iterator

import pytest
from feedback_mock import Sandbox, Server
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from tests.mock.conftest import EVENT

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ELSEWHERE = "mock.example"  # a name of this machine that is not its own: no page there has what https allows
OPTIONS = ["--no-sandbox", f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1"]
PATIENCE = 30_000  # milliseconds
__all__ = ["EVENT"]


class Visitor:
    """A page in the browser, with its errors and the destinations of its requests."""

    def __init__(self, page: Page, server: Server) -> None:
        self.page, self.server = page, server
        self.errors: list[str] = []
        self.elsewhere: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._asked)

    def visit(self, sandbox: Sandbox) -> Page:
        """Opens the page of a project, and waits until the page shows it."""
        self.page.goto(f"{self.server.url}/_control/page/#/{sandbox.organization}/{sandbox.project}")
        self.page.locator("#project").wait_for()
        return self.page

    def told(self, words: str) -> None:
        """Waits until the page announces this."""
        self.page.locator("#told", has_text=words).wait_for()

    def _heard(self, message: ConsoleMessage) -> None:
        # Chromium reports every refusal that a page receives, expected or not.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.errors.append(message.text)

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((f"{self.server.url}/", "data:")):
            self.elsewhere.append(request.url)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture(scope="module")  # not of the session: while it is open, no other test of the process can run a loop
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium cannot be had here: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def sandbox(server: Server, request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with Sandbox(server, "acme", request.node.name.partition("[")[0][5:80]) as made:
        yield made


@pytest.fixture
def visitor(browser: Browser, server: Server) -> Iterator[Visitor]:
    """A user with a wide screen in light mode; at the end, there were no errors and no requests elsewhere."""
    context = browser.new_context(
        viewport={"width": 1200, "height": 900}, permissions=["clipboard-read", "clipboard-write"]
    )
    visitor = Visitor(context.new_page(), server)
    yield visitor
    context.close()
    assert visitor.errors == []
    assert visitor.elsewhere == []
