"""Serves the mock as the command line says, from the first byte to a clean end. Parses nothing."""

import asyncio
import gc
import json
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from feedback_spec.document import Document, load
from feedback_spec.files import CannotWrite

from feedback_mock.app import create_app
from feedback_mock.command.console import Console
from feedback_mock.command.listening import Listening, listen
from feedback_mock.command.log import Line, logging_to_stderr, message
from feedback_mock.command.options import CannotStart, Options
from feedback_mock.command.process import allow_many_files, end_with_stdin, ending, print_whole
from feedback_mock.command.ready import ready_data
from feedback_mock.command.watching import Watching
from feedback_mock.feedback.rate import RateLimit
from feedback_mock.mock import Mock
from feedback_mock.server import Uvicorn

PATIENCE = 5  # seconds, at the end, for requests in progress
FORCED = 130  # as shells do after SIGINT


def serve(options: Options, document: Document, write: Callable[[str], None]) -> int:
    """Serves until stopped, and `write`s the ready file; returns an exit code.

    Raises DocumentError, CannotWrite or CannotStart.
    """
    allow_many_files()
    listening = listen(options)
    with listening.socket, logging_to_stderr(as_json=options.as_json) as say:
        app = make_app(options, document, listening.token, listening.secret)
        _check_store(app)
        data = ready_data(
            app, listening.url, control=options.control, token=listening.token, elsewhere=listening.elsewhere
        )

        def tell() -> None:
            write(json.dumps(data) + "\n")
            _announce(options, app, data)
            if listening.elsewhere is not None:
                say(message(_warning(options, listening.elsewhere)))

        if options.workers > 1:
            # Here and not at the top: one process needs none of it.
            from feedback_mock.command.workers import serve_by_workers  # noqa: PLC0415 (see above)

            serve_by_workers(options, listening, tell, say)
            code = 0
        else:
            code = _serve_alone(options, app, listening, tell, say)
        say(message("feedback-mock: stopped."))
    return code


def _serve_alone(
    options: Options, app: Mock, listening: Listening, tell: Callable[[], None], say: Callable[[Line], None]
) -> int:
    failures: list[Exception] = []

    def ready() -> None:
        settle()
        try:
            tell()
        except (CannotWrite, CannotStart) as error:
            failures.append(error)
            server.should_exit = True

    server = make_server(options, app, ready, say, _watch(options, app, listening, say))
    with ending(server.end):
        if options.until_stdin_closes:
            end_with_stdin(server.end)
        server.run([listening.socket])
    if failures:
        raise failures[0]
    return FORCED if server.force_exit else 0


def settle() -> None:
    """Looks for garbage again, but not among what was loaded at start."""
    gc.freeze()
    gc.enable()


def _watch(options: Options, app: Mock, listening: Listening, say: Callable[[Line], None]) -> Callable[[], None] | None:
    """What looks for changes of the document every second, if asked for."""
    path, token, secret = options.spec, listening.token, listening.secret
    if not options.watch or path is None:
        return None
    return Watching(path, app, lambda: make_app(options, load(path, options.profile), token, secret, app), say).look


def make_server(
    options: Options,
    app: Mock,
    ready: Callable[[], None],
    say: Callable[[Line], None],
    each_second: Callable[[], None] | None = None,
) -> Uvicorn:
    """The server as the command line says; a line for each request is said unless it is to be quiet."""
    around = None if options.quiet else Console(app, say)
    return Uvicorn(app, ready, around, options.certificate, options.key, PATIENCE, each_second)


def _check_store(app: Mock) -> None:
    """That the projects can be had where they are. Raises CannotStart."""
    if app.sharing is None:
        return
    from feedback_mock.shared.connection import Away  # noqa: PLC0415 (which needs an extra of the distribution)

    try:
        app.default_project = asyncio.run(app.sharing.begin())
    except Away as away:
        raise CannotStart(str(away)) from None
    except (TypeError, ValueError) as error:  # of keys in the URL's query
        raise CannotStart(f"--store: the client of Redis does not accept this URL: {error}.") from None


def make_app(options: Options, document: Document, token: str | None, secret: str, state: Mock | None = None) -> Mock:
    """The mock as the command line says. Raises DocumentError, or CannotStart without the library that it needs."""
    if options.store is not None and find_spec("redis") is None:
        raise CannotStart('--store redis://… needs a library: pip install "sentry-feedback-contract[redis]".')
    return create_app(
        document,
        control=options.control,
        running=options.running,
        rate_limit=RateLimit(*options.rate_limit) if options.rate_limit else None,
        control_token=token,
        allow_hosts=(options.host, *options.allow_host),
        secret=secret,
        redis=options.store,
        state=state,
    )


def _announce(options: Options, app: Mock, data: dict[str, Any]) -> None:
    """Prints the ready line. Raises CannotStart if nobody could see it."""
    if options.as_json:
        text = json.dumps(data) + "\n"
    else:
        from feedback_mock.command.banner import banner  # noqa: PLC0415 (rich is slow to import, and JSON needs none of it)

        text = banner(app, data, str(options.certificate) if options.certificate else None)
    why = print_whole(text)
    if why is not None and options.ready_file is None:
        raise CannotStart(f"{why}, and there is no --ready-file: nobody could find out how to reach the mock.")


def _warning(options: Options, elsewhere: str) -> str:
    reached = f"feedback-mock: other machines can reach the mock on {elsewhere}."
    if not options.control:
        return f"{reached} The control protocol is off."
    how = "you passed" if options.control_token else "was generated (choose one with --control-token)"
    return f"{reached} The control protocol requires the token that {how}; --no-control turns it off."
