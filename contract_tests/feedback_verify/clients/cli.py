"""The commands for clients: `feedback-verify client` and `feedback-verify explore`."""

import shlex
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from feedback_spec.document import Document, load
from feedback_spec.files import check
from feedback_spec.instants import SECOND
from feedback_spec.profiles import DOCUMENTED, PROFILES
from feedback_spec.spelling import meant

from feedback_verify.flags import KINDS, Wait, given, report_option
from feedback_verify.output import progress, sentence_for, tell
from feedback_verify.reading import Unreadable, read_json, wrong_in
from feedback_verify.settings import SettingsError
from feedback_verify.stopping import stoppable
from feedback_verify.verdicts import Verdict

if TYPE_CHECKING:
    from feedback_verify.clients.exploring import Exploration
    from feedback_verify.clients.run import ClientRun

PATIENCE = 70 * SECOND
EPILOG = """\b
The command submits one feedback and exits. Its environment says where and what:
  FEEDBACK_ENDPOINT  the URL to POST to (FEEDBACK_URL, FEEDBACK_ORGANIZATION and FEEDBACK_PROJECT combined)
  FEEDBACK_TOKEN     a bearer token; or FEEDBACK_DSN
  FEEDBACK_EVENT_ID, FEEDBACK_NAME, FEEDBACK_EMAIL, FEEDBACK_COMMENTS
  FEEDBACK_CONTROL   the project's control protocol, for clients that sleep on its clock

\b
Exit codes:
  0  every rule, or every rule that --require names, is verified
  1  a rule is violated
  2  could not test: wrong usage, or a command that cannot be started or submits nothing
  3  nothing is violated, but a required rule was not verified

\b
Examples:
  feedback-verify client -- python submit.py
  feedback-verify client --report html=client.html -- node dist/submit.js
  feedback-verify client --journal requests.har
"""
EXPLORE_EPILOG = """\b
The command gets the same environment as with feedback-verify client, and may send any number of requests to that
project. It must succeed if nothing goes wrong.

\b
Exit codes:
  0  whenever a response was lost, the feedback was delivered, or the command said that it was not
  1  feedback was silently lost or stored twice, or a rule for clients was broken
  2  could not test: wrong usage, or a command that cannot be started or fails without any fault
  3  nothing was wrong, but it was stopped before everything was run, or a result did not show a second time

\b
Examples:
  feedback-mock explore -- python submit.py
  feedback-verify explore --report html=explored.html -- node dist/submit.js
"""
NAMES = {"help_option_names": ["-h", "--help"], "max_content_width": 100, "auto_envvar_prefix": "FEEDBACK"}


def shared(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that all commands for clients share."""
    options = (
        click.option(
            "--patience",
            type=Wait(),
            default=PATIENCE,
            show_default="70s",
            help="How long one run of the client may last from its first request on.",
        ),
        click.option("--max-time", type=Wait(), help="Stop after this long and report the verdicts so far."),
        click.option(
            "--seed", type=click.IntRange(min=0), default=0, metavar="N", help="Vary the random data in responses."
        ),
        click.option("--profile", type=click.Choice(list(PROFILES)), default=DOCUMENTED, help="What the mock does."),
        click.option("--spec", type=click.Path(path_type=Path), metavar="FILE", help="Another document."),
        report_option(KINDS),
        click.option("--debug", is_flag=True, help="Print the traceback of whatever ends the run with exit code 2."),
        click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND…]"),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command(epilog=EPILOG, context_settings=NAMES)
@click.option(
    "--command", "text", metavar="COMMAND", help="The client's command as one string, split like a shell does."
)
@click.option("--journal", type=click.Path(path_type=Path), metavar="FILE.har", help="Judge recorded requests instead.")
@click.option("--situation", "names", multiple=True, metavar="NAME", help="Run only this situation, and the plain one.")
@click.option("--faketime", is_flag=True, help="Move the client's wall clock with the project's, by libfaketime.")
@click.option(
    "--require",
    metavar="all|level|ID,…",
    default="all",
    show_default=True,
    help="What must be verified for exit code 0: all rules, what this client can show (level), or the named rules.",
)
@shared
def client(**values: Any) -> int:
    """Run a client through situations, and judge it by the client's half of the contract.

    It starts a mock, and runs COMMAND against it once for each situation: everything works, responses are lost, the
    server is busy or refuses, a window is over.
    """
    return _answered(_client, values)


@click.command(epilog=EXPLORE_EPILOG, context_settings=NAMES)
@click.option(
    "--placement", "only", multiple=True, metavar="NAME", help="Run only this placement, and the undisturbed run."
)
@click.option("--faketime", is_flag=True, help="Move the client's wall clock with the project's, by libfaketime.")
@shared
def explore(**values: Any) -> int:
    """Lose every response to a client's test command once, in every way, and see what happens.

    It starts a mock, and runs COMMAND against it: first undisturbed, then once for each of its requests, phase (before
    the request is handled, after) and kind of connection fault.
    """
    return _answered(_explore, values)


def _answered(command: Callable[..., int], values: dict[str, Any]) -> int:
    debug = values["debug"]
    try:
        return command(flags=given(click.get_current_context()), **values)
    except Exception as error:
        raise click.ClickException(sentence_for(error, debug=debug)) from None


def _client(
    *,
    words: tuple[str, ...],
    text: str | None,
    journal: Path | None,
    names: tuple[str, ...],
    require: str,
    profile: str,
    spec: Path | None,
    **more: Any,
) -> int:
    from feedback_verify.clients.run import ClientRun  # noqa: PLC0415 (reports are slow to import)
    from feedback_verify.clients.situations import PLAIN, situations  # noqa: PLC0415 (slow to import)

    began, command, document = _now(), words_of(words, text, journal), load(spec, profile)
    known = situations(document)
    for name in names:
        if name not in known:
            raise SettingsError(f'--situation: there is no situation "{name}"{meant(name, known, len(known))}')
    chosen = {name: each for name, each in known.items() if not names or name in (PLAIN, *names)}
    run = ClientRun(document, chosen, _required(document, require))
    if journal is None:
        return _play(run, began, command, spec, **more)
    recorded = read_journal(journal, document)
    run.read(recorded)
    return _tell(run, began, more["flags"], more["report"], target=str(journal), secrets=frozenset(recorded.secrets))


def _explore(*, words: tuple[str, ...], only: tuple[str, ...], profile: str, spec: Path | None, **more: Any) -> int:
    from feedback_verify.clients.exploring import Exploration  # noqa: PLC0415 (reports are slow to import)

    if not words:
        raise SettingsError("Pass the client's command after --, as in feedback-verify explore -- python submit.py.")
    began, document = _now(), load(spec, profile)
    _required(document, "all")
    return _play(
        Exploration(document, only), began, words, spec, again=("explore", "--placement"), judged="placement", **more
    )


def _play(
    run: "ClientRun | Exploration",
    began: int,
    command: tuple[str, ...],
    spec: Path | None,
    *,
    flags: list[str],
    faketime: bool,
    patience: int,
    seed: int,
    max_time: int | None,
    report: list[tuple[str, Path]],
    debug: bool,
    again: tuple[str, ...] = ("client", "--situation"),
    judged: str = "rule",
) -> int:
    """Runs the command, and reports the results, even if it was stopped."""
    from feedback_verify.clients.stage import Stage  # noqa: PLC0415 (reports are slow to import)

    for _, path in report:
        check(path)
    trouble, run.stopped = None, True
    with Stage(command, run.document, patience, spec, seed=seed, faketime=faketime) as stage, progress() as show:
        with suppress(KeyboardInterrupt), stoppable(stage.stop, max_time):
            try:
                run.play(stage, show)
                run.stopped = False
            except Exception as error:
                trouble = sentence_for(error, debug=debug)
        secrets = frozenset(stage.secrets)
    again = (*again[:1], *(["--seed", str(seed)] if seed else []), *again[1:])
    told = {"seed": seed, "secrets": secrets, "trouble": trouble, "words": command, "again": again, "judged": judged}
    return _tell(run, began, flags, report, target=shlex.join(command), **told)


def _tell(
    run: "ClientRun | Exploration", began: int, flags: Sequence[str], reports: list[tuple[str, Path]], **told: Any
) -> int:
    from feedback_verify.clients.report import ClientReport  # noqa: PLC0415 (reports are slow to import)
    from feedback_verify.reports import Began  # noqa: PLC0415 (slow to import)

    document = run.document
    told = {"seed": 0, "secrets": frozenset(), **told}
    report = ClientReport(
        document=document.name,
        results=run.results(),
        stopped=run.stopped,
        sent=run.sent,
        profile=document.profile,
        began=Began(began, began),  # a client's requests are dated by the wall clock, too
        took=_now() - began,
        digest=document.digest,
        flags=tuple(flags),
        openapi=document.openapi,
        **told,
    )
    return tell(report, reports)


def _now() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000


def words_of(words: tuple[str, ...], text: str | None, journal: Path | None) -> tuple[str, ...]:
    """The client's command. Raises SettingsError if there is none, or more than one."""
    ways = [each for each in (words, text, journal) if each]
    if len(ways) != 1:
        wanted = "Pass the client's command after --, as in feedback-verify client -- python submit.py"
        raise SettingsError(
            f"{wanted}." if not ways else f"{wanted}, or --command, or --journal: use one of the three."
        )
    try:
        return words or tuple(shlex.split(text or ""))
    except ValueError as error:
        raise SettingsError(f"--command: {text!r} cannot be split into words: {error}.") from None


def _required(document: Document, require: str) -> Callable[[str, Verdict], bool]:
    if not document.client_rules:
        raise SettingsError(f"{document.name} has no x-client-rules; there is nothing to judge a client by.")
    if require == "all":
        return lambda *_: True
    if require == "level":
        return lambda _, verdict: verdict is not Verdict.NOT_VERIFIABLE
    rules = frozenset(each.strip() for each in require.split(","))
    unknown = sorted(rules - set(document.client_rules))
    if unknown:
        raise SettingsError(
            f'--require: there is no rule "{unknown[0]}" for clients{meant(unknown[0], document.client_rules)}'
        )
    return lambda rule, _: rule in rules


def read_journal(path: Path, document: Document) -> Any:
    """The episode in a HAR file, from the mock's journal or elsewhere. Raises SettingsError."""
    from feedback_verify.clients.episode import Episode, attempts_of, secrets_of  # noqa: PLC0415 (slow to import)

    try:
        content = read_json(path)
        wrong = wrong_in(content, "clients/journal.schema.json")
        attempts = [] if wrong else attempts_of(content["log"]["entries"], document)
    except Unreadable as error:
        raise SettingsError(str(error)) from None
    except ValueError as error:
        wrong = str(error)
    if wrong:
        raise SettingsError(f"{path}: is not a HAR 1.2 file: {wrong.removesuffix('.')}.")
    if not any(each.submits for each in attempts):
        raise SettingsError(f"{path}: has no submission among its {len(attempts)} requests.")
    return Episode(path.name, attempts, secrets=secrets_of(attempts), recorded=True)
