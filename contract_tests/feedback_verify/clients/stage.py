"""Runs a client's command against a fresh project on its own mock, and records what it did. Judges nothing."""

import os
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from secrets import token_hex
from typing import Any, Self

import httpx
from feedback_spec.document import Document
from feedback_spec.instants import SECOND, format_duration, parse_instant

from feedback_verify.clients.commands import Clock, Command
from feedback_verify.clients.elsewhere import Elsewhere
from feedback_verify.clients.episode import Episode, attempts_of
from feedback_verify.clients.situations import Setting, Situation
from feedback_verify.settings import own_mock
from feedback_verify.targets import NotReachable, Stopped
from feedback_verify.targets.process import find_library

ORGANIZATION = "clients"
PLAYS = 2 + 2 * (os.cpu_count() or 1)  # at the same time; mostly, they wait
LOOK = 0.05  # seconds between two checks of a running client
TOO_MANY = 200  # requests after which a client is ended: it would show nothing new
NOTICEABLE = SECOND // 2  # how far a clock must exceed its own running to count as moved
PLAIN_VALUES = ("Jane Smith", "jane@example.com", "It broke!")
VALUES = (
    "Zoë Ångström 山田",
    "Jane+Sentry@example.com",
    'He said "no" & <b>left</b>: C:\\temp, 100%, $HOME, {id}\r\n`また` 🙈 e\u0301',
)
"""Name, email and comments that a client has to submit, but for the plain situation: hardly any harm leaves them be."""


class Stage:
    """A mock of its own, on which a command is run as often as needed, even concurrently.

    `patience` is in microseconds: how long a run may last, up to the client's first request and from then on. `seed`
    determines the random data in responses. With `faketime`, the client's clock follows the project's if a situation
    moves it; that needs libfaketime.
    """

    def __init__(
        self,
        words: Sequence[str],
        document: Document,
        patience: int,
        spec: Path | None = None,
        *,
        seed: int = 0,
        faketime: bool = False,
    ) -> None:
        self.words, self.document, self.patience = words, document, patience
        self.secrets: set[str] = set()
        self._spec, self._seed, self._library = spec, seed, find_library() if faketime else None
        self._numbers, self._running, self._stopped = count(1), set[Command](), threading.Event()
        self._startup = 0  # microseconds that clients took at most between their start and their first request

    def __enter__(self) -> Self:
        """Starts the mock, and the other origin. Raises SettingsError if there is no mock to start."""
        with ExitStack() as stack:
            self.url = stack.enter_context(own_mock(self._spec, self.document.profile))
            # Of connections that are kept, httpcore may close one just as another thread begins to use it.
            alone = httpx.Limits(max_keepalive_connections=0)
            self._http = stack.enter_context(
                httpx.Client(base_url=f"{self.url}/_control", trust_env=False, timeout=30, limits=alone)
            )
            self._elsewhere = stack.enter_context(Elsewhere())
            self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="feedback-verify-")))
            stack.callback(self.stop)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def stop(self) -> None:
        """Ends every run; each raises Stopped."""
        self._stopped.set()
        for each in tuple(self._running):
            each.end()

    def play(self, situation: Situation) -> Episode:
        """The episode of one run.

        Raises CannotPlay if the command cannot be started, and Stopped once the stage has been stopped.
        """
        slug = f"play-{next(self._numbers)}"
        path = f"/projects/{ORGANIZATION}/{slug}"
        # Its clock runs with the machine's, unless the client moves it.
        made = self._ask("PUT", path, {"clock": {"running": True}, "redact": False, "seed": self._seed})
        try:
            return self._played(situation, slug, path, made)
        finally:
            self._ask("DELETE", path)

    def play_all(
        self, situations: Iterable[Situation], *, together: bool = True
    ) -> Iterator[tuple[Situation, Episode]]:
        """Runs many, together or not, and yields each as soon as it is over; closing the iterator ends the rest."""
        with ThreadPoolExecutor(PLAYS if together else 1) as pool:
            futures = {pool.submit(self.play, each): each for each in situations}
            try:
                for future in as_completed(futures):
                    yield futures[future], future.result()
            except BaseException:
                self.stop()
                pool.shutdown(cancel_futures=True)
                raise

    def _played(self, situation: Situation, slug: str, path: str, made: Mapping[str, Any]) -> Episode:
        given = self._given(situation)
        began, monotonic = parse_instant(made["clock"]["now"]), _monotonic()
        secrets = (made["tokens"]["write"], made["dsn"].partition("//")[2].partition("@")[0])
        self.secrets |= {*made["tokens"].values(), made["dsn"], *secrets}
        self._ask("PUT", f"{path}/events/{given['event_id']}", {"saved_ago": format_duration(situation.saved_ago)})
        faults = situation.faults(Setting(f"{self._elsewhere.url}/{slug}", began + self._startup))
        if faults:
            self._ask("POST", f"{path}/faults", {"faults": list(faults)})
        clock = None if self._library is None else Clock(self._library, self._folder / slug)
        variables = {**self._variables(slug, made, given), **(clock.variables if clock else {})}
        if situation.zone:
            variables["TZ"] = situation.zone
        if self._stopped.is_set():
            raise Stopped
        command, started = Command(self.words, variables), _now()
        self._running.add(command)
        try:
            ended, lag, waited = self._watch(command, situation, path, clock)
        finally:
            command.end()
            self._running.discard(command)
        over = _now()
        if self._stopped.is_set():
            raise Stopped
        moved = parse_instant(self._ask("GET", f"{path}/clock")["now"]) - began - situation.hold
        moved -= _monotonic() - monotonic
        attempts = attempts_of(self._ask("GET", f"{path}/requests")["entries"], self.document)
        self._startup = max(self._startup, *(each.sent - started for each in attempts[:1]), 0)
        return Episode(
            situation=situation.name,
            attempts=attempts,
            exit_code=command.exit_code if ended is None else None,
            output=command.output,
            errors=command.errors,
            cut=command.cut,
            records=self._ask("GET", f"{path}/feedback"),
            elsewhere=self._elsewhere.requests(),
            given=given,
            secrets=secrets,
            over=over,
            ended=ended,
            told_time=clock is not None or (moved > NOTICEABLE and not situation.hold),
            lag=lag,
            waited=waited,
        )

    def _watch(
        self, command: Command, situation: Situation, path: str, clock: Clock | None
    ) -> tuple[str | None, int, int]:
        """Waits for the command. Returns None if it exited, else why it was ended; then `lag` and `waited`."""
        began, seen, since, held = _monotonic(), 0, _monotonic(), bool(situation.hold)
        lag, waited, before, looked = 0, 0, 0, began
        while not command.wait(LOOK):
            last = self._ask("GET", f"{path}/requests?since=1000000")["last"]
            now = _monotonic()
            lag, looked, altogether = max(lag, now - looked), now, command.waited
            waited, before = max(waited, altogether - before), altogether
            if last != seen:
                began, seen, since = began if seen else now, last, now
            if held and self._holds(path):
                held = False
                self._let_time_pass(situation.hold, path, clock, command)
                looked = _monotonic()
            if seen > TOO_MANY:
                return f"after {seen} requests", lag, waited
            if situation.calm and seen and now - since > situation.calm:
                return f"after {situation.calm // SECOND} s without a request", lag, waited
            if now - began > self.patience:
                patience = f"{self.patience / SECOND:g} s"
                return f"{patience} after its first request" if seen else f"after {patience}", lag, waited
        return None, max(lag, _monotonic() - looked), waited

    def _holds(self, path: str) -> bool:
        """Whether a response is held back: the request has been handled then."""
        entries = [each["_feedback"] for each in self._ask("GET", f"{path}/requests")["entries"]]
        return any(each["state"] == "pending" and each["fault"] for each in entries)

    def _let_time_pass(self, hold: int, path: str, clock: Clock | None, command: Command) -> None:
        """Moves the project's clock while the first response is held back, and then releases it."""
        self._ask("POST", f"{path}/clock/advance", {"duration": format_duration(hold)})
        if clock is not None:
            clock.move(hold)
        # The request may not be waiting yet, and the client may have disconnected.
        while not self._ask("POST", f"{path}/faults/release")["released"] and not command.wait(LOOK):
            pass

    def _given(self, situation: Situation) -> dict[str, str]:
        name, email, comments = VALUES if situation.texts else PLAIN_VALUES
        return {"event_id": token_hex(16), "name": name, "email": email, "comments": comments}

    def _variables(self, slug: str, made: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
        """What the client gets as environment variables."""
        path = self.document.submit.path.format(organization_slug=ORGANIZATION, project_slug=slug)
        told = {
            "URL": self.url,
            "ENDPOINT": f"{self.url}{path}",
            "ORGANIZATION": ORGANIZATION,
            "PROJECT": slug,
            "TOKEN": made["tokens"]["write"],
            "DSN": made["dsn"],
            "CONTROL": f"{self.url}/_control/projects/{ORGANIZATION}/{slug}",
            **{name.upper(): value for name, value in given.items()},
        }
        return {f"FEEDBACK_{name}": value for name, value in told.items()}

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        """A response of the mock's control protocol. Raises NotReachable."""
        try:
            answer = self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise NotReachable(f"The mock for the client does not respond: {error}.") from None
        if answer.is_error:
            said = f"The mock for the client answered {method} {path} with {answer.status_code}"
            raise NotReachable(f"{said}; did the client delete its project, by FEEDBACK_CONTROL?")
        return answer.json() if answer.content else None


def _now() -> int:
    return time.time_ns() // 1000


def _monotonic() -> int:
    return time.monotonic_ns() // 1000
