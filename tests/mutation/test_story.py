"""What is known about a changed server from its responses to what a run asks the correct one."""

import pickle
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.broken.server import Implementation
from tests.broken.witness import Witness, answers, save, submit
from tests.mutation.__main__ import SERVER
from tests.mutation.judging import DEPTHS, Server, judged, server_of
from tests.mutation.processes import Fate, Task, judge
from tests.mutation.story import Recorder, Told, first_difference

OPEN: Witness = (save(saved_ago="PT29M"), submit())
OVER: Witness = (save(saved_ago="PT31M"), submit())
SOURCE = SERVER.read_text("utf-8")
LONGER = SOURCE.replace("timedelta(minutes=30)", "timedelta(minutes=40)")


def story_of(*parts: Witness) -> list[Told]:
    """What is asked in each part of a run, numbered from 0."""
    recorder = Recorder(server_of(SOURCE))

    class Recorded(Implementation):
        def app(self) -> Any:
            return recorder

    for number, part in enumerate(parts):
        recorder.progress(number)
        answers(Recorded, part)
    return recorder.story


@pytest.mark.parametrize(
    ("source", "parts", "first"), [(SOURCE, (OPEN, OVER), None), (LONGER, (OPEN,), None), (LONGER, (OPEN, OVER), 1)]
)
def test_first_different_response_is_found(source: str, parts: tuple[Witness, ...], first: int | None) -> None:
    """The correct server answers in the same way twice."""
    assert first_difference(server_of(source), story_of(*parts)) == first


@pytest.mark.parametrize(
    ("parts", "fate"),
    [((OPEN,), Fate.SURVIVED), ((OVER,), Fate.VIOLATED), ((*[OPEN] * 200, OVER), Fate.SURVIVED)],
)
def test_run_begins_with_the_first_different_response(parts: tuple[Witness, ...], fate: Fate, tmp_path: Path) -> None:
    """Without one, the server has survived; a run has fewer than 200 parts, so nothing is left to begin with."""
    for depth in DEPTHS:
        (tmp_path / depth).write_bytes(pickle.dumps(story_of(*parts)))

    server = Server(server_of, LONGER, depths=DEPTHS[:1], stories=tmp_path)
    ((_, told),) = judge([Task("", partial(judged, server))], 1)

    assert told.fate is fate
