"""`feedback-verify`: parses, runs, reports, and says by its exit code what came of it."""

import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from contract_tests.settings import Settings, SettingsError, open_target, read_config

EPILOG = """\b
Exit codes:
  0  conforms: every rule that can be verified here is
  1  a rule is violated
  2  could not test: wrong usage, unreachable target, broken document
  3  nothing is violated, but a rule that can be verified here was not

\b
Examples:
  feedback-verify                                        a mock, started for it
  feedback-verify http://127.0.0.1:8080 --control http://127.0.0.1:8080
  FEEDBACK_TOKEN=... feedback-verify https://sentry.example \\
      --organization acme --project web --report junit=verdicts.xml
"""


def _take_config(context: click.Context, _parameter: click.Parameter, path: Path | None) -> Path | None:
    if path is not None:
        try:
            context.default_map = {**read_config(path), **(context.default_map or {})}
        except SettingsError as error:
            raise click.UsageError(str(error)) from None
    return path


def _report(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> list[tuple[str, Path]]:
    reports = []
    for value in values:
        kind, _, path = value.partition("=")
        if kind not in ("json", "junit") or not path:
            raise click.BadParameter(f'"{value}" is neither json=FILE nor junit=FILE.')
        reports.append((kind, Path(path)))
    return reports


@click.command(epilog=EPILOG, context_settings={"auto_envvar_prefix": "FEEDBACK", "max_content_width": 100})
@click.argument("url", required=False)
@click.option("--control", metavar="URL", help="Base URL of the target's control API, for rules that need a clock.")
@click.option("--organization", metavar="SLUG", help="The organization to use where there is no control API.")
@click.option("--project", metavar="SLUG", help="The project to use where there is no control API.")
@click.option("--token", metavar="TOKEN", help="A bearer token that may submit. Better given as FEEDBACK_TOKEN.")
@click.option("--dsn", metavar="DSN", help="The project's DSN. Better given as FEEDBACK_DSN.")
@click.option("--rules", metavar="ID,…", help="Judge these rules only, by hand-written scenarios.")
@click.option("--seed", type=int, help="Repeat a run: the report names its seed.")
@click.option("--report", multiple=True, callback=_report, metavar="KIND=FILE", help="json=FILE or junit=FILE.")
@click.option("--spec", type=click.Path(path_type=Path), help="Another document than the one that comes with this.")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    callback=_take_config,
    is_eager=True,
    expose_value=False,
    help="A TOML file with these settings by name; flags and environment go before it.",
)
@click.version_option(version("sentry-feedback-contract"), prog_name="feedback-verify")
def command(**values: Any) -> int:
    """Verify that the implementation at URL does what the document says, rule by rule.

    Every option can be given in the environment: FEEDBACK_URL, FEEDBACK_TOKEN, FEEDBACK_DSN and so on.
    Without a URL, a mock server is started and verified.
    """
    return _verify(values)


def main(argv: list[str] | None = None) -> int:
    """Runs the command line and answers its exit code. Never raises for bad input."""
    try:
        outcome = command.main(argv, prog_name="feedback-verify", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        return 2
    return outcome if isinstance(outcome, int) else 0


def _verify(values: dict[str, Any]) -> int:
    with tempfile.TemporaryDirectory(prefix="feedback-verify-") as storage:
        # Hypothesis keeps files where it runs unless told otherwise, and the user's directory is not ours.
        os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", storage)
        return _verify_and_report(values)


def _verify_and_report(values: dict[str, Any]) -> int:
    # Schemathesis and Hypothesis take their time to import; --help and a wrong flag need neither.
    from contract_tests.reports import WRITERS, Report, print_report  # noqa: PLC0415
    from contract_tests.run import Run, known_rules  # noqa: PLC0415
    from contract_tests.targets import NotReachable, ProtocolError  # noqa: PLC0415
    from spec.document import DocumentError, load  # noqa: PLC0415

    reports, seed, rules = values.pop("report"), values.pop("seed"), values.pop("rules")
    seed = int.from_bytes(os.urandom(4)) if seed is None else seed
    spec = values.pop("spec")
    settings = Settings(**values, spec=Path(spec) if spec else None)
    try:
        document = load(settings.spec)
        only = known_rules(document, (each.strip() for each in rules.split(","))) if rules else None
        for _, path in reports:
            _writable(path)
        with open_target(settings) as target, _progress() as progress:
            run = Run(document, target, seed, only, progress)
            results = run.execute()
            report = Report(target.base_url, document.name, seed, results, target.secrets, run.stopped)
    except (DocumentError, SettingsError, NotReachable, ProtocolError, ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    for kind, path in reports:
        WRITERS[kind](report, path)
    console = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
    print_report(report, console)
    console.print(f"{report.target}, by {report.document}; --seed {seed} repeats this run.")
    return report.exit_code


def _writable(path: Path) -> None:
    if not path.parent.is_dir():
        raise SettingsError(f"{path}: there is no directory {path.parent} to write the report to.")
    if path.is_dir():
        raise SettingsError(f"{path}: is a directory, not a file to write the report to.")


@contextmanager
def _progress() -> Any:
    """Shows on a terminal what is being tested; elsewhere nothing."""
    columns = (TextColumn("{task.description:32}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("")
        show: Callable[[int, int, str], None] = lambda done, total, what: bar.update(  # noqa: E731
            task, completed=done, total=total, description=what
        )
        yield show
