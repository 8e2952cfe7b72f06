"""Reads a request's body, within a limit."""

from feedback_mock.asgi import Receive


class TooLarge(Exception):
    """The body is larger than the limit; the rest of it was not read. The message, if any, is a short clause."""


class Gone(Exception):
    """The client disconnected before it had sent everything."""


async def read(receive: Receive, limit: int, announced: bytes | None) -> bytes:
    """The whole body, at most `limit` bytes; `announced` is the Content-Length.

    Raises TooLarge before reading if the client announces too much, and while reading if it sends too much.
    """
    if announced is not None and announced.isdigit() and (len(announced) > 18 or int(announced) > limit):
        raise TooLarge
    message = await receive()
    body: bytes = message.get("body", b"")
    size = len(body)
    chunks = [body]
    while message.get("more_body", False) and size <= limit:
        message = await receive()
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
    if message["type"] == "http.disconnect":
        raise Gone
    if size > limit:
        raise TooLarge
    return body if len(chunks) == 1 else b"".join(chunks)
