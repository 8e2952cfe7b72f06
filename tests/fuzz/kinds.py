"""The kinds of random input: each draws one case, and judges it and its variants. Counts nothing."""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from random import Random
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
Vary = Callable[[Any, Random, int], int]


@dataclass(frozen=True)
class Kind:
    """A strategy, the judge of its values, and the judge of up to so many variants of one, which returns how many.

    Both raise AssertionError.
    """

    strategy: st.SearchStrategy[Any]
    judge: Judge
    vary: Vary


class Errors(logging.Handler):
    """Collects what is logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Collects it."""
        self.said.append(self.format(record))


@contextmanager
def kinds() -> Iterator[dict[str, Kind]]:
    """By name; an error in the log is an AssertionError, too."""
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
        requests = {
            "envelopes and compressed bodies": st.lists(ingest, min_size=1, max_size=3),
            "submissions and lists": st.lists(asked, min_size=1, max_size=3),
            "control, faults and snapshots": st.lists(control, min_size=1, max_size=3),
            "histories of all of them": st.lists(ingest | asked | control, max_size=8),
        }
        found = {
            "bytes on a socket": Kind(streams(wire.path, wire.token), wire.judge, wire.vary),
            **{name: Kind(each, application.judge, application.vary) for name, each in requests.items()},
            "documents": Kind(documents(), judge_document, lambda *_: 0),
        }
        yield {name: _without_errors(each, errors) for name, each in found.items()}


def _without_errors(kind: Kind, errors: Errors) -> Kind:
    def judging(case: Any) -> None:
        errors.said.clear()
        kind.judge(case)
        assert errors.said == []

    def varying(case: Any, random: Random, most: int) -> int:
        judged = kind.vary(case, random, most)
        assert errors.said == []
        return judged

    return Kind(kind.strategy, judging, varying)
