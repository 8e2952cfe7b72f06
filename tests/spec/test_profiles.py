"""The profiles are overlays with a source for each action, and complete documents once applied."""

from pathlib import Path
from typing import Any

import pytest
from feedback_spec.document import load
from feedback_spec.documentation.check import findings
from feedback_spec.documentation.cli import main
from feedback_spec.profiles import DOCUMENTED, PROFILES, read_overlay
from feedback_spec.rules import Base
from feedback_spec.source import DocumentError

SENTRY = [profile for profile in PROFILES if profile != DOCUMENTED]
OPENAPI = Path(__file__).parents[2] / "spec" / "openapi.yaml"


@pytest.mark.parametrize("profile", SENTRY)
def test_every_action_has_its_source(profile: str) -> None:
    assert [each for each in read_overlay(profile)["actions"] if not each.get("x-source")] == []


@pytest.mark.parametrize("profile", SENTRY)
def test_document_of_a_profile_is_valid_with_its_examples_and_texts(profile: str) -> None:
    assert [each.sentence for each in findings(None, profile) if not each.good] == []
    assert load(None, profile).profile == profile


def test_profiles_know_what_they_differ_in() -> None:
    by_profile = {profile: load(None, profile) for profile in PROFILES}

    def each(what: Any) -> list[Any]:
        return [what(by_profile[profile]) for profile in PROFILES]

    assert each(lambda d: d.window("event-window").base) == [Base.EVENT_SAVED] + 3 * [Base.EVENT_TIMESTAMP]
    last, first = Base.LAST_SUBMITTED, Base.FIRST_SUBMITTED
    assert each(lambda d: d.window("overwrite-window").base) == [first, last, last, first]
    assert each(lambda d: d.behaviour.date_created) == [first, last, last, first]
    assert each(lambda d: d.behaviour.dsn_success) == ["object", "object", "empty", "empty"]
    assert each(lambda d: d.rules["dsn-other-project"].refusal.status) == [401, 400, 400, 401]
    assert each(lambda d: d.field_schemas["comments"].get("maxLength")) == [None, None, None, 4096]
    assert each(lambda d: "pattern" in d.field_schemas["event_id"]) == [True, False, False, True]
    assert each(lambda d: d.behaviour.ids_in_path) == [False, False, False, True]


def test_windows_of_another_document_go_through_a_profile(tmp_path: Path) -> None:
    path = tmp_path / "other.yaml"
    path.write_text(OPENAPI.read_text("utf-8").replace("PT30M", "PT10M").replace("PT5M", "PT1M"), "utf-8")
    document = load(path, "sentry-9.1")

    assert document.window("event-window").limit == 600_000_000
    assert document.window("event-window").base is Base.EVENT_TIMESTAMP


def test_document_that_a_profile_does_not_fit_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "other.yaml"
    path.write_text(OPENAPI.read_text("utf-8").replace("id: trimmed", "id: cut-off"), "utf-8")
    with pytest.raises(DocumentError) as caught:
        load(path, "sentry-9.1")

    assert str(caught.value).startswith(f"{path}: the profile sentry-9.1 does not fit this document: actions[")
    assert "selects nothing" in str(caught.value)


def test_profile_that_there_is_none_of() -> None:
    with pytest.raises(DocumentError, match=r'There is no profile "sentry-8"; did you mean "sentry-9\.1", .+\?'):
        load(None, "sentry-8")


def test_differences_of_two_profiles_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "documented", "sentry-latest"]) == 0
    lines = capsys.readouterr().out.splitlines()

    assert lines[0] == "| what | documented | sentry-latest |"
    assert "| event-window: 30 minutes counted from | `event.saved` | `event.timestamp` |" in lines
    assert "| `comments`: maxLength | none | `4096` |" in lines
    assert not [line for line in lines[2:] if line.replace("\\|", "").count("|") != 4]


def test_profile_does_not_differ_from_itself(capsys: pytest.CaptureFixture[str]) -> None:
    main(["diff", "sentry-9.1", "sentry-9.1"])

    assert capsys.readouterr().out == "sentry-9.1 and sentry-9.1 say the same.\n"
