"""The table's options as click flags, and how their values are parsed. Runs nothing."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from feedback_spec import shell
from feedback_spec.files import is_stream
from feedback_spec.instants import format_duration, parse_duration
from feedback_spec.profiles import PROFILES
from feedback_spec.spelling import meant

from feedback_verify.options import DEPTHS, EVERYWHERE, OPTIONS, URL, Option
from feedback_verify.reading import Unreadable, read_toml
from feedback_verify.settings import SettingsError

DETECT = "detect"
SECRETS = ("control_token", "token", "read_token", "dsn", "other_dsn")
_USER = re.compile(r"//[^/@\s]+@")
KINDS = ("json", "junit", "html", "har", "markdown")
COMPARED = ("html", "markdown")
MOST_SHOWN = 40  # characters of a wrong value


class Wait(click.ParamType[int]):
    """A duration as people write it (`6m`, `30m30s`, `90s`, `5ms`) or in ISO 8601; in microseconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Returns microseconds."""
        if isinstance(value, int):
            return value
        text = str(value)
        if re.fullmatch(r"\d{1,9}ms", text):
            return int(text.removesuffix("ms")) * 1_000
        try:
            said = text and re.fullmatch(r"(\d+h)?(\d+m)?(\d+s)?", text)
            return parse_duration(f"PT{text.upper()}" if said else text)
        except ValueError:
            self.fail(f'"{text}" is not a duration such as 6m, 30m30s or PT6M.', param, ctx)


class Number(click.FloatRange):
    """A finite number in a range."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Returns the number."""
        try:
            number: float = super().convert(value, param, ctx)
        except OverflowError:  # an integer that is larger than every float
            number = math.inf
        if not math.isfinite(number):
            self.fail(f"{str(value)[:MOST_SHOWN]} is not a finite number.", param, ctx)
        return number


def read_config(path: Path) -> dict[str, Any]:
    """The settings in a TOML file. Raises SettingsError with a sentence that names the file and the place."""
    try:
        content = read_toml(path)
    except Unreadable as error:
        raise SettingsError(str(error)) from None
    known = {each.name: each for each in EVERYWHERE}
    for key, value in content.items():
        if key not in known:
            raise SettingsError(f'{path}: the key "{key}" is unknown{meant(key, known)}')
        wanted = known[key].wrong(value)
        if wanted:
            raise SettingsError(f"{path}: {key} must be {wanted}.")
    return {known[key].field: value for key, value in content.items()}


def flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the URL and all options of the table to a command, in order, and the options that only a shell has."""
    config = click.option(
        "--config",
        type=click.Path(path_type=Path),
        metavar="FILE",
        callback=_take_config,
        is_eager=True,
        expose_value=False,
        help="A TOML file with these settings by name. Flags and the environment take precedence.",
    )
    url = click.argument(URL.name, required=False, envvar=URL.variable)
    for option in reversed((url, *map(_flag, OPTIONS), config, report_option(KINDS))):
        command = option(command)
    return command


def given(context: click.Context) -> list[str]:
    """The options that were given, in any way, as words of a command line; never includes secrets."""
    words = []
    for parameter in context.command.params:
        name = parameter.name or ""
        source, value = context.get_parameter_source(name), context.params.get(name)
        if source in (None, ParameterSource.DEFAULT) or not isinstance(parameter, click.Option) or name == "report":
            continue
        for each in (value or ()) if parameter.multiple else (value,):
            text = format_duration(each) if isinstance(parameter.type, Wait) and isinstance(each, int) else str(each)
            shown = "…" if name in SECRETS else _USER.sub("//…@", text)
            words += [parameter.opts[0]] if parameter.is_flag else [parameter.opts[0], shell.quote(shown)]
    return words


def _flag(option: Option) -> Callable[..., Any]:
    about: dict[str, Any] = {"help": option.help}
    if option.kind == "flag":
        return click.option(f"--{option.name}", is_flag=True, **about)
    shown = option.default is not None
    return click.option(
        f"--{option.name}",
        type=_type(option),
        metavar=option.metavar or None,
        default=option.default,
        show_default=shown,
        **about,
    )


def _type(option: Option) -> click.ParamType[Any]:
    match option.kind:
        case "file":
            return click.Path(path_type=Path)
        case "duration":
            return Wait()
        case "whole":
            return click.IntRange(_whole(option.least), _whole(option.most))
        case "number":
            return Number(option.least, option.most)
        case "depth" | "profile":
            return click.Choice(DEPTHS if option.kind == "depth" else [*PROFILES, DETECT])
        case _:
            return click.STRING


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)


def _take_config(context: click.Context, _parameter: click.Parameter, path: Path | None) -> Path | None:
    if path is not None:
        try:
            context.default_map = {**read_config(path), **(context.default_map or {})}
        except SettingsError as error:
            raise click.UsageError(str(error)) from None
    return path


def report_option(kinds: tuple[str, ...]) -> Callable[..., Any]:
    """The option `--report KIND=FILE`, as pairs, for these kinds."""

    def read(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> list[tuple[str, Path]]:
        pairs: list[tuple[str, Path]] = []
        taken: dict[Path, str] = {}
        for value in values:
            kind, _, path = value.partition("=")
            if kind not in kinds or not path:
                raise click.BadParameter(f'"{value}" is not KIND=FILE, where KIND is one of {", ".join(kinds)}.')
            file = Path(path).absolute().resolve()
            if file in taken and not is_stream(Path(path)):
                raise click.BadParameter(f'"{taken[file]}" and "{value}" are the same file.')
            taken[file] = value
            pairs.append((kind, Path(path)))
        return pairs

    return click.option(
        "--report", multiple=True, callback=read, metavar="KIND=FILE", help=f"Kinds: {', '.join(kinds)}."
    )
