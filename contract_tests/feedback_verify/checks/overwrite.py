"""What an overwrite keeps and what it replaces, and that projects do not see each other."""

from feedback_spec.rules import Base

from feedback_verify.checks.base import Check
from feedback_verify.scenario import CHANGED, VALUES, Scenario

MANY = 40  # overwrites, more than any retry makes


def a_further_submission_replaces_the_values(s: Scenario) -> None:
    """All three, one at a time, and values that a careless comparison considers equal."""
    body = s.submission()
    s.accepted(s.submit(body))
    values: dict[str, str] = dict(VALUES)
    nearly = (
        {"name": "jane SMITH"},
        {"email": "Jane@example.com"},
        {"comments": "It  broke!"},
        {"comments": "It\nbroke!"},
    )
    for change in (CHANGED, *({field: VALUES[field]} for field in VALUES), *nearly):
        values = {**values, **change}
        if change in nearly:
            s.accepted(s.submit(s.submission(**values)), "a first submission of these values")
        reply = s.submit({**body, **values})
        s.expect_accepted(reply, "an overwrite immediately")
        answered = {field: reply.object.get(field) for field in values}
        s.expect(answered == values, f"after an overwrite with {values} the response says {answered}")
        if "records" in s.target.capabilities:
            stored = [{field: each.get(field) for field in values} for each in s.records(body["event_id"])]
            s.expect(stored == [values], f"after an overwrite with {values} the record is {stored}")


def overwrites_have_no_number(s: Scenario) -> None:
    """Only the window limits them."""
    body = s.submission()
    s.accepted(s.submit(body))
    for number in range(1, MANY + 1):
        name = f"Jane {number}"
        reply = s.submit({**body, "name": name})
        s.expect_accepted(reply, f"overwrite {number} of the same feedback, in the window")
        answered = reply.object.get("name")
        s.expect(answered == name, f"overwrite {number} with the name {name!r} is answered with {answered!r}")


def an_overwrite_keeps_id_and_date(s: Scenario) -> None:
    """Some time later, if the clock can be moved."""
    body = s.submission()
    first = s.accepted(s.submit(body))
    for _ in range(2):
        if "clock" in s.target.capabilities:
            s.advance(s.limit("feedback") // 3)
        second = s.accepted(s.submit({**body, **CHANGED}), "the overwrite")
        kept = (
            ("id", "eventID") if s.behaviour.date_created is Base.LAST_SUBMITTED else ("id", "eventID", "dateCreated")
        )
        for field in kept:
            s.expect(
                second.get(field) == first.get(field),
                f"{field} was {first.get(field)!r}, now it is {second.get(field)!r}",
            )


def there_is_one_record_of_an_event(s: Scenario) -> None:
    """After three submissions."""
    body = s.submission()
    for _ in range(3):
        s.accepted(s.submit({**body, **CHANGED}))
    count = len(s.records(body["event_id"]))
    s.expect(count == 1, f"after three submissions for one event there are {count} records")


def a_retry_is_answered_like_the_first_try(s: Scenario) -> None:
    """The same bytes again."""
    body = s.submission()
    first = s.accepted(s.submit(body))
    second = s.submit(body)
    s.expect_accepted(second, "the same submission again, immediately")
    for field in ("eventID", "name", "email", "comments"):
        again, before = second.object.get(field), first.get(field)
        s.expect(again == before, f"the retry returns {field} {again!r}, the first try {before!r}")


def either_credentials_overwrite(s: Scenario) -> None:
    """Token then DSN, DSN then token."""
    plain = s.submission()
    s.accepted(s.submit(plain))
    again = s.accepted(s.submit({**plain, **CHANGED}), "an overwrite with the same credentials")
    s.given(again.get("name") == CHANGED["name"], "an overwrite with the same credentials replaces nothing either")
    s.accepted(s.submit(by="dsn"), "a submission by DSN")
    for first_by, second_by in (("write", "dsn"), ("dsn", "write")):
        body = s.submission()
        first = s.accepted(s.submit(body, by=first_by))
        second = s.submit({**body, **CHANGED}, by=second_by)
        s.expect_accepted(second, f"submitted by {first_by}, overwritten by {second_by}")
        if first and second.object:
            s.expect(second.object.get("id") == first.get("id"), "other credentials created a second record")
            s.expect(second.object.get("name") == CHANGED["name"], "other credentials did not overwrite")
        if "records" in s.target.capabilities:
            count = len(s.records(body["event_id"]))
            s.expect(count == 1, f"submitted by {first_by} and by {second_by}, there are {count} records")


def the_same_event_id_in_two_projects_is_two_records(s: Scenario) -> None:
    """The second project's submission is a first one, however late."""
    other = s.other_project()
    body = s.submission()
    s.accepted(s.submit(body))
    s.advance(s.limit("feedback") + 1)
    s.advance(s.limit("feedback") + 1, project=other)
    second = s.submit({**body, **CHANGED}, project=other)
    s.expect_accepted(second, "the first submission in another project")
    own = s.records(body["event_id"])
    s.expect([each.get("name") for each in own] == [VALUES["name"]], f"the first project's record became {own}")
    s.expect(len(s.records(project=other)) == 1, "the second project does not have exactly one record")


def events_of_another_project_are_unknown(s: Scenario) -> None:
    """Neither their issue nor their age is visible."""
    other = s.other_project()
    for saved_ago in (0, s.limit("event") + 1):
        body = s.submission()
        s.save_event(body["event_id"], project=other, saved_ago=saved_ago)
        reply = s.submit(body)
        s.expect_accepted(reply, "feedback for an event that only another project knows")
        s.expect(reply.object.get("issue") is None, "the response contains the issue of another project's event")


def the_same_slug_in_two_organizations_is_two_projects(s: Scenario) -> None:
    """Feedback does not cross organizations either."""
    other = s.other_project(same_organization=False)
    body = s.submission()
    s.accepted(s.submit(body))
    s.expect_accepted(s.submit(body, project=other), "the first submission in another organization")
    s.expect(len(s.records(project=other)) == 1, "the other organization's project does not have exactly one record")


def the_clock_of_one_project_is_its_own(s: Scenario) -> None:
    """Moving it makes no feedback in another project late."""
    other = s.other_project()
    body = s.submission()
    s.accepted(s.submit(body))
    s.accepted(s.submit(body), "an overwrite immediately")
    s.advance(s.limit("feedback") + 1, project=other)
    s.expect_accepted(s.submit(body), "an overwrite immediately, after the clock of another project moved")


CHECKS = (
    Check("overwrite", a_further_submission_replaces_the_values),
    Check("overwrite", overwrites_have_no_number),
    Check("overwrite-same-record", an_overwrite_keeps_id_and_date),
    Check("overwrite-one-record", there_is_one_record_of_an_event),
    Check("retry-safe", a_retry_is_answered_like_the_first_try),
    Check("any-credentials-overwrite", either_credentials_overwrite),
    Check("project-isolation", the_same_event_id_in_two_projects_is_two_records, ("records", "clock")),
    Check("project-isolation", events_of_another_project_are_unknown, ("aged-event",)),
    Check("project-isolation", the_same_slug_in_two_organizations_is_two_projects, ("records",)),
    Check("project-isolation", the_clock_of_one_project_is_its_own, ("clock",)),
)
