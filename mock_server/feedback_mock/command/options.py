"""The command line of `feedback-mock`; each option is an environment variable as well. Serves nothing."""

import difflib
import os
import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from feedback_spec.profiles import DOCUMENTED, PROFILES

ENVIRONMENT = "FEEDBACK_MOCK"
"""The prefix of the environment variables."""
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{8,200}=*")
_RATE = re.compile(r"0*(?P<requests>[1-9][0-9]{0,8})/0*(?P<seconds>[1-9][0-9]{0,8})")
_MOST_SHOWN = 40  # characters of a wrong value
_DATABASE = re.compile(r"(/[0-9]{0,5})?")
MEMORY = "memory"
_NEAR = 0.75  # ratio of difflib: NO_CONTROL and CONTROL are near, SERVICE_PORT and PORT, of Kubernetes, are not
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.]{2,45}")

_EPILOG = """\b
Every option can be set in the environment: FEEDBACK_MOCK_PORT for --port, FEEDBACK_MOCK_CONTROL=no for --no-control.

\b
Examples:
  feedback-mock                                  serve on http://127.0.0.1:8080
  feedback-mock --port 0 --log-format json       for a test harness: a free port, one JSON line when ready
  feedback-mock --clock frozen                   freeze time until the control protocol moves it
  feedback-mock --profile sentry-9.1             respond like Sentry 9.1
  feedback-mock --spec my-openapi.yaml --watch   use another document, and follow its changes
  feedback-mock --store redis://127.0.0.1 --workers 4    share projects between processes (docs/scale.md)
  feedback-mock --host 0.0.0.0                   for a container; the control protocol then needs a token
  feedback-mock explore -- python submit.py      lose each response of a client once, and see what happens
"""


class CannotStart(Exception):
    """The reason why there is nothing to serve, in one sentence."""


@dataclass(frozen=True, slots=True)
class Options:
    """The command line as given; None for an option without a default. `rate_limit` is requests and seconds."""

    host: str
    port: int
    certificate: Path | None
    key: Path | None
    spec: Path | None
    profile: str
    rate_limit: tuple[int, int] | None
    clock: str
    control: bool
    control_token: str | None
    allow_host: tuple[str, ...]
    ready_file: Path | None
    until_stdin_closes: bool
    log_format: str
    quiet: bool
    store: str | None
    workers: int
    watch: bool

    @property
    def running(self) -> bool:
        """Whether projects start with a running clock."""
        return self.clock == "system"

    @property
    def as_json(self) -> bool:
        """Whether all output is JSON."""
        return self.log_format == "json"

    @property
    def scheme(self) -> str:
        """The scheme of the served address."""
        return "https" if self.certificate else "http"


def _rate(_context: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[int, int] | None:
    if value is None:
        return None
    found = _RATE.fullmatch(value)
    if not found:
        wanted = "N/SECONDS, such as 5/1 for five requests per second; each has up to 9 digits"
        raise click.BadParameter(f'"{value[:_MOST_SHOWN]}" is not {wanted}.')
    return int(found["requests"]), int(found["seconds"])


def _token(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not _TOKEN.fullmatch(value):
        raise click.BadParameter("a token has 8 to 200 letters, digits and the characters - . _ ~ + /, as in RFC 6750.")
    return value


def _store(_context: click.Context, _parameter: click.Parameter, value: str) -> str | None:
    if value == MEMORY:
        return None
    if not _is_redis(value):
        example = "redis://127.0.0.1:6379/0, rediss:// for TLS, or unix:///run/redis.sock"
        raise click.BadParameter(f"is memory, or the URL of a Redis, such as {example}.")
    return value


def _is_redis(url: str) -> bool:
    try:
        parts = urlsplit(url)
        named = parts.hostname is not None and parts.port != 0
    except ValueError:
        return False
    if parts.scheme == "unix":
        return parts.path.startswith("/") and not parts.hostname
    return parts.scheme in ("redis", "rediss") and named and _DATABASE.fullmatch(parts.path) is not None


def _hosts(_context: click.Context, _parameter: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    for each in value:
        if not _HOST.fullmatch(each):
            raise click.BadParameter(f'"{each}" is not a host name or address without a port, such as mock.test.')
    return value


def _check_environment() -> None:
    """Refuses a misspelt variable as the command line refuses a misspelt option, and leaves other people's alone."""
    known = [f"_{each.name.upper()}" for each in fields(Options)]
    for name in sorted(each for each in os.environ if each.startswith(f"{ENVIRONMENT}_")):
        bare = name.removeprefix(ENVIRONMENT)
        near = difflib.get_close_matches(bare, known, n=1, cutoff=_NEAR)
        if near and bare not in known:
            raise click.UsageError(f"No option has the variable {name}. Did you mean {ENVIRONMENT}{near[0]}?")


@click.command(
    epilog=_EPILOG,
    context_settings={
        "auto_envvar_prefix": ENVIRONMENT,
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
    },
)
@click.option("--host", default="127.0.0.1", show_default=True, metavar="HOST", help="The address to listen on.")
@click.option(
    "--port",
    default=8080,
    show_default=True,
    metavar="PORT",
    type=click.IntRange(0, 65535),
    help="The port to listen on; 0 means any free port.",
)
@click.option(
    "--certificate",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="Serve HTTPS with this certificate (PEM, with its chain, and with its key unless --key is given).",
)
@click.option("--key", metavar="PATH", type=click.Path(path_type=Path), help="The certificate's private key (PEM).")
@click.option(
    "--spec",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="Use this OpenAPI document in place of the packaged one.",
)
@click.option(
    "--watch", is_flag=True, help="Serve the document of --spec anew whenever it changes, and keep all state."
)
@click.option(
    "--profile",
    default=DOCUMENTED,
    show_default=True,
    type=click.Choice(PROFILES),
    help="Whose behaviour to follow: the published page, or a real Sentry version.",
)
@click.option(
    "--rate-limit",
    metavar="N/SECONDS",
    callback=_rate,
    help="Limit a project's requests (429), as the hosted service does; with --profile sentry-latest or sentry-23.7.",
)
@click.option(
    "--clock",
    default="system",
    show_default=True,
    type=click.Choice(["system", "frozen"]),
    help="Whether projects start with a running or a frozen clock.",
)
@click.option(
    "--control/--no-control", default=True, help="Whether to serve the control protocol. It is on by default."
)
@click.option(
    "--control-token",
    metavar="TOKEN",
    callback=_token,
    help="The token that control requests must send. Generated and printed if others can reach --host, unless set.",
)
@click.option(
    "--allow-host",
    metavar="HOST",
    multiple=True,
    callback=_hosts,
    help="A further host name that control requests without a token may be addressed to; may be repeated.",
)
@click.option(
    "--ready-file",
    metavar="PATH",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the JSON line of --log-format json to this file when ready, and remove the file at the end.",
)
@click.option(
    "--until-stdin-closes", is_flag=True, help="Stop when stdin closes, as it does when a test harness exits."
)
@click.option(
    "--log-format",
    default="text",
    show_default=True,
    type=click.Choice(["text", "json"]),
    help="json: print one JSON line to stdout when ready, and log JSON lines to stderr.",
)
@click.option(
    "--store",
    metavar="memory|URL",
    default=MEMORY,
    show_default=True,
    callback=_store,
    help="Where to keep projects: in this process, or in the Redis at this URL (redis://…), shared by several mocks.",
)
@click.option(
    "--workers",
    default=1,
    show_default=True,
    metavar="N",
    type=click.IntRange(1, 64),
    help="The number of processes; more than one requires --store redis://….",
)
@click.option("--quiet", is_flag=True, help="Don't log requests. Warnings and the ready line remain.")
@click.version_option(package_name="sentry-feedback-contract", prog_name="feedback-mock")
def command(**given: Any) -> Options:
    """Serve Sentry's "Submit User Feedback" as a mock with a clock that tests can move.

    When ready, it prints its address, the credentials of a project, and commands to paste. It logs each request to
    stderr. Press Ctrl-C to stop it.
    """
    _check_environment()
    options = Options(**given)
    if options.key is not None and options.certificate is None:
        raise click.UsageError("--key requires --certificate.")
    if options.watch and (options.spec is None or options.store is not None):
        raise click.UsageError("--watch requires --spec, and --store memory: mocks on Redis serve the same document.")
    if options.workers > 1 and options.store is None:
        raise click.UsageError("--workers requires --store redis://…: only one process can see projects in memory.")
    return options
