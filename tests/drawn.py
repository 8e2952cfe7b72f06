"""What is tried where not everything can be: a part that the commit draws, so that everything has its turn."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import TypeVar

T = TypeVar("T")
ALL = os.environ.get("BROKEN") == "all"


def drawn(everything: Sequence[T], count: int) -> list[T]:
    """All of it where BROKEN=all, else so many of it, in its order."""
    if ALL:
        return list(everything)
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    places = Random(commit.stdout).sample(range(len(everything)), count)
    return [everything[place] for place in sorted(places)]
