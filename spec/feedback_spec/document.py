"""Reads the OpenAPI document, and refuses anything unsupported in one sentence. No network, no clock.

Everything that Python code needs from the contract comes from here: the mock, the verifier and the documentation each
load one `Document`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from feedback_spec.behaviour import ALL_FIELDS, Behaviour, read_behaviour
from feedback_spec.catalogue import Rule, check_refusals, read_rules
from feedback_spec.client_rules import ClientRule, read_client_rules
from feedback_spec.extensions import check_extensions
from feedback_spec.openapi.valid import check_openapi
from feedback_spec.operations import Operation, operations_of
from feedback_spec.profiles import DOCUMENTED, read_profiled
from feedback_spec.rules import Mutability, Window
from feedback_spec.source import Fail, read
from feedback_spec.windows import Example, read_examples, read_mutability, speak_of_windows

SUBMIT = "submitUserFeedback"
LIST = "listUserFeedback"
PREFLIGHT = "preflightUserFeedback"


@dataclass(frozen=True)
class Document:
    """A checked document. `openapi` is plain JSON data, in which all texts already state the windows as they are."""

    name: str
    openapi: dict[str, Any]
    rules: Mapping[str, Rule]
    mutability: Mutability
    examples: tuple[Example, ...]
    behaviour: Behaviour
    client_rules: Mapping[str, ClientRule]

    @property
    def profile(self) -> str:
        """The name of the document's profile; the base document is `documented`."""
        return str(self.openapi["info"].get("x-profile", DOCUMENTED))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the document as JSON with sorted keys: the same for the same contract, however it is written."""
        return sha256(json.dumps(self.openapi, sort_keys=True, separators=(",", ":"), default=str).encode()).hexdigest()

    @cached_property
    def operations(self) -> Mapping[str, Operation]:
        """Operations by operationId."""
        return {operation.id: operation for operation in operations_of(self.openapi)}

    @property
    def submit(self) -> Operation:
        """The operation that the time rules belong to."""
        return self.operations[SUBMIT]

    @property
    def listing(self) -> Operation:
        """The operation that lists a project's feedback."""
        return self.operations[LIST]

    @cached_property
    def accepting(self) -> tuple[int, ...]:
        """The statuses of accepted submissions: one, unless an overwrite has its own."""
        return tuple(dict.fromkeys((self.mutability.stored.status, self.mutability.overwritten.status)))

    @property
    def verifiable(self) -> Mapping[str, Rule]:
        """The rules by id, except those that only the mock follows."""
        return {rule.id: rule for rule in self.rules.values() if not rule.only_mock}

    def first_rule(self, *candidates: str | None) -> str:
        """The first of these rule ids that the document has and that is verifiable; otherwise that of a plain
        submission.
        """
        return next(
            (each for each in candidates if each is not None and each in self.verifiable), self.mutability.stored.rule
        )

    @property
    def field_schemas(self) -> Mapping[str, Mapping[str, Any]]:
        """The schemas of a submission's fields, by name."""
        return {each.name: each.schema for each in self.submit.body.fields} if self.submit.body else {}

    def window(self, rule: str) -> Window:
        """The window with this rule id; KeyError if the document has none."""
        return next(window for window in self.mutability.windows if window.rule == rule)


def load(path: Path | None = None, profile: str = DOCUMENTED) -> Document:
    """The document at `path`, by default the packaged one, with the profile's overlay applied.

    Raises DocumentError for a file that cannot be read, for YAML that is invalid or too large, for a profile that does
    not exist or does not fit, and for the reasons of `document_of`.
    """
    return document_of(*read_profiled(path, profile))


def document_of(name: str, openapi: dict[str, Any]) -> Document:
    """The document with this content; `name` identifies it in errors.

    Raises DocumentError for a document that is not OpenAPI 3.0 or not safe to work with, unknown keys in our
    extensions, a string that is not a duration, a status that the operation does not declare, a rule without an example
    row, and rows that contradict the windows.
    """
    check_openapi(openapi, name)
    fail = Fail(name)
    operations = tuple(operations_of(openapi))
    operation = next((each for each in operations if each.id == SUBMIT), None)
    if operation is None:
        raise fail("paths", f"there is no operation with the operationId {SUBMIT}.")
    _check_fields(operation, fail)
    check_extensions(openapi, operation, fail)
    rules = read_rules(openapi, fail)
    mutability = read_mutability(operation, rules, fail)
    examples = read_examples(operation, mutability, rules, fail)
    check_refusals(operations, rules, fail)
    openapi = speak_of_windows(openapi, operation, mutability, fail)
    return Document(
        name,
        openapi,
        read_rules(openapi, fail),
        mutability,
        examples,
        read_behaviour(openapi),
        read_client_rules(openapi, fail),
    )


def _check_fields(operation: Operation, fail: Fail) -> None:
    required = {each.name for each in operation.body.fields if each.required} if operation.body else set()
    for name in ALL_FIELDS:
        if name not in required:
            raise fail(operation.id, f'the schema of its JSON body must have "{name}" as a required property.')


@cache
def load_control() -> dict[str, Any]:
    """The document of the control protocol, as plain JSON data, which nobody changes."""
    return read(None, "control.yaml")[1]


@cache
def load_ingest() -> dict[str, Any]:
    """The document of the endpoints to which SDKs send events, as plain JSON data, which nobody changes."""
    return read(None, "ingest.yaml")[1]
