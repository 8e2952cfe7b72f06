"""Verifies the mock with each of Sentry's profiles against the page, and writes docs/compared.md of the reports.

    python -m benchmarks.compared_profiles

The JSON reports and the page with the same tables are left in build/compared. It takes some minutes.
"""

import sys
from pathlib import Path

from feedback_mock.server import Server
from feedback_spec.document import load
from feedback_spec.profiles import DOCUMENTED, PROFILES
from feedback_verify.cli import main
from feedback_verify.reports.compared import as_html, as_markdown
from feedback_verify.reports.comparison import Comparison, read_column

BUILT, PAGE = Path("build/compared"), Path("docs/compared.md")
HEAD = """\
# The three Sentrys compared with the page

<!-- written by make compare-profiles; do not edit -->
The mock can behave like Sentry at three points in time ([profiles](profiles.md)). We verified each of these profiles
against the *documented* page with `feedback-verify URL --control URL`, and compared the three JSON reports:

```console
$ feedback-verify compare sentry-9.1.json sentry-23.7.json sentry-latest.json --report html=compared.html
```

[reports.md](reports.md#comparing-reports) explains how to read a comparison.

"""


def verified(profile: str) -> Path:
    """The JSON report of the mock with this profile, verified against the page."""
    path = BUILT / f"{profile}.json"
    with Server(document=load(None, profile)) as server:
        code = main([server.url, "--control", server.url, "--report", f"json={path}"])
    if code not in (0, 1):
        sys.exit(f"{profile}: the verifier ended with exit code {code}.")
    return path


if __name__ == "__main__":
    BUILT.mkdir(parents=True, exist_ok=True)
    columns = [read_column(verified(profile)) for profile in PROFILES if profile != DOCUMENTED]
    comparison = Comparison.of(columns)
    (BUILT / "compared.html").write_text(as_html(comparison), "utf-8")
    PAGE.write_text(HEAD + as_markdown(comparison, "##"), "utf-8")
