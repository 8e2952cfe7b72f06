"""`make verify-sentry`: the verifier and the mock compared with a real Sentry 9.1, if one is available.

SENTRY_SEED names a JSON file: `org`, `token_write`, `token_read` and `projects` by slug, each with `id` and `dsn`; the
first project receives the submissions, the second lends its DSN. Exit code 0 for no surprise, 1 for one, 2 for a wrong
seed.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import click
from feedback_mock.server import Server as MockServer
from feedback_spec.document import load
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

from tests.fronts.fronts import NGINX, nginx
from tests.real_sentry.compare import Accepted, Difference, Server, run

PROFILE = "sentry-9.1"
KNOWN = Path(__file__).with_name("documented.toml")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--examples", default=1500, show_default=True, help="Sequences of one to three requests.")
@click.option("--seed", default=1, show_default=True, help="Draws the same requests again.")
@click.option("--wait", default="", metavar="DURATION", help="How long the verifier may wait: 31m for both windows.")
@click.option("--only", type=click.Choice(["verify", "differential"]), help="One half of it.")
def main(examples: int, seed: int, wait: str, only: str | None) -> None:
    """Hold verifier and mock against the real Sentry of SENTRY_SEED."""
    path = os.environ.get("SENTRY_SEED", "")
    if not path:
        click.echo("No Sentry at hand (SENTRY_SEED names no seed file): nothing was done.")
        return
    try:
        content = json.loads(Path(path).read_text("utf-8"))
        real = server_of(content)
    except (OSError, ValueError, LookupError, TypeError) as error:
        click.echo(f"SENTRY_SEED={path}: is not a seed file: {type(error).__name__}: {error}.", err=True)
        sys.exit(2)
    bad = 0
    if only != "differential":
        bad += verify(real, content, wait)
    if only != "verify":
        bad += differential(real, examples, seed)
    sys.exit(1 if bad else 0)


def server_of(content: dict[str, Any]) -> Server:
    """The server described by a seed file. Raises LookupError if something is missing."""
    (slug, project), (_, other) = list(content["projects"].items())[:2]
    dsn = urlsplit(project["dsn"])
    words = {
        "org": content["org"],
        "project": slug,
        "id": str(project["id"]),
        "key": str(dsn.username),
        "dsn": project["dsn"],
        "other_dsn": other["dsn"],
        "write": content["token_write"],
        "read": content["token_read"],
    }
    return Server(f"{dsn.scheme}://{dsn.hostname}:{dsn.port}", words)


def verify(real: Server, content: dict[str, Any], wait: str) -> int:
    """How many verifications are surprises: the profile must conform, also behind nginx if it is installed, and the
    page must be violated as known.
    """
    names = {"write": "TOKEN", "read": "READ_TOKEN", "dsn": "DSN", "other_dsn": "OTHER_DSN"}
    environment = {**os.environ, **{f"FEEDBACK_{name}": real.words[word] for word, name in names.items()}}
    options = ["--ingest", "--organization", content["org"], "--project", real.words["project"]]
    options += ["--wait", wait] if wait else []
    options += ["--require", "level"]  # what it cannot show without waits is no surprise

    def surprises(url: str, *more: str) -> bool:
        command = [str(Path(sys.executable).with_name("feedback-verify")), url, *options, *more]
        return subprocess.run(command, env=environment, check=False).returncode != 0

    bad = [surprises(real.url, "--profile", PROFILE), surprises(real.url, "--baseline", str(KNOWN))]
    if NGINX:
        with TemporaryDirectory(prefix="feedback-nginx-") as folder, nginx(real.url, Path(folder)) as url:
            bad.append(surprises(url, "--profile", PROFILE))
    else:
        click.echo("nginx cannot be had here: Sentry behind it was not verified.")
    return sum(bad)


def differential(real: Server, examples: int, seed: int) -> int:
    """How many kinds of difference are not accepted; prints all of them, and how often each accepted one occurred."""
    accepted = Accepted()
    surprises: Counter[tuple[str, str, str]] = Counter()
    shown: dict[tuple[str, str, str], Difference] = {}
    requests = 0
    with MockServer(document=load(None, PROFILE)) as server, _progress(examples) as bar:
        task = bar.add_task("", total=None)

        def progress(done: int) -> None:
            nonlocal requests
            requests = done
            bar.update(task, completed=done)

        for difference in run(real, make_mock(server, real.words), examples, seed, progress):
            if accepted.reason(difference) is None:
                kind = (difference.what, difference.real, difference.mock)
                surprises[kind] += 1
                shown.setdefault(kind, difference)
    for reason, count in accepted.seen.items():
        click.echo(f"accepted {count:5}  {reason}")
    for kind, count in surprises.most_common():
        each = shown[kind]
        click.echo(f"DIFFERS  {count:5}  {each.what}: the real one {each.real}, the mock {each.mock}\n    {each.call}")
    click.echo(f"{requests} requests to both servers, {len(surprises)} kinds of difference that are not accepted.")
    return len(surprises)


def make_mock(server: MockServer, like: Mapping[str, str]) -> Server:
    """The mock with a project named `org` and `project`, and another beside it."""
    store = server.app.store
    other = store.put_project(like["org"], "other-of-differential", store.new_clock())
    project = store.put_project(like["org"], like["project"], store.new_clock())
    assert project is not None
    assert other is not None
    credentials = project.credentials
    words = {
        "org": project.organization,
        "project": project.slug,
        "id": project.id,
        "key": credentials.public_key,
        "dsn": f"{server.url.replace('//', f'//{credentials.public_key}@')}/{project.id}",
        "other_dsn": f"{server.url.replace('//', f'//{other.credentials.public_key}@')}/{other.id}",
        "write": credentials.tokens["write"],
        "read": credentials.tokens["read"],
    }
    return Server(server.url, words)


def _progress(_: int) -> Progress:
    console = Console(stderr=True)
    columns = ("requests", BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty())


if __name__ == "__main__":
    main()
