"""Reads YAML documents as plain JSON data, within bounds, and resolves their `$ref`s.

Opens only the file that it is told to: no network. Knows nothing about feedback.
"""

import math
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, ClassVar

import yaml

MAX_BYTES = 1_048_576
MAX_NODES = 50_000  # after expanding aliases; our largest document has some 3,000
MAX_DEPTH = 100
MAX_MESSAGE = 800  # characters
MAX_INTEGER = 2**63
_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("map", "seq", "str", "int", "float", "bool", "null"))
_LEFT_OUT = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("timestamp", "merge", "value"))


class DocumentError(Exception):
    """The document is missing, unreadable or contradicts itself; the message names file, place and cause.

    Text quoted from a document cannot break the line or control a terminal: it is escaped and truncated.
    """

    def __init__(self, message: str) -> None:
        bounded = message if len(message) <= MAX_MESSAGE else f"{message[:MAX_MESSAGE]}…"
        super().__init__("".join(each if each.isprintable() else ascii(each)[1:-1] for each in bounded))


class Fail:
    """Formats the sentence of a refusal from file, place and cause; `name` is the file's."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, place: str, cause: str) -> DocumentError:
        return DocumentError(f"{self.name}: {place}: {cause}")


def documents() -> Path:
    """The directory of our documents: `documents` inside the package in a wheel, `spec` around it in a checkout."""
    package = Path(str(resources.files("feedback_spec")))
    shipped = package / "documents"
    return shipped if shipped.is_dir() else package.parent


def read(path: Path | None, packaged: str) -> tuple[str, dict[str, Any]]:
    """The name and content of a YAML document: the file at `path`, or the packaged one of that name.

    Raises DocumentError for a file that cannot be read, is too large or is not YAML, and for YAML without `paths`.
    """
    source = documents() / packaged if path is None else path
    name = packaged if path is None else str(path)
    try:
        with source.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise DocumentError(f"{name}: is larger than {MAX_BYTES:,} bytes, the limit.")
        text = content.decode("utf-8")
    except OSError as error:
        raise DocumentError(f"{name}: cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise DocumentError(f"{name}: is not UTF-8 text (byte {error.start}).") from None
    openapi = parse(text, name)
    if not isinstance(openapi, dict) or not isinstance(openapi.get("paths"), dict):
        raise DocumentError(f"{name}: is not an OpenAPI document: it has no `paths`.")
    return name, openapi


def parse(text: str, name: str) -> Any:
    """The content of a YAML document; `name` identifies it in the DocumentError raised for anything else.

    Only what JSON supports: no dates, merge keys or tags. Aliases are expanded, within MAX_NODES and MAX_DEPTH.
    """
    try:
        # Before anything is built: the C parser allows unlimited nesting, and crashes on it.
        _check_events(text)
        loader = _Loader(text)
        node = loader.get_single_node()
        _Size().check(node)
        return None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "somewhere"
        kind = "" if isinstance(error, _NotTaken) else "is not YAML: "
        raise DocumentError(f"{name}: {place}: {kind}{error.problem or error.context}.") from None
    except yaml.YAMLError as error:
        raise DocumentError(f"{name}: is not YAML: {' '.join(str(error).split())}.") from None
    except (LookupError, ValueError, TypeError):
        raise DocumentError(f"{name}: is not YAML: a value does not fit the tag before it.") from None


def resolve(document: Mapping[str, Any], node: Any) -> Any:
    """The node itself, or the target of its local `$ref` (`#/…`) in the document; KeyError if there is none."""
    while isinstance(node, dict) and isinstance(node.get("$ref"), str):
        node = target(document, node["$ref"])
    return node


def target(document: Mapping[str, Any], reference: str) -> Any:
    """The target of a local `$ref` in the document, itself not resolved; KeyError or TypeError if there is none."""
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step.replace("~1", "/").replace("~0", "~")]
    return found


class _NotTaken(yaml.MarkedYAMLError):
    """Valid YAML that we do not support."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # a base class chosen at run time
    """YAML as JSON data: keys are strings and unique, and dates stay strings."""

    yaml_implicit_resolvers: ClassVar = {
        first: [each for each in resolvers if each[0] not in _LEFT_OUT]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is None:
                raise _not_taken("a key that is not a string", key_node)
            if key == "<<":
                raise _not_taken("merge keys (`<<`) are not supported; write the keys out", key_node)
            if key in seen:
                raise _not_taken(f'the key "{key}" appears here twice', key_node)
            seen[key] = self.construct_object(value_node, deep=True)
        return seen

    def construct_number(self, node: Any) -> int | float:
        integer = node.tag.endswith(":int")
        try:
            value: int | float = self.construct_yaml_int(node) if integer else self.construct_yaml_float(node)
        except (ValueError, OverflowError):
            raise _not_taken("not a number, or one with too many digits", node) from None
        if abs(value) >= MAX_INTEGER or not math.isfinite(value):  # in this order: not every integer is a float, too
            raise _not_taken(f"the number {node.value[:40]}, which JSON cannot carry safely", node)
        return value


_Loader.add_constructor("tag:yaml.org,2002:map", _Loader.construct_mapping)
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_number)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_number)


def _check_events(text: str) -> None:
    depth = 0
    for count, event in enumerate(yaml.parse(text, _Loader)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH or count > 2 * MAX_NODES:
            raise _too_much(event)


class _Size:
    """Counts the nodes of a YAML tree with aliases expanded, visiting each node once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[int, int]] = {}
        self._around: set[int] = set()

    def check(self, node: Any) -> tuple[int, int]:
        """The number of nodes in this one, and their depth. Raises a YAMLError if there are too many, and for a
        cycle.
        """
        key = id(node)
        if key in self._known or node is None:
            return self._known.get(key, (0, 0))
        if key in self._around:
            raise _not_taken("an alias that contains itself, which never ends", node)
        if node.tag not in _TAGS:
            raise _not_taken(f"the tag {node.tag.rpartition(':')[2][:40]}, which JSON does not have", node)
        self._around.add(key)
        count, depth = 1, 0
        for child in _children(node):
            more, below = self.check(child)
            count, depth = count + more, max(depth, below)
        if count > MAX_NODES or depth >= MAX_DEPTH:
            raise _too_much(node)
        self._around.discard(key)
        self._known[key] = (count, depth + 1)
        return self._known[key]


def _children(node: Any) -> list[Any]:
    if isinstance(node, yaml.MappingNode):
        return [each for pair in node.value for each in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _not_taken(problem: str, node: Any) -> _NotTaken:
    return _NotTaken(None, None, problem, node.start_mark)


def _too_much(node: Any) -> yaml.MarkedYAMLError:
    return _not_taken(f"more than {MAX_NODES:,} values or {MAX_DEPTH} levels, with aliases expanded", node)
