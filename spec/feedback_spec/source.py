"""YAML documents as plain JSON data, and what a `$ref` in them names. No network; knows nothing of feedback."""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, ClassVar

import yaml


class DocumentError(Exception):
    """The document is missing, unreadable or contradicts itself; the message names file, place and cause."""


class Fail:
    """Makes the one sentence of a refusal: file, place, cause; `name` is the file's."""

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
    """The name and the content of a YAML document: the file at `path`, or the one of that name in this package."""
    source = documents() / packaged if path is None else path
    name = packaged if path is None else str(path)
    try:
        text = source.read_text("utf-8")
    except OSError as error:
        raise DocumentError(f"{name}: cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise DocumentError(f"{name}: is not UTF-8 text (byte {error.start}).") from None
    content = parse(text, name)
    if not isinstance(content, dict) or not isinstance(content.get("paths"), dict):
        raise DocumentError(f"{name}: is no OpenAPI document: it has no `paths`.")
    return name, content


def parse(text: str, name: str) -> Any:
    """The content of a YAML document; `name` names it in the DocumentError that it raises for anything else."""
    try:
        return yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "somewhere"
        raise DocumentError(f"{name}: {place}: is not YAML: {error.problem or error.context}.") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise DocumentError(f"{name}: is not YAML: {' '.join(str(error).split())}.") from None


def resolve(document: Mapping[str, Any], node: Any) -> Any:
    """The node itself, or what its local `$ref` (`#/…`) names in the document; KeyError where it names nothing."""
    while isinstance(node, dict) and isinstance(node.get("$ref"), str):
        target: Any = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step.replace("~1", "/").replace("~0", "~")]
        node = target
    return node


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML as JSON data: keys are text, a key stands once, a date stays the text that it is."""

    yaml_implicit_resolvers: ClassVar = {
        first: [each for each in resolvers if each[0] != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        self.flatten_mapping(node)
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is None or key in seen:
                problem = "a key that is no text" if key is None else f'the key "{key}" stands here twice'
                raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
            seen[key] = self.construct_object(value_node, deep=True)
        return seen


_Loader.add_constructor("tag:yaml.org,2002:map", _Loader.construct_mapping)
