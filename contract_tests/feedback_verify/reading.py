"""Reads files that others may have written: within bounds, and with one sentence about what is wrong."""

import json
import tomllib
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema_rs
from feedback_spec.files import read

from feedback_verify.exchange import finite
from feedback_verify.verdicts import printable

LARGEST_SETTINGS, LARGEST_DATA = 64 * 1024, 256 * 1024 * 1024  # bytes
MOST_SHOWN = 200  # characters of what a schema says


class Unreadable(ValueError):
    """As text, one sentence that names the file, what is wrong, and where."""


def read_toml(path: Path) -> dict[str, Any]:
    """The settings in a TOML file. Raises Unreadable."""
    text = _text(path, LARGEST_SETTINGS)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Unreadable(f"{path}: is not TOML: {error}.") from None
    except RecursionError:
        raise Unreadable(f"{path}: is not TOML that can be read: it is nested too deeply.") from None
    except ValueError:  # of int(), which limits digits
        raise Unreadable(f"{path}: is not TOML that can be read: a number has too many digits.") from None


def read_json(path: Path) -> Any:
    """The data in a JSON file; its numbers are finite. Raises Unreadable."""
    text = _text(path, LARGEST_DATA)
    try:
        return json.loads(text, parse_constant=finite, parse_float=finite)
    except RecursionError:
        raise Unreadable(f"{path}: is not JSON that can be read: it is nested too deeply.") from None
    except ValueError as error:
        raise Unreadable(f"{path}: is not JSON: {error}.") from None


def wrong_in(data: Any, schema: str) -> str | None:
    """What is wrong first in data according to the schema in this package, and where: `at log/entries/0: …`."""
    try:
        for wrong in _validator(schema).iter_errors(data):
            place = "/".join(map(str, wrong.instance_path)) or "its top"
            return f"at {printable(place)}: {printable(wrong.message)[:MOST_SHOWN]}"
    except UnicodeEncodeError:
        return "a key in it has half of a surrogate pair"
    return None


@cache
def _validator(schema: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(json.loads((resources.files("feedback_verify") / schema).read_text("utf-8")))


def _text(path: Path, most: int) -> str:
    try:
        return read(path, most).decode("utf-8-sig")
    except OSError as error:
        raise Unreadable(f"{path}: cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise Unreadable(f"{path}: is not UTF-8 text (byte {error.start}).") from None
