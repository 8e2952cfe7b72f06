"""Draws the picture of a report in the documentation: `python -m tests.reports.picture FILE`, or `make picture`."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from feedback_verify.cli import main as verify
from playwright.sync_api import sync_playwright

from tests.broken.mutants import OverwriteWindowTooLong
from tests.broken.serving import serving
from tests.page.conftest import CHROMIUM

SIZE = {"width": 960, "height": 1160}


def main(file: Path) -> None:
    """Writes the picture of a server whose overwrite window is too long. Raises RuntimeError without a browser."""
    if CHROMIUM is None:
        raise RuntimeError("Chromium cannot be had here: apt-get install chromium")
    with TemporaryDirectory() as folder, serving(OverwriteWindowTooLong().app()) as url:
        report = Path(folder, "report.html")
        verify([url, "--control", url, "--report", f"html={report}"])
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]  # its type has no name that can be imported
            page.goto(report.as_uri())
            page.screenshot(path=file)
            browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
