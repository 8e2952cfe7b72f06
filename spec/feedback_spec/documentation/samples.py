"""The examples of the reference: a submission with each kind of credentials, and one past every window. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from feedback_spec.document import Document
from feedback_spec.documentation.languages import Request, Step, in_languages, walk_in_languages
from feedback_spec.documentation.timeline import FROM, title
from feedback_spec.instants import format_duration
from feedback_spec.operations import JSON, Credentials, Operation, operations_of
from feedback_spec.rules import Base
from feedback_spec.shell import quote


@dataclass(frozen=True, slots=True)
class Sample:
    """Code to paste, by language, and a title that says what it shows."""

    title: str
    texts: Mapping[str, str]


def samples(document: Document, control: Mapping[str, Any]) -> tuple[Sample, ...]:
    """The choice of a server, a submission for each kind of credentials, and a walk past every window on a mock.

    All of them read the server and the credentials from environment variables.
    """
    submits = [Sample(f"Submit, with `{each.line}`", _submits(document, each)) for each in document.submit.credentials]
    return (
        Sample("Choose the server", {"curl": _servers(document)}),
        *submits,
        Sample("See each window close on a mock", _walks(document, control)),
    )


def _servers(document: Document) -> str:
    servers = document.openapi.get("servers")
    if not servers:
        raise LookupError("a server")
    lines = [f"{'# ' if index else ''}export SERVER={quote(each['url'])}" for index, each in enumerate(servers)]
    # On lines of their own, as zsh knows no comments in a terminal, and without quotation marks, which it would pair.
    said = [" ".join(each.get("description", each["url"]).replace("'", "\u2019").split()) for each in servers]
    return "\n".join(f"# {words}\n{line}" for line, words in zip(lines, said, strict=True))


def _submits(document: Document, credentials: Credentials) -> Mapping[str, str]:
    return {"curl": _submit(document, credentials)} | in_languages(_request(document, credentials))


def _request(document: Document, credentials: Credentials) -> Request:
    operation = document.submit
    text, variable = _parted(credentials.line)
    header, _, start = text.rpartition(": ")
    return Request(operation.method.upper(), _path(document, operation), header, start, variable, _example(document))


def _submit(document: Document, credentials: Credentials) -> str:
    operation = document.submit
    return _curl(operation.method, _path(document, operation), _example(document), _shell(credentials.line))


def _example(document: Document) -> dict[str, Any]:
    """The first example of a submission that is an object. Raises LookupError."""
    assert document.submit.body is not None
    for example in document.submit.body.examples.values():
        if isinstance(example.value, dict):
            return example.value
    raise LookupError("an example of a submission that is an object")


def _walks(document: Document, control: Mapping[str, Any]) -> Mapping[str, str]:
    """A project with a frozen clock, and for each window a submission one microsecond past it."""
    credentials, steps = document.submit.credentials[0], tuple(_steps(document))
    return {"curl": _walk(document, control, steps)} | walk_in_languages(_request(document, credentials), steps)


def _walk(document: Document, control: Mapping[str, Any], steps: tuple[Step, ...]) -> str:
    project = _control(document, control, "controlPutProject", {"clock": {"running": False}})
    comment = "# A project with a frozen clock, and its token, which jq reads from the response.\n"
    submit = _submit(document, document.submit.credentials[0])
    lines = [f"{comment}TOKEN=$({project} | jq -r .tokens.write)"]
    for step in steps:
        line = _control(document, control, step.operation, step.body) if step.operation else submit
        lines.append(f"# {step.comment}\n{line}" if step.comment else line)
    return "\n\n".join(lines)


def _steps(document: Document) -> Iterator[Step]:
    for window in document.mutability.windows:
        late = format_duration(window.limit + 1)
        comment = f"{title(window)}: {late} after {FROM[window.base]}, the response is {window.status}."
        if window.base in (Base.EVENT_SAVED, Base.EVENT_TIMESTAMP):
            key = "saved_ago" if window.base is Base.EVENT_SAVED else "timestamp_ago"
            yield Step(comment, "controlPutEvent", {key: late})
        else:
            yield Step(comment, "controlPutEvent", {})
            yield Step("", "", {})
            yield Step("", "controlAdvanceClock", {"duration": late})
        yield Step("", "", {})


def _control(document: Document, control: Mapping[str, Any], request: str, body: Mapping[str, Any]) -> str:
    operation = next(each for each in operations_of(control) if each.id == request)
    return _curl(operation.method, _path(document, operation), body)


def _path(document: Document, operation: Operation) -> str:
    """The operation's path, filled in with the document's own examples."""
    values = {each.name: each.example for each in document.submit.parameters} | _example(document)
    return re.sub(r"\{(\w+)\}", lambda match: str(values[match[1]]), operation.path)


def _curl(method: str, path: str, body: Any, header: str | None = None) -> str:
    """A submission prints status and headers (`-i`), including the rule that decided it."""
    lines = [f'curl -sS {"-i " if header else ""}-X {method.upper()} "$SERVER"{quote(path)}']
    if header is not None:
        lines.append(f"-H {header}")
    lines += [f"-H 'Content-Type: {JSON}'", f"-d {quote(json.dumps(body, ensure_ascii=False))}"]
    return " \\\n  ".join(lines)


def _shell(header: str) -> str:
    """A header line whose placeholder is a shell variable: `'Authorization: Bearer '"$TOKEN"`."""
    text, variable = _parted(header)
    return f'{quote(text)}"${variable}"'


def _parted(header: str) -> tuple[str, str]:
    """The text before a header line's placeholder, and the placeholder as a variable: `TOKEN`, `DSN`."""
    text, _, placeholder = header.removesuffix(">").rpartition("<")
    return text, re.sub(r"[^A-Z0-9_]", "_", placeholder.upper())
