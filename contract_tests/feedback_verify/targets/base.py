"""What every target can do: send requests, save events, move its clock, show its records. Makes no judgements."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, Self
from urllib.parse import SplitResult, urlsplit

from feedback_verify.exchange import Exchange, Project, Request
from feedback_verify.steps import Step
from feedback_verify.targets.network import Network
from feedback_verify.targets.sending import Sender
from feedback_verify.targets.settling import Settling
from feedback_verify.targets.wire import behind_head, pipelined

KEPT_FOR = 5.0  # seconds that a connection of its own may be idle


class ProtocolError(Exception):
    """The target's control API responded in a way that the protocol does not allow."""


class Target:
    """An implementation, by its base URL, and what can be done with it: `capabilities` in the document's words."""

    capabilities: frozenset[str] = frozenset()
    application: Any = None
    sandboxes = False  # whether every scenario has its own project, so that event ids may recur
    calendar = False  # whether a scenario may begin at any instant
    clock: Literal["exact", "process", "real"] = "real"

    def __init__(self, base_url: str, network: Network | None = None) -> None:
        self.base_url = base_url.rstrip("/")
        self.sender = Sender(network or Network())
        self.settling = Settling(self.sender.wait)
        self.tolerance: int | None = None  # microseconds; None until given or measured
        self.shown_step = 1  # microseconds: how exactly dates in responses are shown, as far as measured
        self.ahead = timedelta(0)  # relative to our clock, as far as measured
        self._secrets: set[str] = set()
        # One connection for each request: servers that silently close idle ones would seem to have crashed.
        self._transport = self.sender.network.transport(kept_for=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._transport.close()

    @property
    def step(self) -> int:
        """The steps in which the target's clock counts, in microseconds."""
        return self.tolerance or 1

    @property
    def secrets(self) -> frozenset[str]:
        """Every secret used with this target so far, to be removed from everything shown."""
        return frozenset(self._secrets)

    def keep_secret(self, project: Project) -> None:
        """Records the project's tokens, its DSN and the DSN's public key."""
        for kind, each in project.credentials.items():
            self._secrets.add(each.secret)
            if kind.endswith("dsn"):
                self._secrets.add(str(read_dsn(each.secret).username))

    def exchange(self, request: Request) -> Exchange:
        """Sends the request once. Raises NotReachable if there is no response."""
        return self.sender.exchange(self._transport, request)

    def behind_head(self, request: Request) -> bytes | None:
        """The bytes on the wire after the head of the response to a HEAD; None if they cannot be seen."""
        if self.application is not None:
            return None
        self.sender.wait(self.sender.pace.turn())
        return behind_head(self.sender.network, request)

    def pipelined(self, requests: Sequence[Request]) -> list[Exchange] | None:
        """Sends requests without waiting for responses; see wire.pipelined. None if that cannot be tried."""
        if self.application is not None:
            return None
        self.sender.wait(self.sender.pace.turn(len(requests)))
        return pipelined(self.sender.network, requests)

    def connection(self) -> "Connection":
        """A connection of its own, to be opened before it is needed."""
        return Connection(self)

    def now(self) -> int:
        """The instant in microseconds on a clock that only moves forward, at the pace of the target's."""
        return self.sender.now()

    def skip(self, microseconds: int) -> None:
        """Moves the target's clock forward, if that is possible."""
        raise ProtocolError("this target has no clock that moves")

    def reads(self) -> datetime | None:
        """What an exact clock shows if scenarios have no clocks of their own; None if the clock is not exact."""
        return None

    def open(self, start: datetime | None = None) -> tuple[Project, list[Step]]:
        """A project for one scenario, and the lines that create it; its clock starts at `start`, if possible."""
        raise NotImplementedError

    def close(self, project: Project) -> None:
        """Marks the scenario as finished."""

    def save_event(self, project: Project, event_id: str, facts: Mapping[str, Any]) -> Step:
        """Saves an event; `facts` are named as in the control protocol, ages in microseconds."""
        raise ProtocolError("this target cannot save events")

    def advance(self, project: Project, microseconds: int) -> Step:
        """Moves the project's clock forward."""
        raise ProtocolError("this target has no clock that moves")

    def records(self, project: Project) -> tuple[list[dict[str, Any]], Step]:
        """All stored feedback, in the control protocol's format, and the step that showed it."""
        raise ProtocolError("this target does not show its records")


def read_dsn(dsn: str) -> SplitResult:
    """The parts of a DSN. Raises ValueError if it is not a DSN; the message does not show it."""
    try:
        parts = urlsplit(dsn)
        whole = parts.scheme in ("http", "https") and parts.username and parts.hostname and parts.port != 0
    except ValueError:
        whole = None
    if not whole or not parts.path.rpartition("/")[2]:
        raise ValueError("a DSN has the form https://KEY@HOST/PROJECT_ID")
    return parts


class Connection:
    """One connection to a target, for one request at a time."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._transport = target.sender.network.transport(kept_for=KEPT_FOR)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._transport.close()

    def exchange(self, request: Request) -> Exchange:
        """Like Target.exchange, on this connection."""
        return self._target.sender.exchange(self._transport, request)
