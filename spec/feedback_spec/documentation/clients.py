"""Generates thin clients of the control protocol: a method for each operation, and types for its schemas.

Uses our own templates, because the output of SDK generators needs runtime libraries, often has a hundred files, and can
only be checked with their own toolchains. The code that starts a mock is written by hand.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from feedback_spec.documentation import python, typescript
from feedback_spec.operations import JSON, Operation, Value, operations_of
from feedback_spec.source import resolve

PROJECT = "/_control/projects/{organization_slug}/{project_slug}"
"""The path prefix of a project's operations."""
_PREFIX = "control"
_STREAM = "text/event-stream"  # left to libraries that read event streams
_FILES = {
    "typescript/control.js": "control.js.j2",
    "typescript/control.d.ts": "control.d.ts.j2",
    "python/feedback_mock_client/control.py": "control.py.j2",
    "java/feedbackmock/Control.java": "Control.java.j2",
}


@dataclass(frozen=True, slots=True)
class Method:
    """An operation as a method of a client. The `path` of a project's operation is relative to the project.

    `arguments` are the path parameters; `answer` is `json`, `text` or `nothing`; a missing schema is None.
    """

    name: str
    summary: str
    description: str
    verb: str
    path: str
    of_project: bool
    arguments: tuple[str, ...]
    query: tuple[Value, ...]
    body: Mapping[str, Any] | None
    body_required: bool
    answer: str
    answered: Mapping[str, Any] | None


def methods(control: Mapping[str, Any]) -> Iterator[Method]:
    """The operations, in the document's order, without event streams."""
    for operation in operations_of(control):
        answer = next(each for status, each in operation.responses.items() if status.startswith("2"))
        if _STREAM not in answer.content:
            yield _method(control, operation, answer.status)


def client_files(control: Mapping[str, Any]) -> dict[str, str]:
    """The generated files of all clients: their text, by path relative to the clients' directory."""
    environment = Environment(
        loader=PackageLoader("feedback_spec.documentation", "templates/clients"),
        autoescape=False,  # it is code
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "camel": camel,
        "first": lambda text: " ".join(text.partition("\n\n")[0].split()),
        "snake": lambda name: re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower(),
        "python": python.type_of,
        "python_path": lambda path: re.sub(r"\{(\w+)\}", r"{_part(\1)}", path),
        "java_path": lambda path: re.sub(r"\{(\w+)\}", lambda each: f'" + part({camel(each[1])}) + "', path),
        "comment": typescript.comment,
        "typescript": typescript.type_of,
        "js_path": lambda path: re.sub(r"\{(\w+)\}", lambda each: f"${{part({camel(each[1])})}}", path),
    }
    offered, schemas = tuple(methods(control)), control["components"]["schemas"]
    context = {"methods": offered, "schemas": schemas, "definitions": python.definitions(schemas | _unnamed(offered))}
    return {name: environment.get_template(file).render(context).strip() + "\n" for name, file in _FILES.items()}


def _unnamed(offered: tuple[Method, ...]) -> dict[str, Mapping[str, Any]]:
    """The objects that have no name in the document, named after their method: `AddFaultsBody`."""
    found: dict[str, Mapping[str, Any]] = {}
    for each in offered:
        query = {"properties": {value.name: value.schema for value in each.query}} if each.query else None
        parts = {"Body": each.body, "Query": query, "Answer": each.answered}
        found |= {each.name + part: schema for part, schema in parts.items() if schema and "properties" in schema}
    return found


def camel(name: str) -> str:
    """`event_id` and `PutEvent` as `eventId` and `putEvent`."""
    first, *rest = name.split("_")
    return first[:1].lower() + first[1:] + "".join(each.title() for each in rest)


def _method(control: Mapping[str, Any], operation: Operation, status: str) -> Method:
    node = control["paths"][operation.path][operation.method]
    answer = resolve(control, node["responses"][status]).get("content", {})
    body = resolve(control, node.get("requestBody", {}))
    of_project = operation.path.startswith(PROJECT)
    path = operation.path.removeprefix(PROJECT) if of_project else operation.path
    return Method(
        name=operation.id.removeprefix(_PREFIX),
        summary=operation.summary,
        description=operation.description,
        verb=operation.method.upper(),
        path=path,
        of_project=of_project,
        arguments=tuple(re.findall(r"\{(\w+)\}", path)),
        query=tuple(each for each in operation.parameters if each.place == "query"),
        body=body["content"][JSON]["schema"] if body else None,
        body_required=body.get("required", False),
        answer="nothing" if not answer else "json" if JSON in answer else "text",
        answered=answer[JSON]["schema"] if JSON in answer else None,
    )
