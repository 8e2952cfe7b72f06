"""Covering arrays, from covertable.

An array depends only on how many values each dimension has, and takes about half a second to find. Those that most runs
need are therefore stored beside this module; `make format` updates them.
"""

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from covertable import make

STORED = Path(__file__).with_name("covering.json")
Values = tuple[tuple[str, tuple[str, ...]], ...]
Shape = tuple[int, ...]
_ZERO = ord("0")  # the digits go on with all characters after it


def covering(values: Values, strength: int) -> Iterator[dict[str, str]]:
    """Rows in which all `strength`-tuples of values occur; the same on every run."""
    shape = tuple(len(each) for _, each in values)
    for row in stored().get(key_of(shape, strength)) or found(shape, strength):
        yield {name: each[ord(digit) - _ZERO] for (name, each), digit in zip(values, row, strict=True)}


@cache
def found(shape: Shape, strength: int) -> list[str]:
    """The rows for dimensions of so many values: one digit for each dimension."""
    rows = make([[chr(_ZERO + number) for number in range(count)] for count in shape], strength=strength)
    return ["".join(row) for row in rows]


def written(arrays: Sequence[tuple[Shape, int]]) -> str:
    """The text of the stored file."""
    rows = {key_of(shape, strength): " ".join(found(shape, strength)) for shape, strength in arrays}
    return json.dumps(rows, indent=1, sort_keys=True) + "\n"


@cache
def stored() -> dict[str, list[str]]:
    """The stored rows, by what `key_of` returns."""
    read: dict[str, str] = json.loads(STORED.read_text("ascii"))
    return {key: rows.split() for key, rows in read.items()}


def key_of(shape: Shape, strength: int) -> str:
    """What an array is stored under."""
    return f"{strength} of {' '.join(map(str, shape))}"
