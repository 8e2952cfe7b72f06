"""What to verify, from flags, environment and a TOML file, and the target that results."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from feedback_spec.instants import SECOND
from feedback_spec.profiles import DOCUMENTED, PROFILES

from feedback_verify.exchange import Credential
from feedback_verify.targets import (
    AppTarget,
    CommandSeeder,
    ControlTarget,
    IngestSeeder,
    Network,
    ProcessTarget,
    StateSeeder,
    Target,
    UrlTarget,
    read_dsn,
)


class SettingsError(Exception):
    """The settings do not describe something that can be verified; the message says what is missing."""


@dataclass(frozen=True)
class Settings:
    """How to reach the target, and its credentials. Without a URL or an application, a mock is started for the run.

    `settle` and `tolerance` are in microseconds.
    """

    url: str | None = None
    control: str | None = None
    control_token: str | None = field(default=None, repr=False)
    app: str | None = None
    seed_callable: str | None = None
    command: str | None = None
    seed_command: str | None = None
    provider_state_url: str | None = None
    ingest: bool = False
    organization: str | None = None
    project: str | None = None
    token: str | None = field(default=None, repr=False)
    read_token: str | None = field(default=None, repr=False)
    dsn: str | None = field(default=None, repr=False)
    other_dsn: str | None = field(default=None, repr=False)
    cacert: Path | None = None
    insecure: bool = False
    proxy: str | None = None
    rate: float | None = None
    settle: int = 5 * SECOND
    tolerance: int | None = None
    spec: Path | None = None
    profile: str = DOCUMENTED

    def tell(self, target: Target) -> None:
        """Tells a target how to send requests."""
        target.sender.pace.rate = self.rate
        target.settling.longest = self.settle / SECOND
        target.tolerance = self.tolerance

    def network(self) -> Network:
        """The network settings. Raises ValueError, with one sentence, if they are wrong."""
        network = Network(self.cacert, self.insecure, self.proxy)
        network.check()
        return network


@contextmanager
def open_target(settings: Settings) -> Iterator[Target]:
    """The target that the settings describe. Raises SettingsError, NotReachable, ProtocolError or MissingLibrary."""
    settings = _with_urls(settings)
    _check(settings)
    if settings.url is None and settings.app is None:
        with own_mock(settings.spec, settings.profile) as url, ControlTarget(url, url) as target:
            settings.tell(target)
            yield target
        return
    try:
        made = _target(settings)
        if isinstance(made, UrlTarget):
            _seed_with(made, settings)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    with made as target:
        settings.tell(target)
        if isinstance(target, ControlTarget):
            target.health()
        yield target


def _with_urls(settings: Settings) -> Settings:
    """The settings with the control URL stripped of the protocol's path, which the mock prints with it; URL defaults to
    it.
    """
    if settings.control is None:
        return settings
    control = settings.control.rstrip("/").removesuffix("/_control")
    return replace(settings, control=control, url=settings.url or control)


def _check(settings: Settings) -> None:
    urls = {"URL": settings.url, "--control": settings.control, "--provider-state-url": settings.provider_state_url}
    for name, given in urls.items():
        if given is not None and not _is_url(given):
            raise SettingsError(f'{name}: "{given}" is not a URL such as http://127.0.0.1:8080.')
    for name in ("control_token", "token", "read_token", "dsn", "other_dsn"):
        given = getattr(settings, name)
        try:
            _ = given is None or (Credential.of(name, given, ""), name.endswith("dsn") and read_dsn(given))
        except ValueError as error:
            raise SettingsError(f"--{name.replace('_', '-')}: the value is wrong: {error}.") from None
    ways = {"--control": settings.control, "--app": settings.app, "--command": settings.command}
    chosen = [name for name, value in ways.items() if value is not None]
    if len(chosen) > 1:
        raise SettingsError(f"{chosen[0]} and {chosen[1]} are two kinds of target; use one of them.")
    if settings.app is not None and settings.url is not None:
        raise SettingsError("--app is called in this process and has no URL; leave out the URL.")
    if settings.url is None and chosen and settings.app is None:
        raise SettingsError(f"{chosen[0]} requires the URL of the endpoint itself.")
    if settings.control_token is not None and settings.control is None:
        raise SettingsError("--control-token requires --control.")
    if settings.seed_callable is not None and settings.app is None:
        raise SettingsError("--seed-callable requires --app.")
    seeders = {
        "--seed-command": settings.seed_command,
        "--provider-state-url": settings.provider_state_url,
        "--ingest": settings.ingest or None,
    }
    seeding = [name for name, value in seeders.items() if value is not None]
    if len(seeding) > 1:
        raise SettingsError(f"{seeding[0]} and {seeding[1]} are two ways to save events; use one of them.")
    if seeding and (settings.control or settings.app):
        raise SettingsError(
            f"{seeding[0]} works only with a plain URL or with --command; {chosen[0]} saves events itself."
        )


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and text.isprintable()
    except ValueError:
        return False


def _target(settings: Settings) -> Target:
    network = settings.network()
    if settings.control is not None:
        return ControlTarget(str(settings.url), settings.control, network=network, token=settings.control_token)
    if settings.organization is None or settings.project is None:
        raise SettingsError(
            "Say which project to use (--organization and --project, with --token or --dsn), or pass --control URL "
            "for a server that speaks the control protocol, which creates projects itself."
        )
    given = {"write": settings.token, "read": settings.read_token, "dsn": settings.dsn, "other-dsn": settings.other_dsn}
    secrets = {kind: value for kind, value in given.items() if value is not None}
    if "write" not in secrets and "dsn" not in secrets:
        raise SettingsError("Pass credentials that may submit feedback: --token, --dsn or both.")
    place = (settings.organization, settings.project, secrets)
    if settings.app is not None:
        return AppTarget(settings.app, *place, settings.seed_callable)
    if settings.command is not None:
        return ProcessTarget(str(settings.url), settings.command, *place, network)
    return UrlTarget(str(settings.url), *place, network)


def _seed_with(target: UrlTarget, settings: Settings) -> None:
    place = (str(settings.organization), str(settings.project))
    if settings.seed_command is not None:
        target.seed_with(CommandSeeder(settings.seed_command, *place, target.sender.stopped))
    elif settings.provider_state_url is not None:
        target.seed_with(StateSeeder(settings.provider_state_url, target.exchange, *place))
    elif settings.ingest:
        if settings.dsn is None:
            raise SettingsError("--ingest sends events with the project's DSN; pass it with --dsn.")
        target.seed_with(IngestSeeder(settings.dsn, target.exchange, lambda: target.ahead))


@contextmanager
def own_mock(spec: Path | None, profile: str) -> Iterator[str]:
    """Starts the mock server of this package on a free port, in a separate process."""
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    command = shutil.which("feedback-mock", path=places)
    if command is None:
        raise SettingsError(
            "Pass the URL to verify; feedback-mock is not installed here, so no mock can be started instead."
        )
    arguments = [command, "--port", "0", "--log-format", "json", "--quiet", *(["--spec", str(spec)] if spec else [])]
    arguments += ["--until-stdin-closes"]  # which it does even if this process is killed
    arguments += ["--profile", profile] if profile in PROFILES else []
    with (
        tempfile.TemporaryFile("w+") as errors,
        # In its own session, so that Ctrl-C ends the run before the mock.
        subprocess.Popen(
            arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        try:
            ready = process.stdout.readline() if process.stdout else ""
            if not ready:
                errors.seek(0)
                raise SettingsError(f"The mock server did not start. {errors.read().strip()}")
            yield json.loads(ready)["url"]
        finally:
            process.terminate()
