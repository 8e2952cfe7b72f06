"""The report for CI servers: JUnit, one testcase per rule, with the time it took."""

import io
import re
from pathlib import Path

from feedback_spec.files import write
from feedback_spec.instants import SECOND, format_instant
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from feedback_verify.reports.report import Report
from feedback_verify.reports.timeline import moments
from feedback_verify.verdicts import Result, Verdict

# Characters that XML 1.0 cannot contain, however they are escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(report: Report, path: Path) -> None:
    """Writes the JUnit report; rules that are not verified are skipped, with the reason. Raises OSError."""
    suite = TestSuite("feedback-verify")
    suite.timestamp = format_instant(report.began.wall)[:19]
    for name, value in report.facts.items():
        suite.add_property(name, _xml(value))
    for sentence in report.costs():
        suite.add_property("To know more", _xml(report.clean(sentence)))
    for result in report.results.values():
        suite.add_testcase(_case(report, result))
    if report.trouble is not None:
        case = TestCase("run", "feedback-verify")
        case.result = [Error(_xml(report.clean(report.trouble)), "trouble")]
        suite.add_testcase(case)
    for sentence in report.stale:
        case = TestCase(_xml(sentence), "feedback-verify.baseline")
        case.result = [Failure(_xml(sentence), "stale")]
        suite.add_testcase(case)
    for sentence in report.lost:
        case = TestCase(_xml(sentence), "feedback-verify.require")
        case.result = [Failure(_xml(sentence), "no longer verified")]
        suite.add_testcase(case)
    xml = JUnitXml("feedback-verify")
    xml.add_testsuite(suite)
    content = io.BytesIO()
    xml.write(content, pretty=True)
    write(path, content.getvalue().decode())


def _case(report: Report, result: Result) -> TestCase:
    case = TestCase(result.rule.id, f"feedback-verify.{result.rule.group}")
    case.time = result.took / SECOND
    detail, reason = report.clean(result.detail), report.accepted(result)
    if reason is not None:
        case.result = [Skipped(_xml(f"violated, accepted ({reason}): {detail}"))]
    elif result.verdict is Verdict.VIOLATED:
        failure = Failure(_xml(detail), "violated")
        when = [
            report.clean(f"{each.when} {each.what} {each.told}".strip())
            for each in moments(result.steps, violated=True)
        ]
        lines = report.plan(result) or report.reproduction(result)
        failure.text = _xml("\n".join([result.rule.rule, detail, *when, *lines]))
        case.result = [failure]
    elif result.verdict is not Verdict.VERIFIED:
        case.result = [Skipped(_xml(f"{result.verdict}: {detail}"))]
    return case


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
