"""Who may do what: from an Authorization header and a path to a project, or to the rule that says no. Reads no body.

The order is that of real servers (docs/sentry.md, fact 85): credentials, origin, project, scope, credentials of
another project. A profile may have the scope before the project.
"""

from collections.abc import Collection

from feedback_spec.behaviour import Behaviour

from feedback_mock.credentials import Dsn, Token, Unusable, parse
from feedback_mock.feedback.answers import NO_ORIGIN, ORIGIN_RULE, Refused
from feedback_mock.store import Grant, Project, Store

BEARER, DSN = "bearer", "dsn"
RULES = (
    *("credentials-required", "credentials-empty", "credentials-spaces", "credentials-known", "dsn-known"),
    *("project-exists", "scope", "project-token", "dsn-other-organization"),
)
OTHER_PROJECT = "dsn-other-project"
NO_DSN_HERE = "list-credentials"


class Access:
    """The access of one operation: the kinds of credentials it takes, and the scopes of which a token needs one.

    Without `scopes` (None) nobody may, whoever it is.
    """

    def __init__(
        self, store: Store, kinds: Collection[str], scopes: Collection[str] | None, behaviour: Behaviour
    ) -> None:
        self._store = store
        self._kinds = frozenset(kinds)
        self._scopes = frozenset(scopes or ())
        self._nobody = scopes is None
        self._scope_first = behaviour.scope_first
        self._ids = behaviour.ids_in_path
        self._origins = behaviour.origins == "checked"

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules by which it may refuse."""
        return (
            RULES
            + ((OTHER_PROJECT,) if DSN in self._kinds else (NO_DSN_HERE,))
            + ((ORIGIN_RULE,) if self._origins else ())
        )

    def check(self, header: bytes | None, origin: bytes | None, organization: str, slug: str) -> Project | Refused:
        """The project that the path names, if these headers open it for the operation."""
        who = parse(header)
        if type(who) is Token:
            grant = self._store.grants.get(who.value) if BEARER in self._kinds else None
            if grant is None:
                return Refused("credentials-known" if BEARER in self._kinds else "credentials-required")
            if self._origins and origin not in NO_ORIGIN:
                return Refused(ORIGIN_RULE, word=(origin or b"").decode("latin-1"))
            return self._check_token(grant, organization, slug)
        if type(who) is Dsn:
            owner = self._store.by_key.get(who.public_key)
            if owner is None or owner.id != who.project_id:
                return Refused("dsn-known")
            return self._check_dsn(owner, organization, slug)
        return Refused(who.rule if type(who) is Unusable else "credentials-required")

    def _check_token(self, grant: Grant, organization: str, slug: str) -> Project | Refused:
        lacks = self._nobody or (self._scopes and not (self._scopes & grant.scopes))
        project = self._find(organization, slug)
        if project is None and not (lacks and self._scope_first):
            return Refused("project-exists")
        if lacks:
            needed = " or ".join(sorted(self._scopes)) or "none that there is"
            return Refused("scope", f"the token has {', '.join(sorted(grant.scopes))}; needed is {needed}")
        if grant.project is not project:
            return Refused("project-token", "the token belongs to another project")
        return grant.project

    def _check_dsn(self, owner: Project, organization: str, slug: str) -> Project | Refused:
        if self._nobody:
            return Refused("scope", "no credentials allow this method")
        project = self._find(organization, slug)
        if project is None:
            return Refused("project-exists")
        if owner.organization != project.organization:
            return Refused("dsn-other-organization", "the DSN belongs to a project of another organization")
        if DSN not in self._kinds:
            return Refused(NO_DSN_HERE)
        if owner is not project:
            return Refused(OTHER_PROJECT, "the DSN belongs to another project of the organization")
        return project

    def _find(self, organization: str, slug: str) -> Project | None:
        project = self._store.project(organization, slug)
        return project or (self._store.project_by_ids(organization, slug) if self._ids else None)
