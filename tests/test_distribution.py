"""The wheel contains the three packages and nothing else, works beside anyone's folders, and slows down no pytest
run.
"""

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from feedback_verify.extra import MODULES

ROOT = Path(__file__).parents[1]
PACKAGES = ("spec/feedback_spec", "mock_server/feedback_mock", "contract_tests/feedback_verify")
DOCUMENTS = ("spec/openapi.yaml", "spec/control.yaml", "spec/ingest.yaml", "spec/profiles")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
NOT_IMPORTED_BY_US = {"uvloop"}  # uvicorn runs on it where it is installed


def names_of(requirements: Iterable[object]) -> set[str]:
    """The distributions that requirements name."""
    return {normal(re.split(r"[^\w.-]", each, maxsplit=1)[0]) for each in requirements if isinstance(each, str)}


def normal(name: str) -> str:
    """The normalised name of a distribution (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


BASE = names_of(PROJECT["project"]["dependencies"])
EXTRA = names_of(PROJECT["project"]["optional-dependencies"]["verify"])
REDIS = names_of(PROJECT["project"]["optional-dependencies"]["redis"])
DEVELOPMENT = names_of(each for group in PROJECT["dependency-groups"].values() for each in group)
PEERS = {"fastapi", "pydantic"}  # in a folder of their own, by `python -m benchmarks.throughput --peers`


def imported(*folders: str) -> set[str]:
    """The distributions that the modules in the folders import, lazily or not, except our own."""
    found = set()
    for path in (path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        if "clients" in path.parts:  # which run in environments of their own
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {each.name.partition(".")[0] for each in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(str(node.module).partition(".")[0])
    ours = {"tests", "benchmarks", *(Path(package).name for package in PACKAGES)}
    distributions = packages_distributions()
    return {normal(distributions.get(each, [each])[0]) for each in found - sys.stdlib_module_names - ours}


@pytest.mark.parametrize(
    ("folders", "declared"),
    [
        (("spec", "mock_server"), BASE | REDIS),
        (("contract_tests",), BASE | EXTRA),
        (("tests", "benchmarks"), BASE | EXTRA | REDIS | DEVELOPMENT | PEERS),
    ],
)
def test_what_is_imported_is_declared(folders: tuple[str, ...], declared: set[str]) -> None:
    """The mock's imports in the base, except those of one store; the other extra is only for the verifier."""
    assert imported(*folders) - declared == set()


def test_what_is_declared_is_imported() -> None:
    """In the base by any of the three, in the extra by the verifier alone, and each of those is checked at startup."""
    distributions = packages_distributions()

    assert BASE - imported(*PACKAGES) == NOT_IMPORTED_BY_US
    assert EXTRA - imported("contract_tests") == set()
    assert {normal(distributions[name][0]) for name in MODULES} == EXTRA


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    return next(folder.glob("*.whl"))


def run(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs it; a failure includes its output."""
    ran = attempt(*command, cwd=cwd, **environment)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran


def attempt(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def test_wheel_holds_exactly_the_packages(wheel: Path) -> None:
    """Every file in them, typed, with data; no tests, no benchmarks."""
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    kept = {_inside(name) for name in run("git", "ls-files", *PACKAGES, *DOCUMENTS, cwd=ROOT).stdout.split()}

    assert names == kept
    assert {f"{Path(package).name}/py.typed" for package in PACKAGES} <= names


def _inside(name: str) -> str:
    """Where a file of the repository is in the wheel."""
    if name.endswith(".yaml"):
        return name.replace("spec/", "feedback_spec/documents/", 1)
    return name.partition("/")[2]


THEIRS = {
    "conftest.py": 'pytest_plugins = ["feedback_mock.pytest_plugin", "feedback_verify.pytest_options"]\n',
    "spec/__init__.py": "",
    "spec/rules.py": "LIMIT = 3\n",
    "spec/test_rules.py": "from spec.rules import LIMIT\n\n\ndef test_theirs():\n    assert LIMIT == 3\n",
    "mock_server/__init__.py": "",
    "mock_server/app.py": "def answer():\n    return 'theirs'\n",
    "mock_server/test_app.py": "from mock_server.app import answer\n\n\ndef test_theirs():\n    assert answer()\n",
    "contract_tests/__init__.py": "",
    "contract_tests/run.py": "DONE = True\n",
    "contract_tests/test_run.py": "from contract_tests.run import DONE\n\n\ndef test_theirs():\n    assert DONE\n",
    "test_client.py": """
import urllib.request, urllib.error, json, pytest

def submit(mock):
    body = {"event_id": "f" * 32, "name": "Jane", "email": "jane@example.com", "comments": "It broke!"}
    headers = {"Authorization": "Bearer " + mock.token, "Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(mock.feedback_url, json.dumps(body).encode(), headers)).close()

def test_ours(feedback_mock):
    submit(feedback_mock)
    feedback_mock.advance("PT5M0.000001S")
    with pytest.raises(urllib.error.HTTPError, match="409") as caught:
        submit(feedback_mock)
    caught.value.close()
""",
}


def test_light_installation_works_beside_folders_of_the_same_names(wheel: Path, tmp_path: Path) -> None:
    """The wheel without the extra, in a fresh environment: their tests, ours, the mock, and what is missing.

    Some people list the plugins in a conftest, too.
    """
    programs = installed(wheel, tmp_path / "environment")
    theirs = tmp_path / "theirs"
    for name, text in THEIRS.items():
        (theirs / name).parent.mkdir(parents=True, exist_ok=True)
        (theirs / name).write_text(text, "utf-8")

    assert "4 passed" in run(programs / "python", "-m", "pytest", "-q", "-W", "error", cwd=theirs).stdout
    assert "4 passed" in run(programs / "pytest", "-q", "-W", "error", cwd=theirs).stdout
    assert "--feedback" not in run(programs / "pytest", "--help", cwd=theirs).stdout
    assert run(programs / "feedback-docs", "page", cwd=theirs).stdout
    assert "Usage: feedback-mock" in run(programs / "feedback-mock", "--help", cwd=theirs).stdout
    needed = attempt(programs / "feedback-mock", "--store", "redis://127.0.0.1:1", "--port", "0", cwd=theirs)
    assert (needed.returncode, 'pip install "sentry-feedback-contract[redis]"' in needed.stderr) == (2, True)
    assert needed.stderr.count("\n") == 1
    what_to_install = 'run pip install "sentry-feedback-contract[verify]"'
    for command in (
        ["feedback-verify", "http://127.0.0.1:1"],
        ["pytest", "--pyargs", "feedback_verify"],
        ["pytest", "--feedback-url", "http://127.0.0.1:1"],
    ):
        ran = attempt(programs / command[0], *command[1:], cwd=theirs)
        assert (ran.returncode, what_to_install in ran.stderr, ran.stderr.count("\n")) == (2, True, 1)


def installed(wheel: Path, environment: Path) -> Path:
    """The programs of an environment with what `make mock` installs and the wheel, from uv's cache if possible."""
    uv = Path(sys.executable).with_name("uv")
    lock = ROOT / "requirements" / "mock.lock"
    run(uv, "venv", "--quiet", "--python", sys.executable, environment, cwd=ROOT)
    install = (uv, "pip", "install", "--quiet", "--python", environment)
    if attempt(*install, "--offline", "--require-hashes", "-r", lock, cwd=ROOT).returncode:
        run(*install, "--require-hashes", "-r", lock, cwd=ROOT)
    run(*install, "--offline", "--no-deps", wheel, cwd=ROOT)
    return environment / "bin"


def test_options_of_the_verifier_are_one_group() -> None:
    """If the extra is installed, and we add no other option."""
    shown = run(sys.executable, "-m", "pytest", "--help", cwd=ROOT).stdout
    ours = re.search(r"^verification of a feedback endpoint .*?:\n(.*?)\n\n", shown, re.MULTILINE | re.DOTALL)

    assert ours
    assert all(name.startswith("--feedback-") for name in re.findall(r"^  (-[\w-]+)", ours[1], re.MULTILINE))
    assert "feedback" not in shown.replace(ours[0], "")


def test_pytest_plugins_import_nothing_but_themselves() -> None:
    """Every pytest run in an environment loads them; `benchmarks/plugin.py` measures the cost."""
    code = (
        "import sys, pytest; before = set(sys.modules); "
        "import feedback_verify.pytest_options, feedback_mock.pytest_plugin; print(*sorted(set(sys.modules) - before))"
    )

    assert run(sys.executable, "-c", code, cwd=ROOT).stdout.split() == [
        "feedback_mock",
        "feedback_mock.pytest_plugin",
        "feedback_verify",
        "feedback_verify.extra",
        "feedback_verify.options",
        "feedback_verify.pytest_options",
    ]


def test_importing_the_mock_costs_nothing_until_it_is_used() -> None:
    """And every public name exists."""
    code = (
        "import sys, feedback_mock; print('uvicorn' in sys.modules, 'connexion' in sys.modules); "
        "print([getattr(feedback_mock, name).__name__ for name in feedback_mock.__all__] == feedback_mock.__all__)"
    )

    assert run(sys.executable, "-c", code, cwd=ROOT).stdout.split() == ["False", "False", "True"]
