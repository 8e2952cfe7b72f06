"""Every exchange of a run as an HTTP archive (HAR 1.2), for browser developer tools and proxies.

Each entry has a `_feedback` as in the mock's journal, with `now` on the project's own clock, if known, and in addition
the expected statuses and the instants to the microsecond. `rule` is the one that was tested; the server's `reason` is
not known. A request without a response has the status 0, as browsers write it.
"""

import io
import json
import re
from collections.abc import Iterable
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import harfile
from feedback_spec.bodies import event_ids
from feedback_spec.files import write
from feedback_spec.operations import operation_at, operations_of
from feedback_spec.validity import SUCCESS, Sent, Validity

from feedback_verify.exchange import Exchange
from feedback_verify.reports.causes import phrase
from feedback_verify.reports.data import shown
from feedback_verify.reports.report import Report
from feedback_verify.steps import Send

NAME = "feedback-verify"
HTTP = "HTTP/1.1"  # the only one that the verifier speaks
CUT = "Only the beginning of the body is kept."
UNANSWERED = "There was no response."
_ID = re.compile(r"[0-9a-f]{32}")


def write_har(report: Report, path: Path) -> None:
    """Writes the archive; bodies are truncated as in every report. Raises OSError."""
    made_by = version("sentry-feedback-contract")
    sent = [(each, exchange) for each in report.sent if (exchange := _exchange(each)) is not None]
    creator, browser = harfile.Creator(NAME, made_by), harfile.Browser(NAME, made_by)
    archive = io.StringIO()
    with harfile.HarFile.open(archive, creator=creator, browser=browser) as har:
        for _, exchange in sent:
            view = shown(report, exchange)
            milliseconds = max(exchange.received - exchange.sent, 0) / 1000
            har.add_entry(
                startedDateTime=report.began.instant(exchange.sent),
                time=milliseconds,
                request=_request(report, exchange, view["request"]),
                response=_response(view["response"]),
                timings=harfile.Timings(send=0, wait=milliseconds, receive=0),
            )
    content = json.loads(archive.getvalue())
    judge = _Judge(report)
    for number, (entry, (step, exchange)) in enumerate(zip(content["log"]["entries"], sent, strict=True), 1):
        entry["_feedback"] = {
            "number": number,
            "now": None if step.now is None else _instant(step.now),
            "state": "answered" if exchange.status else "lost",
            **judge.verdicts(step, exchange),
            "rule": step.rule or None,
            "reason": None,
            "fault": step.fault,
            "expected": list(step.expected) or None,
            "sent": report.began.instant(exchange.sent),
            "received": report.began.instant(exchange.received),
        }
    write(path, json.dumps(content, indent=2) + "\n")


class _Judge:
    """What the document says of requests and responses, without secrets."""

    def __init__(self, report: Report) -> None:
        self._report, self._prefix = report, urlsplit(report.target).path.rstrip("/")
        self._validity = Validity([report.openapi])
        self._operations = list(operations_of(report.openapi))

    def verdicts(self, step: Send, exchange: Exchange) -> dict[str, Any]:
        """The `operation` and `event_ids` of a request, and whether it and its response are valid."""
        request = exchange.request
        url, headers = urlsplit(request.sent_url), {name.lower(): each for name, each in request.sent_headers().items()}
        found = operation_at(self._operations, request.method, url.path.removeprefix(self._prefix))
        operation, path = (None, {}) if found is None else (found[0].id, found[1])
        refused = step.expected and not any(each in SUCCESS for each in step.expected)
        sent = Sent(
            operation=operation,
            path=path,
            query=url.query,
            headers=headers,
            body=request.content,
            whole="content-encoding" not in headers,
            rule=step.rule if refused else "",
            accepted=exchange.status in SUCCESS,
        )
        body = b"" if request.method == "HEAD" else exchange.content
        answer = self._validity.of_answer(operation, exchange.status, body) if exchange.status else None
        ids = event_ids(request.content, headers.get("content-type", ""))
        return {
            "operation": operation,
            "event_ids": sorted(each for each in map(self._report.clean, ids) if _ID.fullmatch(each)),
            "request": self._clean(self._validity.of_request(sent)),
            "answer": None if answer is None else self._clean(answer),
        }

    def _clean(self, verdict: dict[str, Any]) -> dict[str, Any]:
        problems = [{name: self._report.clean(text) for name, text in each.items()} for each in verdict["problems"]]
        return {**verdict, "problems": problems}


def _exchange(step: Send) -> Exchange | None:
    """The exchange of the step, with the status 0 if there was no response; None if it was not seen to be sent."""
    if step.unanswered is None:
        return step.exchange
    return Exchange(step.request, 0, {}, b"", *step.unanswered)


def _instant(now: datetime) -> str:
    return now.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _request(report: Report, exchange: Exchange, request: dict[str, Any]) -> harfile.Request:
    body = request["body"]
    media_type = next((value for name, value in request["headers"].items() if name.lower() == "content-type"), "")
    data = harfile.PostData(media_type, params=[], text=body["text"], comment=CUT if body["cut"] else None)
    return harfile.Request(
        method=request["method"],
        url=request["url"],
        httpVersion=HTTP,
        headers=_records(request["headers"].items()),
        queryString=_records(parse_qsl(urlsplit(exchange.request.shown_url).query, keep_blank_values=True), report),
        postData=data if body["bytes"] else None,
        bodySize=body["bytes"],
    )


def _response(response: dict[str, Any]) -> harfile.Response:
    body, headers = response["body"], response["headers"]
    return harfile.Response(
        status=response["status"],
        statusText=phrase(response["status"]),
        httpVersion=HTTP,
        headers=_records(headers.items()),
        content=harfile.Content(size=body["bytes"], mimeType=headers.get("content-type", ""), text=body["text"]),
        redirectURL=headers.get("location", ""),
        bodySize=body["bytes"],
        comment=CUT if body["cut"] else None if response["status"] else UNANSWERED,
    )


def _records(pairs: Iterable[tuple[str, str]], report: Report | None = None) -> list[harfile.Record]:
    clean = report.clean if report else str
    return [harfile.Record(name=clean(name), value=clean(value)) for name, value in pairs]
