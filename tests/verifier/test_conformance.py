"""The mock does what its document says, with any seed; and a changed document changes all three programs."""

import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest
from feedback_mock.app import create_app
from feedback_spec.document import Document, load
from feedback_verify import schema
from feedback_verify.run import Run
from feedback_verify.scenario import Scenario
from feedback_verify.targets import ControlTarget, UrlTarget
from feedback_verify.verdicts import Result, Verdict, exit_code

from tests.broken.server import Implementation, Project, Refusal
from tests.broken.serving import serving
from tests.drawn import drawn

SEEDS = 50


def by_verdict(results: dict[str, Result], verdict: Verdict) -> dict[str, str]:
    """The rules with this verdict, and what is said of them."""
    return {rule: result.detail for rule, result in results.items() if result.verdict is verdict}


@pytest.mark.parametrize("seed", drawn(range(SEEDS), 1))
def test_mock_conforms(seed: int, mock_url: str, document: Document) -> None:
    """Every rule of the catalogue is verified, by all layers."""
    with ControlTarget(mock_url, mock_url) as target:
        results = Run(document, target, seed).execute()

    assert {rule: result.detail for rule, result in results.items() if result.verdict is not Verdict.VERIFIED} == {}


class ForbidsForeignDsns(Implementation):
    """Refuses another project's DSN with 403, which the rule allows, before it looks for the project."""

    def authenticate(self, authorization: str | None) -> tuple[str, Project | None]:
        self.kind, self.owner = super().authenticate(authorization)
        return self.kind, self.owner

    def find_project(self, organization: str, slug: str) -> Project:
        if self.kind == "dsn" and self.owner is not self.projects.get((organization, slug)):
            raise Refusal(403, {"detail": "This DSN belongs to another project."})
        return super().find_project(organization, slug)


def test_another_allowed_refusal_may_come_in_another_order(document: Document) -> None:
    with serving(ForbidsForeignDsns().app()) as url, ControlTarget(url, url) as target:
        results = Run(document, target, 1, frozenset({"check-order"})).execute()

    assert results["check-order"].verdict is Verdict.VERIFIED, results["check-order"].detail


def test_without_control_the_time_rules_are_not_verifiable(mock_url: str, document: Document) -> None:
    """They are neither passed nor silently skipped, and the reason says what to supply."""
    with ControlTarget(mock_url, mock_url) as maker:
        project, _ = maker.open()
        credentials = {kind: project.credentials[kind].secret for kind in ("write", "dsn")}
        with UrlTarget(mock_url, project.organization, project.slug, credentials) as target:
            results = Run(document, target, seed=1).execute()

    unverifiable = by_verdict(results, Verdict.NOT_VERIFIABLE)
    assert {"event-window", "overwrite-window", "window-order", "conflict-body"} <= set(unverifiable)
    assert "--control" in unverifiable["event-window"]
    answered = by_verdict(results, Verdict.AS_ANSWERED)
    assert by_verdict(results, Verdict.VERIFIED).keys() | answered.keys() | unverifiable.keys() == set(document.rules)
    assert exit_code(results) == 3


def test_changed_document_is_violated_on_exactly_the_window_rules(changed_path: Path, document: Document) -> None:
    """A mock with windows of 10 and 2 minutes, verified with the document that says 30 and 5."""
    with serving(create_app(load(changed_path))) as url, ControlTarget(url, url) as target:
        results = Run(document, target, seed=1, depth="quick").execute()

    assert set(by_verdict(results, Verdict.VIOLATED)) == {"event-window", "overwrite-window"}


def test_changed_document_changes_mock_and_verdicts_alike(changed_path: Path) -> None:
    """The three programs, each given the changed document by --spec."""
    programs = Path(sys.executable).parent
    verify = subprocess.run(
        [programs / "feedback-verify", "--spec", changed_path, "--seed", "1", "--depth", "quick"],
        capture_output=True,
        text=True,
        check=False,
    )
    built = subprocess.run(
        [programs / "feedback-docs", "build", "--spec", changed_path, "--out", changed_path.parent / "docs"],
        capture_output=True,
        text=True,
        check=False,
    )
    reference = (changed_path.parent / "docs" / "reference.md").read_text("utf-8")

    assert (verify.returncode, built.returncode) == (0, 0), verify.stdout + verify.stderr + built.stderr
    assert "10 minutes" in reference
    assert "2 minutes" in reference
    assert "30 minutes" not in reference


class Tolerant(Implementation):
    """Accepts any event id that is not too long, as the document allows, and returns it."""

    def problem(self, name: str, value: Any) -> str | None:
        problem = super().problem(name, value)
        return None if name == "event_id" and problem == "Enter 32 hexadecimal digits." else problem


def test_malformed_event_ids_may_be_accepted(document: Document) -> None:
    """Schemathesis knows the schema, but not that the catalogue leaves this open."""
    with (
        serving(Tolerant().app()) as url,
        ControlTarget(url, url) as target,
        Scenario(target, document, Random(1)) as scenario,
    ):
        findings = schema.run(scenario, document, 1, 20)

    assert [each.violation for each in findings if each.violation] == []
