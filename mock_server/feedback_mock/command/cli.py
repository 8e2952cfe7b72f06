"""The command `feedback-mock`: parses, builds, serves and returns an exit code. Decides nothing about feedback."""

import contextlib
import gc
import json
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from feedback_spec.document import load
from feedback_spec.files import CannotWrite, replace
from feedback_spec.profiles import DOCUMENTED, PROFILES
from feedback_spec.source import DocumentError

EXIT_USAGE = 2

_EPILOG = """\b
Examples:
  feedback-mock                                  on http://127.0.0.1:8080
  feedback-mock --port 0 --log-format json       for a test harness: a free port, one JSON line when ready
  feedback-mock --clock frozen                   time stands still until the control protocol moves it
  feedback-mock --profile sentry-9.1             as Sentry 9.1 answers, where it differs from the page
  feedback-mock --spec my-openapi.yaml           another document, other windows
"""


@dataclass(frozen=True, slots=True)
class Options:
    """The command line; `spec`, `ready_file` and `rate_limit` (requests, seconds) are None where they are not given."""

    host: str
    port: int
    spec: Path | None
    control: bool
    running: bool
    ready_file: Path | None
    as_json: bool
    profile: str
    rate_limit: tuple[int, int] | None
    quiet: bool


class CannotStart(Exception):
    """Why there is nothing to serve, in one sentence."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line until it is interrupted; 0 after a clean end, 2 if it could not start."""
    try:
        outcome = command.main(None if argv is None else list(argv), "feedback-mock", standalone_mode=False)
        if isinstance(outcome, Options):
            with _collecting_late():
                _serve(outcome)
            return 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (DocumentError, CannotWrite, CannotStart) as error:
        click.echo(f"feedback-mock: {error}", err=True)
        return EXIT_USAGE
    except (click.Abort, KeyboardInterrupt):
        return 0
    return int(outcome or 0)


def _rate(_context: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[int, int] | None:
    if value is None:
        return None
    requests, _, seconds = value.partition("/")
    if not (requests.isdecimal() and seconds.isdecimal() and int(requests) and int(seconds)):
        raise click.BadParameter(f'"{value}" is not N/SECONDS, such as 5/1 for five requests in a second.')
    return int(requests), int(seconds)


@click.command(epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--host", default="127.0.0.1", show_default=True, metavar="HOST", help="The address to listen on.")
@click.option(
    "--port",
    default=8080,
    show_default=True,
    metavar="PORT",
    type=click.IntRange(0, 65535),
    help="0 takes a free port.",
)
@click.option(
    "--spec", metavar="PATH", type=click.Path(path_type=Path), help="Another OpenAPI document than the packaged one."
)
@click.option(
    "--profile",
    default=DOCUMENTED,
    show_default=True,
    type=click.Choice(PROFILES),
    help="Whose behaviour: the page's, or a real Sentry's of that time.",
)
@click.option(
    "--rate-limit",
    metavar="N/SECONDS",
    callback=_rate,
    help="429 after so many requests of a project, as the hosted service; for --profile sentry-latest and sentry-23.7.",
)
@click.option("--control/--no-control", default=True, help="Whether to serve the control protocol; by default it is.")
@click.option(
    "--clock",
    default="system",
    show_default=True,
    type=click.Choice(["system", "frozen"]),
    help="Whether projects begin with a running clock or with one that stands still.",
)
@click.option(
    "--ready-file",
    metavar="PATH",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Written when requests are served, removed at the end: the same JSON as --log-format json prints.",
)
@click.option(
    "--log-format",
    default="text",
    show_default=True,
    type=click.Choice(["text", "json"]),
    help="json: one JSON line on stdout when ready, and JSON lines on stderr.",
)
@click.option("--quiet", is_flag=True, help="Say no line for each request; warnings and the ready line stay.")
@click.version_option(package_name="sentry-feedback-contract", prog_name="feedback-mock")
def command(
    host: str,
    port: int,
    spec: Path | None,
    profile: str,
    rate_limit: tuple[int, int] | None,
    control: bool,
    clock: str,
    ready_file: Path | None,
    log_format: str,
    quiet: bool,
) -> Options:
    """Serve Sentry's "Submit User Feedback" as a mock whose clock tests can move.

    When it is ready it prints where it listens, the credentials of a project, and lines to paste.
    For each request it says a line on stderr. Ctrl-C ends it.
    """
    running, as_json = clock == "system", log_format == "json"
    return Options(host, port, spec, control, running, ready_file, as_json, profile, rate_limit, quiet)


def _serve(options: Options) -> None:
    """Serves until a signal comes. Raises DocumentError, CannotWrite or CannotStart."""
    document = load(options.spec, options.profile)
    # Only now: a wrong command line or document is answered without waiting for the server's imports.
    from feedback_mock.app import create_app  # noqa: PLC0415 (see above)
    from feedback_mock.command.console import Console  # noqa: PLC0415 (see above)
    from feedback_mock.command.log import logging_to_stderr, message  # noqa: PLC0415 (see above)
    from feedback_mock.command.ready import ready_data  # noqa: PLC0415 (see above)
    from feedback_mock.feedback.rate import RateLimit  # noqa: PLC0415 (see above)
    from feedback_mock.server import Uvicorn, address_of, bind  # noqa: PLC0415 (see above)

    rate_limit = RateLimit(*options.rate_limit) if options.rate_limit else None
    app = create_app(document, control=options.control, running=options.running, rate_limit=rate_limit)
    try:
        listener = bind(options.host, options.port)
    except OSError as error:
        raise CannotStart(f"cannot listen on {options.host}:{options.port}: {error.strerror}.") from None
    data = ready_data(app, address_of(listener, options.host), control=options.control)
    text = json.dumps(data) + "\n"
    failure: list[CannotWrite] = []

    def ready() -> None:
        gc.freeze()
        gc.enable()
        try:
            if options.ready_file is not None:
                replace(options.ready_file, text)
        except CannotWrite as error:
            failure.append(error)
            server.should_exit = True
            return
        _announce(options, app, data)

    with listener, logging_to_stderr(as_json=options.as_json) as say:
        server = Uvicorn(app, ready, None if options.quiet else Console(app, say))
        with _ending(lambda: setattr(server, "should_exit", True)), _removing(options.ready_file, text):
            server.run([listener])
        if failure:
            raise failure[0]
        say(message("feedback-mock: stopped."))


def _announce(options: Options, app: Any, data: dict[str, Any]) -> None:
    if options.as_json:
        click.echo(json.dumps(data))
    else:
        from feedback_mock.command.banner import show  # noqa: PLC0415 (rich is slow to import, and json needs none of it)

        show(app, data)
    sys.stdout.flush()


@contextlib.contextmanager
def _collecting_late() -> Iterator[None]:
    """Looks for no garbage among what is loaded at start: that takes a tenth of the start, and finds none."""
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.enable()


@contextlib.contextmanager
def _ending(end: Callable[[], None]) -> Iterator[None]:
    """Makes SIGINT and SIGTERM a clean end: uvicorn raises them once more when it is done, and nothing comes of it."""
    before = {each: signal.signal(each, lambda *_: end()) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextlib.contextmanager
def _removing(path: Path | None, text: str) -> Iterator[None]:
    """Removes the ready file: before, the one that an earlier run left, and after, this run's. Raises CannotWrite."""
    from feedback_mock.command.ready import claim, release  # noqa: PLC0415 (as in _serve)

    if path is not None:
        claim(path)
    try:
        yield
    finally:
        if path is not None:
            with contextlib.suppress(OSError):
                release(path, text)


if __name__ == "__main__":
    sys.exit(main())
