"""Runs Schemathesis on the document, and expresses its results in terms of the rule catalogue.

Two settings make it honest for this endpoint: only 2xx counts as acceptance of valid data, and the path's parameters
are pinned to an existing project; without them, 409 and 404 responses count as success.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jsonschema_rs
import schemathesis
from feedback_spec.document import Document
from schemathesis import Case
from schemathesis.engine import Status, events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.generation import GenerationMode
from schemathesis.schemas import BaseSchema

from feedback_verify.between import between, is_unknown_method
from feedback_verify.bodies import is_padded
from feedback_verify.exchange import Exchange
from feedback_verify.scenario import Scenario
from feedback_verify.steps import Send, Step
from feedback_verify.targets import NotReachable
from feedback_verify.targets.sending import PATIENCE
from feedback_verify.through import Ended, Through
from feedback_verify.verdicts import Finding

RULE_OF = {
    "not_a_server_error": "no-server-error",
    "status_code_conformance": "response-schema",
    "content_type_conformance": "response-schema",
    "response_headers_conformance": "response-schema",
    "response_schema_conformance": "response-schema",
    "negative_data_rejection": "invalid-refused",
    "positive_data_acceptance": "valid-accepted",
    "ignored_auth": "credentials-required",
    "unsupported_method": "method",
}
RULES = frozenset(RULE_OF.values())


def run(scenario: Scenario, document: Document, seed: int, examples: int) -> list[Finding]:
    """What Schemathesis finds in one project of the target, by rule."""
    schema: BaseSchema = schemathesis.openapi.from_dict(document.openapi, config=_config(scenario, seed, examples))
    if scenario.default_credentials == "dsn" and (closed := _closed_to_a_dsn(document)):
        schema = schema.exclude(operation_id=closed)
    schema.app = through = Through(scenario)
    schema.hook("filter_body")(_not_padded if document.behaviour.nul == "accepted" else _neither_padded_nor_nul)
    observed: dict[str, int] = {}
    findings: list[Finding] = []
    with warnings.catch_warnings(), _fresh_event_ids(scenario):
        warnings.simplefilter("ignore")  # of Schemathesis and its dependencies; none is about the target
        stream = from_schema(schema).execute()
        for event in stream:
            if scenario.target.sender.stopped.is_set():
                stream.stop()
            elif isinstance(event, events.ScenarioFinished):
                findings += _findings(event.recorder, through, scenario, observed)
            elif isinstance(event, (events.NonFatalError, events.FatalError)):
                findings.append(_stopped(event))
    scenario.exchanges += through.exchanges
    scenario.target.sender.wait(0)  # Schemathesis swallows Ctrl-C
    findings += _crashes(through, scenario)
    violated = {finding.rule for finding in findings}
    return findings + [Finding(rule, observations=count) for rule, count in observed.items() if rule not in violated]


def _config(scenario: Scenario, seed: int, examples: int) -> schemathesis.Config:
    config: dict[str, Any] = {
        "seed": seed,
        "base-url": scenario.target.base_url,
        "headers": {"Authorization": scenario.project.credentials[scenario.default_credentials].value},
        "parameters": {
            "path.organization_slug": scenario.project.organization,
            "path.project_slug": scenario.project.slug,
        },
        "checks": {"enabled": False, **{name: {"enabled": True} for name in RULE_OF}},
        "phases": {"stateful": {"enabled": False}},
        "generation": {"max-examples": examples, "database": "none"},
        "request-timeout": PATIENCE + 30.0,
        "analysis": {"constants": {"enabled": False}},
    }
    config["checks"]["positive_data_acceptance"]["expected-statuses"] = ["2xx"]
    config["checks"]["negative_data_rejection"]["expected-statuses"] = ["4xx"]
    return schemathesis.Config.from_dict(config)


def _closed_to_a_dsn(document: Document) -> list[str]:
    """The operations that accept only other credentials, by their ids."""
    return [
        name
        for name, operation in document.operations.items()
        if operation.security and not any(each.type == "apiKey" for kinds in operation.security for each in kinds)
    ]


def _not_padded(_context: Any, body: Any) -> bool:
    """Values surrounded by white space are trimmed before the schema applies: the rule `trimmed` tests them."""
    texts = body.values() if isinstance(body, dict) else ()
    return not any(isinstance(each, str) and is_padded(each) for each in texts)


def _neither_padded_nor_nul(context: Any, body: Any) -> bool:
    """If NUL is refused, the rule `field-nul` tests it; no schema keyword expresses that readably."""
    texts = body.values() if isinstance(body, dict) else ()
    return _not_padded(context, body) and not any(isinstance(each, str) and "\0" in each for each in texts)


@contextmanager
def _fresh_event_ids(scenario: Scenario) -> Iterator[None]:
    """Replaces every valid event id: one used before may be past its window, on a target that keeps data."""
    known = jsonschema_rs.validator_for(dict(scenario.document.field_schemas["event_id"]))

    def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
        body = case.body
        if isinstance(body, dict) and isinstance(body.get("event_id"), str) and known.is_valid(body["event_id"]):
            case.body = {**body, "event_id": scenario.new_event_id()}

    # This hook sees examples too, and Schemathesis sets it only for all schemas.
    schemathesis.hook(before_call)
    try:
        yield
    finally:
        schemathesis.hooks.unregister(before_call)


def _findings(
    recorder: ScenarioRecorder, through: Through, scenario: Scenario, observed: dict[str, int]
) -> list[Finding]:
    found = []
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.status is not Status.FAILURE and not _could_fail(
                check.name, recorder.cases[case_id].value, scenario.document
            ):
                continue
            rule = RULE_OF.get(check.name, "response-schema")
            exchange = through.answered.get(case_id)
            proxy = None if exchange is None else between(exchange, scenario.target.sender.usual)
            if exchange is not None and (proxy is not None or is_unknown_method(exchange)):
                continue  # the run reports a proxy's response
            if rule == "valid-accepted" and exchange is not None and _is_about_a_cursor(exchange, scenario.document):
                continue  # only the server knows which cursors it issued
            if rule == "valid-accepted" and exchange is not None and exchange.request.method == "OPTIONS":
                rule = "preflight"  # it has no request that could be valid or invalid
            if check.status is not Status.FAILURE or check.failure_info is None:
                observed[rule] = observed.get(rule, 0) + 1
                continue
            if exchange is not None and _may_be_accepted(recorder.cases[case_id].value, exchange, scenario.document):
                continue  # and then, the response repeats what no schema allows
            failure = check.failure_info.failure
            if rule == "response-schema" and exchange is not None and exchange.status >= 500:
                continue  # `no-server-error` reports it
            message = " ".join(f"{failure.title}: {failure.message}".split())[:400]
            found.append(Finding(rule, violation=message, steps=_steps(scenario, exchange)))
    return found


def _could_fail(check: str, case: Case[Any], document: Document) -> bool:
    """Whether the check had anything to check: valid data, invalid data, a closed operation, an undeclared method."""
    mode = case.meta.generation.mode if case.meta is not None else None
    match check:
        case "positive_data_acceptance":
            return mode is GenerationMode.POSITIVE
        case "negative_data_rejection":
            return mode is GenerationMode.NEGATIVE
        case "ignored_auth":
            return any(case.operation.security.iter_parameters())
        case "unsupported_method":
            return case.method.lower() not in {each.method for each in document.operations.values()}
    return True


def _steps(scenario: Scenario, exchange: Exchange | None) -> tuple[Step, ...]:
    return (*scenario.steps, *([Send(scenario.project, exchange.request, exchange)] if exchange is not None else []))


def _crashes(through: Through, scenario: Scenario) -> Iterator[Finding]:
    """Requests that were answered by closing the connection although the server is still there."""
    for request in through.lost[:1]:
        with suppress(NotReachable):
            scenario.send("OPTIONS")
            steps = (*scenario.steps, Send(scenario.project, request))
            yield Finding("no-server-error", violation="the connection was closed without a response", steps=steps)


def _is_about_a_cursor(exchange: Exchange, document: Document) -> bool:
    """Whether a cursor was refused; some servers fail instead, where the document allows it."""
    rule = document.rules.get("list-cursor")
    statuses = rule.refusals if rule is not None else ()
    asked = parse_qs(urlsplit(exchange.request.url).query, keep_blank_values=True)
    return exchange.status in statuses and "cursor" in asked


def _may_be_accepted(case: Case[Any], exchange: Exchange, document: Document) -> bool:
    """Whether nothing is wrong but an event id that servers may accept all the same, by `event-id-format`."""
    rule, body, schemas = document.rules.get("event-id-format"), case.body, document.field_schemas
    if rule is None or exchange.status not in rule.also_allowed or not isinstance(body, dict):
        return False
    valid = {
        name: jsonschema_rs.validator_for(dict(schema), validate_formats=True).is_valid(body.get(name))
        for name, schema in schemas.items()
    }
    event_id = body.get("event_id")
    short = isinstance(event_id, str) and 0 < len(event_id) <= schemas["event_id"].get("maxLength", len(event_id))
    return short and not valid.pop("event_id") and all(valid.values())


def _stopped(event: events.NonFatalError | events.FatalError) -> Finding:
    """What Schemathesis could not do: a doubt if the target was lost, a remark if a request cannot be made."""
    reason = event.exception if isinstance(event, events.FatalError) else event.value
    if isinstance(event, events.FatalError) or isinstance(reason, OSError | Ended):
        told = str(reason) if isinstance(reason, Ended) else type(reason).__name__
        return Finding("response-schema", doubt=f"Schemathesis stopped early: {told}")
    return Finding("response-schema", remark=f"Schemathesis could not make every request ({type(reason).__name__})")
