"""Broken clients in Python: `python -m tests.broken_clients.broken NAME` runs one."""

import html
import json
import os
import signal
import sys
import threading
import time
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from email.utils import parsedate
from http.client import HTTPConnection, HTTPException
from io import BytesIO
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID, uuid4

from tests.broken_clients.sound import Answer, Client

BROKEN: dict[str, tuple[type[Client], frozenset[str]]] = {}
"""The class of each by its name, and the rules that it breaks."""


def breaks(*rules: str) -> Callable[[type[Client]], type[Client]]:
    """Declares the rules that a client breaks; its name is that of the class."""

    def declare(client: type[Client]) -> type[Client]:
        words = "".join(f"-{each.lower()}" if each.isupper() else each for each in client.__name__)
        BROKEN[words.removeprefix("-")] = client, frozenset(rules)
        return client

    return declare


class _AfterRefusal(Client):
    """Retries after a refusal, whatever it was."""

    again: tuple[int, ...] = ()

    def told_to_wait(self, status: int, headers: Mapping[str, str]) -> float | None:
        return 0.05 if status in self.again else super().told_to_wait(status, headers)


# What is sent


@breaks("endpoint")
class WithoutSlash(Client):
    def url(self) -> str:
        return super().url().rstrip("/")


@breaks("endpoint")
class ByPut(Client):
    def send(self, method: str = "POST", url: str | None = None) -> Answer:
        return super().send("PUT", url)


@breaks("content-type")
class SaysText(Client):
    def headers(self) -> list[tuple[str, str]]:
        return [("Authorization", self.authorization()), ("Content-Type", "text/plain")]


@breaks("content-type")
class SaysNothing(Client):
    def headers(self) -> list[tuple[str, str]]:
        return [("Authorization", self.authorization())]


@breaks("content-type")
class FormThatSaysJson(Client):
    def body(self) -> bytes:
        return urlencode(self.fields()).encode()


@breaks("valid-body", "retry-same")
class ReadsItsBodyOnce(Client):
    """Has its body as a stream, which is at its end when it is sent again."""

    def __init__(self) -> None:
        super().__init__()
        self.stream = BytesIO(super().body())

    def body(self) -> bytes:
        return self.stream.read()


@breaks("required-fields", "valid-body")
class WithoutComments(Client):
    def fields(self) -> dict[str, Any]:
        return {name: value for name, value in super().fields().items() if name != "comments"}


@breaks("required-fields", "valid-body")
class CallsItMessage(Client):
    def fields(self) -> dict[str, Any]:
        fields = super().fields()
        return (
            {**fields, "message": fields["comments"]} if not fields.pop("comments", None) else {**fields, "message": ""}
        )


@breaks("valid-body", "values")
class NameForEmail(Client):
    def fields(self) -> dict[str, Any]:
        return {**super().fields(), "email": "Jane Smith"}


@breaks("valid-body", "values")
class NullEmail(Client):
    def fields(self) -> dict[str, Any]:
        return {**super().fields(), "email": None}


@breaks("event-id", "valid-body")
class DashedEvent(Client):
    def fields(self) -> dict[str, Any]:
        return {**super().fields(), "event_id": str(UUID(self.given["event_id"]))}


@breaks("event-id")
class UpperCaseEvent(Client):
    def fields(self) -> dict[str, Any]:
        return {**super().fields(), "event_id": self.given["event_id"].upper()}


@breaks("values", "valid-body")
class Latin1(Client):
    def body(self) -> bytes:
        return json.dumps(self.fields(), ensure_ascii=False).encode("latin-1", "replace")


@breaks("values")
class OnlyAscii(Client):
    def fields(self) -> dict[str, Any]:
        return {name: value.encode("ascii", "ignore").decode() for name, value in super().fields().items()}


@breaks("values")
class EscapesHtml(Client):
    def fields(self) -> dict[str, Any]:
        return {name: html.escape(value) for name, value in super().fields().items()}


@breaks("values")
class OneLine(Client):
    def fields(self) -> dict[str, Any]:
        return {name: " ".join(value.split()) for name, value in super().fields().items()}


@breaks("values")
class DoublyEncoded(Client):
    def fields(self) -> dict[str, Any]:
        return {name: value.encode().decode("latin-1") for name, value in super().fields().items()}


@breaks("values")
class SignsItLater(Client):
    """Overwrites what is stored by something else."""

    def stored(self, content: bytes) -> int:
        self.given["comments"] += " (sent by our SDK)"
        self.send()
        return super().stored(content)


# Secrets


@breaks("authorization")
class TokenScheme(Client):
    def authorization(self) -> str:
        return f"Token {self.given['token']}"


@breaks("authorization")
class Anonymous(Client):
    def headers(self) -> list[tuple[str, str]]:
        return super().headers()[1:]


@breaks("authorization")
class TwoCredentials(Client):
    def headers(self) -> list[tuple[str, str]]:
        return [*super().headers(), ("Authorization", f"DSN {self.given['dsn']}")]


@breaks("authorization")
class TokenAsDsn(Client):
    def authorization(self) -> str:
        return f"DSN {self.given['token']}"


@breaks("authorization")
class LooksFirst(Client):
    """Looks whether the server is there, without credentials."""

    def wait(self, number: int) -> None:
        super().wait(number)
        url = urlsplit(self.url())
        with suppress(OSError, HTTPException), closing(HTTPConnection(url.netloc, timeout=self.timeout)) as connection:
            connection.request("HEAD", url.path)
            connection.getresponse().read()


@breaks("secret-in-header")
class TokenInQuery(Client):
    def url(self) -> str:
        return f"{super().url()}?auth={self.given['token']}"


@breaks("secret-in-header")
class DsnInBody(Client):
    def fields(self) -> dict[str, Any]:
        return {**super().fields(), "dsn": self.given["dsn"]}


@breaks("secret-in-header")
class TokenInOwnHeader(Client):
    def headers(self) -> list[tuple[str, str]]:
        return [*super().headers(), ("X-Sentry-Token", self.given["token"])]


@breaks("secret-elsewhere")
class FollowsWithCredentials(Client):
    def send(self, method: str = "POST", url: str | None = None) -> Answer:
        answer = super().send(method, url)
        return super().send(method, answer[1]["location"]) if answer[0] == 307 else answer


@breaks("secret-elsewhere")
class FollowsWithDsn(FollowsWithCredentials):
    def authorization(self) -> str:
        return f"DSN {self.given['dsn']}"


@breaks("secret-elsewhere")
class FollowsWithTokenInQuery(Client):
    followed = False

    def headers(self) -> list[tuple[str, str]]:
        return super().headers()[self.followed :]

    def send(self, method: str = "POST", url: str | None = None) -> Answer:
        answer = super().send(method, url)
        self.followed = answer[0] == 307
        return super().send(method, f"{answer[1]['location']}?auth={self.given['token']}") if self.followed else answer


@breaks("secret-printed")
class LogsHeaders(Client):
    def send(self, method: str = "POST", url: str | None = None) -> Answer:
        print(method, url, dict(self.headers()), file=sys.stderr)
        return super().send(method, url)


@breaks("secret-printed")
class LogsBasic(Client):
    """Logs what some proxies want to have, which is the token in base64 within more."""

    def failure(self, why: str) -> int:
        encoded = b64encode(f"feedback:{self.given['token']}:".encode()).decode()
        return super().failure(f"Proxy-Authorization: Basic {encoded}; {why}")


@breaks("secret-printed")
class TellsDsnOnFailure(Client):
    def failure(self, why: str) -> int:
        return super().failure(f"{self.given['dsn']} {why}")


# Responses


@breaks("conflict-final")
class RetriesConflict(_AfterRefusal):
    again = (409,)


@breaks("conflict-final")
class MendsConflict(_AfterRefusal):
    again = (409,)

    def fields(self) -> dict[str, Any]:
        fields = super().fields()
        return fields if getattr(self, "last", "") != "409" else {**fields, "comments": f"{fields['comments']} (again)"}


@breaks("invalid-final")
class RetriesInvalid(_AfterRefusal):
    again = (400,)


@breaks("unauthorized-final")
class RetriesUnauthorized(_AfterRefusal):
    again = (401,)


@breaks("forbidden-final")
class RetriesForbidden(_AfterRefusal):
    again = (403,)


@breaks("not-found-final")
class RetriesNotFound(_AfterRefusal):
    again = (404,)


@breaks("too-large-final")
class RetriesTooLarge(_AfterRefusal):
    again = (413,)


@breaks("success-final")
class SubmitsTwice(Client):
    def stored(self, content: bytes) -> int:
        self.send()
        return super().stored(content)


@breaks("success-final", "retry-same")
class SubmitsAnotherAfterRetry(Client):
    def stored(self, content: bytes) -> int:
        if hasattr(self, "failed"):
            self.given["event_id"] = uuid4().hex
            self.send()
        return super().stored(content)

    def wait(self, number: int) -> None:
        self.failed = True
        super().wait(number)


@breaks("unreadable-answer", "ends")
class DiesOfBrokenJson(Client):
    def stored(self, content: bytes) -> int:
        try:
            json.loads(content)
        except ValueError:
            os.kill(os.getpid(), signal.SIGSEGV)
        return super().stored(content)


@breaks("slow-answer")
class WaitsForEver(Client):
    timeout = None


# Retries


@breaks("retry-lost")
class NeverRetries(Client):
    tries = 1


@breaks("retry-lost")
class RetriesResetsOnly(Client):
    def run(self) -> int:
        try:
            return super().run()
        except HTTPException:
            return self.failure("no answer")

    def send(self, method: str = "POST", url: str | None = None) -> Answer:
        try:
            return super().send(method, url)
        except ConnectionResetError as error:
            if "without response" in str(error):
                self.tries = 0
                raise SystemExit(self.failure("no answer")) from None
            raise


@breaks("retry-same")
class AnotherEventOnRetry(Client):
    def wait(self, number: int) -> None:
        self.given["event_id"] = uuid4().hex
        super().wait(number)


@breaks("retry-same")
class CountsInComments(Client):
    def wait(self, number: int) -> None:
        self.given["comments"] += f" (try {number + 2})"
        super().wait(number)


@breaks("retry-same")
class AnonymousOnRetry(Client):
    def wait(self, number: int) -> None:
        self.given["name"] = "Anonymous"
        super().wait(number)


@breaks("retry-in-window")
class RetriesSixMinutesLater(Client):
    """Waits on the project's clock, which keeps tests of such a client fast."""

    def wait(self, number: int) -> None:
        asked = json.dumps({"duration": "PT6M", "participant": "client"}).encode()
        request = urllib.request.Request(
            f"{self.given['control']}/clock/sleep", asked, {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=5).close()


@breaks("retry-after-429", "retry-after-503", "retry-after-date")
class IgnoresRetryAfter(Client):
    def read_wait(self, said: str) -> float:
        return self.pause


@breaks("retry-after-429")
class Ignores429(Client):
    def told_to_wait(self, status: int, headers: Mapping[str, str]) -> float | None:
        return (
            self.pause
            if status == 429 and headers.get("retry-after", "-").isdigit()
            else super().told_to_wait(status, headers)
        )


@breaks("retry-after-503")
class Ignores503(Client):
    def told_to_wait(self, status: int, headers: Mapping[str, str]) -> float | None:
        return (
            self.pause
            if status == 503 and headers.get("retry-after", "-").isdigit()
            else super().told_to_wait(status, headers)
        )


@breaks("retry-after-429", "retry-after-503")
class TakesMilliseconds(Client):
    def read_wait(self, said: str) -> float:
        return float(said) / 1000 if said.isdigit() else super().read_wait(said)


@breaks("retry-after-date")
class ReadsNoDates(Client):
    def read_wait(self, said: str) -> float:
        return super().read_wait(said) if said.isdigit() else 0


@breaks("retry-after-date")
class PausesInsteadOfDates(Client):
    """For longer than some dates are away."""

    def read_wait(self, said: str) -> float:
        return super().read_wait(said) if said.isdigit() else 5.0


@breaks("retry-after-date")
class TakesDatesForLocal(Client):
    """Which is right where it is UTC."""

    def read_wait(self, said: str) -> float:
        date = None if said.isdigit() else parsedate(said)
        return super().read_wait(said) if date is None else max(time.mktime(date) - time.time(), 0)


@breaks("retry-pace")
class NeverPauses(Client):
    tries = 20
    pause = 0.0


@breaks("retry-bounded")
class NeverGivesUp(Client):
    tries = 10_000

    def wait(self, number: int) -> None:
        time.sleep(0.12)


@breaks("one-at-a-time")
class Hedges(Client):
    def send(self, method: str = "POST", url: str | None = None) -> Answer:
        timer = threading.Timer(0.2, self._send_too)
        timer.start()
        try:
            return super().send(method, url)
        finally:
            timer.cancel()

    def _send_too(self) -> None:
        try:
            super().send()
        except (OSError, HTTPException):
            return


# What the client reports


@breaks("reports-refusal")
class SilentWhenRefused(Client):
    def refused(self, status: int) -> int:
        return super().refused(status) if status in (307, 429, 503) else 0


@breaks("reports-refusal", "reports-outage")
class AlwaysSent(Client):
    def failure(self, why: str) -> int:
        print("stored")
        return 0


@breaks("reports-refusal", "reports-outage")
class AlwaysDone(Client):
    """Says the same however it went, though in no two runs."""

    def run(self) -> int:
        super().run()
        took = (time.time() - self.began) * 1000
        url, event_id = self.url(), UUID(self.given["event_id"])
        print(f"feedback by {self.given['name']} for {event_id} to {url}: done in {took:.1f} ms", file=sys.stderr)
        return 0


@breaks("reports-outage")
class SilentInOutage(Client):
    def failure(self, why: str) -> int:
        return super().failure(why) if "answered 4" in why else 0


@breaks("reports-success")
class ExpectsCreated(Client):
    def stored(self, content: bytes) -> int:
        return self.failure("200 is not 201")


@breaks("reports-success")
class FailsAfterRetry(Client):
    def stored(self, content: bytes) -> int:
        return self.failure("gave up") if getattr(self, "last_wait", None) is not None else super().stored(content)

    def wait(self, number: int) -> None:
        self.last_wait = number
        super().wait(number)


@breaks("ends")
class HangsWhenRefused(Client):
    def refused(self, status: int) -> int:
        while True:
            time.sleep(1)


@breaks("ends")
class AbortsOn500(Client):
    def told_to_wait(self, status: int, headers: Mapping[str, str]) -> float | None:
        if status == 500:
            os.abort()
        return super().told_to_wait(status, headers)


if __name__ == "__main__":
    name = sys.argv[1]
    raise SystemExit((BROKEN[name][0] if name != "sound" else Client)().run())
