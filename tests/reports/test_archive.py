"""The archive of a report and the mock's journal are one format: about the same exchange, both say the same.

They know it from two sides: the mock what it received, the verifier what it sent and what came back.
"""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import jsonschema_rs
import pytest
import yaml
from feedback_mock import create_app
from feedback_spec.openapi.render31 import to_31
from feedback_spec.openapi.schemas import validator_of
from feedback_verify.cli import main

from tests.broken.serving import serving

ROOT = Path(__file__).parents[2]
CONTROL, VERIFYING = ROOT / "spec" / "control.yaml", ROOT / "docs" / "verifying.md"
RULES = (
    "submission,field-required,field-null,field-type,email-format,body-syntax,body-size,media-type,"
    "credentials-required,list-status,list-known-events"
)
Entries = list[dict[str, Any]]


class Journals:
    """The mock, and what the journals of its projects said before they were deleted."""

    def __init__(self) -> None:
        self.entries: Entries = []
        self.asked: set[tuple[str, str]] = set()
        self._app = create_app()
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(self._app), base_url="http://127.0.0.1")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"].startswith("/_control"):
            self.asked.add((scope["method"], _without_names(scope["path"])))
        if scope["type"] == "http" and scope["method"] == "DELETE":
            answer = await self._client.get(f"{scope['path']}/requests")
            self.entries += answer.json()["entries"] if answer.is_success else []
        await self._app(scope, receive, send)


def _without_names(path: str) -> str:
    """As a path of the documentation."""
    names = r"(?<=/projects/)[^/]+/[^/]+", "{organization}/{project}"
    return re.sub(r"(?<=/events/).+", "{event_id}", re.sub(*names, path))


@pytest.fixture(scope="module")
def journals() -> Journals:
    """Of a mock that is verified."""
    return Journals()


@pytest.fixture(scope="module")
def told(journals: Journals, tmp_path_factory: pytest.TempPathFactory) -> tuple[Entries, Entries]:
    """The entries of the journals, and those of the archive."""
    archive = tmp_path_factory.mktemp("archive") / "requests.har"
    with serving(journals) as url:
        assert (
            main(
                [
                    url,
                    "--control",
                    url,
                    "--rules",
                    RULES,
                    "--require",
                    RULES,
                    "--depth",
                    "quick",
                    "--report",
                    f"har={archive}",
                ]
            )
            == 0
        )
    return journals.entries, json.loads(archive.read_text("utf-8"))["log"]["entries"]


def _said(entry: dict[str, Any]) -> tuple[Any, ...]:
    """What both sides know; the mock has a reason of its own for a body that is too large."""
    request, ours = entry["request"], entry["_feedback"]
    url = urlsplit(request["url"])
    verdicts = [
        None if each is None else (each["valid"], [problem["pointer"] for problem in each["problems"]])
        for each in (ours["request"], ours["answer"])
    ]
    facts = ours["state"], ours["operation"], ours["event_ids"], *verdicts
    return request["method"], url.path, url.query, request["bodySize"], entry["response"]["status"], repr(facts)


def test_archive_says_of_each_exchange_what_the_journal_says(told: tuple[Entries, Entries]) -> None:
    """Of every one whose body the mock has read and kept; what is refused by its head, it does not read."""
    journal, archive = told
    read = [
        each
        for each in journal
        if each["startedDateTime"] >= archive[0]["startedDateTime"]  # what was tried before is in no archive
        and each["request"]["bodySize"] >= 0
        and each["_feedback"]["request"]["valid"] is not None
    ]
    verdicts = {(each["_feedback"]["operation"], each["_feedback"]["request"]["valid"]) for each in read}

    assert verdicts >= {(name, valid) for name in ("submitUserFeedback", "listUserFeedback") for valid in (True, False)}
    assert Counter(map(_said, read)) - Counter(map(_said, archive)) == Counter()


@pytest.mark.usefixtures("told")
def test_documentation_says_what_a_control_protocol_needs(journals: Journals) -> None:
    documented = re.findall(r"^\| `([A-Z]+) (/_control/\S+)` \|", VERIFYING.read_text("utf-8"), re.MULTILINE)

    assert set(documented) == journals.asked


def test_archive_is_as_the_document_of_the_journal_says(told: tuple[Entries, Entries]) -> None:
    """Except that the verifier does not always know the project's time; a changed key is noticed."""
    components = to_31(yaml.safe_load(CONTROL.read_text("utf-8")))["components"]
    schema = components["schemas"]["Entry"]
    validator = validator_of(schema, components)
    now = "2026-01-01T00:00:00.000000Z"
    entries = [{**each, "_feedback": {**each["_feedback"], "now": each["_feedback"]["now"] or now}} for each in told[1]]

    for each in entries:
        validator.validate(each)
    for key in schema["properties"]["_feedback"]["required"]:
        (entry,) = entries[:1]
        without = {name: value for name, value in entry["_feedback"].items() if name != key}
        with pytest.raises(jsonschema_rs.ValidationError):
            validator.validate({**entry, "_feedback": without})
