"""Reading a body, at the limit and one past it."""

import asyncio
from typing import Any

import pytest
from feedback_mock.body import Gone, TooLarge, read


class Client:
    """Sends these messages, and counts those that were asked for."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        self._messages, self.asked = messages, 0

    async def __call__(self) -> dict[str, Any]:
        self.asked += 1
        return self._messages[self.asked - 1]


def chunk(body: bytes | None, more: bool | None = None) -> dict[str, Any]:
    """A message of ASGI, in which both may be left out."""
    given = {"body": body, "more_body": more}
    return {"type": "http.request", **{name: value for name, value in given.items() if value is not None}}


def received(client: Client, limit: int = 4, announced: bytes | None = None) -> bytes:
    return asyncio.run(read(client, limit, announced))


@pytest.mark.parametrize(
    ("messages", "body"),
    [
        ([chunk(b"abcd")], b"abcd"),
        ([chunk(b"abcd", False)], b"abcd"),
        ([chunk(None)], b""),
        ([chunk(b"ab", True), chunk(b"cd")], b"abcd"),
        ([chunk(b"a", True), chunk(b"bc", True), chunk(b"d")], b"abcd"),
        ([chunk(None, True), chunk(b"a", True), chunk(b"b", True), chunk(None)], b"ab"),
    ],
)
def test_body_is_everything_up_to_the_last_chunk(messages: list[dict[str, Any]], body: bytes) -> None:
    client = Client(*messages, chunk(b"of the next request"))

    assert received(client) == body
    assert client.asked == len(messages)


@pytest.mark.parametrize(
    ("messages", "asked"),
    [
        ([chunk(b"abcde")], 1),
        ([chunk(b"abcde", True)], 1),
        ([chunk(b"ab", True), chunk(b"cd", True), chunk(b"e", True)], 3),
        ([chunk(b"ab", True), chunk(b"cde")], 2),
    ],
)
def test_body_that_becomes_too_large_is_read_no_further(messages: list[dict[str, Any]], asked: int) -> None:
    client = Client(*messages, chunk(b"more", True))

    with pytest.raises(TooLarge):
        received(client)
    assert client.asked == asked


@pytest.mark.parametrize("announced", [b"5", b"000000000000000005", b"0" * 19, b"9" * 100_000])
def test_body_that_is_announced_too_large_is_not_read(announced: bytes) -> None:
    client = Client(chunk(b""))

    with pytest.raises(TooLarge):
        received(client, announced=announced)
    assert client.asked == 0


@pytest.mark.parametrize("announced", [None, b"4", b"0", b"000000000000000004", b"", b"-5", b"5x", b"many"])
def test_body_that_is_announced_small_enough_or_not_understandably_is_read(announced: bytes | None) -> None:
    assert received(Client(chunk(b"abcd")), announced=announced) == b"abcd"


@pytest.mark.parametrize("before", [[], [chunk(b"ab", True)]])
def test_client_that_leaves_early_is_gone(before: list[dict[str, Any]]) -> None:
    with pytest.raises(Gone):
        received(Client(*before, {"type": "http.disconnect"}))
