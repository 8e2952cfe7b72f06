"""The `feedback-mock` command: parses, serves and returns an exit code. Decides nothing about feedback."""

import contextlib
import gc
import sys
from collections.abc import Iterator, Sequence

import click
from feedback_spec.document import load
from feedback_spec.files import CannotWrite
from feedback_spec.source import DocumentError
from feedback_spec.streams import escape_unencodable

from feedback_mock.command.options import CannotStart, Options, command
from feedback_mock.command.process import not_written, open_standard_files
from feedback_mock.command.ready_file import ready_file

EXIT_USAGE = 2
COMMANDS = "feedback_mock.commands"  # the entry points of what else `feedback-mock NAME` runs


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command until it is stopped. Returns 0 after a clean end, 2 if it could not start, 130 if it was forced
    to stop.
    """
    open_standard_files()
    escape_unencodable()
    words = list(sys.argv[1:] if argv is None else argv)
    if words and not words[0].startswith("-"):
        from importlib.metadata import entry_points  # noqa: PLC0415 (slow, and servers start without it)

        for each in entry_points(group=COMMANDS, name=words[0]):
            return int(each.load()(words))
    options = _parse(words)
    if isinstance(options, int):
        return options
    try:
        with _collecting_late():
            return _run(options)
    except (DocumentError, CannotWrite, CannotStart) as error:
        return _refuse(str(error))
    except KeyboardInterrupt:
        return 0


def _parse(argv: Sequence[str]) -> Options | int:
    """Returns the options, or the exit code if there is nothing to serve."""
    try:
        options = command.main(list(argv), "feedback-mock", standalone_mode=False)
    except click.ClickException as error:
        with contextlib.suppress(OSError):  # stderr cannot be written
            error.show()
        return error.exit_code
    except OSError as error:  # --help and --version print this
        return _refuse(f"{not_written(error)}.")
    except SystemExit:  # click exits this way if nobody reads --help to the end
        return EXIT_USAGE
    except click.Abort:
        return 0
    return options if isinstance(options, Options) else 0


def _refuse(sentence: str) -> int:
    with contextlib.suppress(OSError):  # stderr cannot be written
        click.echo(f"feedback-mock: {sentence}", err=True)
    return EXIT_USAGE


def _run(options: Options) -> int:
    """Serves until stopped. Raises DocumentError, CannotWrite or CannotStart."""
    with ready_file(options.ready_file) as write:
        document = load(options.spec, options.profile)
        # Imported late, so that errors in the command line or the document appear without waiting for the server's
        # imports.
        from feedback_mock.command.serving import serve  # noqa: PLC0415 (see above)

        return serve(options, document, write)


@contextlib.contextmanager
def _collecting_late() -> Iterator[None]:
    """Keeps the garbage collector away from objects loaded at startup: it would take a tenth of the startup time and
    find nothing.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.enable()


if __name__ == "__main__":
    sys.exit(main())
