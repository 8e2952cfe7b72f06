"""Who may do what: from an Authorization header and a path to a project, or to the rule that says no. Reads no body.

The order is that of real servers (sentry-behaviour, section 1): credentials, project, scope, credentials of another
project.
"""

from collections.abc import Collection

from mock_server.answers import Refused
from mock_server.credentials import Dsn, Token, Unusable, parse
from mock_server.store import Project, Store

BEARER, DSN = "bearer", "dsn"
RULES = ("credentials-required", "credentials-known", "project-exists", "scope", "project-token")
RULES_OF_DSN = ("dsn-empty", "dsn-spaces", "dsn-other-project", "dsn-other-organization")
NO_DSN_HERE = "list-credentials"


class Access:
    """The access of one operation: the kinds of credentials it takes, and the scopes of which a token needs one."""

    def __init__(self, store: Store, kinds: Collection[str], scopes: Collection[str]) -> None:
        self._store = store
        self._kinds = frozenset(kinds)
        self._scopes = frozenset(scopes)

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules by which it may refuse."""
        return RULES + (RULES_OF_DSN if DSN in self._kinds else (NO_DSN_HERE,))

    def check(self, header: bytes | None, organization: str, slug: str) -> Project | Refused:
        """The project that the path names, if this header opens it for the operation."""
        who = parse(header)
        if type(who) is Token:
            return self._check_token(who, organization, slug)
        if DSN not in self._kinds and header is not None and header[:3].lower() == b"dsn":
            return Refused(NO_DSN_HERE)
        if type(who) is Unusable:
            return Refused(who.rule)
        return self._check_dsn(who, organization, slug) if type(who) is Dsn else Refused("credentials-required")

    def _check_token(self, token: Token, organization: str, slug: str) -> Project | Refused:
        if BEARER not in self._kinds:
            return Refused("credentials-required")
        grant = self._store.grants.get(token.value)
        if grant is None:
            return Refused("credentials-known")
        project = self._store.project(organization, slug)
        if project is None:
            return Refused("project-exists")
        if self._scopes and not (self._scopes & grant.scopes):
            needed = " or ".join(sorted(self._scopes))
            return Refused("scope", f"the token has {', '.join(sorted(grant.scopes))}; needed is {needed}")
        if grant.project is not project:
            return Refused("project-token", "the token belongs to another project")
        return project

    def _check_dsn(self, dsn: Dsn, organization: str, slug: str) -> Project | Refused:
        owner = self._store.by_key.get(dsn.public_key)
        if owner is None or owner.id != dsn.project_id:
            return Refused("credentials-known")
        project = self._store.project(organization, slug)
        if project is None:
            return Refused("project-exists")
        if owner is project:
            return project
        if owner.organization == project.organization:
            return Refused("dsn-other-project", "the DSN belongs to another project of the organization")
        return Refused("dsn-other-organization", "the DSN belongs to a project of another organization")
