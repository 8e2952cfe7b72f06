"""Renders a submission, and a walk past the windows, as Python, TypeScript and Java. Pure.

Values from the document are quoted for each language.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

_SUBMIT = {"Python": "submit.py.j2", "TypeScript": "submit.ts.j2", "Java": "Submit.java.j2"}
_WALK = {"Python": "walk.py.j2", "TypeScript": "walk.ts.j2", "Java": "Walk.java.j2"}
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


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a walk: an operation of the control protocol, or a submission, where `operation` is empty."""

    comment: str
    operation: str
    body: Mapping[str, Any]


def in_languages(request: Request) -> dict[str, str]:
    """The request as code, by language."""
    return _rendered(_SUBMIT, asdict(request))


def walk_in_languages(request: Request, steps: Sequence[Step]) -> dict[str, str]:
    """A walk as code, by language, with the clients in `clients/`; `request` is what is submitted."""
    return _rendered(_WALK, asdict(request) | {"steps": steps, "event_id": request.body["event_id"]})


def _rendered(templates: Mapping[str, str], context: Mapping[str, Any]) -> dict[str, str]:
    return {
        language: _environment().get_template(template).render(context).strip()
        for language, template in templates.items()
    }


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("feedback_spec.documentation", "templates/samples"),
        autoescape=False,  # it is code, and each filter quotes for its language
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "python": _python,
        "text": _text,
        "json": _json,
        "java_block": _java_block,
        "line": json.dumps,
    }
    return environment


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
