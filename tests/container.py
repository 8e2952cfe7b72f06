"""The image, built and run as compose.yaml runs it, and verified from outside: `python -m tests.container`.

Needs a container engine and the base image. Exit code 1: a step failed, which is named.
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from tenacity import RetryError, Retrying, retry_if_not_result, stop_after_delay, wait_fixed

ROOT = Path(__file__).parent.parent
IMAGE = "feedback-mock"
RIGHTS = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]  # as in compose.yaml
VARIABLE = "FEEDBACK_MOCK_CONTROL_TOKEN"
PATIENCE = 30.0  # seconds until the container is healthy


def asked(*command: str) -> str:
    """What the engine prints. Raises ClickException."""
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise click.ClickException(f"{' '.join(command[:2])}: {ran.stderr.strip()}")
    return ran.stdout.strip()


@contextmanager
def running(engine: str, token: str) -> Iterator[str]:
    """A container of the image, by its id; it is removed afterwards."""
    os.environ[VARIABLE] = token
    container = asked(engine, "run", "--detach", *RIGHTS, "--publish", "127.0.0.1::8080", "--env", VARIABLE, IMAGE)
    try:
        yield container
    finally:
        asked(engine, "rm", "--force", container)


def wait_until_healthy(engine: str, container: str) -> None:
    """Returns once the image's own health check has passed. Raises ClickException."""
    retrying = Retrying(
        stop=stop_after_delay(PATIENCE), wait=wait_fixed(0.2), retry=retry_if_not_result("healthy".__eq__)
    )
    try:
        retrying(asked, engine, "inspect", "--format", "{{.State.Health.Status}}", container)
    except RetryError:
        raise click.ClickException(f"The container is not healthy after {PATIENCE:g} seconds.") from None


@click.command()
@click.option("--engine", default="docker", show_default=True, help="The engine's command line.")
def main(engine: str) -> None:
    """Build the image, run it without rights, verify it from outside, and stop it."""
    if shutil.which(engine) is None:
        raise click.UsageError(f"There is no {engine} here; --engine names a container engine's command line.")
    token = secrets.token_urlsafe(24)
    click.echo("Building …", err=True)
    asked(engine, "build", "--tag", IMAGE, str(ROOT))
    with running(engine, token) as container:
        wait_until_healthy(engine, container)
        user = asked(engine, "exec", container, "id", "-u")
        port = asked(engine, "port", container, "8080/tcp").splitlines()[0]
        url = f"http://{port}"
        verify = [str(Path(sys.executable).with_name("feedback-verify")), url, "--control", f"{url}/_control"]
        verified = subprocess.run(verify, env={**os.environ, "FEEDBACK_CONTROL_TOKEN": token}, check=False).returncode
        asked(engine, "stop", container)
        state = json.loads(asked(engine, "inspect", "--format", "{{json .State}}", container))
    size = int(asked(engine, "image", "inspect", "--format", "{{.Size}}", IMAGE)) // 1_000_000
    click.echo(f"user {user}, {size} MB with the base image, verified: exit code {verified}, ", nl=False)
    click.echo(f"stopped: exit code {state['ExitCode']}")
    sys.exit(0 if (user, verified, state["ExitCode"]) == ("10001", 0, 0) else 1)


if __name__ == "__main__":
    main()
