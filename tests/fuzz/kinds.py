"""The kinds of random input: each draws one case and judges it. Counts nothing."""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

from feedback_mock.app import create_app
from feedback_mock.store import Limits
from hypothesis import strategies as st

from tests.fuzz.application import Application
from tests.fuzz.connections import Wire
from tests.fuzz.documents import documents, judge_document
from tests.fuzz.inputs import controlled, ingested, listings, submissions
from tests.fuzz.streams import streams

SMALL = Limits(requests=100, request_bytes=1024 * 1024)  # so that memory is soon what it will always be
Judge = Callable[[Any], None]


class Errors(logging.Handler):
    """Collects what is logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Collects it."""
        self.said.append(self.format(record))


@contextmanager
def kinds() -> Iterator[dict[str, tuple[st.SearchStrategy[Any], Judge]]]:
    """By name, a strategy and the judge of its values, which raises AssertionError; an error in the log is one, too."""
    with ExitStack() as stack:
        wire, application = (
            stack.enter_context(closing(Wire(create_app(limits=SMALL)))),
            stack.enter_context(closing(Application())),
        )
        errors, log, server_log = Errors(), logging.getLogger(), logging.getLogger("uvicorn.error")
        log.addHandler(errors)
        stack.callback(log.removeHandler, errors)
        stack.callback(server_log.setLevel, server_log.level)
        server_log.setLevel(logging.ERROR)  # each refusal is a warning
        asked = submissions(application.known) | listings(application.known)
        ingest, control = ingested(application.known), controlled()
        found: dict[str, tuple[st.SearchStrategy[Any], Judge]] = {
            "bytes on a socket": (streams(wire.path, wire.token), wire.judge),
            "envelopes and compressed bodies": (st.lists(ingest, min_size=1, max_size=3), application.judge),
            "submissions and lists": (st.lists(asked, min_size=1, max_size=3), application.judge),
            "control, faults and snapshots": (st.lists(control, min_size=1, max_size=3), application.judge),
            "histories of all of them": (st.lists(ingest | asked | control, max_size=8), application.judge),
            "documents": (documents(), judge_document),
        }
        yield {name: (strategy, _without_errors(judge, errors)) for name, (strategy, judge) in found.items()}


def _without_errors(judge: Judge, errors: Errors) -> Judge:
    def judging(case: Any) -> None:
        errors.said.clear()
        judge(case)
        assert errors.said == []

    return judging
