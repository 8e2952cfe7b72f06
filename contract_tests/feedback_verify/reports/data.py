"""The report for programs: JSON, as described by `contract_tests/feedback_verify/report.schema.json`."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from feedback_spec.files import write
from feedback_spec.instants import format_duration, format_instant

from feedback_verify.exchange import PREVIEW, Exchange
from feedback_verify.reports.causes import entries
from feedback_verify.reports.report import Report
from feedback_verify.reports.timeline import Moment, moments
from feedback_verify.verdicts import SEEN, Result, Verdict

FORMAT = 1


def as_json(report: Report) -> dict[str, Any]:
    """The report as JSON data."""
    return {
        "format": FORMAT,
        "version": version("sentry-feedback-contract"),
        "target": report.clean(report.target),
        "document": report.document,
        "profile": report.profile,
        "digest": report.digest,
        "began": format_instant(report.began.wall),
        "took": format_duration(report.took),
        "clock": report.clock,
        "capabilities": sorted(report.capabilities),
        "flags": [report.clean(flag) for flag in report.flags],
        "costs": [report.clean(sentence) for sentence in report.costs()],
        "seed": report.seed,
        "stopped": report.stopped,
        "trouble": None if report.trouble is None else report.clean(report.trouble),
        "exit_code": report.exit_code,
        "summary": report.counts(),
        "headline": report.clean(report.headline()),
        "stale": list(report.stale),
        "lost": list(report.lost),
        "causes": [
            {"verdict": each.verdict.value, "cause": each.cause, "rules": [result.rule.id for result in each.results]}
            for each in entries(report)
            if each.verdict not in SEEN
        ],
        "rules": [_rule(report, result) for result in report.results.values()],
    }


def write_json(report: Report, path: Path) -> None:
    """Writes the JSON report. Raises OSError."""
    write(path, json.dumps(as_json(report), indent=2) + "\n")


def _rule(report: Report, result: Result) -> dict[str, Any]:
    probes = [
        {
            "window": probe.window,
            "earliest": format_duration(probe.earliest),
            "latest": format_duration(probe.latest),
            "status": probe.status,
        }
        for probe in result.probes
    ]
    violated = result.verdict is Verdict.VIOLATED
    return {
        "id": result.rule.id,
        "group": result.rule.group,
        "level": result.rule.level,
        "rule": result.rule.rule,
        "page": result.rule.page,
        "source": result.rule.source,
        "verdict": result.verdict.value,
        "required": result.required,
        "accepted": report.accepted(result),
        "detail": report.clean(result.detail),
        "observations": result.observations,
        "took": format_duration(result.took),
        "timeline": [_moment(moment) for moment in moments(result.steps, violated=violated)],
        "reproduction": report.reproduction(result),
        "program": report.program(result) if violated else None,
        "plan": report.plan(result) if violated else [],
        "probes": probes,
        "exchanges": [shown(report, step.exchange) for step in result.steps if step.exchange is not None],
    }


def _moment(moment: Moment) -> dict[str, Any]:
    return {
        "at": format_duration(moment.at),
        "what": moment.what,
        "answer": moment.answer,
        "expected": moment.expected,
        "wrong": moment.wrong,
    }


def shown(report: Report, exchange: Exchange) -> dict[str, Any]:
    """A request and its response as JSON data, without secrets, and with the beginning of each body."""
    request = exchange.request
    headers = {name: report.clean(value) for name, value in request.shown_headers().items()}
    return {
        "request": {
            "method": request.method,
            "url": report.clean(request.shown_url),
            "headers": headers,
            "body": shown_body(report, request.content),
        },
        "response": {
            "status": exchange.status,
            "headers": {name: report.clean(value) for name, value in exchange.headers.items()},
            "body": shown_body(report, exchange.content),
        },
    }


def shown_body(report: Report, content: bytes) -> dict[str, Any]:
    """The length and beginning of a body; `cut` says whether there is more."""
    cut = len(content) > PREVIEW
    longest = max(map(len, report.secrets), default=0)
    text = report.clean(content[: PREVIEW + longest if cut else None].decode(errors="replace"))
    return {"bytes": len(content), "text": text[:PREVIEW] if cut else text, "cut": cut}
