"""Chooses a sample if not everything can be tested: the commit determines it, so everything has its turn."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import TypeVar

T = TypeVar("T")
ALL = os.environ.get("BROKEN") == "all"


def drawn(everything: Sequence[T], count: int) -> list[T]:
    """Everything if BROKEN=all, else a sample of this size, in order."""
    if ALL:
        return list(everything)
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    places = Random(commit.stdout).sample(range(len(everything)), count)
    return [everything[place] for place in sorted(places)]
