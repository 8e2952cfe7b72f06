"""Sends requests, each in its turn, and times them. Makes no judgements.

A POST is sent twice only if the first cannot have been handled: a retried POST is an overwrite.
"""

import threading
import time
from dataclasses import replace
from urllib.parse import urlsplit

import httpx
from tenacity import (
    Retrying,
    retry_if_exception_type,
    retry_if_result,
    stop_after_attempt,
    stop_after_delay,
    wait_fixed,
    wait_none,
)
from tenacity.retry import RetryBaseT
from tenacity.stop import StopBaseT

from feedback_verify.between import between, lost_behind, told_of
from feedback_verify.exchange import Exchange, Request
from feedback_verify.targets.network import Network, Sockets, content_of, sendable, why_not
from feedback_verify.targets.pace import Pace, retry_after

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
TOO_MANY, UNAVAILABLE = 429, 503
PATIENCE = 60.0  # seconds for which one request is tried
AWAY = 5.0  # seconds that a server may be away, once it was there
TRIES = 4  # after which 503 is investigated
LARGE, MOST_LARGE = 1_048_576, 256 * 1_048_576  # bytes of a response body, and of all that are larger, in one run
ASKED = 5  # times that the target said how long to wait and we did, in vain; then it does not mean our time


LATE = "no response came in time"


class NotReachable(Exception):
    """The target did not respond; the message says what was tried and what went wrong, `what` only the latter."""

    def __init__(self, message: str, what: str = "the connection was closed without a response") -> None:
        super().__init__(message)
        self.what = what


class Stopped(KeyboardInterrupt):
    """The run is over: because of a signal, or because its time is up. Like Ctrl-C, so that nothing mistakes it for an
    error.
    """


class Trouble(Exception):
    """The target got too many requests, is unavailable for a while, or sends too much: nothing can be said about it."""


class Sender:
    """All requests of a run pass through this, from any thread.

    `offset` is how many microseconds the target's clock has been moved forward.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.pace = Pace()
        self.offset = 0
        self.usual: frozenset[str] = frozenset()  # headers that the server puts on all its responses
        self.stopped = threading.Event()
        self._sockets = Sockets()
        self._large = 0  # bytes of large responses so far
        self._responded: set[str] = set()  # the origins that did
        self._impatient = False  # since a request was tried in vain, until one is handled
        self._in_vain = (
            False  # since waiting did not end a 429: its clock stands still, or other clients send requests, too
        )
        self._means_unavailable = True  # whether 503 is about the server as a whole, or its response to some requests

    def now(self) -> int:
        """Microseconds on a clock that only moves forward."""
        return time.monotonic_ns() // 1000 + self.offset

    def stop(self) -> None:
        """Ends all waits, in every thread: from now on, each request raises Stopped."""
        self.stopped.set()
        self._sockets.shut()

    def wait(self, seconds: float) -> None:
        """Waits. Raises Stopped if the run ends meanwhile."""
        if self.stopped.wait(max(seconds, 0.0)):
            raise Stopped

    def exchange(self, transport: httpx.BaseTransport, request: Request) -> Exchange:
        """Sends the request in its turn; waits out 429, 503 and restarts. Raises NotReachable or Trouble."""
        exchange = self._sent(transport, request)
        if self._was_there(request) and lost_behind(exchange, self.usual):
            exchange = self._back_behind(transport, request, exchange)
        self._responded.add(_origin(request))
        if exchange.status == TOO_MANY or (exchange.status == UNAVAILABLE and self._is_busy(exchange)):
            exchange = self._waited_out(transport, request, exchange)
        self._impatient = False
        self.pace.handled()
        return exchange

    def _back_behind(self, transport: httpx.BaseTransport, request: Request, first: Exchange) -> Exchange:
        """The response once the gateway reaches its server again. Raises NotReachable if the server may have handled
        the request, so that it cannot be sent again.
        """
        again = request.method in IDEMPOTENT
        asked = request if again else Request("OPTIONS", request.url.partition("?")[0])
        retry = retry_if_result(lambda reply: lost_behind(reply, self.usual))
        back: Exchange = self._until_there(request, retry)(self._sent, transport, asked)
        if again:
            return back
        told = told_of(between(first, self.usual) or "a proxy", first)
        raise NotReachable(f"{told}: no response from the server behind it.", told)

    def _was_there(self, request: Request) -> bool:
        """Whether the server at this address has responded before; the control API may have another one."""
        return _origin(request) in self._responded

    def _until_there(self, request: Request, retry: RetryBaseT) -> Retrying:
        """Tries for a while: a server that was there may be restarting."""
        was_there = self._was_there(request)
        stop = stop_after_delay(AWAY) if was_there else stop_after_attempt(2)
        last = lambda state: state.outcome and state.outcome.result()  # noqa: E731 (raises what was raised last)
        wait = wait_fixed(0.25) if was_there else wait_none()
        return Retrying(retry=retry, stop=stop, wait=wait, sleep=self.wait, retry_error_callback=last)

    def _is_busy(self, exchange: Exchange) -> bool:
        return self._means_unavailable or retry_after(exchange.headers) is not None

    def _waited_out(self, transport: httpx.BaseTransport, request: Request, first: Exchange) -> Exchange:
        """The response once it is no longer 429 or 503.

        503 may be the server's actual response to this request; another request tells. It may also come after the
        request was handled, which is why the response counts from when the request was first sent.
        """
        if first.status == TOO_MANY and self._in_vain:
            self._give_up(first)
        rate, asked = self.pace.rate, retry_after(first.headers) or 0.0
        self.pace.refused(first.status, _began(first, self.offset), first.headers)
        if self._impatient or asked > PATIENCE:
            self._give_up(first)
        retrying = Retrying(
            retry=retry_if_result(self._is_refused),
            stop=self._enough(first),
            wait=wait_none(),  # the pace covers it
            retry_error_callback=lambda state: state.outcome and state.outcome.result(),
        )
        last: Exchange = retrying(self._sent, transport, request)
        if last.status == TOO_MANY:
            self._in_vain = True
            self.pace.rate = rate  # what waiting does not end is not about the pace
            self._give_up(last)
        if last.status == UNAVAILABLE:
            other = self._sent(transport, Request("OPTIONS", request.url.partition("?")[0]))
            if other.status in (UNAVAILABLE, TOO_MANY):
                self._give_up(last)
            self._means_unavailable = False
        return replace(last, sent=first.sent) if first.status == UNAVAILABLE else last

    def _enough(self, first: Exchange) -> StopBaseT:
        """Whether a request has been tried often enough."""
        if first.status == UNAVAILABLE:
            return stop_after_attempt(TRIES)
        if retry_after(first.headers):
            return stop_after_delay(PATIENCE) | stop_after_attempt(ASKED)
        return stop_after_delay(PATIENCE)

    def _is_refused(self, exchange: Exchange) -> bool:
        refused = exchange.status in (TOO_MANY, UNAVAILABLE)
        if refused:
            self.pace.refused(exchange.status, _began(exchange, self.offset), exchange.headers)
        return refused

    def _give_up(self, exchange: Exchange) -> None:
        self._impatient = True
        asked = exchange.headers.get("retry-after")
        wish = f", Retry-After: {asked[:40]}" if asked else ""
        raise Trouble(f"the target refused {exchange.request.method} with {exchange.status}{wish}, despite waiting")

    def _sent(self, transport: httpx.BaseTransport, request: Request) -> Exchange:
        """Sends the request; once more if no connection came about, or if sending twice is the same as once."""
        unsent = self._until_there(request, retry_if_exception_type(httpx.ConnectError))
        for last in (request.method not in IDEMPOTENT, True):
            try:
                return unsent(self._sent_once, transport, request)
            except httpx.RequestError as error:
                if last or isinstance(error, httpx.ConnectError):
                    what = (LATE,) if isinstance(error, httpx.TimeoutException) else ()
                    raise NotReachable(why_not(request, error, was_there=self._was_there(request)), *what) from None
        raise AssertionError("the last attempt returns or raises")

    def _sent_once(self, transport: httpx.BaseTransport, request: Request) -> Exchange:
        built = sendable(request)
        built.extensions["trace"] = self._sockets.watch
        self.wait(self.pace.turn())
        sent = self.now()
        try:
            response = transport.handle_request(built)
            content = content_of(response)
        except Exception:
            if self.stopped.is_set():
                raise Stopped from None  # whatever a closed socket reports
            raise
        self._bound(request, content)
        return Exchange(request, response.status_code, dict(response.headers), content, sent, self.now())

    def _bound(self, request: Request, content: bytes) -> None:
        """Raises Trouble once the large responses of a run, which reports may need to its end, take too much memory."""
        if len(content) > LARGE:
            self._large += len(content)
        if len(content) > LARGE and self._large > MOST_LARGE:
            said = f"{request.method} {request.shown_url} answered with {len(content):,} bytes"
            raise Trouble(f"{said}, and large responses had {MOST_LARGE // LARGE} MiB before; no more of them are read")


def _origin(request: Request) -> str:
    """Scheme, host and port."""
    return "{0.scheme}://{0.netloc}".format(urlsplit(request.url))


def _began(exchange: Exchange, offset: int) -> float:
    """When it was sent, in the monotonic seconds that a pace uses."""
    return (exchange.sent - offset) / 1_000_000
