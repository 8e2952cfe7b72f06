"""Judges where a client puts its secrets."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from urllib.parse import unquote, urljoin, urlsplit

from feedback_spec.client_rules import ClientRule

from feedback_verify.clients.commands import MOST_OUTPUT
from feedback_verify.clients.episode import REDACTED
from feedback_verify.clients.judges.case import Case, Judge
from feedback_verify.verdicts import Finding


def _authorization(case: Case, rule: ClientRule) -> Iterator[Finding]:
    """Of every documented request, but for the OPTIONS that a browser sends by itself, which never has credentials."""
    for each in case.episode.attempts:
        if each.operation is None or each.method == "OPTIONS":
            continue
        given = [value for name, value in each.headers if name.lower() == "authorization"]
        if not given and case.episode.recorded and each.status != HTTPStatus.UNAUTHORIZED:
            continue  # browsers leave credentials out of what they record
        if len(given) != 1:
            yield case.broken(rule.rule.id, f"there are {len(given)} Authorization headers", each)
        elif given[0].partition(" ")[0].lower() not in ("bearer", "dsn"):
            yield case.broken(
                rule.rule.id, f"Authorization is neither Bearer nor DSN: {given[0].partition(' ')[0]!r}", each
            )
        elif each.submits and each.by_document and each.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            yield case.broken(rule.rule.id, f"the credentials were refused with {each.status} ({each.rule})", each)
        elif each.submits:
            yield case.held(rule.rule.id, upto=each)


def _secret_in_header(case: Case, rule: ClientRule) -> Iterator[Finding]:
    for each in case.episode.attempts:
        others = [value for name, value in each.headers if name.lower() != "authorization"]
        places = {"URL": each.url, "body": each.body or "", "other headers": "\n".join(others)}
        found = [place for place, text in places.items() if _has_secret(case, text)]
        if found or (case.episode.recorded and REDACTED in unquote(each.url)):
            yield case.broken(rule.rule.id, f"the {' and the '.join(found or ['URL'])} contained a secret", each)
        elif case.episode.secrets:
            yield case.held(rule.rule.id, upto=each)


def _secret_elsewhere(case: Case, rule: ClientRule) -> Iterator[Finding]:
    if case.episode.recorded:
        yield from _followed(case, rule)
        return
    redirected = [each for each in case.episode.submissions if each.status == HTTPStatus.TEMPORARY_REDIRECT]
    if redirected:
        if any(_has_secret(case, text) for text in case.episode.elsewhere):
            yield case.broken(rule.rule.id, "the redirect to another origin was followed with a secret", redirected[0])
        else:
            yield case.held(rule.rule.id, upto=redirected[0])


def _followed(case: Case, rule: ClientRule) -> Iterator[Finding]:
    """What a recording shows of redirects to another origin."""
    for number, each in enumerate(case.episode.attempts):
        there = urljoin(each.url, each.answer_headers.get("location", ""))
        if each.status not in range(300, 400) or _origin(there) == _origin(each.url):
            continue
        later = [other for other in case.episode.attempts[number + 1 :] if _origin(other.url) == _origin(there)]
        leaked = next((other for other in later if other.header("authorization") or _has_secret(case, other.url)), None)
        if leaked is not None:
            yield case.broken(rule.rule.id, "the redirect to another origin was followed with a secret", leaked)
        elif each.header("authorization"):
            yield case.held(rule.rule.id, upto=each)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _secret_printed(case: Case, rule: ClientRule) -> Iterator[Finding]:
    if not case.episode.recorded:
        if _has_secret(case, case.episode.output) or _has_secret(case, case.episode.errors):
            yield case.broken(rule.rule.id, "the output contained a secret")
        elif case.episode.cut:
            yield case.unclear(
                rule.rule.id, f"the client printed more than the {MOST_OUTPUT // 1024} KiB that are kept"
            )
        else:
            yield case.held(rule.rule.id)


def _has_secret(case: Case, text: str) -> bool:
    """Whether the text contains half of a secret, or all of it in base64, which is no protection."""
    return any(each in text for secret in case.episode.secrets for each in (*_halves(secret), *_in_base64(secret)))


def _halves(secret: str) -> tuple[str, str]:
    half = len(secret) // 2
    return secret[:half], secret[half:]


def _in_base64(secret: str) -> Iterator[str]:
    """The characters that depend on the secret alone, wherever it stands in what is encoded."""
    for before in range(3):
        encoded = b64encode(b"\0" * before + secret.encode()).decode()
        whole = len(before * b"\0" + secret.encode()) // 3 * 4  # what comes after the secret changes the rest
        yield encoded[4 if before else 0 : whole]


JUDGES: Mapping[str, Judge] = {
    "authorization": _authorization,
    "secret-in-header": _secret_in_header,
    "secret-elsewhere": _secret_elsewhere,
    "secret-printed": _secret_printed,
}
