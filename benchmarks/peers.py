"""Installs the other servers with which `benchmarks.throughput --peers` compares the mock, in a folder of their own.

They come from the npm registry (WireMock's package has the jar) and from the Python one, in their latest versions.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.logic import PATH, TOKEN, submit

HERE = Path(__file__).parent
CACHE = HERE.parent / ".peers"
DOCUMENT = HERE.parent / "spec" / "openapi.yaml"
PACKAGES = ("@stoplight/prism-cli", "openapi-backend", "wiremock")
EXAMPLE = {"event_id": "e" * 32, "name": "Jane", "email": "jane@example.com", "comments": "It broke!"}


@dataclass(frozen=True)
class Peer:
    """A server: its command except for the port, more environment, and why it cannot be run, if so."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    absent: str | None = None


def install() -> None:
    """Installs what is not installed yet; what fails is missing afterwards."""
    if shutil.which("npm"):
        _run("npm", "install", "--prefix", str(CACHE), "--no-audit", "--no-fund", "--loglevel", "error", *PACKAGES)
    python = CACHE / "python"
    if not python.exists():
        _run(sys.executable, "-m", "pip", "install", "--quiet", "--target", str(python), "fastapi")


def _run(*command: str) -> None:
    CACHE.mkdir(exist_ok=True)
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL)


def peers() -> Iterator[Peer]:
    """All of them, also those that are missing."""
    modules = CACHE / "node_modules"
    prism = shutil.which("prism", path=f"{modules / '.bin'}{os.pathsep}{os.environ.get('PATH', '')}")
    serving = ["mock", str(DOCUMENT), "--host", "127.0.0.1", "-v", "silent"]
    yield Peer("Prism", [prism or "prism", *serving], absent=_unless(prism))
    script, there = str(HERE / "openapi_backend.js"), (modules / "openapi-backend").exists()
    yield Peer(
        "openapi-backend",
        ["node", script, str(DOCUMENT), TOKEN],
        {"NODE_PATH": str(modules)},
        _unless(there and shutil.which("node")),
    )
    jar = next((modules / "wiremock").glob("build/*.jar"), None)
    options = ["--root-dir", str(CACHE / "wiremock"), "--max-request-journal-entries", "1000", "--disable-banner"]
    if jar is not None:
        _write_mapping(CACHE / "wiremock" / "mappings")
    yield Peer("WireMock", ["java", "-jar", str(jar), *options], absent=_unless(jar and shutil.which("java")))
    python = CACHE / "python"
    command = [sys.executable, "-m", "uvicorn", "--loop", "uvloop", "--http", "httptools", "--log-level", "error"]
    yield Peer(
        "FastAPI",
        [*command, "benchmarks.fastapi_app:app"],
        {"PYTHONPATH": str(python)},
        _unless((python / "fastapi").exists()),
    )


def _unless(there: object) -> str | None:
    return None if there else "not installed: run with --peers"


def _write_mapping(folder: Path) -> None:
    """WireMock keeps no state, so the response is always the same one."""
    folder.mkdir(parents=True, exist_ok=True)
    request = {
        "method": "POST",
        "urlPath": PATH,
        "headers": {
            "Authorization": {"equalTo": f"Bearer {TOKEN}"},
            "Content-Type": {"equalTo": "application/json"},
        },
        "bodyPatterns": [{"matchesJsonPath": f"$.{name}"} for name in EXAMPLE],
    }
    response = {"status": 200, "jsonBody": submit(EXAMPLE)[1], "headers": {"Content-Type": "application/json"}}
    mapping = json.dumps({"request": request, "response": response})
    (folder / "feedback.json").write_text(mapping, "utf-8")
