"""A bare ASGI function with the mock's logic and orjson: about as fast as Python gets behind uvicorn."""

from typing import Any

import orjson

from benchmarks.logic import HEADERS, PATH, TOKEN, submit

_AUTHORIZATION = b"Bearer " + TOKEN.encode()
_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS]
_LIMITS = {"event_id": 32, "name": 128, "email": 75, "comments": 1 << 20}


async def app(scope: Any, receive: Any, send: Any) -> None:
    """POST to the one path; anything else is refused."""
    if scope["type"] != "http":
        return
    headers = dict(scope["headers"])
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    status, answer = _respond(scope, headers, body)
    content = orjson.dumps(answer)
    start = [*_HEADERS, (b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": content})


def _respond(scope: Any, headers: dict[bytes, bytes], body: bytes) -> tuple[int, dict[str, Any]]:
    if scope["path"] != PATH:
        return 404, {"detail": "Route not found."}
    if headers.get(b"authorization") != _AUTHORIZATION:
        return 401, {"detail": "Invalid token"}
    if headers.get(b"content-type") != b"application/json":
        return 415, {"detail": "Unsupported media type."}
    data = orjson.loads(body)
    errors = {
        name: ["Not a valid string."]
        for name, limit in _LIMITS.items()
        if not isinstance(data.get(name), str) or not 0 < len(data[name].strip()) <= limit
    }
    return (400, errors) if errors else submit(data)
