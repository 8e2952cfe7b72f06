"""A correct client, in steps that a broken one does differently. Knows nothing about the verifier except the
environment.
"""

import http.client
import json
import os
import sys
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

Answer = tuple[int, Mapping[str, str], bytes]
LONGEST = 5.0  # seconds of Retry-After that it waits for


class Client:
    """Submits one feedback, retries if that is safe, and reports the outcome in its exit code."""

    tries = 4
    pause = 0.1
    timeout: float | None = 1.0
    window = 300.0

    def __init__(self) -> None:
        self.given = {name.removeprefix("FEEDBACK_").lower(): value for name, value in os.environ.items()}
        self.began = time.time()

    def fields(self) -> dict[str, Any]:
        """What is submitted."""
        return {name: self.given[name] for name in ("event_id", "name", "email", "comments")}

    def body(self) -> bytes:
        """The same as bytes."""
        return json.dumps(self.fields()).encode()

    def headers(self) -> list[tuple[str, str]]:
        """The headers of every try."""
        return [("Authorization", self.authorization()), ("Content-Type", "application/json")]

    def authorization(self) -> str:
        """The credentials."""
        return f"Bearer {self.given['token']}"

    def url(self) -> str:
        """Where to."""
        return self.given["endpoint"]

    def send(self, method: str = "POST", url: str | None = None) -> Answer:
        """One try. Raises OSError or HTTPException if there is no response."""
        parts, body = urlsplit(url or self.url()), self.body()
        connection = http.client.HTTPConnection(parts.netloc, timeout=self.timeout)
        try:
            connection.putrequest(method, parts.path + (f"?{parts.query}" if parts.query else ""))
            for name, value in [*self.headers(), ("Content-Length", str(len(body)))]:
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def run(self) -> int:
        """Tries until it is stored, refused, or useless to continue."""
        for number in range(self.tries):
            if time.time() - self.began > self.window:
                return self.failure("the window is over")
            try:
                status, headers, content = self.send()
            except (OSError, http.client.HTTPException) as error:
                self.last = type(error).__name__
                self.wait(number)
                continue
            self.last = str(status)
            if status == 200:
                return self.stored(content)
            wait = self.told_to_wait(status, headers)
            if wait is None:
                return self.refused(status)
            time.sleep(wait)
        return self.failure(self.last)

    def wait(self, number: int) -> None:
        """Lets time pass after a failure."""
        time.sleep(self.pause * 2**number)

    def told_to_wait(self, status: int, headers: Mapping[str, str]) -> float | None:
        """How long to wait before the next try; None for no further try."""
        if status not in (429, 503):
            return self.pause if status >= 500 else None
        said = headers.get("retry-after")
        wait = self.pause if said is None else self.read_wait(said)
        return None if wait > LONGEST else wait

    def read_wait(self, said: str) -> float:
        """Retry-After in seconds."""
        return float(said) if said.isdigit() else max(parsedate_to_datetime(said).timestamp() - time.time(), 0)

    def stored(self, content: bytes) -> int:
        """It was accepted."""
        try:
            known = "id" in json.loads(content)
        except ValueError:
            known = False
        print("stored" if known else "stored, as far as can be told")
        return 0

    def refused(self, status: int) -> int:
        """It was refused for good."""
        return self.failure(f"the server answered {status}")

    def failure(self, why: str) -> int:
        """It was not delivered."""
        print(f"The feedback was not delivered: {why}.", file=sys.stderr)
        return 1
