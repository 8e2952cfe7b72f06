"""The `feedback-docs` command: parses, builds, prints and returns an exit code. Other modules generate what it
prints.
"""

import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from feedback_spec.document import Document, load, load_control
from feedback_spec.documentation.build import beside, built_files, committed_files, lacking_refused, write
from feedback_spec.documentation.check import findings, first_problem
from feedback_spec.documentation.clients import client_files
from feedback_spec.documentation.differences import render_differences
from feedback_spec.documentation.page import render_page
from feedback_spec.profiles import DOCUMENTED, PROFILES
from feedback_spec.source import DocumentError
from feedback_spec.streams import discard_stdout, escape_unencodable

EXIT_STALE = 1
EXIT_USAGE = 2

_EPILOG = """\b
Examples:
  feedback-docs build --out public         the reference as a web page, Markdown and OpenAPI 3.0 and 3.1
  feedback-docs page                       the page in its original form
  feedback-docs check                      for CI: exits with 1 if anything is wrong or stale
  feedback-docs build --out public --profile sentry-9.1
  feedback-docs diff documented sentry-9.1
  feedback-docs build --out public --spec my-openapi.yaml
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command. Returns 0 for success, 1 if a check failed, 2 for input that cannot be used."""
    escape_unencodable()
    try:
        outcome = command.main(None if argv is None else list(argv), "feedback-docs", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        return EXIT_USAGE
    except DocumentError as error:
        sentence = str(error)
    except SystemExit:  # click and rich exit this way if nobody reads stdout to the end
        sentence = f"stdout cannot be written: {os.strerror(errno.EPIPE)}."
    except OSError as error:
        sentence = _not_written(error)
    else:
        return outcome if isinstance(outcome, int) else 0
    click.echo(f"feedback-docs: {sentence}", err=True)
    return EXIT_USAGE


def _not_written(error: OSError) -> str:
    if error.filename is not None:
        return f"{error.filename}: cannot be written: {error.strerror}."
    discard_stdout()
    return f"stdout cannot be written: {error.strerror}."


def _spec(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that all commands share."""
    spec = click.option(
        "--spec",
        type=click.Path(path_type=Path),
        metavar="PATH",
        help="OpenAPI document to use instead of the packaged one.",
    )
    profile = click.option(
        "--profile",
        type=click.Choice(PROFILES),
        default=DOCUMENTED,
        show_default=True,
        help="Profile to apply: the page as it is, or what a real Sentry does differently.",
    )
    return spec(profile(function))


@click.group(epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sentry-feedback-contract")
def command() -> None:
    """Generate the documentation of Submit User Feedback from its OpenAPI document."""


@command.command()
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where to write; created if missing.",
)
@_spec
def build(out: Path, spec: Path | None, profile: str) -> int:
    """Write the reference and the documents to a directory.

    The reference is one HTML file that loads nothing, and Markdown with its drawing. The page in its original form, the
    documents as OpenAPI 3.0 and 3.1, and the JSON Schema of a project's snapshot are written beside it. All texts state
    the time windows as they are in the document.
    """
    files = built_files(_valid(spec, profile), load_control())
    write(files, out)
    for name in files:
        click.echo(out / name)
    return 0


@command.command()
@_spec
def page(spec: Path | None, profile: str) -> int:
    """Print the page in its original form, byte for byte."""
    document = _valid(spec, profile)
    with lacking_refused(document):
        text = render_page(document)
    click.echo(text.encode(), nl=False)
    return 0


@command.command()
@_spec
def check(spec: Path | None, profile: str) -> int:
    """Check that documents, texts and reference agree.

    The documents and their examples must be valid, their texts true, and the committed reference current. Prints one
    line per check; exits with 1 if any of them fails.
    """
    console = Console(highlight=False, soft_wrap=True)
    bad = 0
    for finding in findings(spec, profile):
        bad += not finding.good
        style = "green" if finding.good else "bold red"
        console.print(Text("ok    " if finding.good else "WRONG ", style), Text(finding.sentence), sep="")
        if finding.detail:
            console.print(Text(finding.detail, "dim"))
    return EXIT_STALE if bad else 0


@command.command()
def reference() -> int:
    """Rewrite the committed reference, REFERENCE.md and timeline.svg, next to the packaged document."""
    files, directory = committed_files(load(), load_control()), beside(None)
    write(files, directory)
    for name in files:
        click.echo(directory / name)
    return 0


@command.command()
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The directory of the clients, one subdirectory each.",
)
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit with 1 if a file is stale.")
def clients(out: Path, only_check: bool) -> int:
    """Write the generated files of the control protocol's clients."""
    files = client_files(load_control())
    if not only_check:
        for name, text in files.items():
            write({Path(name).name: text}, out / Path(name).parent)
            click.echo(out / name)
        return 0
    stale = [out / name for name, text in files.items() if _text_of(out / name) != text]
    for file in stale:
        click.echo(f"{file}: is stale; `feedback-docs clients --out {out}` rewrites it", err=True)
    return EXIT_STALE if stale else 0


def _text_of(file: Path) -> str | None:
    return file.read_text("utf-8", "replace") if file.is_file() else None


@command.command()
@click.argument("one", type=click.Choice(PROFILES), metavar="PROFILE")
@click.argument("other", type=click.Choice(PROFILES), metavar="PROFILE")
@click.option("--spec", type=click.Path(path_type=Path), metavar="PATH", help="Document to apply the profiles to.")
def diff(one: str, other: str, spec: Path | None) -> int:
    """Show how two profiles differ, as a Markdown table."""
    click.echo(render_differences(_valid(spec, one), _valid(spec, other)), nl=False)
    return 0


def _valid(spec: Path | None, profile: str) -> Document:
    """The document, known to be valid OpenAPI, as the templates require."""
    document = load(spec, profile)
    if problem := first_problem(document.openapi):
        raise DocumentError(f"{document.name}: is not valid OpenAPI 3.0: {problem}")
    return document
