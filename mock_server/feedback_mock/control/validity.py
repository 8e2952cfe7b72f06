"""Whether an exchange is valid under the documents, and if not, where: places are JSON pointers into the exchange.

`/path/…`, `/query/…`, `/headers/…` and `/body/…` of a request, `/status` and `/body/…` of a response. Pure, and
compiled on first use, so no request waits for it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from feedback_spec.openapi.render31 import to_31
from feedback_spec.openapi.schemas import validator_of
from feedback_spec.operations import JSON, Operation, operations_of

from feedback_mock.body import Unreadable, parse_form, parse_json, parse_multipart, split_media_type
from feedback_mock.journal import ANSWERED, Entry

Problems = list[dict[str, str]]
_PARSERS: Mapping[str, Callable[[bytes, bytes | None], Any]] = {
    JSON: parse_json,
    "application/x-www-form-urlencoded": parse_form,
    "multipart/form-data": parse_multipart,
}
_DETAILS = ("limit", "types", "format", "pattern", "options", "unexpected")
MOST = 20
TOO_LARGE = "body-size"
SUCCESS = range(200, 300)


class Validity:
    """Judges all exchanges with operations of these OpenAPI 3.0 documents."""

    def __init__(self, documents: Sequence[Mapping[str, Any]]) -> None:
        self._documents = documents

    @cached_property
    def _judges(self) -> dict[str, "_Judge"]:
        rendered = [to_31(dict(each)) for each in self._documents]
        return {
            operation.id: _Judge(operation, each.get("components", {}))
            for each in rendered
            for operation in operations_of(each)
        }

    def of_request(self, entry: Entry, body: bytes) -> dict[str, Any]:
        """`{"valid": …, "problems": […]}`; `body` is without its Content-Encoding.

        `valid` is None if that depends on what was not read or kept of the body: what was accepted was valid.
        """
        judge = self._judges.get(entry.operation or "")
        if judge is None:
            place = "/method" if entry.rule == "method" else "/path"
            return _verdict([_problem(place, "the document has no such operation")])
        verdict = _verdict(judge.request(entry, body))
        if verdict["valid"] and (entry.unread or entry.cut[0]) and entry.status not in SUCCESS:
            verdict["valid"] = None
        return verdict

    def of_answer(self, entry: Entry) -> dict[str, Any] | None:
        """The same; None if there is no complete response, or no operation that could declare it."""
        judge = self._judges.get(entry.operation or "")
        return None if judge is None or entry.state != ANSWERED else _verdict(judge.answer(entry))


class _Judge:
    def __init__(self, operation: Operation, components: Mapping[str, Any]) -> None:
        self._operation = operation
        self._parameters = [(each, validator_of(each.schema, components)) for each in operation.parameters]
        content = operation.body.content if operation.body else {}
        self._types = content
        # An ingest's body is described in words, not by a schema; if it is refused, the rule says why.
        self._prose = bool(content) and not set(content) & {"application/x-www-form-urlencoded", "multipart/form-data"}
        self._body = None if not content else validator_of(next(iter(content.values())).schema, components)
        self._answers = {
            status: validator_of(each.content[JSON].schema, components) if JSON in each.content else None
            for status, each in operation.responses.items()
        }

    def request(self, entry: Entry, body: bytes) -> Iterator[dict[str, str]]:
        headers = {name.decode("latin-1"): value for name, value in reversed(entry.headers)}
        query = dict(parse_qsl(entry.target.partition(b"?")[2].decode("latin-1"), keep_blank_values=True))
        for parameter, validator in self._parameters:
            values = entry.path if parameter.place == "path" else query
            if parameter.name in values:
                value: Any = values[parameter.name]
                if parameter.schema.get("type") == "integer" and value.isascii() and value.isdigit():
                    value = int(value[:30])
                yield from _problems(validator, value, f"/{parameter.place}/{parameter.name}")
        if self._prose:
            if entry.rule:
                place = "/headers" if entry.rule.startswith("key") else "/body"
                yield _problem(place, entry.reason or entry.rule)
            return
        taken = {each.header.lower() or "authorization" for each in self._operation.credentials}
        if taken and not taken & headers.keys():
            yield _problem("/headers/authorization", "credentials are missing")
        elif "authorization" in taken:
            scheme = headers.get("authorization", b"").partition(b" ")[0].decode("latin-1").lower()
            known = {
                each.line.removeprefix("Authorization: ").partition(" ")[0] for each in self._operation.credentials
            }
            if scheme not in map(str.lower, known):
                yield _problem("/headers/authorization", f"must begin with {' or '.join(sorted(known))}")
        if entry.rule == TOO_LARGE:
            yield _problem("/body", entry.reason)
        if self._body is not None and entry.body is not None:
            yield from self._of_body(entry, body, headers.get("content-type"))

    def _of_body(self, entry: Entry, body: bytes, content_type: bytes | None) -> Iterator[dict[str, str]]:
        assert entry.body is not None
        media_type = split_media_type(content_type)[1]
        if media_type not in self._types:
            yield _problem("/headers/content-type", f"must be one of {', '.join(self._types)}")
        elif not entry.cut[0]:
            try:
                value = _PARSERS[media_type](body, content_type)
            except Unreadable as error:
                yield _problem("/body", str(error))
            else:
                yield from _problems(self._body, value, "/body")

    def answer(self, entry: Entry) -> Iterator[dict[str, str]]:
        status = str(entry.status)
        if status not in self._answers:
            yield _problem("/status", f"the document declares no {status} here")
            return
        validator = self._answers[status]
        body = b"" if entry.answer is None else entry.answer.body
        if validator is None or not body or entry.cut[1] or entry.method == "HEAD":
            return
        try:
            value = parse_json(body)
        except Unreadable as error:
            yield _problem("/body", str(error))
        else:
            yield from _problems(validator, value, "/body")


def _problems(validator: Any, value: Any, place: str) -> Iterator[dict[str, str]]:
    try:
        for error in validator.iter_errors(value):
            steps = [*error.instance_path]
            kind = error.kind
            if kind.name == "required":
                steps.append(kind.property)
            pointer = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)
            detail = next((f" {getattr(kind, name)}" for name in _DETAILS if hasattr(kind, name)), "")
            yield _problem(f"{place}{pointer}", f"{kind.name}{detail}")
    except ValueError:
        yield _problem(place, "nested deeper than the validator supports")


def _problem(pointer: str, detail: str) -> dict[str, str]:
    return {"pointer": pointer, "detail": detail[:300]}


def _verdict(problems: Iterator[dict[str, str]] | Problems) -> dict[str, Any]:
    found = [each for each, _ in zip(problems, range(MOST), strict=False)]
    return {"valid": not found, "problems": found}
