"""The playground's stream dialect: each of the request's events as one server-sent JSON line."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec

from inference.errors import ServerError
from inference.openai import sse
from inference.openai.feed import Feed
from inference.types import Event


async def sent(feed: Feed) -> AsyncGenerator[bytes]:
    """The events of one answer as bytes, ending in one `finished` or one `error`; closing it cancels."""
    async with aclosing(feed):
        yield sse.OPENED
        try:
            async for event in feed:
                yield sse.KEEP_ALIVE if event is None else frame(event)
        except ServerError as error:
            yield error_frame(error)


def frame(event: Event) -> bytes:
    """`data: {"type": "text", "text": ...}`: the type is the event's own tag."""
    return sse.event(msgspec.json.encode(event))


def error_frame(error: ServerError) -> bytes:
    told = {"type": "error", "code": error.code, "message": error.message, "param": error.param}
    return sse.event(msgspec.json.encode(told))
