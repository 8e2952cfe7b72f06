"""The steps of a scenario, as values, and three renderings of them: shell, Python, and a plan in words. Pure.

A target chooses much of what is in a step. So every text is quoted with `shell.quote` or `repr`, secrets are hidden
before rendering, and nothing is ever read back from a rendering.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from feedback_spec import shell
from feedback_spec.instants import SECOND, format_duration, in_short

from feedback_verify.exchange import PREVIEW, Exchange, Part, Project, Request, Secret, as_data

Hide = Callable[[str], str]
MOST_WRITTEN = 60_000  # characters of a body in a line: Linux allows 128 KiB in an argument, and quoting adds some
_REPEATED = re.compile(rb"(.{1,12}?)\1{999}", re.DOTALL)  # longer than any secret
_MANY = 4_096  # of them are compared at once


@dataclass(frozen=True)
class Send:
    """A request to the endpoint; `at_once` with its neighbours that are too, `kept` on a kept connection.

    `expected` are the allowed statuses, if that was judged, by which `rule`, and at which instant of the project's
    clock, if known; `values` and `by` are the fields and the kind of credentials of a valid submission. `unanswered`:
    no response came, and when the request was sent and the connection ended, as in an Exchange. `fault` is what the
    mock was told to do.
    """

    project: Project
    request: Request
    exchange: Exchange | None = None
    at_once: bool = False
    kept: bool = False
    expected: tuple[int, ...] = ()
    rule: str = ""
    now: datetime | None = None
    values: Mapping[str, str] | None = None
    by: str = ""
    unanswered: tuple[int, int] | None = None
    fault: Mapping[str, object] | None = None

    @property
    def event_id(self) -> str | None:
        """The event id of a submission; None if the body has none."""
        if self.values is not None:
            return self.values["event_id"]
        body = as_data(self.request.content)
        event_id = body.get("event_id") if isinstance(body, dict) else None
        return event_id if isinstance(event_id, str) else None


@dataclass(frozen=True)
class Open:
    """The control API created a project; the response, stored in `variable`, contains its credentials.

    Its clock started at `start`; None is the target's own choice.
    """

    project: Project
    exchange: Exchange
    variable: str
    start: datetime | None = None

    @property
    def places(self) -> Mapping[str, tuple[str, ...]]:
        """Where the response contains which secret, by the secret's variable."""
        return {
            each.variable: ("dsn",) if kind == "dsn" else ("tokens", kind)
            for kind, each in self.project.credentials.items()
        }


@dataclass(frozen=True)
class SaveEvent:
    """An event was saved, by an exchange or a command; by neither if a function was called.

    `facts` are those of the control protocol, ages in microseconds.
    """

    project: Project
    event_id: str
    facts: Mapping[str, object] = field(default_factory=dict)
    exchange: Exchange | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Advance:
    """The project's clock was moved forward; without an exchange if it is a clock of this process."""

    project: Project
    microseconds: int
    exchange: Exchange | None = None


@dataclass(frozen=True)
class Look:
    """The stored records were read, through the control API."""

    project: Project
    exchange: Exchange


@dataclass(frozen=True)
class Wait:
    """Time passed."""

    microseconds: int
    exchange: None = None


Step = Send | Open | SaveEvent | Advance | Look | Wait


def up_to(steps: Iterable[Step], exchange: Exchange) -> tuple[Step, ...]:
    """The steps up to the one with this exchange."""
    done: list[Step] = []
    for step in steps:
        done.append(step)
        if step.exchange is exchange:
            break
    return tuple(done)


def as_shell(steps: Iterable[Step], hide: Hide = str) -> list[str]:
    """Lines for bash and zsh, each complete in itself and of printable characters; each prints the status, and the one
    in the report; the last request the head of its response, too, if its status is not what was wrong.

    Without comments, which zsh does not know in a terminal: curl would send the request to what is behind the `#`, too.
    """
    steps = list(steps)
    used, shown = _variables(steps), _shown_whole(steps)
    lines: list[str] = []
    racing = False
    for step in steps:
        together = isinstance(step, Send) and step.at_once
        if racing and not together:
            lines.append("wait")
        racing = together
        lines += _opening(step, used, hide) if isinstance(step, Open) else [_line(step, hide, head=step is shown)]
    return [*lines, "wait"] if racing else lines


def as_python(steps: Iterable[Step], hide: Hide = str) -> str:
    """The program. Secrets come from the environment, or from the control API if it created the project."""
    steps = list(steps)
    used, shown = _variables(steps), _shown_whole(steps)
    return _HEAD + "".join(f"{line}\n" for step in steps for line in _statements(step, used, hide, head=step is shown))


def _shown_whole(steps: Sequence[Step]) -> Send | None:
    """The last request, if the status of its response is right: then the rest of the response is wrong."""
    last = next((step for step in reversed(steps) if isinstance(step, Send)), None)
    if last is None or last.exchange is None or (last.expected and last.exchange.status not in last.expected):
        return None
    return last


def _variables(steps: Iterable[Step]) -> set[str]:
    requests = [step.request for step in steps if isinstance(step, Send)]
    requests += [step.exchange.request for step in steps if isinstance(step, SaveEvent) and step.exchange]
    values = [each for request in requests for each in (*request.headers.values(), request.in_query)]
    secrets = [each for each in values if isinstance(each, Secret)]
    return {part.credential.variable for each in secrets for part in each.parts if isinstance(part, Part)}


def _line(step: Send | SaveEvent | Advance | Look | Wait, hide: Hide, *, head: bool) -> str:
    match step:
        case Wait():
            return f"sleep {step.microseconds / SECOND:.3f}"
        case SaveEvent(words=words) if words:
            return " ".join(quote(hide(word)) for word in words)
        case Send(exchange=None):
            return curl(step.request, hide, seen=_in_report(None))
        case Send() | SaveEvent() | Advance() | Look() if step.exchange is not None:
            behind = " &" if isinstance(step, Send) and step.at_once else ""
            return curl(step.exchange.request, hide, seen=_in_report(step.exchange.status), head=head) + behind
        case _:
            return f"echo {quote(_in_words(step))}"


def _opening(step: Open, used: set[str], hide: Hide) -> Iterator[str]:
    places = {variable: keys for variable, keys in step.places.items() if variable in used}
    kept = f"{step.variable}=$(%s)" if places else "%s"
    yield kept % curl(step.exchange.request, hide, show_status=not places)
    for variable, keys in places.items():
        picked = "".join(f"[{json.dumps(key)}]" for key in keys)
        program = quote(f"import json, sys; print(json.load(sys.stdin){picked})")
        yield f"{variable}=$(printf '%s' \"${step.variable}\" | python3 -c {program})"


def _in_words(step: Step) -> str:
    """What cannot be repeated from outside. The target chose none of it."""
    if isinstance(step, Advance):
        return f"the clock of the application moves by {format_duration(step.microseconds)}"
    if isinstance(step, SaveEvent):
        facts = {name: age for name, age in step.facts.items() if isinstance(age, int)}
        ages = "".join(f", {name}={format_duration(age)}" for name, age in facts.items())
        return f"--seed-callable saves the event {quote(step.event_id)}{ages}"
    return "the request was not sent"


def curl(request: Request, hide: Hide = str, *, show_status: bool = True, seen: str = "", head: bool = False) -> str:
    """The request as a curl command; with `show_status`, it prints the status after the body, and what was `seen`; with
    `head`, the response's head before it.
    """
    words = ["curl", "-sSg"]  # -g: treats braces and brackets in a URL literally
    if show_status:
        words += ["-w", rf"'  <- %{{http_code}}{f' ({seen})' if seen else ''}\n'"]
    if "/.." in request.url:
        words.append("--path-as-is")
    if request.method != "GET":
        words += ["-I"] if request.method == "HEAD" else ["-X", quote(request.method)]
    if head and request.method != "HEAD":
        words.append("-i")
    secrets = () if request.in_query is None else ("?", *request.in_query.parts)
    words.append(quote(hide(request.url)) + "".join(map(_word, secrets)))
    for name, value in request.headers.items():
        words += ["-H", _header(name, value, hide)]
    if request.content and not any(name.lower() == "content-type" for name in request.headers):
        words += ["-H", quote("Content-Type:")]
    if request.chunked:
        words += ["-H", quote("Transfer-Encoding: chunked")]
    return _with_body(" ".join(words), request.content, hide)


def _header(name: str, value: str | Secret, hide: Hide) -> str:
    if not isinstance(value, str):
        before, *parts = value.parts if isinstance(value.parts[0], str) else ("", *value.parts)
        return quote(f"{name}: {before}") + "".join(_word(each) for each in parts)
    # An empty value needs curl's own form: with a colon, the header would not be sent at all.
    return quote(f"{name}: {hide(value)}" if value else f"{name};")


def _word(part: str | Part) -> str:
    """A text, or a part of a variable, for bash; with case swapped by `tr`, or encoded by `base64`."""
    if isinstance(part, str):
        return quote(part)
    name, length = part.credential.variable, "" if part.stop is None else f":{part.stop - part.start}"
    cut = f"${{{name}:{part.start}{length}}}" if part.start or length else f"${name}"
    if part.basic:
        return f'"$(printf %s: "{cut}" | base64 -w 0)"'
    return f'"$(printf %s "{cut}" | tr a-zA-Z A-Za-z)"' if part.turned else f'"{cut}"'


def _with_body(command: str, content: bytes, hide: Hide) -> str:
    if not content:
        return command
    if len(content) > PREVIEW:
        written = _written(content, hide)
        if written is None:
            beginning = hide(repr(content[:40]))
            return f"{command} --data-raw {quote(f'<{len(content)} bytes, beginning with {beginning}>')}"
        return f"python3 -c {quote(f'import sys; sys.stdout.buffer.write({written})')} | {command} --data-binary @-"
    hidden = _hidden(content, hide)
    try:
        text = hidden.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if text.isprintable():
        return f"{command} --data-raw {quote(text)}"
    octal = "".join(f"\\{byte:03o}" for byte in hidden)
    return f"printf '{octal}' | {command} --data-binary @-"


def quote(text: str) -> str:
    """The text as one word of bash and zsh, in printable characters and on one line."""
    if text.isprintable():
        return shell.quote(text)
    return "$'" + "".join(f"\\x{byte:02x}" for byte in text.encode("utf-8", "replace")) + "'"


def _written(content: bytes, hide: Hide) -> str | None:
    """A Python expression of a large body, in which what is repeated is written once; None if it is still too long."""
    parts, rest = [], 0
    for start, end, unit in _repeated(content):
        parts += [repr(content[rest:start]), f"{unit!r} * {(end - start) // len(unit)}"]
        rest = end
    written = " + ".join(each for each in (*parts, repr(content[rest:])) if each != "b''")
    return hide(written) if len(written) <= MOST_WRITTEN else None


def _repeated(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Where a few bytes are repeated many times: beginning, end, and the bytes."""
    end = 0
    while found := _REPEATED.search(content, end):
        unit, end = found[1], found.end()
        for each in (unit * _MANY, unit):
            while content.startswith(each, end):
                end += len(each)
        yield found.start(), end, unit


def _in_report(status: int | None) -> str:
    return "no response in the report" if status is None else f"{status} in the report"


def _hidden(content: bytes, hide: Hide) -> bytes:
    return hide(content.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def as_plan(steps: Iterable[Step], hide: Hide = str) -> list[str]:
    """Sentences for someone who can save events in other ways, and can only wait to move a clock."""
    return [sentence for step in steps if (sentence := _sentence(step, hide))]


def _sentence(step: Step, hide: Hide) -> str:
    match step:
        case Wait() | Advance():
            return f"Wait {in_short(step.microseconds)}."
        case SaveEvent():
            ages = {name: age for name, age in step.facts.items() if isinstance(age, int) and age}
            old = "".join(f", {name.removesuffix('_ago')} {in_short(age)} ago" for name, age in ages.items())
            return f"Save the event {quote(hide(step.event_id))}{old}."
        case Send():
            seen = "no answer" if step.exchange is None else f"{step.exchange.status}"
            wrong = step.expected and (step.exchange is None or step.exchange.status not in step.expected)
            wanted = f", expected {' or '.join(map(str, step.expected))}" if wrong else ""
            return f"Send this, which got {seen} here{wanted}: {curl(step.request, hide, show_status=False)}"
        case _:
            return ""


_HEAD = """\
# Reproduces the violation: python3 FILE (needs httpx).
import base64
import os
import subprocess
import time

import httpx

client = httpx.Client(timeout=30, trust_env=False)


def send(method, url, headers=None, content=b"", note="", head=False):
    answer = client.request(method, url, headers=headers, content=content)
    print(method, url, "<-", answer.status_code, f"({note})", repr(answer.text[:200]))
    if head:
        print(*(f"  {name}: {value}" for name, value in answer.headers.multi_items()), sep="\\n")
    return answer


"""


def _statements(step: Step, used: set[str], hide: Hide, *, head: bool) -> Iterator[str]:
    match step:
        case Wait():
            yield f"time.sleep({step.microseconds / SECOND:.3f})"
        case SaveEvent(words=words) if words:
            yield f"subprocess.run({[hide(word) for word in words]!r}, check=True)"
        case Open():
            yield f"{step.variable} = {_send(step.exchange.request, step.exchange.status, hide)}"
            for variable, keys in step.places.items():
                if variable in used:
                    picked = "".join(f"[{key!r}]" for key in keys)
                    yield f"os.environ[{variable!r}] = {step.variable}.json(){picked}"
        case Send(exchange=None):
            yield _send(step.request, None, hide)
        case Send() | SaveEvent() | Advance() | Look() if step.exchange is not None:
            yield _send(step.exchange.request, step.exchange.status, hide, head=head)
        case _:
            yield f"# {_in_words(step)}"


def _send(request: Request, status: int | None, hide: Hide, *, head: bool = False) -> str:
    headers = "".join(f"{name!r}: {_value(value, hide)}, " for name, value in request.headers.items())
    content, url = request.content, repr(hide(request.url))
    written = _written(content, hide) if len(content) > PREVIEW else repr(_hidden(content, hide))
    body = f"b'x' * {len(content)}" if written is None else written
    if request.in_query:
        url += f" + '?' + {_value(request.in_query, hide)}"
    shown = ", head=True" if head else ""
    return f"send({request.method!r}, {url}, {{{headers[:-2]}}}, {body}, {_in_report(status)!r}{shown})"


def _value(value: str | Secret, hide: Hide) -> str:
    if isinstance(value, str):
        return repr(hide(value))
    return " + ".join(repr(each) if isinstance(each, str) else _expression(each) for each in value.parts)


def _expression(part: Part) -> str:
    ends = (part.start or "", "" if part.stop is None else part.stop)
    cut = f"[{ends[0]}:{ends[1]}]" if part.start or part.stop is not None else ""
    text = f"os.environ[{part.credential.variable!r}]{cut}{'.swapcase()' if part.turned else ''}"
    return f"base64.b64encode(({text} + ':').encode()).decode()" if part.basic else text
