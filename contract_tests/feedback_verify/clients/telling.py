"""An episode as steps, so that every report can show it like the steps with a server. Pure."""

from feedback_spec.instants import EPOCH, MICROSECOND

from feedback_verify.clients.episode import LOST, Attempt, Episode
from feedback_verify.exchange import Credential, Exchange, Project, Request, Secret
from feedback_verify.steps import Send, Step, Wait

_KINDS = {"bearer": ("write", "FEEDBACK_TOKEN"), "dsn": ("dsn", "FEEDBACK_DSN")}


def told(episode: Episode, upto: Attempt | None = None) -> tuple[Step, ...]:
    """The requests up to this one, or all, and the time between them on the project's clock."""
    steps: list[Step] = []
    before: Attempt | None = None
    for each in episode.attempts:
        if before is not None and each.now > before.now:
            steps.append(Wait(each.now - before.now))
        steps.append(_sent(each, episode))
        before = each
        if each is upto:
            break
    return tuple(steps)


def _sent(attempt: Attempt, episode: Episode) -> Send:
    credentials: dict[str, Credential] = {}
    headers: dict[str, str | Secret] = dict(attempt.headers)
    for name, value in attempt.headers:
        scheme, _, secret = value.partition(" ")
        if name.lower() == "authorization" and secret and scheme.lower() in _KINDS:
            kind, variable = _KINDS[scheme.lower()]
            headers[name] = credentials[kind] = Credential(f"{scheme} ", secret, variable)
    request = Request(attempt.method, attempt.url, headers, (attempt.body or "").encode("utf-8", "replace"))
    project, now = Project("", episode.situation, credentials), EPOCH + attempt.now * MICROSECOND
    if attempt.status == LOST:
        return Send(project, request, now=now, unanswered=(attempt.sent, attempt.answered), fault=attempt.fault)
    content = attempt.answer.encode("utf-8", "replace")
    exchange = Exchange(request, attempt.status, attempt.answer_headers, content, attempt.sent, attempt.answered)
    return Send(project, request, exchange, now=now, fault=attempt.fault)
