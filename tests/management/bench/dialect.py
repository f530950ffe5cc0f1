"""A server with a dialect of OpenAI's API: a key, no usage, no [DONE], and fields that it refuses."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

KEY = "sk-of-the-dialect"
MODEL = "the/only-model"
_HEAD = b"HTTP/1.1 %b\r\nConnection: close\r\nContent-Type: %b\r\n\r\n"


class Dialect:
    """Answers three words to every chat, and remembers the bodies."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next((int(x[15:]) for x in head.splitlines() if x.lower().startswith("content-length")), 0)
        body = json.loads(await reader.readexactly(length) or b"null")
        writer.write(self._answer(head, body))
        await writer.drain()
        writer.close()

    def _answer(self, head: str, body: Any) -> bytes:
        if f"Authorization: Bearer {KEY}" not in head:
            return _HEAD % (b"401 Unauthorized", b"application/json") + b"{}"
        if head.startswith("GET /api/v1/models "):
            listed = json.dumps({"data": [{"id": MODEL}, {"id": "another"}]}).encode()
            return _HEAD % (b"200 OK", b"application/json") + listed
        if "stream_options" in body:
            return _HEAD % (b"422 Unprocessable", b"application/json") + b'{"detail": "no stream_options"}'
        self.bodies.append(body)
        events = b"".join(
            b"data:" + json.dumps({"choices": [choice]}).encode() + b"\r\n\r\n"
            for choice in (
                {"delta": {"role": "assistant", "content": None}},
                {"delta": {"content": "Once"}},
                {"delta": {"content": " upon"}},
                {"delta": {"content": " a"}, "finish_reason": None},
                {"delta": {}, "finish_reason": "stop"},
            )
        )
        return _HEAD % (b"200 OK", b"text/event-stream") + events


@contextmanager
def speaking() -> Iterator[tuple[str, Dialect]]:
    """The address of a Dialect that is served on a thread while the block runs."""
    dialect, loop = Dialect(), asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(dialect.answer, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/v1", dialect
    finally:
        loop.call_soon_threadsafe(server.close)  # it is not safe to close it from another thread
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
