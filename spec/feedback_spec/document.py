"""Reads the OpenAPI document and refuses, in one sentence, what it cannot honour. No network, no clock.

Everything of the contract that Python code needs comes from here: the mock, the verifier and the
documentation each load one `Document`.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any, ClassVar

import jsonschema_rs
import yaml

from feedback_spec.behaviour import Behaviour, read_behaviour
from feedback_spec.instants import in_words, parse_duration
from feedback_spec.rules import Accepted, Base, Facts, Mutability, Outcome, Window, decide

SUBMIT = "submitUserFeedback"
LIST = "listUserFeedback"
PREFLIGHT = "preflightUserFeedback"
DOCUMENTED = "documented"
PROFILES = (DOCUMENTED, "sentry-9.1", "sentry-23.7", "sentry-latest")
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_PROSE = frozenset({"description", "summary", "rule", "page"})


class DocumentError(Exception):
    """The document is missing, unreadable or contradicts itself; the message names file, place and cause."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a rule answers with: a status and, unless the body is empty, the name of the response's example."""

    status: int
    example: str | None


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of the rule catalogue `x-rules`; the keys are those of the document."""

    id: str
    group: str
    level: str
    rule: str
    needs: tuple[str, ...]
    page: str | None
    also_allowed: tuple[int, ...]
    refusal: Refusal | None
    message: str | None
    otherwise: str | None = None
    only_mock: bool = False


@dataclass(frozen=True, slots=True)
class Example:
    """A literal row of `x-mutability`: durations in microseconds before the submission, None where there is none."""

    case: str
    event_saved_ago: int | None
    event_timestamp_ago: int | None
    first_submitted_ago: int | None
    last_submitted_ago: int | None
    outcome: Outcome
    status: int
    rule: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the document: where it is and what is said of it, `$ref`s not resolved."""

    id: str
    path: str
    method: str
    item: Mapping[str, Any]
    definition: Mapping[str, Any]


@dataclass(frozen=True)
class Document:
    """A checked document. `openapi` is plain JSON data; texts in it already speak of the windows as they are."""

    name: str
    openapi: dict[str, Any]
    rules: Mapping[str, Rule]
    mutability: Mutability
    examples: tuple[Example, ...]
    behaviour: Behaviour

    @property
    def profile(self) -> str:
        """The name of the document's profile; the base document is `documented`."""
        return str(self.openapi["info"].get("x-profile", DOCUMENTED))

    def resolve(self, node: Any) -> Any:
        """The node itself, or what its local `$ref` names."""
        return resolve(self.openapi, node)

    @cached_property
    def operations(self) -> Mapping[str, Operation]:
        """Operations by operationId."""
        return {operation.id: operation for operation in operations_of(self.openapi)}

    @property
    def submit(self) -> Operation:
        """The operation that the time rules belong to."""
        return self.operations[SUBMIT]

    @property
    def verifiable(self) -> Mapping[str, Rule]:
        """The rules by id, without those that are the mock's alone."""
        return {rule.id: rule for rule in self.rules.values() if not rule.only_mock}

    @property
    def field_schemas(self) -> Mapping[str, Mapping[str, Any]]:
        """The schemas of a submission's fields, by name."""
        content = self.resolve(self.submit.definition["requestBody"])["content"]
        schema = self.resolve(content["application/json"]["schema"])
        return {name: self.resolve(each) for name, each in schema["properties"].items()}

    def window(self, rule: str) -> Window:
        """The window of this rule id; KeyError where the document has none."""
        return next(window for window in self.mutability.windows if window.rule == rule)


def load(path: Path | None = None, profile: str = DOCUMENTED) -> Document:
    """The document at `path`, by default the one that comes with this package, with the profile's overlay applied.

    Raises DocumentError for a missing file, YAML that does not parse, unknown keys in our extensions, a duration that
    is none, a status that the operation does not declare, a rule without an example row, and rows that contradict
    the windows. A profile that there is none of is a DocumentError too.
    """
    name, openapi = read_profiled(path, profile)
    fail = _Refuser(name)
    operation = next((each for each in operations_of(openapi) if each.id == SUBMIT), None)
    if operation is None:
        raise fail("paths", f"there is no operation with the operationId {SUBMIT}.")
    _check_extensions(openapi, operation, fail)
    rules = _read_rules(openapi, fail)
    mutability = _read_mutability(operation, rules, fail)
    examples = _read_examples(operation, mutability, rules, fail)
    _check_refusals(openapi, rules, fail)
    openapi = _speak_of_windows(openapi, operation, mutability, fail)
    return Document(name, openapi, _read_rules(openapi, fail), mutability, examples, read_behaviour(openapi))


def read_profiled(path: Path | None, profile: str) -> tuple[str, dict[str, Any]]:
    """The name and the content of a document as `read` gives them, with the profile's overlay applied."""
    name, openapi = read(path, "openapi.yaml")
    if profile == DOCUMENTED:
        return name, openapi
    if profile not in PROFILES:
        raise DocumentError(f'There is no profile "{profile}"; there are {", ".join(PROFILES)}.')
    # Here and not at the top: the document alone needs none of it, and no start should wait for it.
    from feedback_spec.openapi.overlay import OverlayError, apply  # noqa: PLC0415

    try:
        return f"{name} as {profile}", apply(openapi, read_overlay(profile), strict=True)
    except OverlayError as error:
        raise DocumentError(f"{name}: the profile {profile} does not fit it: {error}") from None


def read_overlay(profile: str) -> dict[str, Any]:
    """The overlay of a profile other than `documented`."""
    name = f"profiles/{profile}.overlay.yaml"
    overlay: dict[str, Any] = _parse((documents() / name).read_text("utf-8"), name)
    return overlay


def documents() -> Path:
    """The directory of our documents: `documents` inside the package in a wheel, `spec` around it in a checkout."""
    package = Path(str(resources.files("feedback_spec")))
    shipped = package / "documents"
    return shipped if shipped.is_dir() else package.parent


def load_control() -> dict[str, Any]:
    """The document of the control protocol, as plain JSON data."""
    return read(None, "control.yaml")[1]


def load_ingest() -> dict[str, Any]:
    """The document of the ingest, where SDKs send events, as plain JSON data."""
    return read(None, "ingest.yaml")[1]


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
    content = _parse(text, name)
    if not isinstance(content, dict) or not isinstance(content.get("paths"), dict):
        raise DocumentError(f"{name}: is no OpenAPI document: it has no `paths`.")
    return name, content


def _parse(text: str, name: str) -> Any:
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


def operations_of(document: Mapping[str, Any]) -> Iterator[Operation]:
    """Every operation of a document, in its order."""
    for path, item in document["paths"].items():
        for method in _METHODS:
            if isinstance(item, dict) and isinstance(item.get(method), dict):
                definition = item[method]
                yield Operation(str(definition.get("operationId", f"{method} {path}")), path, method, item, definition)


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


class _Refuser:
    """Makes the one sentence of a refusal: file, place, cause."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, place: str, cause: str) -> DocumentError:
        return DocumentError(f"{self.name}: {place}: {cause}")


def _check_extensions(openapi: dict[str, Any], operation: Operation, fail: _Refuser) -> None:
    extensions = {key: value for key, value in operation.definition.items() if key.startswith("x-")}
    extensions |= {key: openapi[key] for key in ("x-rules", "x-behaviour") if key in openapi}
    schema = json.loads((resources.files("feedback_spec") / "extensions.schema.json").read_text("utf-8"))
    errors = jsonschema_rs.validator_for(schema).iter_errors(extensions)
    # An unknown key first: it is most often the misspelling that makes another one missing.
    for error in sorted(errors, key=lambda each: "unexpected" not in each.message):
        raise fail(_place(error.instance_path) or SUBMIT, f"{error.message}.")


def _place(path: list[str | int]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def _read_rules(openapi: dict[str, Any], fail: _Refuser) -> dict[str, Rule]:
    rules: dict[str, Rule] = {}
    for index, entry in enumerate(openapi["x-rules"]):
        if entry["id"] in rules:
            raise fail(f"x-rules[{index}]", f'the rule "{entry["id"]}" stands here twice.')
        refusal = entry.get("refusal")
        rules[entry["id"]] = Rule(
            id=entry["id"],
            group=entry["group"],
            level=entry["level"],
            rule=entry["rule"],
            needs=tuple(entry["needs"]),
            page=entry.get("page"),
            also_allowed=tuple(entry.get("also_allowed", ())),
            refusal=refusal and Refusal(refusal["status"], refusal.get("example")),
            message=entry.get("message"),
            otherwise=entry.get("otherwise"),
            only_mock=entry.get("only") == "mock",
        )
    # A profile adds its rules at the end; readers find them in their group.
    groups = list(dict.fromkeys(rule.group for rule in rules.values()))
    return dict(sorted(rules.items(), key=lambda item: groups.index(item[1].group)))


def _read_mutability(operation: Operation, rules: Mapping[str, Rule], fail: _Refuser) -> Mutability:
    extension = operation.definition["x-mutability"]
    windows: dict[str, Window] = {}
    for index, entry in enumerate(extension["windows"]):
        place = f"x-mutability.windows[{index}]"
        _check_rule_and_status(entry, operation, rules, place, fail)
        limit = _duration(entry["limit"], f"{place}.limit", fail)
        windows[entry["rule"]] = Window(
            entry["rule"], Base(entry["from"]), limit, entry["at_limit"] == "accepted", entry["status"]
        )
    if sorted(extension["order"]) != sorted(windows) or len(windows) != len(extension["windows"]):
        raise fail("x-mutability.order", f"must name each window once: {', '.join(windows)}.")
    outcomes = {}
    for name, entry in extension["outcomes"].items():
        _check_rule_and_status(entry, operation, rules, f"x-mutability.outcomes.{name}", fail)
        outcomes[name] = Accepted(entry["rule"], entry["status"])
    return Mutability(tuple(windows[rule] for rule in extension["order"]), outcomes["stored"], outcomes["overwritten"])


def _check_rule_and_status(
    entry: Mapping[str, Any], operation: Operation, rules: Mapping[str, Rule], place: str, fail: _Refuser
) -> None:
    if entry["rule"] not in rules:
        raise fail(f"{place}.rule", f'the catalogue x-rules has no rule "{entry["rule"]}".')
    if str(entry["status"]) not in operation.definition.get("responses", {}):
        raise fail(f"{place}.status", f"the operation {operation.id} declares no response {entry['status']}.")


def _duration(text: str, place: str, fail: _Refuser) -> int:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise fail(place, str(error)) from None


def _read_examples(
    operation: Operation, mutability: Mutability, rules: Mapping[str, Rule], fail: _Refuser
) -> tuple[Example, ...]:
    examples = []
    for index, entry in enumerate(operation.definition["x-mutability"]["examples"]):
        place = f"x-mutability.examples[{index}]"
        _check_rule_and_status(entry, operation, rules, place, fail)
        example = _read_example(entry, place, fail)
        decision = decide(mutability, facts_of(example), 0)
        if (decision.outcome, decision.status) != (example.outcome, example.status):
            raise fail(
                place,
                f"says {example.outcome} with {example.status}, but the windows make it {decision.outcome} "
                f"with {decision.status}; one of the two is wrong.",
            )
        examples.append(example)
    for window in mutability.windows:
        for refused in (False, True):
            shown = any(each.rule == window.rule and (each.outcome == "refused") == refused for each in examples)
            if not shown:
                kind = "is refused" if refused else "is accepted"
                raise fail("x-mutability.examples", f'no row shows the rule "{window.rule}" where a submission {kind}.')
    return tuple(examples)


def _read_example(entry: Mapping[str, Any], place: str, fail: _Refuser) -> Example:
    def ago(key: str, default: int | None = None) -> int | None:
        return _duration(entry[key], f"{place}.{key}", fail) if key in entry else default

    saved, first = ago("event_saved_ago"), ago("first_submitted_ago")
    return Example(
        case=entry["case"],
        event_saved_ago=saved,
        event_timestamp_ago=ago("event_timestamp_ago", saved),
        first_submitted_ago=first,
        last_submitted_ago=ago("last_submitted_ago", first),
        outcome=Outcome(entry["outcome"]),
        status=entry["status"],
        rule=entry["rule"],
    )


def facts_of(example: Example) -> Facts:
    """The row as facts for a submission at the instant 0."""

    def before(ago: int | None) -> int | None:
        return None if ago is None else -ago

    return Facts(
        event_saved=before(example.event_saved_ago),
        event_timestamp=before(example.event_timestamp_ago),
        first_submitted=before(example.first_submitted_ago),
        last_submitted=before(example.last_submitted_ago),
    )


def _check_refusals(openapi: dict[str, Any], rules: Mapping[str, Rule], fail: _Refuser) -> None:
    for rule in rules.values():
        if rule.refusal is None:
            continue
        place = f'x-rules "{rule.id}".refusal'
        declared = [
            resolve(openapi, each.definition["responses"][str(rule.refusal.status)])
            for each in operations_of(openapi)
            if str(rule.refusal.status) in each.definition.get("responses", {})
        ]
        if not declared:
            raise fail(place, f"no operation declares a response {rule.refusal.status}.")
        if rule.refusal.example is not None and not any(
            rule.refusal.example in response.get("content", {}).get("application/json", {}).get("examples", {})
            for response in declared
        ):
            raise fail(place, f'no response {rule.refusal.status} has an example "{rule.refusal.example}".')


def _speak_of_windows(
    openapi: dict[str, Any], operation: Operation, mutability: Mutability, fail: _Refuser
) -> dict[str, Any]:
    """The document with every text saying the limits as the windows have them.

    `spoken` is how the texts say a limit; where the limit was changed and the texts were not, they follow.
    """
    words: dict[str, str] = {}
    for entry in operation.definition["x-mutability"]["windows"]:
        limit = next(window.limit for window in mutability.windows if window.rule == entry["rule"])
        if words.setdefault(entry["spoken"], in_words(limit)) != in_words(limit):
            raise fail(
                "x-mutability.windows", f'two windows of different length are both spoken of as "{entry["spoken"]}".'
            )
    if all(spoken == said for spoken, said in words.items()):
        return openapi
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(spoken)}(?!\w)" for spoken in words))

    def say(text: str) -> str:
        return pattern.sub(lambda match: words[match.group()], text)

    spoken: dict[str, Any] = _map_prose(openapi, say)
    for entry in next(each for each in operations_of(spoken) if each.id == SUBMIT).definition["x-mutability"][
        "windows"
    ]:
        entry["spoken"] = words[entry["spoken"]]
    return spoken


def _map_prose(node: Any, say: Callable[[str], str]) -> Any:
    if isinstance(node, dict):
        return {
            key: say(value) if key in _PROSE and isinstance(value, str) else _map_prose(value, say)
            for key, value in node.items()
        }
    return [_map_prose(each, say) for each in node] if isinstance(node, list) else node
