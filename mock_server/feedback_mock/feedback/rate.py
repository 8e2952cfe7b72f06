"""The request limit of the hosted service: a number of requests to a project's endpoint per some seconds, then 429.

Sentry counts in fixed windows and responds with its own headers (docs/sentry.md, fact 74; middleware/ratelimit.py of
getsentry/sentry at 57915b5d). Windows are counted on the project's clock, so a test can move past one.
"""

from collections.abc import Callable
from dataclasses import dataclass

from feedback_spec.instants import SECOND

from feedback_mock.asgi import Answer, Headers
from feedback_mock.exchange import Exchange
from feedback_mock.result import Refused, Result
from feedback_mock.store import Project

RATE_RULE = "rate-limit"
CONCURRENT = 25  # the open-source default, never reached here: requests are answered one after the other


@dataclass(frozen=True, slots=True)
class RateLimit:
    """`requests` per window of `seconds`."""

    requests: int
    seconds: int

    def of(self, operation: str) -> Callable[[Exchange], Refused | None]:
        """The counter for requests of one operation, each with a project, which refuses those beyond the limit."""

        def check(exchange: Exchange) -> Refused | None:
            project = exchange.project
            assert project is not None
            within, exchange.more = self.count(project, operation, project.clock.now())
            return None if within else Refused(RATE_RULE, word=self.message)

        return check

    @property
    def message(self) -> str:
        """The message to a refused client."""
        limit = f"Limit is {self.requests} requests in {self.seconds} seconds"
        return f"You are attempting to use this endpoint too frequently. {limit}"

    def count(self, project: Project, operation: str, now: int) -> tuple[bool, Headers]:
        """Counts a request at `now` (microseconds): whether it is within the limit, and the headers that say so."""
        window = now // (self.seconds * SECOND)
        counted, before = project.counts.get(operation, (window, 0))
        used = before + 1 if counted == window else 1
        project.counts[operation] = (window, used)
        values = {
            "limit": self.requests,
            "remaining": max(self.requests - used, 0),
            "reset": (window + 1) * self.seconds,
            "concurrentlimit": CONCURRENT,
            "concurrentremaining": CONCURRENT - 1,
        }
        headers = [(f"x-sentry-rate-limit-{name}".encode(), str(value).encode()) for name, value in values.items()]
        return used <= self.requests, headers


def add_counts(exchange: Exchange, _result: Result, answer: Answer) -> Answer:
    """The response with the counts of the limit, if the request was counted."""
    return answer._replace(headers=[*answer.headers, *exchange.more]) if exchange.more else answer
