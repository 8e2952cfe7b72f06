"""The contents of an installation with `[verify]`, as a bill of materials (CycloneDX) and as licences: `make sbom`.

Installs nothing and uses no network: everything comes from the lock file, the metadata of installed packages and
ORIGIN.toml.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent
LOCK = ROOT / "requirements" / "verify.lock"
VENDORED = ROOT / "mock_server/feedback_mock/page/static/reference/swagger-ui"
_NAME = re.compile(r"^([\w.-]+)==", re.MULTILINE)


def locked() -> list[str]:
    """The names of the distributions that are installed, whatever the platform."""
    return _NAME.findall(LOCK.read_text("utf-8"))


def bill_of_materials() -> dict[str, Any]:
    """CycloneDX 1.6: each distribution with the hashes that the lock file allows, and what comes in our wheel."""
    command = [str(PROGRAMS / "cyclonedx-py"), "requirements", "--output-reproducible", "--no-validate", "--of", "JSON"]
    command += ["--spec-version", "1.6", "--pyproject", str(ROOT / "pyproject.toml"), str(LOCK)]
    # It warns that the lock file does not say which distribution depends on which.
    quiet = {**os.environ, "PYTHONWARNINGS": "ignore::UserWarning"}
    ran = subprocess.run(command, capture_output=True, check=True, text=True, env=quiet)
    bill: dict[str, Any] = json.loads(ran.stdout)
    bill["components"].append(_vendored())
    return bill


def _vendored() -> dict[str, Any]:
    origin = tomllib.loads((VENDORED / "ORIGIN.toml").read_text("utf-8"))
    return {
        "bom-ref": origin["package"],
        "type": "library",
        "name": origin["package"],
        "version": origin["version"],
        "purl": f"pkg:npm/{origin['package']}@{origin['version']}",
        "licenses": [{"license": {"id": origin["licence"]}}],
        "components": [
            {"type": "file", "bom-ref": name, "name": name, "hashes": [{"alg": "SHA-256", "content": sha256}]}
            for name, sha256 in origin["sha256"].items()
        ],
    }


def licences() -> str:
    """A Markdown table of the distributions installed here, and the licence that each declares."""
    command = [str(PROGRAMS / "pip-licenses"), "--python", sys.executable, "--format=markdown", "--from=mixed"]
    ran = subprocess.run(
        [*command, "--no-version", "--packages", *locked()], capture_output=True, check=True, text=True
    )
    return ran.stdout


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
def main(out: Path) -> None:
    """Writes the bill of materials."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(bill_of_materials(), indent=2), "utf-8")
    click.echo(out)


if __name__ == "__main__":
    main()
