"""Whether an exchange is valid under the documents, and if not, where: places are JSON pointers into the exchange.

`/path/…`, `/query/…`, `/headers/…` and `/body/…` of a request, `/status` and `/body/…` of a response. So the journal,
the archive of a report and recordings of clients say the same about an exchange. Pure, and compiled on first use.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from feedback_spec.bodies import FORMS, PARSERS, Unreadable, parse_json, split_media_type
from feedback_spec.openapi.render31 import to_31
from feedback_spec.openapi.schemas import validator_of
from feedback_spec.operations import JSON, Operation, operations_of

Problems = list[dict[str, str]]
_DETAILS = ("limit", "types", "format", "pattern", "options", "unexpected")
MOST = 20
SUCCESS = range(200, 300)
TOO_LARGE = "body-size"


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as sent.

    `operation` is None if it reached none; `path` has the parameters of its path, `headers` the first value of each
    header by lower-case name. `body` is without its Content-Encoding, None if it was not read; `whole` says whether all
    of it is known. `rule` refused the request for this `reason`, both empty if it is not known to be refused;
    `accepted` says whether the response was a success.
    """

    operation: str | None
    path: Mapping[str, str]
    query: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    whole: bool = True
    rule: str = ""
    reason: str = ""
    accepted: bool = False


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

    def of_request(self, sent: Sent) -> dict[str, Any]:
        """`{"valid": …, "problems": […]}`.

        `valid` is None if that depends on what was not read or kept of the body: what was accepted was valid.
        """
        judge = self._judges.get(sent.operation or "")
        if judge is None:
            place = "/method" if sent.rule == "method" else "/path"
            return _verdict([_problem(place, "the document has no such operation")])
        verdict = _verdict(judge.request(sent))
        if verdict["valid"] and not sent.whole and not sent.accepted:
            verdict["valid"] = None
        return verdict

    def of_answer(self, operation: str | None, status: int, body: bytes) -> dict[str, Any] | None:
        """The same of a response; its body is not judged if it is empty. None if no operation could declare it."""
        judge = self._judges.get(operation or "")
        return None if judge is None else _verdict(judge.answer(status, body))


class _Judge:
    def __init__(self, operation: Operation, components: Mapping[str, Any]) -> None:
        self._operation = operation
        self._parameters = [(each, validator_of(each.schema, components)) for each in operation.parameters]
        content = operation.body.content if operation.body else {}
        self._types = content
        # An ingest's body is described in words, not by a schema; if it is refused, the rule says why.
        self._prose = bool(content) and not content.keys() & FORMS.keys()
        self._body = None if not content else validator_of(next(iter(content.values())).schema, components)
        self._answers = {
            status: validator_of(each.content[JSON].schema, components) if JSON in each.content else None
            for status, each in operation.responses.items()
        }

    def request(self, sent: Sent) -> Iterator[dict[str, str]]:
        query = dict(parse_qsl(sent.query, keep_blank_values=True))
        for parameter, validator in self._parameters:
            values = sent.path if parameter.place == "path" else query
            if parameter.name in values:
                value: Any = values[parameter.name]
                if parameter.schema.get("type") == "integer" and value.isascii() and value.isdigit():
                    value = int(value[:30])
                yield from _problems(validator, value, f"/{parameter.place}/{parameter.name}")
        if self._prose:
            if sent.rule:
                place = "/headers" if sent.rule.startswith("key") else "/body"
                yield _problem(place, sent.reason or sent.rule)
            return
        taken = {each.header.lower() or "authorization" for each in self._operation.credentials}
        if taken and not taken & sent.headers.keys():
            yield _problem("/headers/authorization", "credentials are missing")
        elif "authorization" in taken:
            scheme = sent.headers.get("authorization", "").partition(" ")[0].lower()
            known = {
                each.line.removeprefix("Authorization: ").partition(" ")[0] for each in self._operation.credentials
            }
            if scheme not in map(str.lower, known):
                yield _problem("/headers/authorization", f"must begin with {' or '.join(sorted(known))}")
        if sent.rule == TOO_LARGE:
            yield _problem("/body", sent.reason or "larger than allowed")
        if self._body is not None and sent.body is not None:
            yield from self._of_body(sent, sent.body)

    def _of_body(self, sent: Sent, body: bytes) -> Iterator[dict[str, str]]:
        content_type = sent.headers.get("content-type", "").encode("latin-1", "replace")
        media_type = split_media_type(content_type)[1]
        if media_type not in self._types:
            yield _problem("/headers/content-type", f"must be one of {', '.join(self._types)}")
        elif sent.whole:
            try:
                value = PARSERS[media_type](body, content_type)
            except Unreadable as error:
                yield _problem("/body", str(error))
            else:
                yield from _problems(self._body, value, "/body")

    def answer(self, status: int, body: bytes) -> Iterator[dict[str, str]]:
        if str(status) not in self._answers:
            yield _problem("/status", f"the document declares no {status} here")
            return
        validator = self._answers[str(status)]
        if validator is None or not body:
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
