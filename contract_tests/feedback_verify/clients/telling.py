"""An episode as steps, so that every report can show it like the steps with a server. Pure."""

from collections.abc import Sequence
from typing import overload

from feedback_spec.instants import EPOCH, MICROSECOND

from feedback_verify.clients.episode import LOST, Attempt, Episode
from feedback_verify.exchange import Credential, Exchange, Project, Request, Secret
from feedback_verify.steps import Send, Step, Wait

_KINDS = {"bearer": ("write", "FEEDBACK_TOKEN"), "dsn": ("dsn", "FEEDBACK_DSN")}


class Beginning(Sequence[Step]):
    """The first of many steps: a recording has thousands, and each of them may end what shows a rule."""

    def __init__(self, steps: tuple[Step, ...], count: int) -> None:
        self._steps, self._count = steps, count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Step: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Step, ...]: ...

    def __getitem__(self, index: int | slice) -> Step | tuple[Step, ...]:
        return self._steps[: self._count][index]


def told(episode: Episode) -> tuple[Step, ...]:
    """All requests, and the time between them on the project's clock."""
    steps: list[Step] = []
    before: Attempt | None = None
    for each in episode.attempts:
        if before is not None and each.now > before.now:
            steps.append(Wait(each.now - before.now))
        steps.append(_sent(each, episode))
        before = each
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
