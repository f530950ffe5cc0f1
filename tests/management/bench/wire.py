"""A server that answers every request with the same bytes, in pieces as given."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager


@asynccontextmanager
async def answering(*pieces: bytes) -> AsyncIterator[int]:
    """Serve on a free port, which is given, while the block runs."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def chunked(body: bytes, sizes: Sequence[int]) -> bytes:
    """The body in HTTP chunks of these sizes, the last one taking the rest."""
    out = b""
    for size in (*sizes, len(body)):
        part, body = body[:size], body[size:]
        out += b"%x\r\n%b\r\n" % (len(part), part) if part else b""
    return out + b"0\r\n\r\n"
