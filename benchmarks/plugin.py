"""What the package costs a pytest run that does not use it: time to import the plugins, and CPU of a whole run.

`python -m benchmarks.plugin` prints both for its environment; if the extra `[verify]` is installed, Schemathesis and
Hypothesis have plugins of their own, which count in both runs.
"""

import re
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PLUGINS = ("feedback_mock.pytest_plugin", "feedback_verify.pytest_options")
RUNS = 11


def main() -> None:
    """Medians, in milliseconds."""
    imports = [import_time() for _ in range(RUNS)]
    print(f"importing the plugins    {statistics.median(imports):8.1f} ms")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "test_one.py").write_text("def test_one():\n    pass\n", "utf-8")
        without = [flag for name in PLUGINS for flag in ("-p", f"no:{name}")]
        # By turns, so that what else the machine does falls on both.
        pairs = [(cpu_of_a_run(folder), cpu_of_a_run(folder, *without)) for _ in range(RUNS)]
    loaded, blocked = (statistics.median(each) for each in zip(*pairs, strict=True))
    print(f"one test, CPU            {loaded:8.1f} ms")
    print(f"one test, CPU, without   {blocked:8.1f} ms")
    print(f"what the plugins add     {statistics.median(a - b for a, b in pairs):8.1f} ms")


def import_time() -> float:
    """Milliseconds of the plugins' imports beyond those of pytest, as reported by -X importtime."""
    code = f"import pytest, {', '.join(PLUGINS)}"
    ran = subprocess.run([sys.executable, "-X", "importtime", "-c", code], capture_output=True, text=True, check=True)
    lines = re.findall(r"import time: +(\d+) \| +\d+ \| +(feedback_\S+)", ran.stderr)
    return sum(int(own) for own, _ in lines) / 1000


def cpu_of_a_run(folder: str, *flags: str) -> float:
    """Milliseconds of CPU time of a pytest run with one test."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "pytest", "-q", *flags], cwd=folder, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


if __name__ == "__main__":
    main()
