"""Who may submit."""

import json

from feedback_verify.checks.base import Check
from feedback_verify.exchange import Credential
from feedback_verify.scenario import Scenario

UNKNOWN_TOKEN = "Bearer 0000000000000000000000000000000000000000000000000000000000000000"
UNKNOWN_DSN = "DSN https://00000000000000000000000000000000@sentry.example/1"


def a_token_may_submit(s: Scenario) -> None:
    """In any spelling of the scheme."""
    token = s.project.credentials["write"]
    for spelling in ("Bearer", "bearer"):
        reply = s.send("POST", authorization=token.spelled(spelling), headers=_JSON, content=_body(s))
        s.expect_status(reply, 200, f"a valid token with the scheme {spelling}")


def the_dsn_may_submit(s: Scenario) -> None:
    """In any spelling of the scheme; the answer is a token's or, on servers in use, empty."""
    dsn = s.project.credentials["dsn"]
    for spelling in ("DSN", "dsn"):
        reply = s.send("POST", authorization=dsn.spelled(spelling), headers=_JSON, content=_body(s))
        s.expect_status(reply, 200, f"a valid DSN with the scheme {spelling}")
        if s.behaviour.dsn_success == "empty":
            s.expect(not reply.content, "the answer to a DSN has a body")
        elif reply.content:
            s.expect("id" in reply.object, "the answer to a DSN is not the feedback that is stored")
        else:
            s.finding = "finding: the answer to a DSN has no body"


def without_credentials_nothing_is_stored(s: Scenario) -> None:
    """No header, and schemes that do not exist."""
    for authorization in (None, "Nonsense abc", "bearer-token", "Basic eDp5"):
        reply = s.send("POST", by="none", authorization=authorization, headers=_JSON, content=_body(s))
        s.expect_status(reply, 401, f"Authorization: {authorization or '(none)'}")
    s.nothing_stored("without credentials")


def an_unknown_token_stores_nothing(s: Scenario) -> None:
    """A token that nobody was given."""
    values: list[str | Credential] = [UNKNOWN_TOKEN]
    if "dsn" in s.project.credentials:
        values += [s.project.credentials["dsn"].spelled("Bearer"), f"Bearer {_key(s)}"]
    for authorization in values:
        reply = s.send("POST", authorization=authorization, headers=_JSON, content=_body(s))
        s.expect_status(reply, 401, "an unknown token, or a DSN as one")
    s.nothing_stored("with an unknown token")


def an_unknown_dsn_stores_nothing(s: Scenario) -> None:
    """DSNs that nobody was given."""
    values = [UNKNOWN_DSN]
    if "dsn" in s.project.credentials:
        key = _key(s)
        dashed = "-".join((key[:8], key[8:12], key[12:16], key[16:20], key[20:]))
        values += [f"DSN {s.project.credentials['dsn'].secret.replace(key, dashed)}", "DSN nonsense"]
    for authorization in values:
        reply = s.send("POST", authorization=authorization, headers=_JSON, content=_body(s))
        s.expect_status(reply, 401, "an unknown DSN")
    s.nothing_stored("with an unknown DSN")


def the_public_key_alone_is_no_dsn(s: Scenario) -> None:
    """Nor with the scheme alone in front."""
    key = _key(s)
    for authorization in (f"DSN {key}", f"DSN {key}@"):
        reply = s.send("POST", authorization=authorization, headers=_JSON, content=_body(s))
        s.expect_status(reply, 401, "a part of a DSN")
    s.nothing_stored("with a part of a DSN")


def a_scheme_without_a_value_is_refused(s: Scenario) -> None:
    """The scheme alone."""
    for authorization in ("DSN", "dsn", "Bearer"):
        reply = s.send("POST", authorization=authorization, headers=_JSON, content=_body(s))
        s.expect_status(reply, 401, f"the scheme {authorization} without a value")


def a_value_with_spaces_is_refused(s: Scenario) -> None:
    """Two words behind the scheme."""
    for authorization in ("DSN one two", "Bearer one two"):
        reply = s.send("POST", authorization=authorization, headers=_JSON, content=_body(s))
        s.expect_status(reply, 401, f"{authorization.partition(' ')[0]} with a space in its value")


def a_reading_token_may_not_submit(s: Scenario) -> None:
    """And stores nothing."""
    s.expect_status(s.submit(by="read"), 403, "a token with the scope project:read")
    s.nothing_stored("with a token that may only read")


def a_token_of_another_project_does_not_open_this_one(s: Scenario) -> None:
    """And stores nothing."""
    other = s.other_project()
    foreign = other.credentials["write"]
    reply = s.send("POST", authorization=foreign, headers=_JSON, content=_body(s))
    s.expect_status(reply, 403, "a token of another project")
    s.nothing_stored("with a token of another project")


def a_dsn_of_another_project_does_not_open_this_one(s: Scenario) -> None:
    """Servers differ in the status, not in the refusal."""
    foreign = s.foreign_dsn()
    reply = s.send("POST", authorization=foreign, headers=_JSON, content=_body(s))
    s.expect_status(reply, (400, 401, 403), "the DSN of another project")
    s.nothing_stored("with the DSN of another project")


def a_dsn_of_another_organization_does_not_open_this_one(s: Scenario) -> None:
    """Even where the project has the same name."""
    foreign = s.other_project(same_organization=False).credentials["dsn"]
    reply = s.send("POST", authorization=foreign, headers=_JSON, content=_body(s))
    s.expect_status(reply, (400, 401, 403), "the DSN of another organization's project")
    s.nothing_stored("with the DSN of another organization's project")


_JSON = {"Content-Type": "application/json"}


def _body(s: Scenario) -> bytes:
    return json.dumps(s.submission()).encode()


def _key(s: Scenario) -> str:
    """The public key of the project's DSN, with the secret one where there is one."""
    return s.project.credentials["dsn"].secret.partition("//")[2].partition("@")[0]


CHECKS = (
    Check("bearer", a_token_may_submit),
    Check("dsn", the_dsn_may_submit),
    Check("credentials-required", without_credentials_nothing_is_stored),
    Check("credentials-known", an_unknown_token_stores_nothing),
    Check("dsn-known", an_unknown_dsn_stores_nothing),
    Check("dsn-known", the_public_key_alone_is_no_dsn, ("dsn",)),
    Check("credentials-empty", a_scheme_without_a_value_is_refused),
    Check("credentials-spaces", a_value_with_spaces_is_refused),
    Check("scope", a_reading_token_may_not_submit),
    Check("project-token", a_token_of_another_project_does_not_open_this_one),
    Check("dsn-other-project", a_dsn_of_another_project_does_not_open_this_one),
    Check("dsn-other-organization", a_dsn_of_another_organization_does_not_open_this_one),
)
