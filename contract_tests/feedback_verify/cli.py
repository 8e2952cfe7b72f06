"""`feedback-verify`: parses, runs, reports, and says by its exit code what came of it."""

import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import click
from feedback_spec.document import Document
from feedback_spec.files import check
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from feedback_verify.options import DETECT, target_options
from feedback_verify.settings import Settings, SettingsError, open_target

KINDS = ("json", "junit", "html", "har", "markdown")
EPILOG = """\b
Exit codes:
  0  conforms: every rule that can be verified here is
  1  a rule is violated
  2  could not test: wrong usage, unreachable target, broken document
  3  nothing is violated, but a rule that can be verified here was not

\b
Examples:
  feedback-verify                                        a mock, started for it
  feedback-verify http://127.0.0.1:8080 --control http://127.0.0.1:8080
  feedback-verify --app myapp:app --organization acme --project web --token … --seed-callable myapp.tests:seed
  feedback-verify http://127.0.0.1:9000 --command "./serve --port 9000" --organization acme --project web --dsn …
  FEEDBACK_TOKEN=... feedback-verify https://sentry.example \\
      --organization acme --project web --wait 6m --report junit=verdicts.xml
"""


def _report(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> list[tuple[str, Path]]:
    reports = []
    for value in values:
        kind, _, path = value.partition("=")
        if kind not in KINDS or not path:
            raise click.BadParameter(f'"{value}" is not KIND=FILE with a kind of {", ".join(KINDS)}.')
        reports.append((kind, Path(path)))
    return reports


@click.command(epilog=EPILOG, context_settings={"auto_envvar_prefix": "FEEDBACK", "max_content_width": 100})
@click.argument("url", required=False, envvar="FEEDBACK_URL")
@target_options
@click.option("--report", multiple=True, callback=_report, metavar="KIND=FILE", help=f"Kinds: {', '.join(KINDS)}.")
def command(**values: Any) -> int:
    """Verify that the implementation at URL does what the document says, rule by rule.

    Every option can be given in the environment: FEEDBACK_URL, FEEDBACK_TOKEN, FEEDBACK_DSN and so on.
    Without a URL, a mock server is started and verified.
    """
    return _verify(values)


def main(argv: list[str] | None = None) -> int:
    """Runs the command line and answers its exit code. Never raises for bad input.

    `feedback-verify replay FILE …` is `feedback-verify --replay FILE …`: the plan of an earlier run once more.
    """
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["replay"]:
        argv = ["--replay", *argv[1:]]
    try:
        outcome = command.main(argv, prog_name="feedback-verify", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        return 2
    return outcome if isinstance(outcome, int) else 0


def _verify(values: dict[str, Any]) -> int:
    with tempfile.TemporaryDirectory(prefix="feedback-verify-") as storage:
        # Hypothesis keeps files where it runs unless told otherwise, and the user's directory is not ours.
        os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", storage)
        return _verify_and_report(values)


def _verify_and_report(values: dict[str, Any]) -> int:
    # Schemathesis and Hypothesis take their time to import; --help and a wrong flag need neither.
    from feedback_spec.document import load  # noqa: PLC0415
    from feedback_spec.profiles import DOCUMENTED  # noqa: PLC0415
    from feedback_spec.source import DocumentError  # noqa: PLC0415

    from feedback_verify.baseline import Baseline, read_baseline  # noqa: PLC0415
    from feedback_verify.reports import WRITERS, Report, print_report  # noqa: PLC0415
    from feedback_verify.run import Run  # noqa: PLC0415
    from feedback_verify.targets import MissingLibrary, NotReachable, ProtocolError  # noqa: PLC0415

    reports, baseline_file = values.pop("report"), values.pop("baseline")
    settings = Settings(**{each.name: values.pop(each.name) for each in fields(Settings)})
    values["seed"] = int.from_bytes(os.urandom(4)) if values["seed"] is None else values["seed"]
    try:
        detecting = settings.profile == DETECT
        document = load(settings.spec, DOCUMENTED if detecting else settings.profile)
        options = _run_options(document, values)
        baseline = read_baseline(baseline_file) if baseline_file else Baseline()
        for path in [*(path for _, path in reports), *([values["plan"]] if values["plan"] else [])]:
            check(path)
        with open_target(settings) as target, _progress() as progress:
            if detecting:
                document = _detect(settings.spec, target, run_seed=values["seed"], progress=progress)
            run = Run(document, target, progress=progress, say=partial(click.echo, err=True), **options)
            results = run.execute()
            report = Report(
                target.base_url,
                document.name,
                run.seed,
                results,
                target.secrets,
                run.stopped,
                run.exchanges,
                document.mutability,
                baseline,
                document.profile,
            )
    except (DocumentError, SettingsError, NotReachable, ProtocolError, MissingLibrary, ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    for kind, path in reports:
        WRITERS[kind](report, path)
    console = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
    print_report(report, console)
    console.print(f"{report.target}, by {report.document}; --seed {run.seed} repeats this run.")
    return report.exit_code


def _detect(spec: Path | None, target: Any, *, run_seed: int, progress: Callable[[int, int, str], None]) -> Document:
    """Says how the target fits every profile, and answers the document of the one that it fits best."""
    from feedback_spec.document import load  # noqa: PLC0415
    from feedback_spec.profiles import PROFILES  # noqa: PLC0415

    from feedback_verify.detect import fits  # noqa: PLC0415

    documents = {profile: load(spec, profile) for profile in PROFILES}
    found = fits(documents.values(), target, run_seed, progress)
    for fit in found:
        click.echo(fit.sentence())
    best = found[0]
    click.echo(f"The target fits {best.profile} best; it is verified against that.")
    for rule, detail in best.violated.items():
        click.echo(f"  does not fit: {rule}: {detail}")
    return documents[best.profile]


def _run_options(document: Document, values: dict[str, Any]) -> dict[str, Any]:
    """What a Run is told. Raises ValueError or PlanError, in one sentence."""
    from feedback_verify.realtime.plan import read  # noqa: PLC0415
    from feedback_verify.run import known_rules, required_rules  # noqa: PLC0415

    rules, replay = values.pop("rules"), values.pop("replay")
    return {
        **{name: values[name] for name in ("seed", "wait", "rate", "max_parallel", "max_time")},
        "rules": known_rules(document, rules) if rules else None,
        "require": required_rules(document, values["require"]),
        "plan": read(replay, document) if replay else None,
        "plan_file": values["plan"],
    }


@contextmanager
def _progress() -> Any:
    """Shows on a terminal what is being tested; elsewhere nothing."""
    columns = (TextColumn("{task.description:32}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("")
        show: Callable[[int, int, str], None] = lambda done, total, what: bar.update(  # noqa: E731
            task, completed=done, total=total, description=what
        )
        yield show
