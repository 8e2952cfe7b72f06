"""Every scenario of the suite, by the rule that it tests."""

from collections.abc import Iterator
from itertools import chain

from feedback_spec.document import Document

from feedback_verify.checks import (
    concurrency,
    fields,
    http,
    listing,
    order,
    overwrite,
    pipelining,
    reading,
    robustness,
    submission,
    timelines,
)
from feedback_verify.checks.base import Check

__all__ = ["Check", "all_checks"]


def all_checks(document: Document) -> Iterator[Check]:
    """The hand-written scenarios, then robustness, then the document's rows.

    Without those for rules that the document does not have, or has only for the mock.
    """
    modules = (submission, overwrite, concurrency, fields, http, listing, pipelining)
    by_hand = (check for module in modules for check in module.CHECKS)
    rules = document.verifiable
    for check in chain(
        by_hand, reading.checks(document), order.checks(document), robustness.checks(), timelines.checks(document)
    ):
        if check.rule in rules:
            yield check
