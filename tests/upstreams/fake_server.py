"""A server of OpenAI's dialect that does what a test wants of it, to the byte."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from inference.core.upstream import Address, Engine


@dataclass(frozen=True)
class Received:
    """One request as the server got it."""

    line: str
    headers: Mapping[str, str]
    body: Any


class Wire:
    """The connection of one request, to be answered on."""

    def __init__(
        self, received: Received, writer: asyncio.StreamWriter, reader: asyncio.StreamReader
    ) -> None:
        self.received = received
        self._writer = writer
        self._reader = reader

    async def send(self, data: bytes | str) -> None:
        self._writer.write(data if isinstance(data, bytes) else data.encode())
        await self._writer.drain()

    async def begin(self, status: str = "200 OK", **headers: str) -> None:
        """The head of an answer that ends when the connection does."""
        more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        await self.send(
            f"HTTP/1.1 {status}\r\ncontent-type: text/event-stream\r\n{more}connection: close\r\n\r\n"
        )

    async def chunks(self, *chunks: Any) -> None:
        """Chunks as server-sent events."""
        for chunk in chunks:
            await self.send(f"data: {chunk if isinstance(chunk, str) else json.dumps(chunk)}\n\n")

    async def left(self) -> None:
        """Wait until the other side has closed the connection."""
        await self._reader.read()

    def abort(self) -> None:
        """Close the connection as a process does that is killed."""
        self._writer.transport.abort()


Answer = Callable[[Wire], Awaitable[None]]


@dataclass
class FakeServer:
    """Answers each request by `answer`; `received` has what came."""

    answer: Answer
    port: int = 0
    received: list[Received] = field(default_factory=list)
    open: int = 0  # connections that are being answered

    def address(self, model: str = "theirs", engine: Engine = "mlxsite", key: str = "") -> Address:
        return Address(
            upstream=f"fake-{self.port}",
            base_url=f"http://127.0.0.1:{self.port}/v1",
            model=model,
            engine=engine,
            key=SecretStr(key),
        )

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line, *rest = head.strip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in rest)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            received = Received(line, headers, json.loads(body) if body else None)
            self.received.append(received)
            if line.startswith("GET"):
                await self._list(Wire(received, writer, reader))
            else:
                await self.answer(Wire(received, writer, reader))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open -= 1
            writer.close()

    async def _list(self, wire: Wire) -> None:
        await wire.begin()
        await wire.send(json.dumps({"object": "list", "data": [{"id": "theirs", "owned_by": "vllm"}]}))


@asynccontextmanager
async def fake_server(answer: Answer) -> AsyncIterator[FakeServer]:
    """A server on a free port for as long as the block runs."""
    fake = FakeServer(answer)
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0)
    fake.port = server.sockets[0].getsockname()[1]
    try:
        yield fake
    finally:
        server.close()


def delta(index: int = 0, finish: str | None = None, **fields: Any) -> dict[str, Any]:
    """A chunk with one choice."""
    return {"choices": [{"index": index, "delta": fields, "finish_reason": finish}]}


USAGE = {
    "choices": [],
    "usage": {
        "prompt_tokens": 11,
        "completion_tokens": 2,
        "prompt_tokens_details": {"cached_tokens": 7},
        "completion_tokens_details": {"reasoning_tokens": 1},
    },
}
HELLO: Sequence[Any] = (
    delta(role="assistant", content=""),
    delta(content="Hello"),
    delta(content=" there"),
    delta(finish="stop"),
    USAGE,
    "[DONE]",
)


async def says_hello(wire: Wire) -> None:
    await wire.begin()
    await wire.chunks(*HELLO)
