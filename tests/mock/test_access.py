"""Who may do what: the Authorization header as it is read, and every refusal in its order. No HTTP."""

from collections.abc import Collection, Iterator
from dataclasses import FrozenInstanceError, fields, replace
from hashlib import sha256
from itertools import product
from typing import Any

import pytest
from feedback_mock.credentials import BEARER, DSN, TOKEN_SCOPES, Dsn, Token, Unusable, derive, parse
from feedback_mock.exchange import Exchange
from feedback_mock.feedback.access import Access
from feedback_mock.result import Refused
from feedback_mock.store import Project, Store
from feedback_spec.behaviour import Behaviour

WRITE = {"project:write", "project:admin"}
PLAIN = Behaviour()


class Server:
    """Two organizations: acme with web and ios, umbrella with web."""

    def __init__(self, made_at: str = "") -> None:
        self.store = Store(lambda: 0, made_at=made_at)
        self.web, self.ios, self.other = [*self._made()]

    def _made(self) -> Iterator[Project]:
        for organization, slug in (("acme", "web"), ("acme", "ios"), ("umbrella", "web")):
            of_its_own = "".join(organization)  # as in a request: equal to others, and not identical
            made = self.store.put_project(of_its_own, slug, self.store.new_clock())
            assert made is not None
            yield made

    def access(
        self,
        kinds: Collection[str] = (BEARER, DSN),
        scopes: Collection[str] | None = WRITE,
        behaviour: Behaviour = PLAIN,
    ) -> Access:
        return Access(self.store, kinds, scopes, behaviour)


@pytest.fixture
def server() -> Server:
    return Server()


def exchange(header: str | None, organization: str = "acme", project: str = "web", **headers: str) -> Exchange:
    sent = {**({} if header is None else {"authorization": header}), **headers}
    path = {"organization_slug": organization, "project_slug": project}
    return Exchange({"headers": [(k.encode(), v.encode("latin-1")) for k, v in sent.items()], "path_params": path})


def bearer(project: Project, kind: str = "write") -> str:
    return f"Bearer {project.credentials.tokens[kind]}"


def dsn(project: Project, number: str | None = None) -> str:
    return f"DSN http://{project.credentials.public_key}@127.0.0.1/{project.id if number is None else number}"


def rule(refused: Refused | None) -> Any:
    return None if refused is None else refused.rule


# --- the header


def test_of_two_headers_none_is_chosen(server: Server) -> None:
    """A proxy may have looked at the other one; together they are no credentials (RFC 9110, 5.3)."""
    project = server.web
    headers = [(b"authorization", bearer(project).encode()), (b"authorization", b"Bearer other")]
    path = {"organization_slug": "acme", "project_slug": "web"}

    for each in (headers, headers[::-1]):
        assert rule(server.access().check(Exchange({"headers": each, "path_params": path}))) == "credentials-spaces"


@pytest.mark.parametrize(
    ("header", "read"),
    [
        (None, Unusable("credentials-required", "no Authorization header")),
        (b"", Unusable("credentials-required", "the Authorization header is not Bearer or DSN")),
        (b"abc", Unusable("credentials-required", "the Authorization header is not Bearer or DSN")),
        (b"Basic abc", Unusable("credentials-required", "the Authorization header is not Bearer or DSN")),
        (b"Bearerabc", Unusable("credentials-required", "the Authorization header is not Bearer or DSN")),
        (b"Bearer", Unusable("credentials-empty")),
        (b"dsn  ", Unusable("credentials-empty")),
        (b"DSN", Unusable("credentials-empty")),
        (b"Bearer a b", Unusable("credentials-spaces")),
        (b"DSN a b c", Unusable("credentials-spaces")),
        (b"Bearer a", Token("a")),
        (b"  bEARER   a  ", Token("a")),
        (b"Bearer \xe9", Token("\xe9")),
        (b"DSN http://key@host:80/path/7", Dsn("key", "7")),
        (b"dsn https://key:secret@host/7", Dsn("key", "7")),
        (b"DSN http://key@host/", Dsn("key", "")),
        (b"DSN http://key@host/7/", Dsn("key", "")),
        (b"DSN http://key@host", Dsn("key", "")),
        (b"DSN http://host/7", Dsn("", "7")),
        (b"DSN http://[", Dsn("", "")),
        (b"DSN key", Dsn("", "key")),
    ],
)
def test_header_is_read_as_real_servers_read_it(header: bytes | None, read: Any) -> None:
    assert parse(header) == read
    assert parse(header) == read  # from the cache


@pytest.mark.parametrize("value", [Token("a"), Dsn("a", "1"), Unusable("a"), derive("a", "b")])
def test_credentials_do_not_change(value: Any) -> None:
    """Requests with the same header share them."""
    with pytest.raises(FrozenInstanceError):
        setattr(value, fields(value)[0].name, "b")


@pytest.mark.parametrize("size", [499, 500, 501, 5_000])
def test_header_of_any_length_is_read(size: int) -> None:
    token = "a" * (size - len("Bearer "))

    assert parse(f"Bearer {token}".encode()) == Token(token)


@pytest.mark.parametrize(("size", "found"), [(499, 1), (500, 0), (501, 0)])
def test_long_headers_are_not_kept(size: int, found: int) -> None:
    """So that the memory they take is bounded."""
    header = b"Bearer ".ljust(size, b"b")
    parse(header)
    before = parse_cache()
    parse(header)

    assert parse_cache().hits - before.hits == found
    assert parse_cache().maxsize is not None


def parse_cache() -> Any:
    from feedback_mock.credentials import _parse_known  # noqa: PLC0415 (nothing else tests the cache)

    return _parse_known.cache_info()


def test_credentials_depend_on_the_names_and_the_secret() -> None:
    def digest(text: str) -> str:
        return sha256(text.encode()).hexdigest()

    plain, secret = derive("acme", "web"), derive("acme", "web", "s")

    assert plain.public_key == digest("acme/web/dsn")[:32]
    assert plain.tokens == {kind: digest(f"acme/web/{kind}") for kind in ("write", "read", "admin")}
    assert secret.tokens["write"] == digest("sacme/web/write")
    assert {
        "write": {"project:read", "project:write"},
        "read": {"project:read"},
        "admin": {"project:admin"},
    } == TOKEN_SCOPES


# --- access


@pytest.mark.parametrize("header", [bearer, dsn])
def test_credentials_open_their_project(server: Server, header: Any) -> None:
    for project in (server.web, server.other):
        opened = exchange(header(project), project.organization, project.slug)

        assert server.access().check(opened) is None
        assert opened.project is project
        assert opened.by_dsn is (header is dsn)


@pytest.mark.parametrize("header", ["Bearer", "Bearer a b", "nothing", None, "Bearer unknown", "DSN http://key@host/1"])
def test_refusal_opens_nothing(server: Server, header: str | None) -> None:
    refused = exchange(header)

    assert server.access().check(refused) is not None
    assert (refused.project, refused.by_dsn) == (None, False)


def test_unusable_header_is_refused_by_its_rule_and_reason(server: Server) -> None:
    assert server.access().check(exchange(None)) == Refused("credentials-required", "no Authorization header")
    assert server.access().check(exchange("Bearer")) == Refused("credentials-empty")


def test_token_that_nobody_has_is_unknown(server: Server) -> None:
    access = server.access()

    assert access.check(exchange("Bearer no")) == Refused("credentials-known", "no project has this token")
    assert access.check(exchange("Bearer no", "acme", "no")) == Refused(
        "credentials-known", "there is no project acme/no"
    )


def test_token_needs_one_of_the_scopes(server: Server) -> None:
    kinds = {"write": WRITE, "read": {"project:read"}, "admin": {"project:admin"}}
    opened = {
        (needed, kind): server.access(scopes=kinds[needed]).check(exchange(bearer(server.web, kind))) is None
        for needed, kind in product(kinds, kinds)
    }

    assert {pair for pair, allowed in opened.items() if allowed} == {
        ("write", "write"),
        ("write", "admin"),
        ("read", "write"),
        ("read", "read"),
        ("admin", "admin"),
    }


def test_refused_scope_names_what_the_token_has_and_needs(server: Server) -> None:
    two, none = server.access(), server.access(scopes=None)
    read = exchange(bearer(server.web, "read"))

    assert two.check(read) == Refused("scope", "the token has project:read; it needs project:admin or project:write")
    assert none.check(exchange(bearer(server.web))) == Refused(
        "scope", "the token has project:read, project:write; it needs none that there is"
    )


def test_without_a_needed_scope_any_token_will_do_and_without_scopes_nobody(server: Server) -> None:
    for kind in TOKEN_SCOPES:
        header = bearer(server.web, kind)

        assert server.access(scopes=()).check(exchange(header)) is None
        assert rule(server.access(scopes=None).check(exchange(header))) == "scope"


@pytest.mark.parametrize(("scope_first", "first"), [(False, "project-exists"), (True, "scope")])
def test_profile_says_whether_scope_or_project_comes_first(server: Server, scope_first: bool, first: str) -> None:
    access = server.access(behaviour=replace(PLAIN, scope_first=scope_first))
    read, write = bearer(server.web, "read"), bearer(server.web)

    assert rule(access.check(exchange(read, project="no"))) == first
    assert rule(access.check(exchange(read))) == "scope"
    assert access.check(exchange(write, project="no")) == Refused("project-exists", "there is no project acme/no")


def test_token_of_another_project_opens_nothing(server: Server) -> None:
    refused = Refused("project-token", "the token belongs to another project")

    assert server.access().check(exchange(bearer(server.ios))) == refused
    assert server.access().check(exchange(bearer(server.other))) == refused


@pytest.mark.parametrize(
    ("origin", "refused"), [(None, False), ("", False), ("null", False), ("https://a", True), ("https://\xe9", True)]
)
def test_token_is_for_no_origin_where_origins_are_checked(server: Server, origin: str | None, refused: bool) -> None:
    headers = {} if origin is None else {"origin": origin}
    checked, unchecked = server.access(behaviour=replace(PLAIN, origins="checked")), server.access()
    sent, by_dsn = exchange(bearer(server.web), **headers), exchange(dsn(server.web), **headers)

    assert checked.check(sent) == (Refused("origin", word=origin) if refused else None)
    assert unchecked.check(sent) is None
    assert checked.check(by_dsn) is None


def test_origin_comes_before_scope_and_after_an_unknown_token(server: Server) -> None:
    access = server.access(behaviour=replace(PLAIN, origins="checked"))

    assert rule(access.check(exchange(bearer(server.web, "read"), origin="https://a"))) == "origin"
    assert rule(access.check(exchange("Bearer no", origin="https://a"))) == "credentials-known"


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("9", "the DSN names project 9; its public key belongs to project 1"),
        ("7" * 21, f"the DSN names project {'7' * 20}; its public key belongs to project 1"),
        ("", "the DSN does not end in a project's number; its public key belongs to project 1"),
        ("2", "the DSN names project 2; its public key belongs to project 1"),
    ],
)
def test_dsn_names_its_own_project(server: Server, number: str, reason: str) -> None:
    assert server.access().check(exchange(dsn(server.web, number))) == Refused("dsn-known", reason)


def test_dsn_with_a_wrong_or_no_key_is_unknown(server: Server) -> None:
    access = server.access()

    assert access.check(exchange("DSN http://key@host/1")) == Refused(
        "dsn-known", "no project has the DSN's public key"
    )
    assert access.check(exchange("DSN http://host/1")) == Refused("dsn-known", "the DSN has no public key before an @")


def test_dsn_opens_no_other_project(server: Server) -> None:
    access = server.access()
    elsewhere = Refused("dsn-other-organization", "the DSN belongs to a project of another organization")
    beside = Refused("dsn-other-project", "the DSN belongs to another project of the organization")

    assert access.check(exchange(dsn(server.other))) == elsewhere
    assert access.check(exchange(dsn(server.web), "umbrella")) == elsewhere
    assert access.check(exchange(dsn(server.ios))) == beside
    assert access.check(exchange(dsn(server.web), project="no")) == Refused(
        "project-exists", "there is no project acme/no"
    )


def test_where_dsns_are_not_taken_they_are_refused_after_what_they_are(server: Server) -> None:
    access = server.access([BEARER])

    assert access.check(exchange(dsn(server.web))) == Refused("list-credentials")
    assert rule(access.check(exchange(dsn(server.ios)))) == "list-credentials"
    assert rule(access.check(exchange(dsn(server.other)))) == "dsn-other-organization"
    assert rule(access.check(exchange(dsn(server.web), project="no"))) == "project-exists"
    assert rule(access.check(exchange(dsn(server.web, "9")))) == "dsn-known"
    assert access.check(exchange(bearer(server.web))) is None


def test_where_tokens_are_not_taken_they_are_no_credentials(server: Server) -> None:
    access = server.access([DSN])

    for header in (bearer(server.web), "Bearer no"):
        assert access.check(exchange(header)) == Refused("credentials-required", "a token gives no access here")
    assert access.check(exchange(dsn(server.web))) is None


def test_method_that_is_for_nobody_is_for_no_dsn_either(server: Server) -> None:
    access = server.access(scopes=None)

    assert access.check(exchange(dsn(server.web))) == Refused("scope", "no credentials allow this method")
    assert rule(access.check(exchange(dsn(server.web), project="no"))) == "scope"
    assert rule(access.check(exchange(dsn(server.web, "9")))) == "dsn-known"


@pytest.mark.parametrize(("ids_in_path", "found"), [(True, True), (False, False)])
def test_profile_says_whether_numbers_stand_for_slugs(server: Server, ids_in_path: bool, found: bool) -> None:
    access = server.access(behaviour=replace(PLAIN, ids_in_path=ids_in_path))

    assert (access.check(exchange(bearer(server.ios), "1", "2")) is None) is found
    assert access.check(exchange(bearer(server.ios), "acme", "ios")) is None


def test_missing_project_comes_with_how_to_create_it() -> None:
    access = Server(made_at="/_control/projects/").access()
    header = bearer(Server().web)

    def reason(organization: str, project: str) -> str:
        refused = access.check(exchange(header, organization, project))
        assert refused is not None
        assert refused.rule == "project-exists"
        return refused.reason

    assert reason("acme", "No_1-") == "there is no project acme/No_1-; create it with PUT /_control/projects/acme/No_1-"
    longest = "a" * 100
    assert reason(longest, longest).endswith(f"; create it with PUT /_control/projects/{longest}/{longest}")
    assert reason(longest, longest).startswith(f"there is no project {longest}; ")
    for strange in ("", "a" * 101, "a.b", "\xe9"):
        assert reason("acme", strange) == f"there is no project acme/{strange}"[:120]
        assert "create" not in reason(strange, "web")


@pytest.mark.parametrize(
    ("kinds", "origins", "more"),
    [
        ((BEARER, DSN), "any", ["dsn-other-project"]),
        ((BEARER,), "any", ["list-credentials"]),
        ((BEARER, DSN), "checked", ["dsn-other-project", "origin"]),
    ],
)
def test_rules_of_access_are_known_beforehand(server: Server, kinds: Any, origins: str, more: list[str]) -> None:
    assert list(server.access(kinds, behaviour=replace(PLAIN, origins=origins)).rules) == [
        *("credentials-required", "credentials-empty", "credentials-spaces", "credentials-known", "dsn-known"),
        *("project-exists", "scope", "project-token", "dsn-other-organization"),
        *more,
    ]
