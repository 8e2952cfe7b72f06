"""The story for every generated SDK in Python: submit, overwrite with a DSN, be refused. Prints what it saw.

Runs in the environment of the generators, without the mock and the other tests.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

EVENT = "7167980ca1db42cdba8d5284e7f81c66"
OTHER_EVENT = "14bad9a2e3774046977a21440ddb39b2"


@dataclass(frozen=True)
class Place:
    """Where to submit, and one credential: `scheme` is Bearer or DSN."""

    url: str
    organization: str
    project: str
    scheme: str
    credential: str


Submit = Callable[[Place, str, str, str], dict[str, Any]]


def tell(submit: Submit) -> None:
    """`submit` accepts a place, an event id, an email and comments, and returns the status with what the SDK made of
    it.
    """
    told = json.loads(sys.argv[1])

    def with_scheme(scheme: str) -> Place:
        return Place(told["url"], told["organization"], told["project"], scheme, told[scheme])

    def advance(duration: str) -> None:
        path = f"/_control/projects/{told['organization']}/{told['project']}/clock/advance"
        httpx.post(told["url"] + path, json={"duration": duration}).raise_for_status()

    bearer, dsn = with_scheme("Bearer"), with_scheme("DSN")
    saw = {
        "submitted": submit(bearer, EVENT, "jane@example.com", "It broke!"),
        "overwritten": submit(dsn, EVENT, "jane@example.com", "The button does nothing."),
    }
    advance("PT5M")
    saw["at the limit"] = submit(bearer, EVENT, "jane@example.com", "Still broken.")
    advance("PT0.000001S")
    saw["past it"] = submit(bearer, EVENT, "jane@example.com", "Fixed.")
    saw["past it with the DSN"] = submit(dsn, EVENT, "jane@example.com", "Fixed.")
    saw["invalid"] = submit(bearer, OTHER_EVENT, "nobody", "It broke!")
    print(json.dumps(saw))
