"""Runs Schemathesis with its checks on each of the three documents, against a mock on a socket. Draws nothing
itself.
"""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from feedback_mock.server import Server

PROGRAM = Path(sys.executable).parent / "schemathesis"
SPEC = Path(__file__).parents[2] / "spec"
# What is valid under the schema may still not fit the state or another field (409, 400), which `make verify` checks;
# all operations use one project, which one deletes and the next recreates; and the ingest protocol answers wrong
# credentials with 400 and 403, as Sentry does.
LEFT_OUT = "positive_data_acceptance,use_after_free,ensure_resource_availability"
LEFT_OUT_OF_INGEST = f"{LEFT_OUT},ignored_auth"
# Streams and sleeps never end, and Schemathesis cannot write envelopes.
WITHOUT = {"control.yaml": ("controlStream", "controlSleep"), "ingest.yaml": ("ingestEnvelope",)}
CONFIG = """
seed = {seed}
continue-on-failure = true
request-timeout = 20.0
warnings = false

[generation]
max-examples = {examples}
database = "none"

[parameters]
"path.organization_slug" = "{organization}"
"path.project_slug" = "{project}"
"path.project_id" = "{number}"

[checks.negative_data_rejection]
expected-statuses = ["4xx"]
"""
DOCUMENTS = ("openapi.yaml", "control.yaml", "ingest.yaml")
ALL = "examples,coverage,fuzzing,stateful"


def run(document: str, seed: int, examples: int, phases: str = ALL) -> tuple[int, list[str]]:
    """The number of cases, and for each finding what it is and how to reproduce it.

    Raises RuntimeError if Schemathesis itself fails.
    """
    with Server() as server, TemporaryDirectory(prefix="feedback-fuzz-") as folder:
        project = server.app.default_project
        names = {"organization": project.organization, "project": project.slug, "number": project.id}
        config, report = Path(folder) / "schemathesis.toml", Path(folder) / "report.json"
        config.write_text(CONFIG.format(seed=seed, examples=examples, **names), "utf-8")
        made = project.credentials
        credentials = {
            "openapi.yaml": ("Authorization", f"Bearer {made.tokens['admin']}"),
            "ingest.yaml": ("X-Sentry-Auth", f"Sentry sentry_key={made.public_key}"),
        }
        command = [str(PROGRAM), "--config-file", str(config), "run", str(SPEC / document), "--url", server.url]
        command += ["--phases", phases, "--no-color"]
        command += ["--exclude-checks", LEFT_OUT_OF_INGEST if document == "ingest.yaml" else LEFT_OUT]
        command += ["--report", "json", "--report-json-path", str(report)]
        command += [part for name in WITHOUT.get(document, ()) for part in ("--exclude-operation-id", name)]
        command += ["--header", ": ".join(credentials[document])] if document in credentials else []
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if ran.returncode not in (0, 1):
            raise RuntimeError(f"schemathesis ended with {ran.returncode}: {(ran.stdout + ran.stderr)[-800:]}")
        told: dict[str, Any] = json.loads(report.read_text("utf-8"))
    found = [json.dumps(each)[:2_000] for each in (*told["failures"], *told["errors"])]
    return told["test_cases"]["generated"], found
