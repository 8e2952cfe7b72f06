"""A report in which every text is the same, as from a hostile target. Asserts nothing."""

from dataclasses import replace
from datetime import UTC, datetime

from feedback_spec.document import load
from feedback_verify.baseline import Baseline
from feedback_verify.exchange import Exchange, Project, Request
from feedback_verify.reports import Report
from feedback_verify.steps import Advance, Look, Open, SaveEvent, Send, Step, Wait
from feedback_verify.verdicts import Probe, Result, Verdict

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def hostile_report(text: str) -> Report:
    """One rule of each verdict, including an accepted violation, with the text wherever a report has room for one."""
    document = load()
    rules = list(document.rules.values())[: len(Verdict) + 1]
    verdicts = [Verdict.VIOLATED, *Verdict]
    results = {
        rule.id: Result(
            replace(rule, rule=text, page=text),
            verdict,
            text + str(number),
            steps=tuple(_steps(text)),
            probes=(Probe("event-window", 0, 1, 200), Probe("overwrite-window", 0, 10**9, 599)),
        )
        for number, (rule, verdict) in enumerate(zip(rules, verdicts, strict=True))
    }
    return Report(
        text,
        text,
        1,
        results,
        frozenset(),
        stopped=True,
        sent=[step for step in _steps(text) if isinstance(step, Send)],
        mutability=document.mutability,
        baseline=Baseline({rules[1].id: text}, text),
        profile=text,
        trouble=text,
        digest=text,
        flags=[text],
    )


def _steps(text: str) -> list[Step]:
    project = Project(text, text, {})
    request = Request("POST", f"http://127.0.0.1:1/{text}", {text: text, "Content-Type": text}, text.encode())
    exchange = Exchange(request, 200, {text: text, "content-type": text, "location": text}, text.encode(), 0, 1)
    return [
        Open(project, exchange, "PROJECT_1"),
        SaveEvent(project, text, {"environment": text, "issue_status": text, "saved_ago": 1}, exchange),
        Look(project, exchange),
        Wait(5),
        SaveEvent(Project("other", text, {}), "other", {}, words=(text,)),
        Advance(project, 7),
        Send(project, request, exchange, expected=(409,), rule=text, now=NOW),
    ]
