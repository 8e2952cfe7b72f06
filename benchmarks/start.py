"""What a start of the mock costs: `python -m benchmarks.start`. Reads /proc, so this runs only on Linux.

CPU time until the first 200, and the memory of the idle mock after it: the lowest and the median of several, with
bytecode as `pip` compiles it. Exit code 1: one of the lowest is beyond its limit.
"""

import compileall
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import httpx
from rich.console import Console
from rich.table import Table

from benchmarks.hostile import Process
from benchmarks.statuses import VALID

HERE = Path(sys.executable).parent
MOST_MILLISECONDS, MOST_MIB = 250.0, 64.0


def start(programs: Path) -> tuple[float, float]:
    """Milliseconds of CPU time until the first 200, and MiB then."""
    command = [str(programs / "feedback-mock"), "--port", "0", "--log-format", "json", "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        ready: dict[str, Any] = json.loads(process.stdout.readline() if process.stdout else "{}")
        path = f"/api/0/projects/{ready['organization']}/{ready['project']}/user-feedback/"
        answer = httpx.post(
            ready["url"] + path, json=VALID, headers={"Authorization": f"Bearer {ready['token']}"}, trust_env=False
        )
        seen = Process(process.pid)
        cost = seen.processor(), seen.memory("VmRSS")
        process.terminate()
    if answer.status_code != 200:
        raise click.ClickException(f"The mock answered {answer.status_code}: {answer.text[:200]}")
    return cost


def compile_all(programs: Path) -> None:
    """Compiles what the environment of these programs imports, as an installation with `pip` does."""
    ask = "import feedback_mock, feedback_spec, sysconfig; print(*feedback_mock.__path__, *feedback_spec.__path__, "
    ask += "sysconfig.get_paths()['purelib'], sep='\\n')"
    ran = subprocess.run([programs / "python", "-c", ask], capture_output=True, text=True, check=True)
    for each in ran.stdout.splitlines():
        compileall.compile_dir(each, quiet=2)


@click.command()
@click.option("--starts", default=11, show_default=True, help="How often each is started.")
@click.option(
    "--before",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The virtual environment of another commit, which is started by turns with this one.",
)
def main(starts: int, before: Path | None) -> None:
    """Measure the CPU time of a start, and the memory after it."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    environments = {"this": HERE, **({} if before is None else {"before": before / "bin"})}
    for each in environments.values():
        compile_all(each)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in environments}
    for _ in range(starts):
        for name, programs in environments.items():
            found[name].append(start(programs))
    table = Table("mock", "CPU ms to the first 200, lowest", "median", "MiB, lowest", "median")
    for name, costs in found.items():
        milliseconds, mib = zip(*costs, strict=True)
        figures = min(milliseconds), statistics.median(milliseconds), min(mib), statistics.median(mib)
        table.add_row(name, *(f"{each:.0f}" for each in figures))
    Console(width=None if sys.stdout.isatty() else 100).print(table)
    milliseconds, mib = zip(*found["this"], strict=True)
    sys.exit(1 if min(milliseconds) > MOST_MILLISECONDS or min(mib) > MOST_MIB else 0)


if __name__ == "__main__":
    main()
