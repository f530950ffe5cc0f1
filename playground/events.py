"""The playground's stream dialect: each of the request's events as one server-sent JSON line."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec

from inference.errors import ServerError
from inference.openai import sse
from inference.openai.feed import Feed
from inference.types import Event

_encode = msgspec.json.Encoder().encode


async def sent(feed: Feed) -> AsyncGenerator[bytes]:
    """The events of one answer as bytes, ending in one `finished` or one `error`; closing it cancels."""
    async with aclosing(feed):
        yield sse.OPENED
        try:
            async for batch in feed.batches():
                yield b"".join(map(frame, batch)) or sse.KEEP_ALIVE
        except ServerError as error:
            yield error_frame(error)


def frame(event: Event) -> bytes:
    """`data: {"type": "text", "text": ...}`: the type is the event's own tag."""
    return sse.event(_encode(event))


def error_frame(error: ServerError) -> bytes:
    told = {"type": "error", "code": error.code, "message": error.message, "param": error.param}
    return sse.event(msgspec.json.encode(told))
