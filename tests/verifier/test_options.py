"""One table of options: command line, environment, TOML file, pytest and the GitHub action agree with it."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from feedback_verify.cli import main, verify
from feedback_verify.flags import read_config
from feedback_verify.options import EVERYWHERE, OPTIONS, URL, Option
from feedback_verify.settings import Settings, SettingsError

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
IN_ACTION = [each for each in EVERYWHERE if each.action]
VALUES: dict[str, Any] = {"flag": True, "whole": 5, "number": 0.5}


def test_settings_have_the_fields_of_the_targets_options() -> None:
    assert {each.name for each in fields(Settings)} == {each.field for each in (URL, *OPTIONS) if each.target}


def test_defaults_of_the_settings_are_those_of_the_table() -> None:
    with verify.make_context("feedback-verify", []) as context:
        values = context.params

    assert Settings() == Settings(**{each.field: values[each.field] for each in (URL, *OPTIONS) if each.target})


@pytest.mark.parametrize("option", EVERYWHERE, ids=lambda each: each.name)
def test_toml_file_has_every_option(option: Option, tmp_path: Path) -> None:
    """With the same type as elsewhere; a wrong one is named."""
    config = tmp_path / "feedback.toml"
    value = VALUES.get(option.kind, "text")
    config.write_text(f"{option.name} = {json.dumps(value)}\n")
    read = read_config(config)
    config.write_text(f"{option.name} = []\n")
    with pytest.raises(SettingsError, match=f"{option.name} must be "):
        read_config(config)

    assert read == {option.field: value}


@pytest.mark.parametrize("option", EVERYWHERE, ids=lambda each: each.name)
def test_environment_has_every_option(option: Option, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"duration": "6m30s", "profile": "sentry-9.1", "depth": "quick"}.get(
        option.kind, str(VALUES.get(option.kind, "text"))
    )
    monkeypatch.setenv(option.variable, given)
    with verify.make_context("feedback-verify", []) as context:
        value = context.params[option.field]

    assert value is not None
    assert value != option.default


@pytest.mark.parametrize("option", EVERYWHERE, ids=lambda each: each.name)
def test_pytest_has_every_option(option: Option, pytestconfig: pytest.Config) -> None:
    assert pytestconfig.getoption(f"--feedback-{option.name}") in (None, False)


def test_action_has_the_options_that_make_sense_there() -> None:
    """With the same texts and defaults, and each by its variable."""
    inputs, step = ACTION["inputs"], next(each for each in ACTION["runs"]["steps"] if each.get("name") == "Verify")
    told = {name: each for name, each in inputs.items() if name not in ("junit", "html", "python-version")}
    passed = {name: value for name, value in step["env"].items() if name.startswith("FEEDBACK_")}

    assert {name: each["description"] for name, each in told.items()} == {each.name: each.help for each in IN_ACTION}
    assert {name: each.get("default") for name, each in told.items()} == {
        each.name: each.default or None for each in IN_ACTION
    }
    assert passed == {each.variable: f"${{{{ inputs.{each.name} }}}}" for each in IN_ACTION}


def test_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    """-h is --help."""
    code = main(["-h"])
    shown = click.unstyle(capsys.readouterr().out)

    assert code == 0
    assert [each.name for each in OPTIONS if f"--{each.name}" not in shown] == []


@pytest.mark.parametrize("number", ["nan", "inf", "9" * 400])
def test_number_is_finite(number: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "feedback.toml"
    config.write_text(f"rate = {number}\n")
    codes = [main(["--config", str(config)]), main(["--rate", number])]

    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("Error: ")]
    assert codes == [2, 2]
    assert all(line.startswith("Error: Invalid value for '--rate': ") for line in said)
    assert all(line.endswith(" is not a finite number.") for line in said)
