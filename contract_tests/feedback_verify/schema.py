"""Schemathesis over the document, with its verdicts put in the words of the rule catalogue.

Two settings make it honest for this endpoint: only 2xx counts as acceptance of valid data, and the path's
parameters are pinned to a project that exists; without them 409 and 404 answers pass for success.
"""

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jsonschema_rs
import schemathesis
from feedback_spec.document import Document
from schemathesis.engine import Status, events, from_schema
from schemathesis.engine.recorder import Interaction, ScenarioRecorder
from schemathesis.schemas import BaseSchema

from feedback_verify.exchange import Exchange, Request
from feedback_verify.scenario import Scenario
from feedback_verify.steps import Send, Step
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


def run(scenario: Scenario, document: Document, seed: int, examples: int) -> list[Finding]:
    """What Schemathesis finds in one project of the target, by rule."""
    schema: BaseSchema = schemathesis.openapi.from_dict(document.openapi, config=_config(scenario, seed, examples))
    if scenario.default_credentials == "dsn" and (closed := _closed_to_a_dsn(document)):
        schema = schema.exclude(operation_id=closed)
    schema.app = scenario.target.application
    schema.hook("filter_body")(_not_padded if document.behaviour.nul == "accepted" else _neither_padded_nor_nul)
    observed: dict[str, int] = {}
    findings: list[Finding] = []
    with warnings.catch_warnings(), _fresh_event_ids(scenario):
        warnings.simplefilter("ignore")  # of Schemathesis and what it stands on; none is about the target
        for event in from_schema(schema).execute():
            if isinstance(event, events.ScenarioFinished):
                findings += _findings(event.recorder, scenario, observed)
                answered = (_exchange(each, scenario) for each in event.recorder.interactions.values())
                scenario.exchanges += [each for each in answered if each is not None]
            elif isinstance(event, (events.NonFatalError, events.FatalError)):
                findings.append(_stopped(event))
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
        "request-timeout": 30.0,
    }
    config["checks"]["positive_data_acceptance"]["expected-statuses"] = ["2xx"]
    config["checks"]["negative_data_rejection"]["expected-statuses"] = ["4xx"]
    return schemathesis.Config.from_dict(config)


def _closed_to_a_dsn(document: Document) -> list[str]:
    """The operations that take other credentials only, by their ids."""
    return [
        name
        for name, operation in document.operations.items()
        if operation.security and not any(each.type == "apiKey" for kinds in operation.security for each in kinds)
    ]


def _not_padded(_context: Any, body: Any) -> bool:
    """Values with white space around them are cut before the schema is looked at: the rule `trimmed` tests them."""
    if not isinstance(body, dict):
        return True
    return all(value == value.strip() for value in body.values() if isinstance(value, str))


def _neither_padded_nor_nul(context: Any, body: Any) -> bool:
    """Where the character NUL is refused, the rule `field-nul` tests it; no keyword of a schema says it readably."""
    texts = body.values() if isinstance(body, dict) else ()
    return _not_padded(context, body) and not any(isinstance(each, str) and "\0" in each for each in texts)


@contextmanager
def _fresh_event_ids(scenario: Scenario) -> Iterator[None]:
    """Gives every valid event id anew: one that was used before may be past its window, on a target that keeps data."""
    known = jsonschema_rs.validator_for(dict(scenario.document.field_schemas["event_id"]))

    def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
        body = case.body
        if isinstance(body, dict) and isinstance(body.get("event_id"), str) and known.is_valid(body["event_id"]):
            case.body = {**body, "event_id": scenario.new_event_id()}

    # This hook sees examples too, and Schemathesis has it for all schemas only.
    schemathesis.hook(before_call)
    try:
        yield
    finally:
        schemathesis.hooks.unregister(before_call)


def _findings(recorder: ScenarioRecorder, scenario: Scenario, observed: dict[str, int]) -> list[Finding]:
    found = []
    for case_id, checks in recorder.checks.items():
        for check in checks:
            rule = RULE_OF.get(check.name, "response-schema")
            if rule == "valid-accepted" and recorder.interactions[case_id].request.method == "OPTIONS":
                rule = "preflight"  # it has no request that could be valid or not
            if check.status is not Status.FAILURE or check.failure_info is None:
                observed[rule] = observed.get(rule, 0) + 1
                continue
            failure = check.failure_info.failure
            response = recorder.interactions[case_id].response
            if rule == "response-schema" and response is not None and response.status_code >= 500:
                continue  # `no-server-error` speaks of it
            message = " ".join(f"{failure.title}: {failure.message}".split())[:400]
            found.append(Finding(rule, violation=message, steps=_steps(recorder, case_id, scenario)))
    return found


def _steps(recorder: ScenarioRecorder, case_id: str, scenario: Scenario) -> tuple[Step, ...]:
    interaction = recorder.interactions[case_id]
    request = _request(interaction, scenario)
    return (*scenario.steps, Send(scenario.project, request, _exchange(interaction, scenario)))


def _request(interaction: Interaction, scenario: Scenario) -> Request:
    sent = interaction.request
    dropped = {"user-agent", "accept-encoding", "accept", "connection", "content-length", "x-schemathesis-testcaseid"}
    # The credentials that it was given come back as texts.
    ours = {each.value: each for each in scenario.project.credentials.values()}
    headers = {
        name: ours.get(values[0], values[0]) for name, values in sent.headers.items() if name.lower() not in dropped
    }
    return Request(sent.method, sent.uri, headers, sent.body or b"")


def _exchange(interaction: Interaction, scenario: Scenario) -> Exchange | None:
    """The interaction as an exchange of the run; None where there was no answer."""
    response = interaction.response
    if response is None:
        return None
    headers = {name.lower(): ", ".join(values) for name, values in response.headers.items()}
    # Schemathesis notes the wall clock when it is done; exchanges are on the monotonic one.
    received = time.monotonic_ns() // 1000 - round((time.time() - interaction.timestamp) * 1_000_000)
    sent = received - round(response.elapsed * 1_000_000)
    request = _request(interaction, scenario)
    return Exchange(request, response.status_code, headers, response.content or b"", sent, received)


def _stopped(event: events.NonFatalError | events.FatalError) -> Finding:
    """What Schemathesis could not do: a doubt where the target was lost, a remark where a request cannot be made."""
    reason = event.exception if isinstance(event, events.FatalError) else event.value
    if isinstance(event, events.FatalError) or isinstance(reason, OSError):
        return Finding("response-schema", doubt=f"Schemathesis stopped early: {type(reason).__name__}")
    return Finding("response-schema", remark=f"Schemathesis could not make every request ({type(reason).__name__})")
