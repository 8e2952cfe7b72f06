"""The wheel holds the three packages and nothing else; the imports of a user's program stay cheap."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("spec/feedback_spec", "mock_server/feedback_mock", "contract_tests/feedback_verify")
DOCUMENTS = ("spec/openapi.yaml", "spec/control.yaml", "spec/ingest.yaml", "spec/profiles")


def test_wheel_holds_exactly_the_packages(tmp_path: Path) -> None:
    """Every file that is kept of them, typed, with data; no test, no benchmark."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    wheel = next(tmp_path.glob("*.whl"))
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    listed = subprocess.run(
        ["git", "ls-files", *PACKAGES, *DOCUMENTS], cwd=ROOT, check=True, capture_output=True, text=True
    )
    kept = {_inside(name) for name in listed.stdout.split()}

    assert names == kept
    assert {f"{Path(package).name}/py.typed" for package in PACKAGES} <= names


def _inside(name: str) -> str:
    """Where a file of the repository lies in the wheel."""
    if name.endswith(".yaml"):
        return name.replace("spec/", "feedback_spec/documents/", 1)
    return name.partition("/")[2]


def test_pytest_plugins_import_neither_schemathesis_nor_connexion() -> None:
    """Every pytest run of an environment loads them."""
    code = (
        "import sys, feedback_verify.pytest_options, feedback_mock.pytest_plugin; "
        "print([name for name in ('schemathesis', 'connexion', 'hypothesis', 'httpx') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "[]"
