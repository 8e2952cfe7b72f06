"""Serves the mock as the command line says, from the first byte to a clean end. Parses nothing."""

import gc
import json
from collections.abc import Callable
from typing import Any

from feedback_spec.document import Document
from feedback_spec.files import CannotWrite

from feedback_mock.app import create_app
from feedback_mock.command.console import Console
from feedback_mock.command.listening import Listening, listen
from feedback_mock.command.log import logging_to_stderr, message
from feedback_mock.command.options import CannotStart, Options
from feedback_mock.command.process import allow_many_files, end_with_stdin, ending, print_whole
from feedback_mock.command.ready import ready_data
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
    failures: list[Exception] = []
    with listening.socket, logging_to_stderr(as_json=options.as_json) as say:
        app = _make_app(options, document, listening)
        data = ready_data(
            app, listening.url, control=options.control, token=listening.token, elsewhere=listening.elsewhere
        )

        def ready() -> None:
            gc.freeze()
            gc.enable()
            try:
                write(json.dumps(data) + "\n")
                _announce(options, app, data)
                if listening.elsewhere is not None:
                    say(message(_warning(options, listening.elsewhere)))
            except (CannotWrite, CannotStart) as error:
                failures.append(error)
                server.should_exit = True

        around = None if options.quiet else Console(app, say)
        server = Uvicorn(app, ready, around, options.certificate, options.key, patience=PATIENCE)
        with ending(server.end):
            if options.until_stdin_closes:
                end_with_stdin(server.end)
            server.run([listening.socket])
        if failures:
            raise failures[0]
        say(message("feedback-mock: stopped."))
    return FORCED if server.force_exit else 0


def _make_app(options: Options, document: Document, listening: Listening) -> Mock:
    return create_app(
        document,
        control=options.control,
        running=options.running,
        rate_limit=RateLimit(*options.rate_limit) if options.rate_limit else None,
        control_token=listening.token,
        allow_hosts=(options.host, *options.allow_host),
        secret=listening.secret,
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
