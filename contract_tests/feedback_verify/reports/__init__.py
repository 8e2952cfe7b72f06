"""The reports of a run, one kind in each module. None of them contains a secret."""

from collections.abc import Callable, Mapping
from pathlib import Path

from feedback_verify.reports.data import as_json, write_json
from feedback_verify.reports.har import write_har
from feedback_verify.reports.html import write_html
from feedback_verify.reports.junit import write_junit
from feedback_verify.reports.markdown import write_markdown
from feedback_verify.reports.report import Began, Report
from feedback_verify.reports.terminal import print_report

WRITERS: Mapping[str, Callable[[Report, Path], None]] = {
    "json": write_json,
    "junit": write_junit,
    "html": write_html,
    "har": write_har,
    "markdown": write_markdown,
}

__all__ = ["WRITERS", "Began", "Report", "as_json", "print_report"]
