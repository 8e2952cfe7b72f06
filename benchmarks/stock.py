"""Stock Connexion with the same document and the same logic, with its own validation of requests and responses."""

import warnings
from typing import Any

from benchmarks.logic import DOCUMENT, HEADERS, TOKEN, submit

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from connexion import AsyncApp
    from connexion.resolver import Resolver


async def handler(body: dict[str, str], **_: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """POST."""
    status, answer = submit(body)
    return answer, status, dict(HEADERS)


def bearer(token: str) -> dict[str, str] | None:
    """The one token."""
    return {"sub": "benchmark"} if token == TOKEN else None


def _document() -> dict[str, Any]:
    """Only the submit operation; Connexion looks up its security functions by these keys."""
    document: dict[str, Any] = {**DOCUMENT.openapi}
    path = DOCUMENT.submit.path
    operation = {key: value for key, value in document["paths"][path]["post"].items() if not key.startswith("x-")}
    operation["security"] = [{"bearer": []}]
    operation["requestBody"] = {
        **operation["requestBody"],
        "content": {"application/json": operation["requestBody"]["content"]["application/json"]},
    }
    document["paths"] = {path: {"parameters": document["paths"][path]["parameters"], "post": operation}}
    document["servers"] = [{"url": "/"}]
    components = document["components"]
    scheme = {**components["securitySchemes"]["bearer"], "x-bearerInfoFunc": "benchmarks.stock.bearer"}
    document["components"] = {**components, "securitySchemes": {"bearer": scheme}}
    return document


app = AsyncApp(__name__)
app.add_api(_document(), resolver=Resolver(lambda _: handler), validate_responses=True, pythonic_params=False)
