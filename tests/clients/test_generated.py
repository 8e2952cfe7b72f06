"""SDKs generated from the document, and Sentry's own client, work with the mock unchanged.

`make clients` installs the generators; what is not installed is skipped.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from feedback_mock.sandbox import Sandbox
from feedback_mock.server import Server
from feedback_spec.document import load

from tests.clients.toolchains import ROOT, need, run

HERE = Path(__file__).parent
STORIES = HERE / "generated"
DOCUMENT = ROOT / "spec" / "openapi.yaml"
MODULES = HERE / "node_modules"
PYTHON = HERE / ".venv" / "bin"
OPERATION = "Feedback must be received by the server no more than 30 minutes after the event was saved."
SCHEMA = "All four fields are required."
# OpenAPI Generator does not say what is missing, and its output lacks nothing.
HARMLESS = "Failed to get the schema name: null"

# The id is the first of generated/sdk, on every server.
FIRST = {"status": 200, "id": "4837928760000001", "comments": "It broke!"}
TOO_LATE = {"status": 409, "detail": "Feedback for this event cannot be modified."}
SEEN = {
    "submitted": FIRST,
    "overwritten": {**FIRST, "comments": "The button does nothing."},
    "at the limit": {**FIRST, "comments": "Still broken."},
    "past it": TOO_LATE,
    "past it with the DSN": TOO_LATE,
    "invalid": {"status": 400, "errors": {"email": ["Enter a valid email address."]}},
}


@pytest.fixture
def place() -> Iterator[str]:
    """Where the SDK submits, in the form that its story reads."""
    with Server() as server:
        yield new_place(server)


def new_place(server: Server) -> str:
    """A project with its credentials, in JSON."""
    project = Sandbox(server, "generated", "sdk")
    told = {"url": project.url, "organization": "generated", "project": "sdk"}
    return json.dumps({**told, "Bearer": project.token, "DSN": project.dsn})


@pytest.fixture
def generators_in_python() -> None:
    """Skips the test if they are not installed. They include a Java runtime."""
    if not (PYTHON.parent / "installed").is_file():
        pytest.skip("the SDK generators in Python are not installed: make clients")


@pytest.fixture
def generators_in_javascript() -> None:
    """The same, for those that need npm."""
    need("node")
    if not (MODULES / ".package-lock.json").is_file():
        pytest.skip("the SDK generators in JavaScript are not installed: make clients, with npm")


def project_of(name: str, folder: Path) -> Path:
    """A folder with the story and one SDK's part of it: `name` is a file in `generated`."""
    project = folder / "project"
    project.mkdir()
    shared = ("story.py",) if name.endswith(".py") else ("story.ts", "tsconfig.json", "package.json")
    for file in (name, *shared):
        shutil.copy(STORIES / file, project)
    if name.endswith(".ts"):
        (project / "node_modules").symlink_to(MODULES)
    return project


def generate(project: Path, *command: str | Path) -> None:
    """Runs a generator; it must succeed without warnings or errors."""
    ran = run(command, project, {"REDOCLY_TELEMETRY": "off", "NO_COLOR": "1"})
    complaints = [line for line in ran.stdout.splitlines() if re.search(r"warn|error", line, re.IGNORECASE)]

    assert ran.returncode == 0, ran.stdout
    assert [line for line in complaints if HARMLESS not in line and "[main] INFO" not in line] == []


def tell_in_typescript(project: Path, name: str, place: str) -> Any:
    """What the story saw, after type checking."""
    checked = run(["node", "node_modules/typescript/bin/tsc"], project)
    assert checked.returncode == 0, checked.stdout
    return seen(["node", f"built/{name.removesuffix('.ts')}.js", place], project)


def tell_in_python(project: Path, name: str, place: str) -> Any:
    """The same in Python."""
    options: list[str | Path] = [
        "--strict",
        "--no-error-summary",
        "--config-file=",
        "--python-executable",
        str(PYTHON / "python"),
    ]
    follow = ["--follow-imports=silent", "--cache-dir", str(project / "cache")]
    checked = run([sys.executable, "-m", "mypy", *options, *follow, name], project)
    assert checked.returncode == 0, checked.stdout
    return seen([PYTHON / "python", name, place], project)


def seen(command: list[str | Path], project: Path) -> Any:
    """What the story printed."""
    ran = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def written(folder: Path) -> str:
    """Everything generated, in one line: generators wrap descriptions."""
    sources = [path.read_text("utf-8") for path in folder.rglob("*") if path.suffix in {".py", ".ts"}]
    return re.sub(r"[\s*]+", " ", " ".join(sources))


def json_only(document: str) -> str:
    """The document with JSON as the only media type for submissions."""
    parsed = yaml.safe_load(document)
    (path,) = parsed["paths"].values()
    content = path["post"]["requestBody"]["content"]
    path["post"]["requestBody"]["content"] = {"application/json": content["application/json"]}
    return yaml.safe_dump(parsed, sort_keys=False)


@pytest.mark.usefixtures("generators_in_python")
def test_openapi_python_client(tmp_path: Path, place: str) -> None:
    """Each response is an instance of the schema that the document names.

    It gets JSON bodies only: it generates wrong code for several media types with one schema, see the test below.
    """
    project = project_of("with_openapi_python_client.py", tmp_path)
    (project / "openapi.yaml").write_text(json_only(DOCUMENT.read_text("utf-8")), "utf-8")
    options: list[str | Path] = [
        "--path",
        "openapi.yaml",
        "--output-path",
        "generated_sdk",
        "--meta",
        "none",
        "--fail-on-warning",
    ]
    generate(project, PYTHON / "openapi-python-client", "generate", *options)

    assert OPERATION in written(project / "generated_sdk")
    assert SCHEMA in written(project / "generated_sdk")
    assert tell_in_python(project, "with_openapi_python_client.py", place) == SEEN


@pytest.mark.usefixtures("generators_in_python")
def test_openapi_python_client_still_fails_with_several_media_types(tmp_path: Path) -> None:
    """Its issues 1451 and 1276. Once they are fixed, `json_only` can go."""
    options: list[str | Path] = ["--path", DOCUMENT, "--output-path", "generated_sdk", "--meta", "none"]
    generate(tmp_path, PYTHON / "openapi-python-client", "generate", *options)
    imported = run([PYTHON / "python", "-c", "import generated_sdk.api.user_feedback.submit_user_feedback"], tmp_path)

    assert "NameError: name 'Unset' is not defined" in imported.stdout


@pytest.mark.usefixtures("generators_in_python")
def test_openapi_generator_in_python(tmp_path: Path, place: str) -> None:
    """A 409 is its ConflictException with a Problem, a 400 its BadRequestException with the field errors."""
    project = project_of("with_openapi_generator.py", tmp_path)
    options: list[str | Path] = [
        "-i",
        DOCUMENT,
        "-g",
        "python",
        "-o",
        "out",
        "--additional-properties=packageName=generated_sdk",
    ]
    generate(project, PYTHON / "openapi-generator-cli", "generate", *options)
    (project / "out" / "generated_sdk").rename(project / "generated_sdk")

    assert OPERATION in written(project / "generated_sdk")
    assert SCHEMA in written(project / "generated_sdk")
    assert tell_in_python(project, "with_openapi_generator.py", place) == SEEN


@pytest.mark.usefixtures("generators_in_python")
def test_openapi_generator_finds_nothing_to_recommend(tmp_path: Path) -> None:
    """Its own validation of the document, recommendations included."""
    ran = run([PYTHON / "openapi-generator-cli", "validate", "--recommend", "-i", DOCUMENT], tmp_path)

    assert "No validation issues detected." in ran.stdout


@pytest.mark.usefixtures("generators_in_python", "generators_in_javascript")
def test_openapi_generator_in_typescript(tmp_path: Path, place: str) -> None:
    """A refusal is its ResponseError; the Problem in it is read by the generated function."""
    project = project_of("with-openapi-generator.ts", tmp_path)
    options: list[str | Path] = ["-i", DOCUMENT, "-g", "typescript-fetch", "-o", "generated"]
    extension = "--additional-properties=importFileExtension=.js"
    generate(project, PYTHON / "openapi-generator-cli", "generate", *options, extension)

    assert OPERATION in written(project / "generated")
    assert tell_in_typescript(project, "with-openapi-generator.ts", place) == SEEN


@pytest.mark.usefixtures("generators_in_javascript")
def test_openapi_typescript(tmp_path: Path, place: str) -> None:
    """With openapi-fetch: the error is a Problem or FieldErrors."""
    project = project_of("with-openapi-fetch.ts", tmp_path)
    generate(project, MODULES / ".bin" / "openapi-typescript", DOCUMENT, "-o", "generated/schema.ts")

    assert OPERATION in written(project / "generated")
    assert SCHEMA in written(project / "generated")
    assert tell_in_typescript(project, "with-openapi-fetch.ts", place) == SEEN


@pytest.mark.usefixtures("generators_in_javascript")
def test_hey_api(tmp_path: Path, place: str) -> None:
    """@hey-api/openapi-ts, with which Sentry's own client is generated."""
    project = project_of("with-hey-api.ts", tmp_path)
    configuration = {"input": str(DOCUMENT), "output": {"path": "generated", "importFileExtension": ".js"}}
    (project / "openapi-ts.config.mjs").write_text(f"export default {json.dumps(configuration)};\n", "utf-8")
    generate(project, MODULES / ".bin" / "openapi-ts", "--no-log-file")

    assert OPERATION in written(project / "generated")
    assert SCHEMA in written(project / "generated")
    assert tell_in_typescript(project, "with-hey-api.ts", place) == SEEN


@pytest.mark.usefixtures("generators_in_javascript")
def test_client_of_sentry(tmp_path: Path, place: str) -> None:
    """@sentry/api as published, with another base URL."""
    project = project_of("with-sentry-api.ts", tmp_path)

    assert tell_in_typescript(project, "with-sentry-api.ts", place) == SEEN


@pytest.mark.usefixtures("generators_in_javascript")
def test_story_notices_another_window(tmp_path: Path) -> None:
    """With 1 minute instead of 5, exactly at 5 minutes is too late."""
    (tmp_path / "other.yaml").write_text(DOCUMENT.read_text("utf-8").replace("PT5M", "PT1M"), "utf-8")
    project = project_of("with-sentry-api.ts", tmp_path)
    with Server(document=load(tmp_path / "other.yaml")) as server:
        saw = tell_in_typescript(project, "with-sentry-api.ts", new_place(server))

    assert saw == {**SEEN, "at the limit": TOO_LATE}
