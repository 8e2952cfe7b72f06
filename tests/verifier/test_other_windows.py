"""The verifier knows no window by its name, number, limit or status: it conforms on the mock of any document."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from feedback_mock.app import create_app
from feedback_spec.document import Document, load
from feedback_spec.instants import SECOND, format_duration
from feedback_verify.exchange import Project
from feedback_verify.run import Run
from feedback_verify.steps import SaveEvent
from feedback_verify.targets import ControlTarget, UrlTarget
from feedback_verify.verdicts import Verdict

from tests.broken.serving import serving
from tests.documents import WINDOWS, other_windows
from tests.drawn import drawn
from tests.scaled import scaled

GROUPS = ("submission", "windows", "overwrite")  # all that windows have to do with


def verdicts(document: Document, judged_by: Document) -> dict[str, tuple[Verdict, str]]:
    """The mock of one document, verified by another."""
    with serving(create_app(document)) as url, ControlTarget(url, url) as target:
        rules = frozenset(rule.id for rule in judged_by.verifiable.values() if rule.group in GROUPS)
        results = Run(judged_by, target, seed=1, rules=rules, depth="quick").execute()
    return {rule: (results[rule].verdict, results[rule].detail) for rule in rules}


@pytest.mark.parametrize("name", WINDOWS)
def test_mock_of_other_windows_conforms(name: str, tmp_path: Path) -> None:
    """Every rule related to windows is verified."""
    document = load(other_windows(name, tmp_path / "openapi.yaml"))

    assert {rule: told for rule, told in verdicts(document, document).items() if told[0] is not Verdict.VERIFIED} == {}


VIOLATED = [
    ("three windows", {"event-window-base"}),
    ("one window", {"overwrite-window", "overwrite-window-unknown-event", "conflict-changes-nothing"}),
    ("windows that refuse at their limit", {"event-window", "overwrite-window"}),
    ("windows that answer 422", {"conflict-body", "event-window", "overwrite-window", "window-order"}),
]


@pytest.mark.parametrize(("name", "rules"), drawn(VIOLATED, 2))
def test_mock_of_other_windows_violates_the_document_that_has_ours(
    name: str, rules: set[str], tmp_path: Path, document: Document
) -> None:
    """By the rules about the difference, if not by all of them."""
    other = load(other_windows(name, tmp_path / "openapi.yaml"))

    told = verdicts(other, document)
    violated = {rule for rule, (verdict, _) in told.items() if verdict is Verdict.VIOLATED}
    assert violated
    assert violated <= rules | {"response-schema", "overwrite-window-fixed", "overwrite-window-unknown-event"}, told


class ByControl:
    """Saves events by the control protocol, the only part of it that the target uses."""

    capabilities = frozenset({"event", "aged-event", "aged-timestamp"})

    def __init__(self, project_url: str) -> None:
        self._url = project_url

    def save(self, project: Project, event_id: str, ages: Mapping[str, int]) -> SaveEvent:
        """An event of this age."""
        facts = {name: format_duration(age) for name, age in ages.items()}
        httpx.put(f"{self._url}/events/{event_id}", json=facts, timeout=30).raise_for_status()
        return SaveEvent(project, event_id, ages)


def verdicts_by_waiting(document: Document) -> dict[str, tuple[Verdict, str]]:
    """The mock of the document with a running clock, verified as a URL."""
    with serving(create_app(document)) as url:
        project_url = f"{url}/_control/projects/acme/waiting"
        made = httpx.put(project_url, json={"clock": {"running": True}}, timeout=30).json()
        with UrlTarget(url, "acme", "waiting", {"write": made["tokens"]["write"], "dsn": made["dsn"]}) as target:
            target.seed_with(ByControl(project_url))
            timed = frozenset(rule.id for rule in document.rules.values() if rule.group == "windows")
            results = Run(document, target, seed=1, rules=timed, wait=16 * SECOND, depth="quick").execute()
    return {rule: (results[rule].verdict, results[rule].detail) for rule in sorted(timed)}


def test_mock_of_other_windows_is_judged_by_waiting_too(tmp_path: Path) -> None:
    """Three, drawn by the commit, wait at the same time. However busy the machine, nothing is violated."""
    documents = {
        name: load(scaled(tmp_path / f"scaled {name}.yaml", 12, 4, other_windows(name, tmp_path / f"{name}.yaml")))
        for name in drawn(list(WINDOWS), 3)
    }
    with ThreadPoolExecutor(len(documents)) as pool:
        told = dict(zip(documents, pool.map(verdicts_by_waiting, documents.values()), strict=True))

    for name, verdicts in told.items():
        violated = {rule: detail for rule, (verdict, detail) in verdicts.items() if verdict is Verdict.VIOLATED}
        assert violated == {}, name
        for window in documents[name].mutability.windows:
            assert verdicts[window.rule][0] in (Verdict.VERIFIED, Verdict.INCONCLUSIVE), verdicts[window.rule]
