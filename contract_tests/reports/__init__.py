"""The reports of a run, one kind in each module. No secret is in any of them."""

from collections.abc import Callable, Mapping
from pathlib import Path

from contract_tests.reports.data import as_json, write_json
from contract_tests.reports.har import write_har
from contract_tests.reports.junit import write_junit
from contract_tests.reports.markdown import write_markdown
from contract_tests.reports.page import write_html
from contract_tests.reports.report import Report
from contract_tests.reports.terminal import print_report

WRITERS: Mapping[str, Callable[[Report, Path], None]] = {
    "json": write_json,
    "junit": write_junit,
    "html": write_html,
    "har": write_har,
    "markdown": write_markdown,
}

__all__ = ["WRITERS", "Report", "as_json", "print_report"]
