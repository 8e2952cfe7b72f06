"""What a command says at its end and on its way: reports, sentences, progress. Runs nothing."""

import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from feedback_spec.source import DocumentError
from feedback_spec.streams import discard_stdout
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from feedback_verify.settings import SettingsError
from feedback_verify.targets import MissingLibrary, NotReachable, ProtocolError, Trouble
from feedback_verify.verdicts import printable

if TYPE_CHECKING:
    from feedback_verify.reports import Report

FORESEEN = (DocumentError, SettingsError, NotReachable, ProtocolError, Trouble, MissingLibrary, OSError)
Show = Callable[[int, int, str], None]
"""Told what is done, of how much, and what comes next."""


class _Console(Console):
    """Rich exits with code 1 if nobody reads the output; we report it ourselves, with a code that is not a verdict."""

    def on_broken_pipe(self) -> None:
        """Re-raises the error."""
        raise  # noqa: PLE0704 (called while the error is being handled)


def sentence_for(error: Exception, *, debug: bool) -> str:
    """The message for an error. An unforeseen error is our bug, never the target's violation."""
    if debug:
        traceback.print_exception(error)
    if isinstance(error, FORESEEN):
        return printable(str(error))
    place = "; the traceback is above" if debug else "; pass --debug to see where"
    return printable(
        f"feedback-verify has a bug; this says nothing about the target: {type(error).__name__}: {error}{place}."
    )


def tell(report: "Report", reports: list[tuple[str, Path]]) -> int:
    """Writes and prints all reports, and returns the exit code. If one cannot be written, it says so, and the code is
    2.
    """
    from feedback_verify.reports import WRITERS, print_report  # noqa: PLC0415 (slow to import)

    errors = [] if report.trouble is None else [report.clean(report.trouble)]
    for kind, path in reports:
        try:
            WRITERS[kind](report, path)
        except OSError as error:
            errors.append(f"--report {kind}={path}: cannot be written: {error.strerror or error}.")
    if report.has_verdicts or report.trouble is None:
        errors += printed(partial(print_report, report))
    for sentence in errors:
        click.echo(f"Error: {sentence}", err=True)
    return 2 if errors else report.exit_code


def printed(show: Callable[[Console], None]) -> list[str]:
    """Prints to stdout; yields a sentence for stderr if nobody reads stdout."""
    if sys.stdout is None:
        return []
    try:
        show(_Console(width=None if sys.stdout.isatty() else 160, highlight=False))
        sys.stdout.flush()
    except OSError as error:
        discard_stdout()
        return [f"The verdicts cannot be printed: {error.strerror or error}."]
    return []


@contextmanager
def progress() -> Iterator[Show]:
    """Shows on a terminal what is being tested; shows nothing elsewhere."""
    columns = (TextColumn("{task.description:32}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    silent = sys.stderr is None or not sys.stderr.isatty()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=silent) as bar:
        task = bar.add_task("")
        show: Show = lambda done, total, what: bar.update(  # noqa: E731 (shorter than a function)
            task, completed=done, total=total, description=what
        )
        yield show
