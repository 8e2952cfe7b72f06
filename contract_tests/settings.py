"""What to verify, from flags, environment and a TOML file, and the target that comes of it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contract_tests.targets import ControlTarget, Target, UrlTarget


class SettingsError(Exception):
    """The settings do not name something that can be verified; the message says what is missing."""


@dataclass(frozen=True)
class Settings:
    """Where the target is and how it is entered. Without a URL a mock is started for the run."""

    url: str | None = None
    control: str | None = None
    organization: str | None = None
    project: str | None = None
    token: str | None = field(default=None, repr=False)
    dsn: str | None = field(default=None, repr=False)
    spec: Path | None = None


KEYS = ("url", "control", "organization", "project", "token", "dsn", "spec", "seed")


def read_config(path: Path) -> dict[str, Any]:
    """The settings of a TOML file. Raises SettingsError, in one sentence naming the file and the place."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: is not TOML: {error}.") from None
    unknown = sorted(set(content) - set(KEYS))
    if unknown:
        raise SettingsError(f'{path}: the key "{unknown[0]}" is unknown; known are {", ".join(KEYS)}.')
    for key, value in content.items():
        wanted = int if key == "seed" else str
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise SettingsError(f"{path}: {key} must be {'a whole number' if wanted is int else 'a text'}.")
    return content


@contextmanager
def open_target(settings: Settings) -> Iterator[Target]:
    """The target that the settings name. Raises SettingsError, NotReachable or ProtocolError."""
    if settings.url is None:
        with _own_mock(settings.spec) as url, ControlTarget(url, url) as target:
            yield target
        return
    for name, given in (("URL", settings.url), ("--control", settings.control)):
        if given is not None and not given.startswith(("http://", "https://")):
            raise SettingsError(f'{name}: "{given}" is no URL such as http://127.0.0.1:8080.')
    with _target(settings, settings.url) as target:
        if isinstance(target, ControlTarget):
            target.health()
        yield target


def _target(settings: Settings, url: str) -> Target:
    if settings.control is not None:
        return ControlTarget(url, settings.control)
    if settings.organization is None or settings.project is None:
        raise SettingsError(
            "Say which project to use (--organization and --project, with --token or --dsn), or give --control URL "
            "of a server that speaks the control protocol: it makes its own."
        )
    credentials = {}
    if settings.token is not None:
        credentials["write"] = f"Bearer {settings.token}"
    if settings.dsn is not None:
        credentials["dsn"] = f"DSN {settings.dsn}"
    if not credentials:
        raise SettingsError("Give credentials that may submit feedback: --token, --dsn or both.")
    return UrlTarget(url, settings.organization, settings.project, credentials)


@contextmanager
def _own_mock(spec: Path | None) -> Iterator[str]:
    """Starts the mock server that comes with this package on a free port, as a process of its own."""
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    command = shutil.which("feedback-mock", path=places)
    if command is None:
        raise SettingsError("Give the URL to verify; there is no feedback-mock here to start instead.")
    arguments = [command, "--port", "0", "--log-format", "json", *(["--spec", str(spec)] if spec else [])]
    with (
        tempfile.TemporaryFile("w+") as errors,
        # In a session of its own, so that Ctrl-C ends the run and not the mock under it.
        subprocess.Popen(
            arguments, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True
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
