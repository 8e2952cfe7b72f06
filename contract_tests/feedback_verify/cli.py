"""`feedback-verify`: parses, runs, reports, and returns the exit code."""

import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import contextmanager, suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from feedback_spec.document import Document, load
from feedback_spec.files import check
from feedback_spec.profiles import PROFILES
from feedback_spec.source import DocumentError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from feedback_verify.flags import COMPARED, DETECT, flags, given, report_option
from feedback_verify.preflight import look
from feedback_verify.prepared import prepare
from feedback_verify.settings import SettingsError, open_target
from feedback_verify.stopping import stoppable
from feedback_verify.targets import MissingLibrary, NotReachable, ProtocolError, Trouble
from feedback_verify.verdicts import printable

if TYPE_CHECKING:
    from feedback_verify.reports import Report
    from feedback_verify.run import Run

FORESEEN = (DocumentError, SettingsError, NotReachable, ProtocolError, Trouble, MissingLibrary, OSError)
EPILOG = """\b
Exit codes:
  0  every rule that was asked for, or that --require names, was verified
  1  a rule is violated
  2  could not test: wrong usage, unreachable target, broken document, a report that cannot be written
  3  nothing is violated, but a required rule was not verified; --require level accepts what the target allows

\b
Examples:
  feedback-verify                                        verify a mock that it starts itself
  feedback-verify http://127.0.0.1:8080 --control http://127.0.0.1:8080
  feedback-verify --app myapp:app --organization acme --project web --token … --seed-callable myapp.tests:seed
  feedback-verify http://127.0.0.1:9000 --command "./serve --port 9000" --organization acme --project web --dsn …
  FEEDBACK_TOKEN=... feedback-verify https://sentry.example \\
      --organization acme --project web --wait 6m --report junit=verdicts.xml
"""


class _Commands(click.Group):
    """Without a command name, it verifies, so `-h` shows the options of `verify`, and the other commands below them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Inserts the default command if none is named."""
        named = args and args[0] in (*self.commands, *ctx.help_option_names, "--version")
        return super().parse_args(ctx, args if named else ["verify", *args])

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options of the default command, then the commands."""
        self.commands["verify"].format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


NAMES = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
READ = {**NAMES, "auto_envvar_prefix": "FEEDBACK"}


@click.group(
    cls=_Commands,
    epilog=EPILOG,
    context_settings=NAMES,
    options_metavar="[COMMAND] [OPTIONS]",
    subcommand_metavar="[URL]",
)
@click.version_option(version("sentry-feedback-contract"), prog_name="feedback-verify")
def command() -> None:
    """Verify that the implementation at URL does what the document says, rule by rule.

    Every option can also be set in the environment: FEEDBACK_URL, FEEDBACK_TOKEN, FEEDBACK_DSN and so on. Without a
    URL, it starts and verifies a mock server.
    """


@command.command(epilog=EPILOG, context_settings=READ)
@flags
def verify(**values: Any) -> int:
    """Verify URL (the default)."""
    return _answered(values, replay=None)


@command.command(context_settings=READ)
@click.argument("plan_file", type=click.Path(path_type=Path), metavar="PLAN")
@flags
def replay(plan_file: Path, **values: Any) -> int:
    """Verify URL with the --plan of an earlier run."""
    return _answered(values, replay=plan_file)


@command.command(context_settings=NAMES)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="A.json B.json…")
@report_option(COMPARED)
def compare(files: tuple[Path, ...], report: list[tuple[str, Path]]) -> int:
    """Compare JSON reports, rule by rule.

    Differences are shown first. The exit code is 0 whatever differs, and 2 if a file cannot be read or written.
    """
    from feedback_verify.reports.compared import WRITERS, print_comparison  # noqa: PLC0415
    from feedback_verify.reports.comparison import Comparison, NotComparable, read_column  # noqa: PLC0415

    try:
        for _, path in report:
            check(path)
        comparison = Comparison.of([read_column(path) for path in files])
        for kind, path in report:
            WRITERS[kind](comparison, path)
    except (NotComparable, OSError) as error:
        raise click.ClickException(printable(str(error))) from None
    for sentence in _printed(partial(print_comparison, comparison)):
        raise click.ClickException(sentence)
    return 0


def _answered(values: dict[str, Any], *, replay: Path | None) -> int:
    debug = values.pop("debug")
    try:
        return _verify({**values, "replay": replay, "given": given(click.get_current_context())}, debug=debug)
    except Exception as error:
        raise click.ClickException(_sentence(error, debug=debug)) from None


def main(argv: list[str] | None = None) -> int:
    """Runs the command line and returns its exit code. Never raises; 1 always means an observed violation."""
    try:
        outcome = command.main(argv, prog_name="feedback-verify", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        return 2
    except SystemExit:
        return 2  # click exits this way if nobody reads --help to the end
    return outcome if isinstance(outcome, int) else 0


class _Console(Console):
    """Rich exits with code 1 if nobody reads the output; we report it ourselves, with a code that is not a verdict."""

    def on_broken_pipe(self) -> None:
        """Re-raises the error."""
        raise  # noqa: PLE0704 (called while the error is being handled)


def _sentence(error: Exception, *, debug: bool) -> str:
    """The message for an error. An unforeseen error is our bug, never the target's violation."""
    if debug:
        traceback.print_exception(error)
    if isinstance(error, FORESEEN):
        return printable(str(error))
    place = "; the traceback is above" if debug else "; pass --debug to see where"
    return printable(
        f"feedback-verify has a bug; this says nothing about the target: {type(error).__name__}: {error}{place}."
    )


def _verify(values: dict[str, Any], *, debug: bool) -> int:
    with tempfile.TemporaryDirectory(prefix="feedback-verify-") as storage:
        # Hypothesis stores files in the working directory by default, and the user's directory is not ours.
        os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", storage)
        return _verify_and_report(values, debug=debug)


def _verify_and_report(values: dict[str, Any], *, debug: bool) -> int:
    # Schemathesis and Hypothesis are slow to import; --help and a wrong flag need neither.
    from feedback_verify.reports import Began, Report  # noqa: PLC0415
    from feedback_verify.run import Run  # noqa: PLC0415

    began = Began.now()
    reports, prepared = values.pop("report"), prepare(values)
    settings, document, options = prepared.settings, prepared.document, prepared.options
    for path in [*(path for _, path in reports), *([values["plan"]] if values["plan"] else [])]:
        check(path)
    with open_target(settings) as target, _progress() as progress:
        told: dict[str, Any] = {"progress": progress, "say": partial(click.echo, err=True), **options}
        run = Run(document, target, **told, stopped=True)
        trouble = None
        with suppress(KeyboardInterrupt), stoppable(target, prepared.max_time):
            for note in look(target, document):
                click.echo(f"Note: {note}", err=True)
            if settings.profile == DETECT:
                document = _detect(settings.spec, target, run_seed=options["seed"], progress=progress)
            run = Run(document, target, **told)
            trouble = _execute(run, debug=debug)
        report = Report.of(run, began, prepared.baseline, trouble=trouble, flags=values["given"])
    return _tell(report, reports)


def _execute(run: "Run", *, debug: bool) -> str | None:
    """Runs it, and returns what stopped it early, if anything; everything seen so far is reported."""
    try:
        run.execute()
    except Exception as error:
        return _sentence(error, debug=debug)
    return None


def _tell(report: "Report", reports: list[tuple[str, Path]]) -> int:
    """Writes and prints all reports, and returns the exit code. If one cannot be written, it says so, and the code is
    2.
    """
    from feedback_verify.reports import WRITERS, print_report  # noqa: PLC0415

    errors = [] if report.trouble is None else [report.clean(report.trouble)]
    for kind, path in reports:
        try:
            WRITERS[kind](report, path)
        except OSError as error:
            errors.append(f"--report {kind}={path}: cannot be written: {error.strerror or error}.")
    if report.has_verdicts or report.trouble is None:
        errors += _printed(partial(print_report, report))
    for sentence in errors:
        click.echo(f"Error: {sentence}", err=True)
    return 2 if errors else report.exit_code


def _printed(show: Callable[[Console], None]) -> list[str]:
    """Prints to stdout; yields a sentence for stderr if nobody reads stdout."""
    if sys.stdout is None:
        return []
    try:
        show(_Console(width=None if sys.stdout.isatty() else 160, highlight=False))
        sys.stdout.flush()
    except OSError as error:
        # Python flushes again at exit, and would repeat our message, with an exit code of its own.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return [f"The verdicts cannot be printed: {error.strerror or error}."]
    return []


def _detect(spec: Path | None, target: Any, *, run_seed: int, progress: Callable[[int, int, str], None]) -> Document:
    """Prints how well the target fits each profile, and returns the document of the best one."""
    from feedback_verify.detect import fits  # noqa: PLC0415

    documents = {profile: load(spec, profile) for profile in PROFILES}
    found = fits(documents.values(), target, run_seed, progress)
    for fit in found:
        click.echo(fit.sentence())
    best = found[0]
    click.echo(f"The target fits {best.profile} best; verifying against that.")
    for rule, detail in best.violated.items():
        click.echo(f"  does not fit: {rule}: {detail}")
    return documents[best.profile]


@contextmanager
def _progress() -> Any:
    """Shows on a terminal what is being tested; shows nothing elsewhere."""
    columns = (TextColumn("{task.description:32}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    silent = sys.stderr is None or not sys.stderr.isatty()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=silent) as bar:
        task = bar.add_task("")
        show: Callable[[int, int, str], None] = lambda done, total, what: bar.update(  # noqa: E731
            task, completed=done, total=total, description=what
        )
        yield show
