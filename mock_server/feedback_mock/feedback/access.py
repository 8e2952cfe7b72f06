"""Who may do what: from an Authorization header and a path to a project, or to the rule that refuses. Reads no body.

The order is that of real servers (docs/sentry.md, fact 85): credentials, origin, project, scope, credentials of another
project. A profile may check the scope before the project.
"""

import re
from collections.abc import Callable, Collection

from feedback_spec.behaviour import Behaviour

from feedback_mock.credentials import BEARER, DSN, Dsn, Token, Unusable, parse
from feedback_mock.exchange import Exchange
from feedback_mock.feedback.rendering import NO_ORIGIN, ORIGIN_RULE
from feedback_mock.result import Refused
from feedback_mock.store import Grant, Project, Store

RULES = (
    *("credentials-required", "credentials-empty", "credentials-spaces", "credentials-known", "dsn-known"),
    *("project-exists", "scope", "project-token", "dsn-other-organization"),
)
OTHER_PROJECT = "dsn-other-project"
NO_DSN_HERE = "list-credentials"
_MADE = re.compile(r"[a-zA-Z0-9_-]{1,100}/[a-zA-Z0-9_-]{1,100}")
TokenCheck = Callable[[Exchange, Grant, Project | None], Refused | None]


class Access:
    """The access to one operation: the kinds of credentials it accepts, and the scopes of which a token needs one.

    Without `scopes` (None), nobody has access.
    """

    def __init__(
        self, store: Store, kinds: Collection[str], scopes: Collection[str] | None, behaviour: Behaviour
    ) -> None:
        self._store = store
        self._takes_tokens, self._takes_dsns = BEARER in kinds, DSN in kinds
        self._scopes = frozenset(scopes or ())
        self._nobody = scopes is None
        self._find = store.project_by_ids if behaviour.ids_in_path else store.project
        origins = behaviour.origins == "checked"
        self._token_checks: tuple[TokenCheck, ...] = (
            *((_check_origin,) if origins else ()),
            *(
                (self._check_scope, self._check_exists)
                if behaviour.scope_first
                else (self._check_exists, self._check_scope)
            ),
            _check_own,
        )
        self.rules = (
            *RULES,
            OTHER_PROJECT if self._takes_dsns else NO_DSN_HERE,
            *((ORIGIN_RULE,) if origins else ()),
        )
        """The rules with which it may refuse."""

    def check(self, exchange: Exchange) -> Refused | None:
        """Opens the project named in the path, if the headers allow the operation there."""
        who, path = parse(exchange.headers.get(b"authorization")), exchange.path
        if isinstance(who, Unusable):
            return Refused(who.rule, who.reason)
        project = self._find(path["organization_slug"], path["project_slug"])
        refused = (
            self._check_token(exchange, who, project)
            if isinstance(who, Token)
            else self._check_dsn(exchange, who, project)
        )
        if refused is None:
            exchange.project, exchange.by_dsn = project, isinstance(who, Dsn)
        return refused

    def _check_token(self, exchange: Exchange, token: Token, project: Project | None) -> Refused | None:
        if not self._takes_tokens:
            return Refused("credentials-required", "a token gives no access here")
        grant = self._store.grants.get(token.value)
        if grant is None:
            return Refused("credentials-known", "no project has this token" if project else self._missing(exchange))
        for check in self._token_checks:
            refused = check(exchange, grant, project)
            if refused is not None:
                return refused
        return None

    def _check_scope(self, _exchange: Exchange, grant: Grant, _project: Project | None) -> Refused | None:
        if not self._nobody and (not self._scopes or self._scopes & grant.scopes):
            return None
        needed = " or ".join(sorted(self._scopes)) or "none that there is"
        return Refused("scope", f"the token has {', '.join(sorted(grant.scopes))}; it needs {needed}")

    def _check_exists(self, exchange: Exchange, _grant: Grant, project: Project | None) -> Refused | None:
        return Refused("project-exists", self._missing(exchange)) if project is None else None

    def _missing(self, exchange: Exchange) -> str:
        """The refusal of a path whose project does not exist, with how to create it."""
        name = f"{exchange.path['organization_slug']}/{exchange.path['project_slug']}"
        made = self._store.made_at and _MADE.fullmatch(name) is not None
        return f"there is no project {name[:100]}" + (
            f"; create it with PUT {self._store.made_at}{name}" if made else ""
        )

    def _check_dsn(self, exchange: Exchange, dsn: Dsn, project: Project | None) -> Refused | None:  # noqa: PLR0911 (one per rule)
        owner = self._store.by_key.get(dsn.public_key)
        if owner is None or owner.id != dsn.project_id:
            return Refused("dsn-known", _unknown(dsn, owner))
        if self._nobody:
            return Refused("scope", "no credentials allow this method")
        if project is None:
            return Refused("project-exists", self._missing(exchange))
        if owner.organization != project.organization:
            return Refused("dsn-other-organization", "the DSN belongs to a project of another organization")
        if not self._takes_dsns:
            return Refused(NO_DSN_HERE)
        if owner is not project:
            return Refused(OTHER_PROJECT, "the DSN belongs to another project of the organization")
        return None


def _check_origin(exchange: Exchange, _grant: Grant, _project: Project | None) -> Refused | None:
    origin = exchange.origin
    return None if origin in NO_ORIGIN else Refused(ORIGIN_RULE, word=(origin or b"").decode("latin-1"))


def _unknown(dsn: Dsn, owner: Project | None) -> str:
    """Which part of a DSN is wrong, without revealing its key."""
    if not dsn.public_key:
        return "the DSN has no public key before an @"
    if owner is None:
        return "no project has the DSN's public key"
    wrong = f"names project {dsn.project_id[:20]}" if dsn.project_id else "does not end in a project's number"
    return f"the DSN {wrong}; its public key belongs to project {owner.id}"


def _check_own(_exchange: Exchange, grant: Grant, project: Project | None) -> Refused | None:
    return None if grant.project is project else Refused("project-token", "the token belongs to another project")
