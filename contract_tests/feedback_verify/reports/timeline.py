"""The steps of a scenario as a timeline: what happened when, what the response was and what it should have been.
Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from string import ascii_uppercase

from feedback_spec.instants import SECOND, in_short

from feedback_verify.exchange import Altered, Credential
from feedback_verify.steps import Advance, Look, Open, SaveEvent, Send, Step, Wait

MINUTE, HOUR, DAY = 60 * SECOND, 3_600 * SECOND, 86_400 * SECOND
NAMED = 3  # statuses; if more are allowed, any refusal is
FORMS = {
    "application/x-www-form-urlencoded": "as a form",
    "multipart/form-data": "as a multipart form",
    "application/json": "",
    "": "without a Content-Type",
}


@dataclass(frozen=True)
class Moment:
    """One step at an instant, in microseconds from the first; `later` than the previous one.

    `answer` is the status or what was found, `expected` what the response should have been; both may be empty.
    """

    at: int
    later: int
    what: str
    answer: str = ""
    expected: str = ""
    wrong: bool = False

    @property
    def when(self) -> str:
        """`t+5:00.000001`."""
        return f"t+{clock(self.at)}"

    @property
    def told(self) -> str:
        """The response in words, such as `→ 200, expected 409`."""
        return (f"→ {self.answer}" if self.answer else "") + (
            f", expected {self.expected}" if self.wrong and self.expected else ""
        )


def moments(steps: Iterable[Step], *, violated: bool = False) -> list[Moment]:
    """The timeline; for a violation, the last response is wrong if no other one is."""
    acts = [step for step in steps if not isinstance(step, Open)]
    names = _Names(acts)
    found: list[Moment] = []
    now: dict[object, int] = {}
    real = 0
    for step in acts:
        if isinstance(step, Wait):
            real += step.microseconds
        elif isinstance(step, Advance):
            now[_place(step)] = now.get(_place(step), 0) + step.microseconds
        else:
            at = now.get(_place(step), 0) + real
            found.append(Moment(at, at - found[-1].at if found else 0, *names.said(step)))
    if violated and found and not any(each.wrong for each in found):
        found[-1] = replace(found[-1], wrong=True)
    return found


def clock(microseconds: int) -> str:
    """As a stopwatch shows it: `0`, `0.5`, `5:00.000001`, `1:00:00`, `2 d 0:00:01`."""
    days, rest = divmod(microseconds, DAY)
    hours, rest = divmod(rest, HOUR)
    minutes, rest = divmod(rest, MINUTE)
    seconds = f"{rest // SECOND:02}" + (f".{rest % SECOND:06}".rstrip("0") if rest % SECOND else "")
    if days or hours:
        text = f"{hours}:{minutes:02}:{seconds}"
        return f"{days} d {text}" if days else text
    return f"{minutes}:{seconds}" if minutes else seconds.removeprefix("0")


def _lost(step: Send) -> str:
    effect = (step.fault or {}).get("effect")
    kind = effect.get("connection") if isinstance(effect, Mapping) else None
    return f"answer lost ({kind})" if kind else "no answer"


class _Names:
    """Names events and projects by letters, if a scenario has more than one of them."""

    def __init__(self, steps: Sequence[Step]) -> None:
        acts = [step for step in steps if isinstance(step, (Send, SaveEvent))]
        self._events = list(dict.fromkeys(step.event_id.lower() for step in acts if step.event_id))
        self._projects = list(dict.fromkeys(_place(step) for step in acts))

    def said(self, step: Send | SaveEvent | Look) -> tuple[str, str, str, bool]:
        """What was done, what the response was, what was expected, and whether these differ."""
        match step:
            case SaveEvent():
                words = ["save event", self._event(step.event_id), *_facts(step), self._project(step)]
                return _joined(words), "", "", False
            case Look():
                count = len(step.exchange.json) if isinstance(step.exchange.json, list) else 0
                words = ["look at what is stored", self._project(step)]
                return _joined(words), f"{count} record{'s' if count != 1 else ''}", "", False
        answer = str(step.exchange.status) if step.exchange else _lost(step)
        wrong = bool(step.expected) and (step.exchange is None or step.exchange.status not in step.expected)
        method = {"POST": "submit", "GET": "list"}.get(step.request.method, step.request.method)
        words = [method, self._event(step.event_id or ""), *_manner(step), self._project(step)]
        wanted = " or ".join(map(str, step.expected)) if len(step.expected) <= NAMED else "a refusal"
        return _joined(words), answer, wanted, wrong

    def _event(self, event_id: str) -> str:
        if len(self._events) < 2 or event_id.lower() not in self._events:
            return ""
        return f"for event {_letter(self._events.index(event_id.lower()))}"

    def _project(self, step: Send | SaveEvent | Look) -> str:
        if len(self._projects) < 2 or _place(step) not in self._projects:
            return ""
        return f"in project {_letter(self._projects.index(_place(step)))}"


def _joined(words: Iterable[str]) -> str:
    return " ".join(word for word in words if word)


def _letter(number: int) -> str:
    return ascii_uppercase[number] if number < len(ascii_uppercase) else str(number + 1)


def _place(step: Send | SaveEvent | Look | Advance) -> tuple[str, str]:
    return step.project.organization, step.project.slug


def _facts(step: SaveEvent) -> list[str]:
    """Its age and its other facts."""
    facts = dict(step.facts)
    saved, stamped = facts.get("saved_ago"), facts.get("timestamp_ago")
    words = [f"as of {in_short(saved)} ago"] if isinstance(saved, int) and saved else []
    words += [f"with a timestamp of {in_short(stamped)} ago"] if isinstance(stamped, int) and stamped != saved else []
    words += [f"with the timestamp {facts['timestamp']}"] if "timestamp" in facts else []
    words += [f"({facts[name]})" for name in ("environment", "issue_status") if name in facts]
    return words


def _manner(step: Send) -> list[str]:
    """With which credentials, and in which form."""
    headers = {name.lower(): value for name, value in step.request.headers.items()}
    given = headers.get("authorization")
    by = "without credentials" if given is None else "by other credentials"
    if isinstance(given, Altered):
        by = "by altered credentials"
    elif isinstance(given, Credential):
        kinds = {each.secret: kind for kind, each in step.project.credentials.items()}
        by = {"write": "", "dsn": "by DSN", "read": "by a token that may only read"}.get(
            kinds.get(given.secret, ""), "by another project's credentials"
        )
    form = str(headers.get("content-type", "")).partition(";")[0].strip().lower()
    manner = FORMS.get(form, "in another media type") if step.request.content else ""
    return [by, manner, "in chunks" if step.request.chunked else "", "at the same time" if step.at_once else ""]
