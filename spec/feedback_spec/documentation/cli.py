"""The command `feedback-docs`: parses, builds, prints and returns an exit code. What it prints is made elsewhere."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from feedback_spec.document import Document, load, load_control
from feedback_spec.documentation.build import beside, built_files, committed_files, lacking_refused, write
from feedback_spec.documentation.check import findings, first_problem
from feedback_spec.documentation.differences import render_differences
from feedback_spec.documentation.page import render_page
from feedback_spec.profiles import DOCUMENTED, PROFILES
from feedback_spec.source import DocumentError

EXIT_STALE = 1
EXIT_USAGE = 2

_EPILOG = """\b
Examples:
  feedback-docs build --out public         the reference as a web page, Markdown and OpenAPI 3.0 and 3.1
  feedback-docs page                       the page in its original form
  feedback-docs check                      for CI: exit 1 when anything is wrong or stale
  feedback-docs build --out public --profile sentry-9.1
  feedback-docs diff documented sentry-9.1
  feedback-docs build --out public --spec my-openapi.yaml
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command: 0 for done, 1 for a check that found something, 2 for input that cannot be used."""
    try:
        outcome = command.main(None if argv is None else list(argv), "feedback-docs", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Abort:
        return EXIT_USAGE
    except DocumentError as error:
        return _refuse(str(error))
    except OSError as error:
        return _refuse(f"{error.filename}: cannot be written: {error.strerror}.")
    return outcome if isinstance(outcome, int) else 0


def _refuse(sentence: str) -> int:
    click.echo(f"feedback-docs: {sentence}", err=True)
    return EXIT_USAGE


def _spec(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that all commands share."""
    spec = click.option(
        "--spec",
        type=click.Path(path_type=Path),
        metavar="PATH",
        help="Another OpenAPI document than the one that comes with this program.",
    )
    profile = click.option(
        "--profile",
        type=click.Choice(PROFILES),
        default=DOCUMENTED,
        show_default=True,
        help="The page, or the page with what a real Sentry does differently.",
    )
    return spec(profile(function))


@click.group(epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sentry-feedback-contract")
def command() -> None:
    """The documentation of Submit User Feedback, made from its OpenAPI document."""


@command.command()
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Where the files go; made if missing."
)
@_spec
def build(out: Path, spec: Path | None, profile: str) -> int:
    """Write reference and documents to a directory.

    The reference comes as one HTML file that loads nothing, and as Markdown with its drawing; beside it the page
    in its original form, and both documents as OpenAPI 3.0 and 3.1. All texts say the time windows as the document
    has them.
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

    The documents are valid, their examples too, their texts true and the committed reference current.

    Prints one line for each; exit 1 if one of them is not as it should be.
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
    """Rewrite the committed reference.

    REFERENCE.md and timeline.svg, beside the document that comes with this program.
    """
    files, directory = committed_files(load(), load_control()), beside(None)
    write(files, directory)
    for name in files:
        click.echo(directory / name)
    return 0


@command.command()
@click.argument("one", type=click.Choice(PROFILES), metavar="PROFILE")
@click.argument("other", type=click.Choice(PROFILES), metavar="PROFILE")
@click.option("--spec", type=click.Path(path_type=Path), metavar="PATH", help="The document that the profiles change.")
def diff(one: str, other: str, spec: Path | None) -> int:
    """Show what two profiles say differently, as a Markdown table."""
    click.echo(render_differences(_valid(spec, one), _valid(spec, other)), nl=False)
    return 0


def _valid(spec: Path | None, profile: str) -> Document:
    """The document, which is valid OpenAPI; templates rely on that."""
    document = load(spec, profile)
    if problem := first_problem(document.openapi):
        raise DocumentError(f"{document.name}: is not valid OpenAPI 3.0: {problem}")
    return document
