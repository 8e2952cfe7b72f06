"""One request as code in Python, TypeScript and Java, from templates; values from the document are quoted in each.
Pure.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

_TEMPLATES = {"Python": "python.j2", "TypeScript": "typescript.j2", "Java": "java.j2"}
FENCES = {"curl": "sh", "Python": "python", "TypeScript": "ts", "Java": "java"}
"""The name of each language in Markdown."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request. Its credentials are `start`, followed by the value of the environment variable `variable`."""

    method: str
    path: str
    header: str
    start: str
    variable: str
    body: Mapping[str, Any]


def in_languages(request: Request) -> dict[str, str]:
    """The request as code, by language."""
    environment = Environment(
        loader=PackageLoader("feedback_spec.documentation", "templates/samples"),
        autoescape=False,  # it is code, and each filter quotes for its language
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"python": _python, "text": _text, "json": _json, "java_block": _java_block}
    return {
        language: environment.get_template(template).render(asdict(request)).strip()
        for language, template in _TEMPLATES.items()
    }


def _text(value: str) -> str:
    """A string in double quotes, as JSON, Python, TypeScript and Java all read it."""
    return json.dumps(value, ensure_ascii=False)


def _python(value: Any) -> str:
    match value:
        case str():
            return _text(value)
        case dict():
            return "{" + ", ".join(f"{_python(key)}: {_python(each)}" for key, each in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_python, value)) + "]"
    return repr(value)


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _java_block(value: Any) -> str:
    """JSON as the contents of a text block: backslashes, and quotes that would end it, are escaped.

    In ASCII, because Java before 18 reads a file in the encoding of the machine.
    """
    return json.dumps(value, indent=2).replace("\\", "\\\\").replace('"""', '""\\"')
