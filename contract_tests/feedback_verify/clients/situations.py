"""The situations for a client: what the mock does in each. Runs nothing.

Every window and every refusal comes from the document. Only the waits of a second or two are ours; they just have to be
noticeable.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any

from feedback_spec.document import Document
from feedback_spec.instants import EPOCH, MICROSECOND, SECOND, format_duration, in_words

Fault = Mapping[str, Any]
PLAIN, TEXTS = "plain", "texts"
CONNECTION_FAULTS = (
    "CONNECTION_RESET_BY_PEER",
    "EMPTY_RESPONSE",
    "MALFORMED_RESPONSE_CHUNK",
    "RANDOM_DATA_THEN_CLOSE",
)
BROKEN_SUCCESS = "MALFORMED_RESPONSE_CHUNK"  # it comes after the status line of a success
SHORT = 1  # seconds of Retry-After that a client has to wait
LONG = 86_400  # seconds of Retry-After too long for any client while the window is open
UNTIL_RELEASED = "until_released"
MOMENT = 50_000  # microseconds that answers take, so that what is sent at the same time can be told from what is not
SLOW = 400_000  # microseconds by which a response is late, but not too late
EAST = "Asia/Kolkata"
"""A time zone in which a date is over early if it is taken for local time."""
CALM = 8 * SECOND
"""Microseconds without a request after which nothing more will happen, although a client may wait for hours."""


@dataclass(frozen=True)
class Setting:
    """What a situation consists of besides the document: another origin, and the instant of the first request."""

    elsewhere: str
    now: int


@dataclass(frozen=True)
class Situation:
    """What happens to a client. `faults` are those that the mock is given; `saved_ago` is the age of the event.

    `hold`: while the first answer is held back, the clock goes on by so much, and then the answer is lost. `calm` ends
    the play after so long without a request. All in microseconds. `endless`: it does not pass, so that a client may try
    again for as long as a window is open. `texts`: name and comments have characters that come to harm easily. `zone`:
    the client's time zone, if it is not the machine's, which in CI is mostly UTC.
    """

    name: str
    what: str
    faults: Callable[[Setting], Sequence[Fault]] = lambda _: ()
    saved_ago: int = 0
    hold: int = 0
    calm: int = 0
    endless: bool = False
    texts: bool = True
    zone: str = ""


def situations(document: Document) -> dict[str, Situation]:
    """All situations by name, the plain one first; those of windows and refusals as far as the document has them."""
    found = [
        Situation(PLAIN, "everything works", texts=False),
        Situation(TEXTS, "everything works, and the texts contain quotes, line breaks and letters of many alphabets"),
        *_lost(),
        *_too_late(document),
        *_busy(),
        *_refused(document),
        Situation("redirect", "307 to another origin", _redirect),
        Situation("broken-cut", "200 with half of its JSON, once", _always({"broken_body": "truncated"}, times=1)),
        Situation("broken-other", "200 with unexpected JSON, once", _always({"broken_body": "wrong"}, times=1)),
        Situation(
            "broken-always", "200 with half of its JSON, always", _always({"broken_body": "truncated"}), endless=True
        ),
        Situation("late-answer", "each response takes 0.4 s", _always({"delay": format_duration(SLOW)}, phase="after")),
        Situation(
            "no-answer",
            "the connection stays open without a response",
            _always({"delay": UNTIL_RELEASED}),
            endless=True,
        ),
    ]
    return {
        each.name: each if each.name == PLAIN else replace(each, faults=_in_a_moment(each.faults)) for each in found
    }


def _in_a_moment(faults: Callable[[Setting], Sequence[Fault]]) -> Callable[[Setting], Sequence[Fault]]:
    """The faults, and a moment before each answer."""
    moment = format_duration(MOMENT)
    rest: Fault = {"match": {"method": "POST"}, "phase": "after", "effect": {"delay": moment}}

    def slowed(setting: Setting) -> Sequence[Fault]:
        given = [
            {**each, "effect": {"delay": moment, **each["effect"]}} if "status" in each["effect"] else each
            for each in faults(setting)
        ]
        return [*given, rest]

    return slowed


def _always(effect: Fault, **more: Any) -> Callable[[Setting], Sequence[Fault]]:
    rule = {"match": {"method": "POST"}, "effect": effect, **more}
    return lambda _: [rule]


def _lost() -> list[Situation]:
    found = []
    for phase, when in (("before", "before the feedback is stored"), ("after", "after the feedback was stored")):
        for kind in CONNECTION_FAULTS:
            name = f"lost-{phase}-{kind.split('_')[0].lower()}"
            lost = _always({"connection": kind}, phase=phase, times=1)
            found.append(Situation(name, f"the first response is lost ({kind}) {when}", lost))
        lost = _always({"connection": "EMPTY_RESPONSE"}, phase=phase)
        found.append(Situation(f"down-{phase}", f"every response is lost, {when}", lost, endless=True))
    return found


def _too_late(document: Document) -> list[Situation]:
    found = []
    for window in document.mutability.windows:
        beyond = window.limit + SECOND
        if window.base.startswith("event"):
            what = f"the event was saved {in_words(beyond)} ago ({window.status})"
            found.append(Situation(f"late-{window.rule}", what, saved_ago=beyond))
        else:
            what = f"the response is lost, and the network is back {in_words(beyond)} later"
            found.append(Situation(f"late-{window.rule}", what, _held, hold=beyond))
    return found


def _held(_: Setting) -> Sequence[Fault]:
    effect = {"delay": UNTIL_RELEASED, "connection": "EMPTY_RESPONSE"}
    return [{"match": {"method": "POST"}, "phase": "after", "times": 1, "effect": effect}]


def _busy() -> list[Situation]:
    found = []
    for status, name in ((HTTPStatus.TOO_MANY_REQUESTS, "limited"), (HTTPStatus.SERVICE_UNAVAILABLE, "busy")):
        what = f"{status} with Retry-After"
        short = _always({"status": int(status), "retry_after": SHORT}, times=2)
        endless = _always({"status": int(status), "retry_after": LONG})
        found += [
            Situation(name, f"{what}: {SHORT}, twice", short),
            Situation(f"{name}-date", f"{what} with a date, once", _dated(status, SHORT + 3, times=1), zone=EAST),
            Situation(f"{name}-long", f"{what}: {LONG}, always", endless, calm=CALM, endless=True),
            Situation(
                f"{name}-date-long", f"{what} with a date, always", _dated(status, LONG), calm=CALM, endless=True
            ),
        ]
    for status in (HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE):
        found.append(
            Situation(f"failing-{status}", f"{status}, always", _always({"status": int(status)}), endless=True)
        )
    return found


def _dated(status: int, seconds: int, **more: Any) -> Callable[[Setting], Sequence[Fault]]:
    def faults(setting: Setting) -> Sequence[Fault]:
        whole = (setting.now // SECOND + seconds) * SECOND  # a date has whole seconds
        date = format_datetime(EPOCH + whole * MICROSECOND, usegmt=True)
        return _always({"status": int(status), "headers": {"Retry-After": date}}, **more)(setting)

    return faults


def _refused(document: Document) -> list[Situation]:
    """The refusals that no window causes, with the document's own bodies."""
    windows = {window.status for window in document.mutability.windows}
    found = []
    for text, response in document.submit.responses.items():
        if not text.startswith("4") or not response.examples or int(text) in windows:
            continue
        headers = {each.name: str(each.example) for each in response.headers.values() if each.example is not None}
        example = next(iter(response.examples.values()))
        effect = {"status": int(text), "headers": headers, "body": example.value}
        found.append(Situation(f"refused-{text}", f"{text}, always", _always(effect)))
    return found


def _redirect(setting: Setting) -> Sequence[Fault]:
    effect = {"status": int(HTTPStatus.TEMPORARY_REDIRECT), "headers": {"Location": setting.elsewhere}}
    return _always(effect)(setting)
