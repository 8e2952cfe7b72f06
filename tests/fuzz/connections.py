"""Sends a stream to a connection of the mock's own protocol class, and judges the result. Draws nothing."""

import asyncio
import socket
from random import Random
from typing import Any

import h11
import uvloop
from feedback_mock.asgi import Receive, Scope, Send
from feedback_mock.mock import Mock
from feedback_mock.protocol import Http
from feedback_mock.server import Uvicorn
from uvicorn.server import ServerState

from tests.fuzz.streams import Seen, Stream, read, statuses
from tests.fuzz.variants import varied_stream

SECONDS = 20.0
BYTES = 200_000  # that all variants of a stream have together, about
REFUSALS = {400, 408, 413, 414, 431, 501, 505}


class Wire:
    """Connections to a mock, one after the other on one event loop; `judge` raises AssertionError for any error."""

    def __init__(self, mock: Mock) -> None:
        self._mock, self._seen = mock, list[Seen]()
        project, path = mock.default_project, mock.document.submit.path
        self.path = path.format(organization_slug=project.organization, project_slug=project.slug)
        self.token = project.credentials.tokens["write"]
        self._config = Uvicorn(mock, lambda: None, around=self).config
        self._config.load()
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)

    def close(self) -> None:
        """Closes the event loop."""
        self._runner.close()

    def judge(self, stream: Stream) -> None:
        """Sends the stream, and compares requests and responses with what RFC 9112 makes of it."""
        self._seen.clear()
        answers = self._runner.run(self._answers(stream))
        check(stream, read(stream.content), self._seen, answers)

    def vary(self, stream: Stream, random: Random, most: int) -> int:
        """Gives variants of the stream to connections without a socket, fewer of a long one; returns how many."""
        most = min(most, 1 + BYTES // (1 + len(stream.content)))
        self._runner.run(self._vary([varied_stream(stream, random) for _ in range(most)]))
        return most

    async def _vary(self, streams: list[Stream]) -> None:
        for each in streams:
            self._seen.clear()
            answers = await self._answers_in_memory(each)
            try:
                check(each, read(each.content), self._seen, answers)
            except AssertionError as error:
                error.add_note(f"in a variant: {each}")
                raise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = scope["query_string"]
        target = scope["raw_path"] + (b"?" + query if query else b"")
        seen = Seen(scope["method"], target.decode("latin-1"))
        self._seen.append(seen)

        async def receiving() -> Any:
            message = await receive()
            if message["type"] == "http.request":
                seen.body += message["body"]
                seen.whole = not message["more_body"]
            return message

        await self._mock(scope, receiving, send)

    async def _answers(self, stream: Stream) -> bytes:
        loop, (client, server), state = asyncio.get_running_loop(), socket.socketpair(), ServerState()
        reader, writer = await asyncio.open_connection(sock=client)
        await loop.connect_accepted_socket(lambda: Http(self._config, state, {}, loop), server)
        reading = asyncio.ensure_future(reader.read())
        try:
            async with asyncio.timeout(SECONDS):
                for packet in stream.packets:
                    if not writer.transport.is_closing():
                        writer.write(packet)
                    await asyncio.sleep(0)
                    await asyncio.sleep(0)
                if not writer.transport.is_closing():
                    writer.write_eof()
                answers = await reading
                writer.close()
                while state.connections or state.tasks:
                    await asyncio.sleep(0)
                return answers
        except ConnectionError:
            return b"" if not reading.done() or reading.exception() else reading.result()
        finally:
            reading.cancel()
            writer.close()

    async def _answers_in_memory(self, stream: Stream) -> bytes:
        state = ServerState()
        protocol = Http(self._config, state, {}, asyncio.get_running_loop())
        transport = Memory(protocol)
        protocol.connection_made(transport)
        async with asyncio.timeout(SECONDS):
            for packet in stream.packets:
                while transport.paused and not transport.closing:
                    await asyncio.sleep(0)
                if not transport.closing:
                    protocol.data_received(packet)
                await asyncio.sleep(0)
            if not transport.closing and not protocol.eof_received():
                transport.close()
            while state.connections or state.tasks:
                await asyncio.sleep(0)
        return bytes(transport.written)


class Memory(asyncio.Transport):
    """The transport of a connection without a socket: a connection costs a tenth of one with."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self._protocol, self.written = protocol, bytearray()
        self.paused = self.closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keeps what the client would read."""
        if not self.closing:
            self.written += data

    def is_closing(self) -> bool:
        """Whether nothing more is written."""
        return self.closing

    def close(self) -> None:
        """Ends the connection, for both sides, in the next turn of the loop."""
        if not self.closing:
            self.closing = True
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)

    abort = close

    def write_eof(self) -> None:
        """The server writes nothing more; the client goes on."""

    def pause_reading(self) -> None:
        """The server wants nothing more for now."""
        self.paused = True

    def resume_reading(self) -> None:
        """The server reads on."""
        self.paused = False


def check(stream: Stream, meant: list[Seen], seen: list[Seen], answers: bytes) -> None:
    """Raises AssertionError if too much was read, something else was read, or the response is wrong."""
    assert len(seen) <= len(meant), f"{seen[len(meant)]} is not a request"
    assert len(seen) >= min(stream.sound, len(meant)), "a sound request was not taken"
    for each, other in zip(seen, meant, strict=False):
        assert (each.method, each.target) == (other.method, _origin_form(other.target)), (each, other)
        assert not each.whole or (each.body, other.whole) == (other.body, True), (each, other)
    try:
        found = statuses(answers, [each.method for each in seen])
    except h11.RemoteProtocolError as error:
        raise AssertionError(f"the answers are not HTTP: {error}; {answers[:300]!r}") from error
    assert [each for each in found if each >= 500 and each not in REFUSALS] == []
    assert len(found) <= len(seen) + 1
    if len(found) > len(seen):
        assert found[-1] in REFUSALS, found


def _origin_form(target: str) -> str:
    if target.startswith(("/", "*")):
        return target
    _, _, rest = target.partition("://")
    return "/" + rest.partition("/")[2] if rest else target
