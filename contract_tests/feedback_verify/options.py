"""The options of feedback-verify, in groups, and how their values are read. Nothing is run here."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from feedback_spec.instants import parse_duration
from feedback_spec.profiles import DOCUMENTED, PROFILES

from feedback_verify.settings import SettingsError, read_config


class Wait(click.ParamType[int]):
    """A duration as people say it (`6m`, `30m30s`, `90s`) or in ISO 8601; in microseconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Microseconds."""
        if isinstance(value, int):
            return value
        text = str(value)
        try:
            said = text and re.fullmatch(r"(\d+h)?(\d+m)?(\d+s)?", text)
            return parse_duration(f"PT{text.upper()}" if said else text)
        except ValueError:
            self.fail(f'"{text}" is no duration such as 6m, 30m30s or PT6M.', param, ctx)


def _take_config(context: click.Context, _parameter: click.Parameter, path: Path | None) -> Path | None:
    if path is not None:
        try:
            context.default_map = {**read_config(path), **(context.default_map or {})}
        except SettingsError as error:
            raise click.UsageError(str(error)) from None
    return path


DETECT = "detect"
_FILE = click.Path(path_type=Path)

OPTIONS = (
    click.option("--control", metavar="URL", help="Exact clock: base URL of a control API (spec/control.yaml)."),
    click.option("--app", metavar="PKG.MOD:APP", help="In process, frozen clock: an ASGI or WSGI application."),
    click.option(
        "--seed-callable", metavar="PKG.MOD:FN", help="With --app: saves an event (event_id, saved_at, timestamp)."
    ),
    click.option(
        "--command", metavar="COMMAND", help="Start this, under libfaketime, and move its clock; it answers at URL."
    ),
    click.option("--seed-command", metavar="COMMAND", help="Saves an event: {event_id}, {saved_ago}, {timestamp_ago}."),
    click.option("--provider-state-url", metavar="URL", help="Saves an event by a provider state, in Pact's form."),
    click.option("--ingest", is_flag=True, help="Saves events as SDKs do, at the store endpoint that the DSN names."),
    click.option("--wait", type=Wait(), metavar="DURATION", help="How long a run may wait for deadlines: 6m, 31m."),
    click.option("--organization", metavar="SLUG", help="The organization to use where there is no control API."),
    click.option("--project", metavar="SLUG", help="The project to use where there is no control API."),
    click.option("--token", metavar="TOKEN", help="A bearer token that may submit. Better given as FEEDBACK_TOKEN."),
    click.option("--read-token", metavar="TOKEN", help="A bearer token that may only read. FEEDBACK_READ_TOKEN."),
    click.option("--dsn", metavar="DSN", help="The project's DSN. Better given as FEEDBACK_DSN."),
    click.option("--other-dsn", metavar="DSN", help="The DSN of another project. FEEDBACK_OTHER_DSN."),
    click.option("--rules", metavar="ID,…", help="Judge these rules only, without Schemathesis and random histories."),
    click.option(
        "--require",
        metavar="core|level|all|ID,…",
        default="level",
        show_default=True,
        help="What exit code 0 takes: what a URL is enough for, what this target allows, all, or rules.",
    ),
    click.option(
        "--baseline", type=_FILE, metavar="FILE", help="Known violations, strictly: TOML, [accepted], rule = why."
    ),
    click.option("--seed", type=int, help="Repeat a run: the report names its seed."),
    click.option("--plan", type=_FILE, metavar="FILE", help="Write the plan of timed submissions there."),
    click.option(
        "--max-parallel", type=click.IntRange(1, 256), default=16, show_default=True, help="Requests in flight."
    ),
    click.option("--rate", type=click.FloatRange(min=0.1), metavar="N", help="Timed submissions in a second, at most."),
    click.option("--max-time", type=Wait(), metavar="DURATION", help="Stop after this long and report what is known."),
    click.option(
        "--profile",
        type=click.Choice([*PROFILES, DETECT]),
        default=DOCUMENTED,
        show_default=True,
        help="What to verify against: the page, a real Sentry, or the one of these that the target fits best.",
    ),
    click.option("--spec", type=_FILE, metavar="FILE", help="Another document than the one that comes with this."),
    click.option(
        "--config",
        type=_FILE,
        metavar="FILE",
        callback=_take_config,
        is_eager=True,
        expose_value=False,
        help="A TOML file with these settings by name; flags and environment go before it.",
    ),
)


def target_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command all options above, in their order."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command
