"""Every scenario of the suite, by the rule that it shows."""

from collections.abc import Iterator

from contract_tests.checks import (
    concurrency,
    credentials,
    fields,
    http,
    listing,
    overwrite,
    robustness,
    submission,
    timelines,
    windows,
)
from contract_tests.checks.base import Check
from spec.document import Document

__all__ = ["Check", "all_checks"]


def all_checks(document: Document) -> Iterator[Check]:
    """The hand-written scenarios, then robustness, then the timelines that the document's rows and limits make."""
    for module in (submission, overwrite, concurrency, credentials, fields, http, listing, windows):
        yield from module.CHECKS
    yield from robustness.checks()
    yield from timelines.checks(document)
