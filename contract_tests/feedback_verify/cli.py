"""`feedback-verify`: parses, runs, reports, and returns the exit code."""

import os
import sys
import tempfile
from contextlib import suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from feedback_spec.document import Document, load
from feedback_spec.files import check
from feedback_spec.profiles import PROFILES
from feedback_spec.streams import discard_stdout, escape_unencodable

from feedback_verify.clients.cli import client, explore
from feedback_verify.flags import COMPARED, DETECT, flags, given, report_option
from feedback_verify.output import Show, printed, progress, sentence_for, tell
from feedback_verify.preflight import look
from feedback_verify.prepared import prepare
from feedback_verify.settings import open_target
from feedback_verify.stopping import stoppable
from feedback_verify.verdicts import printable

if TYPE_CHECKING:
    from feedback_verify.run import Run

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
    try:
        Path.cwd()  # Hypothesis, and every relative path, need one
    except OSError as error:
        raise click.ClickException(f"The working directory cannot be used: {error.strerror}.") from None


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
    from feedback_verify.reports.compared import WRITERS, print_comparison  # noqa: PLC0415 (slow to import)
    from feedback_verify.reports.comparison import Comparison, NotComparable, read_column  # noqa: PLC0415 (slow to import)

    try:
        for _, path in report:
            check(path)
        comparison = Comparison.of([read_column(path) for path in files])
        for kind, path in report:
            WRITERS[kind](comparison, path)
    except (NotComparable, OSError) as error:
        raise click.ClickException(printable(str(error))) from None
    for sentence in printed(partial(print_comparison, comparison)):
        raise click.ClickException(sentence)
    return 0


def _answered(values: dict[str, Any], *, replay: Path | None) -> int:
    debug = values.pop("debug")
    try:
        return _verify({**values, "replay": replay, "given": given(click.get_current_context())}, debug=debug)
    except Exception as error:
        raise click.ClickException(sentence_for(error, debug=debug)) from None


command.add_command(client)
command.add_command(explore)


def main(argv: list[str] | None = None, name: str = "feedback-verify") -> int:
    """Runs the command line and returns its exit code; 1 always means an observed violation.

    `name` is what the command is called in its help. Raises only OSError, if stderr cannot be written.
    """
    escape_unencodable()
    try:
        outcome = command.main(argv, name, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        return 2
    except SystemExit:
        return 2  # click exits this way if nobody reads --help to the end
    except OSError as error:  # --help and --version print this
        discard_stdout()
        click.echo(f"Error: The help cannot be printed: {error.strerror}.", err=True)
        return 2
    except Exception as error:
        click.echo(f"Error: {sentence_for(error, debug='--debug' in (sys.argv if argv is None else argv))}", err=True)
        return 2
    return outcome if isinstance(outcome, int) else 0


def _verify(values: dict[str, Any], *, debug: bool) -> int:
    with tempfile.TemporaryDirectory(prefix="feedback-verify-") as storage:
        # Hypothesis stores files in the working directory by default, and the user's directory is not ours.
        os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", storage)
        return _verify_and_report(values, debug=debug)


def _verify_and_report(values: dict[str, Any], *, debug: bool) -> int:
    # Schemathesis and Hypothesis are slow to import; --help, a wrong flag and a target that is away need neither.
    from feedback_verify.reports import Began, Report  # noqa: PLC0415 (slow to import)

    began = Began.now()
    reports, prepared = values.pop("report"), prepare(values)
    settings, document, options = prepared.settings, prepared.document, prepared.options
    for path in [*(path for _, path in reports), *([values["plan"]] if values["plan"] else [])]:
        check(path)
    with open_target(settings) as target, progress() as show:
        from feedback_verify.run import Run  # noqa: PLC0415 (slow to import)

        told: dict[str, Any] = {"progress": show, "say": partial(click.echo, err=True), **options}
        run = Run(document, target, **told, stopped=True)
        trouble = None
        with suppress(KeyboardInterrupt), stoppable(target.sender.stop, prepared.max_time):
            for note in look(target, document):
                click.echo(f"Note: {note}", err=True)
            if settings.profile == DETECT:
                document = _detect(settings.spec, target, run_seed=options["seed"], show=show)
            run = Run(document, target, **told)
            trouble = _execute(run, debug=debug)
        report = Report.of(run, began, prepared.baseline, trouble=trouble, flags=values["given"])
    return tell(report, reports)


def _execute(run: "Run", *, debug: bool) -> str | None:
    """Runs it, and returns what stopped it early, if anything; everything seen so far is reported."""
    try:
        run.execute()
    except Exception as error:
        return sentence_for(error, debug=debug)
    return None


def _detect(spec: Path | None, target: Any, *, run_seed: int, show: Show) -> Document:
    """Prints how well the target fits each profile, and returns the document of the best one."""
    from feedback_verify.detect import fits  # noqa: PLC0415 (slow to import)

    documents = {profile: load(spec, profile) for profile in PROFILES}
    found = fits(documents.values(), target, run_seed, show)
    for fit in found:
        click.echo(fit.sentence())
    best = found[0]
    click.echo(f"The target fits {best.profile} best; verifying against that.")
    for rule, detail in best.violated.items():
        click.echo(f"  does not fit: {rule}: {detail}")
    return documents[best.profile]
