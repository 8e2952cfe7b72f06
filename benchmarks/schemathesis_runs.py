"""Plain `schemathesis run` on a server, with the best configuration for this endpoint.

What it is given: the document, an existing project and path parameters that name it, the ids of events that are saved
there, a running clock, both kinds of credentials (a run for each), every check, every phase, a fixed seed, and that
only 2xx accepts valid data and only 4xx refuses invalid data.
"""

import copy
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from feedback_spec.document import Document
from feedback_spec.source import resolve

from tests.broken.clock import START, Running
from tests.broken.server import FIELDS, Event, Implementation, Project
from tests.broken.serving import serving

PROGRAM = Path(sys.executable).parent / "schemathesis"
# Ids and ages in minutes. None comes near the end of its window, however long a run takes: a correct server would
# refuse it then, too, which would count for Schemathesis.
EVENTS = {"a" * 32: 0, "b" * 32: 20, "c" * 31 + "1": 10}
SEED = 1

CONFIG = """
seed = {seed}
continue-on-failure = true
request-timeout = 30.0
warnings = false
{headers}

[generation]
max-examples = {examples}
database = "none"
deterministic = true

[parameters]
"path.organization_slug" = "acme"
"path.project_slug" = "shop"
"body.event_id" = {{ dictionary = "events", probability = 0.3 }}

[dictionaries.events]
values = {events}
{auth}
[checks]
enabled = true

[checks.positive_data_acceptance]
expected-statuses = ["2xx"]

[checks.negative_data_rejection]
expected-statuses = ["4xx"]

[phases]
enabled = true

[phases.stateful.generation]
max-examples = {histories}
"""
BEARER_AUTH = """
[auth.openapi.bearer]
bearer = "{token}"

"""
DSN_HEADERS = 'headers = {{ Authorization = "DSN {dsn}" }}'


def configuration(kind: str, token: str, dsn: str, examples: int) -> str:
    """The `schemathesis.toml` of the run by `bearer` or by `dsn`; Schemathesis knows no scheme DSN, hence a header.

    `examples` is per operation; the stateful phase, whose histories are long, gets a third of them.
    """
    headers = DSN_HEADERS.format(dsn=dsn) if kind == "dsn" else ""
    auth = BEARER_AUTH.format(token=token) if kind == "bearer" else ""
    events = json.dumps(list(EVENTS))
    histories = max(examples // 3, 1)
    return CONFIG.format(seed=SEED, examples=examples, histories=histories, headers=headers, events=events, auth=auth)


def linked(document: Document) -> dict[str, Any]:
    """The document with OpenAPI links, which the stateful phase needs: overwrite what was submitted, then list it."""
    openapi: dict[str, Any] = copy.deepcopy(dict(document.openapi))
    methods = openapi["paths"][document.submit.path]
    again = {"event_id": "$response.body#/eventID", **{name: f"$request.body#/{name}" for name in FIELDS[1:]}}
    place = {name: f"$request.path.{name}" for name in ("organization_slug", "project_slug")}
    methods["post"]["responses"]["200"] = dict(resolve(openapi, methods["post"]["responses"]["200"])) | {
        "links": {
            "overwrite": {
                "operationId": methods["post"]["operationId"],
                "parameters": place,
                "requestBody": again,
            },
            "list": {"operationId": methods["get"]["operationId"], "parameters": place},
        }
    }
    return openapi


@contextmanager
def running_server(kind: type[Implementation]) -> Iterator[tuple[str, str, str]]:
    """URL, token and DSN of a broken server with one project, in which events are saved."""
    implementation = kind()
    project = implementation.projects["acme", "shop"] = Project("acme", "shop", "1", START)
    for number, (event_id, minutes) in enumerate(EVENTS.items(), 1):
        saved = START - timedelta(minutes=minutes)
        project.events[event_id] = Event(saved, saved, None, "unresolved", number)
    with serving(Running(implementation, implementation.app())) as url:
        yield url, project.token("write"), f"http://{project.key}@127.0.0.1/{project.id}"


def findings(kind: type[Implementation], document: Document, examples: int, folder: Path) -> frozenset[str]:
    """What both runs report about a server: credentials, operation, check and title of every failure and error.

    Raises RuntimeError if Schemathesis itself fails.
    """
    schema = folder / "openapi.json"
    schema.write_text(json.dumps(linked(document)), "utf-8")
    found: set[str] = set()
    for by in ("bearer", "dsn"):
        with running_server(kind) as (url, token, dsn):
            config = folder / f"{by}.toml"
            config.write_text(configuration(by, token, dsn, examples), "utf-8")
            found |= {f"{by}: {each}" for each in _reported(_run(by, config, schema, url))}
    return frozenset(found)


def _run(by: str, config: Path, schema: Path, url: str) -> dict[str, Any]:
    report = config.with_suffix(".json")
    command = [str(PROGRAM), "--config-file", str(config), "run", str(schema), "--url", url, "--no-color"]
    command += ["--report", "json", "--report-json-path", str(report)]
    # A DSN may not read the list: asked of it, every answer would be a finding.
    command += ["--include-method", "POST"] if by == "dsn" else []
    environment = {**os.environ, "HYPOTHESIS_STORAGE_DIRECTORY": str(config.parent / "hypothesis")}
    ran = subprocess.run(command, cwd=config.parent, env=environment, capture_output=True, text=True, check=False)
    if ran.returncode not in (0, 1):
        raise RuntimeError(f"schemathesis ended with {ran.returncode}: {(ran.stdout + ran.stderr)[-800:]}")
    told: dict[str, Any] = json.loads(report.read_text("utf-8"))
    return told


def _reported(report: dict[str, Any]) -> Iterator[str]:
    for failure in report["failures"]:
        for operation in failure["operations"]:
            yield f"{operation.partition(' ')[0]} {failure['code']} {failure['title']}"
    for error in report["errors"]:
        yield f"error {error.get('title') or error.get('type')}"
