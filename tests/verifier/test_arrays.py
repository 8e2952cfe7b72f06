"""Covering arrays cover what they promise, and a failure in them is simplified and attributed to its rule."""

from datetime import UTC, datetime, timedelta
from itertools import combinations, product
from pathlib import Path
from random import Random

import pytest
from feedback_spec.document import LIST, Document, load
from feedback_verify.arrays.array import arrays_for
from feedback_verify.arrays.covering import Shape, found, key_of, stored
from feedback_verify.arrays.layer import Layer
from feedback_verify.arrays.listed import list_problems
from feedback_verify.arrays.play import Play, start_of
from feedback_verify.arrays.refused import RefusedBatch
from feedback_verify.scenario import Scenario
from feedback_verify.targets import ControlTarget, Target

from tests.broken.server import Event, Implementation, Project, Record
from tests.broken.serving import serving
from tests.documents import other_windows
from tests.drawn import drawn
from tests.verifier.coverings import needed


class Exact(Target):
    """A target that can do everything, and that nobody uses."""

    capabilities = ControlTarget.capabilities
    clock = "exact"
    calendar = True


class Bare(Target):
    """A target of which only the URL and a token are known."""

    capabilities = frozenset({"token"})


@pytest.mark.parametrize("target", [Exact("http://x"), Bare("http://x")], ids=["exact clock", "a URL"])
def test_all_tuples_of_values_meet(target: Target, document: Document) -> None:
    """The library promises this; if it were wrong, every verdict would claim more than was tested."""
    for array in arrays_for(document, target, "default"):
        values = [sorted({row[each.name] for row in array.rows}) for each in array.dimensions]
        names = [each.name for each in array.dimensions]
        varied = [(name, each) for name, each in zip(names, values, strict=True) if len(each) > 1]
        met = {
            tuple((name, row[name]) for name, _ in some)
            for row in array.rows
            for some in combinations(varied, array.strength)
        }
        wanted = {
            tuple(zip((name for name, _ in some), each, strict=True))
            for some in combinations(varied, array.strength)
            for each in product(*(value for _, value in some))
        }

        assert len(varied) == len(array.varied)
        assert wanted <= met


def test_no_clock_is_set_before_1970(document: Document) -> None:
    """Correct servers may keep time as a number that is not negative."""
    timed = [each for each in arrays_for(document, Exact("http://x"), "full") if each.timed]
    begun = [start_of(document, row)[0] for array in timed for row in array.rows]

    assert begun
    assert min(begun) >= datetime(1970, 1, 1, tzinfo=UTC)


def test_nothing_happened_before_1970(document: Document) -> None:
    """Neither were events saved then, nor do they carry such timestamps."""
    array = next(iter(arrays_for(document, Exact("http://x"), "default")))
    instants = []
    with serving(Implementation().app()) as url, ControlTarget(url, url) as target:
        for row in (row for row in array.rows if row["calendar"] == "1970" and row["saved"] != "in time"):
            start, began = start_of(document, row)
            with Scenario(target, document, Random(1), start=start) as scenario:
                Play(scenario, row, -began, frozenset()).run()
                known = scenario.oracle.sandbox(scenario.project).model.known.values()
                instants += [at for each in known for at in (each.saved, each.timestamp) if at is not None]

    assert len(instants) > 4
    assert min(instants) >= datetime(1970, 1, 1, tzinfo=UTC)


class OneProject(ControlTarget):
    """What others store is in the same list."""

    sandboxes = False


def test_ids_in_every_spelling_are_our_own(document: Document) -> None:
    """In the list of a project that others use, too: what comes after a refusal is not a violation there."""
    with serving(Implementation().app()) as url, OneProject(url, url) as target:
        (array,) = (each for each in arrays_for(document, target, "default") if each.refusing)
        rows = {row["event id"]: row for row in array.rows if row["feedback"] == "open, event known"}
        for row in rows.values():
            with Scenario(target, document, Random(1)) as scenario:
                RefusedBatch(scenario, (row,), frozenset()).run()

        assert "zeros in front" in rows


class ForgetsTheNewest(Implementation):
    """The newest feedback is missing in lists."""

    def listed(self, project: Project, status: str, environment: str | None) -> list[Record]:
        return super().listed(project, status, environment)[1:]


@pytest.mark.parametrize("made", [Implementation, ForgetsTheNewest])
def test_list_that_others_fill_is_read_back_as_well(made: type[Implementation], document: Document) -> None:
    """More than a page of others' feedback is there already."""
    with serving(made().app()) as url, OneProject(url, url) as target, Scenario(target, document, Random(1)) as s:
        page = int({each.name: each for each in document.operations[LIST].parameters}["per_page"].schema["maximum"])
        for number in range(page + 1):
            event_id = f"{number:032x}"
            target.save_event(s.project, event_id, {})
            s.submit(s.submission(event_id))
        s.advance(1)
        own = s.submission()
        s.save_event(own["event_id"])
        s.judge(s.project, own, "write", s.submit(own))

        assert bool(list_problems(s, s.project)) is (made is ForgetsTheNewest)


class FormsHaveNoWindow(Implementation):
    """Two dimensions combined: only a form, and only if it is late."""

    def parse(self, media_type: str, content: bytes) -> object:
        self.form = media_type.startswith("application/x-www")
        return super().parse(media_type, content)

    def overwrite_window_over(self, record: Record, now: datetime, by: str) -> bool:
        return not self.form and super().overwrite_window_over(record, now, by)


class LongIdsAreCut(Implementation):
    """The last digit of an event id does not count, once there is feedback for it."""

    def key(self, project: Project, body: dict[str, str], by: str) -> object:
        return body["event_id"][:31]


class ForgivesAtNewYear(Implementation):
    """The age of an event is calculated within its year."""

    def event_window_over(self, event: Event, now: datetime, by: str) -> bool:
        within = [each - datetime(each.year, 1, 1, tzinfo=each.tzinfo) for each in (now, event.saved)]
        return within[0] - within[1] > timedelta(minutes=30)


@pytest.mark.parametrize(
    ("implementation", "rule", "needed"),
    drawn(
        [
            (FormsHaveNoWindow, "form-bodies", ("form: form",)),
            (LongIdsAreCut, "submission", ("beside: an id with the same beginning",)),
            (ForgivesAtNewYear, "event-window", ("event age: ", "saved: anew, newer")),
        ],
        1,
    ),
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_a_failure_is_put_down_to_what_it_takes(
    implementation: type[Implementation], rule: str, needed: tuple[str, ...], document: Document
) -> None:
    """And described in words."""
    with serving(implementation().app()) as url, ControlTarget(url, url) as target:
        found = [each for each in Layer(target, document, seed=1).run() if each.violation]

    assert {each.rule for each in found} == {rule}
    assert all(any(words in str(each.violation) for words in needed) for each in found)


def test_window_that_the_document_does_not_have_is_seen(tmp_path: Path) -> None:
    """If nothing counts from feedback, an overwrite a day later is accepted, and a server with our windows refuses
    it.
    """
    other = load(other_windows("one window", tmp_path / "openapi.yaml"))
    with serving(Implementation().app()) as url, ControlTarget(url, url) as target:
        found = {each.rule for each in Layer(target, other, seed=1).run() if each.violation}

    assert found == {"overwrite"}


def test_stored_arrays_are_all_that_are_needed() -> None:
    """`make format` stores them again after a dimension has changed."""
    assert stored().keys() == {key_of(*each) for each in needed()}


@pytest.mark.parametrize("array", drawn(needed(), 5), ids=str)
def test_stored_array_is_the_one_that_is_found(array: tuple[Shape, int]) -> None:
    """The library finds the same for the same dimensions, on every run."""
    assert stored()[key_of(*array)] == found(*array)
