"""Judges where a client puts its secrets."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from http import HTTPStatus

from feedback_spec.client_rules import ClientRule

from feedback_verify.clients.judges.case import Case, Judge
from feedback_verify.verdicts import Finding


def _authorization(case: Case, rule: ClientRule) -> Iterator[Finding]:
    for each in case.episode.submissions:
        given = [value for name, value in each.headers if name.lower() == "authorization"]
        if len(given) != 1:
            yield case.broken(rule.rule.id, f"there are {len(given)} Authorization headers", each)
        elif given[0].partition(" ")[0].lower() not in ("bearer", "dsn"):
            yield case.broken(
                rule.rule.id, f"Authorization is neither Bearer nor DSN: {given[0].partition(' ')[0]!r}", each
            )
        elif each.by_document and each.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            yield case.broken(rule.rule.id, f"the credentials were refused with {each.status} ({each.rule})", each)
        else:
            yield case.held(rule.rule.id, upto=each)


def _secret_in_header(case: Case, rule: ClientRule) -> Iterator[Finding]:
    if not case.episode.secrets:
        return
    for each in case.episode.submissions:
        others = [value for name, value in each.headers if name.lower() != "authorization"]
        places = {"URL": each.url, "body": each.body or "", "other headers": "\n".join(others)}
        found = [place for place, text in places.items() if any(secret in text for secret in case.episode.secrets)]
        if found:
            yield case.broken(rule.rule.id, f"the {' and the '.join(found)} contained a secret", each)
        else:
            yield case.held(rule.rule.id, upto=each)


def _secret_elsewhere(case: Case, rule: ClientRule) -> Iterator[Finding]:
    redirected = [each for each in case.episode.submissions if each.status == HTTPStatus.TEMPORARY_REDIRECT]
    if redirected and not case.episode.recorded:
        if any(secret in text for text in case.episode.elsewhere for secret in case.episode.secrets):
            yield case.broken(rule.rule.id, "the redirect to another origin was followed with a secret", redirected[0])
        else:
            yield case.held(rule.rule.id, upto=redirected[0])


def _secret_printed(case: Case, rule: ClientRule) -> Iterator[Finding]:
    if not case.episode.recorded:
        said = case.episode.output + case.episode.errors
        encoded = (b64encode(secret.encode()).decode().rstrip("=") for secret in case.episode.secrets)
        if any(secret in said for secret in (*case.episode.secrets, *encoded)):
            yield case.broken(rule.rule.id, "the output contained a secret")
        else:
            yield case.held(rule.rule.id)


JUDGES: Mapping[str, Judge] = {
    "authorization": _authorization,
    "secret-in-header": _secret_in_header,
    "secret-elsewhere": _secret_elsewhere,
    "secret-printed": _secret_printed,
}
